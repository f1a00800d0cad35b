"""What the contracts of a recipient start from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from recipient.store import Store
from tests.support.recipient_direct import found
from tests.support.recipient_stores import Place


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """A recipient that has its name and keys and nobody's data, once for either kind of store."""
    store = place.create()
    found(store)
    yield store
    store.close()
