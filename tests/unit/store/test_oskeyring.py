"""The key ring of the operating system: only a real one, and it fails closed."""

from __future__ import annotations

import keyring.backend
import pytest
from keyring.backends.fail import Keyring as FailKeyring
from keyring.backends.null import Keyring as NullKeyring

from pgo.errors import KeyringRefused
from pgo.store.oskeyring import SERVICE, OsKeyring, find_os_keyring
from tests.support.keyrings import Forgetful, InMemory, Refusing

SECRET = bytes(range(32))


def code_of(work: object) -> str:
    with pytest.raises(KeyringRefused) as caught:
        work()  # type: ignore[operator]
    return caught.value.code


def test_a_secret_is_kept_for_its_vault_only_and_forgotten() -> None:
    ring = OsKeyring(InMemory())
    ring.keep("a" * 32, SECRET)
    assert ring.secret_of("a" * 32) == SECRET
    assert code_of(lambda: ring.secret_of("b" * 32)) == "keyring_empty"
    ring.forget("a" * 32)
    ring.forget("a" * 32)
    assert code_of(lambda: ring.secret_of("a" * 32)) == "keyring_empty"


@pytest.mark.parametrize("kept", ["", "not base64!", "AAAA", "A" * 44, "é"])
def test_what_is_no_secret_of_ours_counts_as_nothing(kept: str) -> None:
    backend = InMemory()
    backend.kept[SERVICE, "a"] = kept
    assert code_of(lambda: OsKeyring(backend).secret_of("a")) == "keyring_empty"


def test_a_key_ring_that_refuses_is_told_apart() -> None:
    ring = OsKeyring(Refusing())
    assert code_of(lambda: ring.keep("a", SECRET)) == "keyring_locked"
    assert code_of(lambda: ring.secret_of("a")) == "keyring_locked"
    ring.forget("a")


def test_a_key_ring_that_takes_and_keeps_nothing_is_found_out() -> None:
    assert code_of(lambda: OsKeyring(Forgetful()).keep("a", SECRET)) == "keyring_empty"


class Chosen(InMemory):
    """Stands where the library's own back-end for Linux stands."""


Chosen.__module__ = "keyring.backends.SecretService"


def test_only_key_rings_of_operating_systems_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [FailKeyring(), NullKeyring(), InMemory()]
    monkeypatch.setattr(keyring.backend, "get_all_keyring", lambda: others)
    assert code_of(find_os_keyring) == "keyring_absent"
    chosen = Chosen()
    monkeypatch.setattr(keyring.backend, "get_all_keyring", lambda: [*others, chosen])
    find_os_keyring().keep("a", SECRET)
    assert len(chosen.kept) == 1


def test_neither_secret_nor_back_end_shows_in_words() -> None:
    backend = InMemory()
    ring = OsKeyring(backend)
    ring.keep("a", SECRET)
    assert all(value not in repr(ring) for value in backend.kept.values())
