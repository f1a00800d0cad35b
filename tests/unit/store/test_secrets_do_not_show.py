"""Check 14: no secret shows in a repr, a text, a pickle, a traceback or a log."""

from __future__ import annotations

import logging
import pickle
import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.recovery import parse_recovery_code
from pgo.errors import AppError
from pgo.store.oskeyring import SERVICE, OsKeyring
from pgo.store.renewal import Secrets
from pgo.store.vault import Vault
from pgo.usecases import keys
from pgo.usecases.unlock import create_vault, unlock, unlock_with_code
from tests.support.applications import CHEAP, PASSPHRASE
from tests.support.fault_figures import figures
from tests.support.keyrings import InMemory, keeper
from tests.support.vaults import Home

OTHER = "heel andere woorden dan net"


def forms(secret: bytes) -> set[str]:
    """A secret as it might show: as hex, and as Python writes bytes."""
    return {bytes(secret).hex(), repr(bytes(secret))[2:-1]}


def texts_of(thing: object) -> list[str]:
    """Everything a debugger, a log or a crash would write of it."""
    found = [repr(thing), str(thing), f"{thing}"]
    try:
        found.append(pickle.dumps(thing).decode("latin-1"))
    except (TypeError, AttributeError, pickle.PicklingError) as refusal:
        found.append(str(refusal))
    return found


def test_no_secret_shows_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ring = InMemory()
    app = replace(Home(tmp_path).app, keyring=keeper(ring))
    new = create_vault(app, tmp_path / "Thuis", PASSPHRASE)
    session, store = new.session, new.session.store
    assert isinstance(store, Vault)
    keys.keyring_on(session)
    secrets = {PASSPHRASE, OTHER, new.recovery_code_text, *ring.kept.values()}
    secrets |= forms(store._vault_key) | forms(store.identity_seed())
    secrets |= forms(parse_recovery_code(new.recovery_code_text).secret)
    things = (
        *(new, session, store, store.keys, store._header, store._engine, store._lock),
        *(app, OsKeyring(ring), Secrets(PASSPHRASE, CHEAP, b"s" * 32)),
        parse_recovery_code(new.recovery_code_text),
    )
    written = [text for thing in things for text in texts_of(thing)]
    session.lock()
    written += _tracebacks(app, session.folder, new.recovery_code_text, ring)
    renewal = keys.renew_vault_key(unlock(app, session.folder, PASSPHRASE), PASSPHRASE, on_progress=id)
    secrets.add(renewal.recovery_code_text)
    written += texts_of(renewal)
    renewal.session.lock()
    written.append(caplog.text)
    found = sum(secret in text for secret in secrets for text in written)
    figures["secrets in words"] = f"{len(secrets)} secrets, {len(written)} texts, {found} found"
    assert [text[:200] for secret in secrets for text in written if secret in text] == []
    assert found == 0


def _tracebacks(app: object, folder: Path, code: str, ring: InMemory) -> list[str]:
    """Failures of every way in, as a crash report would write them."""
    home = Home(folder.parent)
    wrong = code[:-1] + ("Z" if code[-1] != "Z" else "Y")
    ring.kept[SERVICE, "other"] = "x"
    attempts = (
        lambda: unlock(home.app, folder, OTHER),
        lambda: unlock_with_code(home.app, folder, wrong),
        lambda: create_vault(home.app, folder, PASSPHRASE),
        lambda: create_vault(home.app, folder.with_name("zwak"), "kort"),
    )
    found = []
    for attempt in attempts:
        with pytest.raises(AppError) as caught:
            attempt()
        found.append("".join(traceback.format_exception(caught.value)))
        found.append(repr(caught.value.__dict__))
    return found
