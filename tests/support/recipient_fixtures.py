"""Fixtures about the places where a recipient keeps its things; a plug-in of ``tests/conftest.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recipient_stores import KINDS, POSTGRES, Place


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a recipient keeps its things, once for either kind of store; nothing is there yet."""
    cluster = request.getfixturevalue("postgres") if request.param == POSTGRES else None
    return Place.of(request.param, tmp_path / "recipient", cluster)
