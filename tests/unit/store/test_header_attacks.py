"""Check 7: a header with other costs, swapped slots or flipped bits opens nothing and costs nothing extra.

No stopwatch: what makes a doctored header slow is a derivation at a price out of bounds, so every derivation
is watched instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgo.errors import AppError
from pgo.store import slots
from pgo.store.header import load_header
from pgo.usecases.unlock import create_vault, unlock, unlock_with_code
from tests.support.applications import PASSPHRASE
from tests.support.fault_figures import figures
from tests.support.prices import free_kek
from tests.support.vaults import Home
from tests.unit.pgo.test_store_header import edited

_counts = {"tried": 0, "accepted": 0}


@pytest.fixture(scope="module", autouse=True)
def watched() -> Iterator[None]:
    """Every derivation of this module is watched, and costs nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "derive_kek", free_kek)
        yield
    figures["edited headers"] = f"{_counts['tried']} tried, {_counts['accepted']} accepted"


@pytest.fixture(scope="module")
def made(watched: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, bytes]:
    home = Home(tmp_path_factory.mktemp("attacked"))
    new = create_vault(home.app, home.folder / "Thuis", PASSPHRASE)
    new.session.lock()
    header = new.session.folder / "vault.hdr"
    (new.session.folder / "vault.hdr.prev").unlink(missing_ok=True)
    return new.session.folder, new.recovery_code_text, header.read_bytes()


def refused(made: tuple[Path, str, bytes], data: bytes) -> bool:
    folder, code, good = made
    app = Home(folder.parent).app
    (folder / "vault.hdr").write_bytes(data)
    _counts["tried"] += 1
    try:
        for attempt in (lambda: unlock(app, folder, PASSPHRASE), lambda: unlock_with_code(app, folder, code)):
            try:
                attempt().lock()
            except AppError:
                continue
            _counts["accepted"] += 1
            return False
        return True
    finally:
        assert (folder / "vault.hdr").read_bytes() == data, "a refused header stays as it was"
        (folder / "vault.hdr").write_bytes(good)
        (folder / "vault.hdr.prev").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"memory_kib":65536', b'"memory_kib":8'),
        (b'"memory_kib":65536', b'"memory_kib":1073741824'),
        (b'"memory_kib":65536', b'"memory_kib":131072'),
        (b'"iterations":1', b'"iterations":2147483648'),
        (b'"iterations":1', b'"iterations":0'),
        (b'"iterations":1', b'"iterations":2'),
        (b'"lanes":4', b'"lanes":1'),
        (b'"lanes":4', b'"lanes":255'),
        (b'"name":"argon2id"', b'"name":"argon2i"'),
        (b'"kind":"recovery"', b'"kind":"keyring"'),
        (b'"generation":1', b'"generation":2'),
        (b'"recovery_confirmed":false', b'"recovery_confirmed":true'),
        (b'"commits":1', b'"commits":0'),
        (b"sqlcipher-4", b"sqlcipher-5"),
    ],
)
def test_a_changed_value_is_refused(made: tuple[Path, str, bytes], old: bytes, new: bytes) -> None:
    assert refused(made, edited(made[2], old, new))


def test_slots_in_each_others_place_open_nothing(made: tuple[Path, str, bytes]) -> None:
    folder, _, good = made
    passphrase, recovery = load_header(folder).header.slots
    one, other = (json.dumps(text).encode() for text in _wrapped(good))
    swapped = edited(edited(edited(good, one, b'"X"'), other, one), b'"X"', other)
    assert refused(made, swapped)
    assert passphrase.wrapped != recovery.wrapped


def _wrapped(data: bytes) -> tuple[str, str]:
    body = json.loads(data.split(b"\n")[2])
    one, other = (slot["wrapped"] for slot in body["slots"])
    return one, other


def test_no_flipped_bit_is_accepted(made: tuple[Path, str, bytes]) -> None:
    good = made[2]
    for place in range(0, len(good), max(1, len(good) // 160)):
        changed = bytearray(good)
        changed[place] ^= 1 << place % 8
        assert refused(made, bytes(changed)), f"byte {place}"


def test_no_flipped_bit_with_its_hash_made_right_is_accepted(made: tuple[Path, str, bytes]) -> None:
    good = made[2]
    body = good.split(b"\n")[2]
    for place in range(0, len(body), max(1, len(body) // 40)):
        old = body[place : place + 12]
        new = bytes([old[0] ^ 1]) + old[1:]
        if body.count(old) == 1:
            assert refused(made, edited(good, old, new)), f"byte {place}"


def test_the_header_as_it_was_still_opens(made: tuple[Path, str, bytes]) -> None:
    folder, code, _ = made
    app = Home(folder.parent).app
    unlock(app, folder, PASSPHRASE).lock()
    unlock_with_code(app, folder, code).lock()
