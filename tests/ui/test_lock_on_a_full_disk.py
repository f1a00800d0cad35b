"""Locking when the disk takes nothing any more: locked all the same, said on the screen, nothing lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pgo.ui.state import AppState
from pgo.usecases.settings import Settings, save_settings, settings
from pgo.usecases.unlock import unlock
from tests.support.applications import PASSPHRASE
from tests.support.vaults import Home


def full(*_args: object, **_kwargs: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_does_not_keep_a_vault_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "vaults")
    session, state = home.open_new(), AppState()
    state.attach(home.app)
    state.opened(session)
    save_settings(session, Settings(theme="dark"))
    with monkeypatch.context() as patch:
        patch.setattr("pgo.store.header.save_atomically", full)
        asyncio.run(state.lock("lock.idle"))
    assert session.closed
    assert not state.unlocked
    assert state.lock_reason == "lock.disk"
    again = unlock(home.app, session.folder, PASSPHRASE)
    assert settings(again).theme == "dark"
    again.lock()
