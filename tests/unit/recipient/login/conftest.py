"""Who logs in, in tests of logging in."""

from __future__ import annotations

import pytest

from recipient.accounts import Account, add_account
from recipient.store import Store
from tests.support.recipient_direct import AT


@pytest.fixture
def account(store: Store) -> Account:
    """A physician without a password."""
    return add_account(store, name="dewit", display="S. de Wit", role="arts", password=None, at=AT)
