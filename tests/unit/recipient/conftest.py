"""What tests of single parts of the recipient share; a file that needs another store brings its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from recipient.store import Store, create_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new store with nothing in it, of the embedded kind."""
    with closing(create_store(tmp_path / "clinic")) as made:
        yield made
