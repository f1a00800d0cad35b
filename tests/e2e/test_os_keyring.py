"""The key ring of a real desktop session opens a vault, and only while it is there and unlocked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.secret_service import PASSWORD, SecretService, require_secret_service


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[SecretService]:
    require_secret_service()
    session = SecretService(tmp_path)
    try:
        yield session
    finally:
        session.close()


def test_a_vault_follows_the_key_ring_through_its_life(desktop: SecretService, tmp_path: Path) -> None:
    vaults = tmp_path / "vaults"

    def app(word: str) -> str:
        return desktop.python("tests.support.keyring_child", word, str(vaults))

    desktop.start(PASSWORD)
    assert app("create") == "opened, by key ring"
    assert app("open") == "opened, by key ring"
    assert app("renew") == "opened, by key ring"
    assert app("open") == "opened, by key ring"

    desktop.start(None)  # the person logged in without a password: the key ring stays locked
    assert app("open") == "keyring_locked"
    desktop.start(b"another password")
    assert app("open") == "keyring_locked"
    desktop.stop()
    assert app("open") == "keyring_absent"

    desktop.start(PASSWORD)
    assert app("open") == "opened, by key ring"
    assert app("off") == "opened"
    assert app("open") == "keyring_empty"
