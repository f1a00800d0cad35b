"""A clinic that lets people in by a log-in service, both over real HTTP; one pair for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.login_place import Place, a_place


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with a_place(tmp_path_factory.mktemp("oidc")) as made:
        yield made


@pytest.fixture
def place(running: Place) -> Place:
    """Every test begins with an honest service, and after what the clinic remembers of it is old."""
    running.make_honest()
    return running
