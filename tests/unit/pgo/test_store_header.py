"""The header: what it says comes back, and no edit of it is believed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.passphrase import Argon2Parameters
from pgo.errors import KeyLost, StoreDamaged, WrongPassphrase
from pgo.store.database import CIPHER_PROFILE
from pgo.store.header import Header, build_header, load_header, parse_header, save_header
from pgo.store.slots import open_passphrase_slot, passphrase_slot
from tests.support.applications import CHEAP

KEY = bytes(range(32))
PASSPHRASE = "vier losse woorden fietsbel"


@pytest.fixture(scope="module")
def header() -> Header:
    bare = Header("0f" * 16, 1, CIPHER_PROFILE, (), commits=7, ledger_length=0)
    return bare.with_slot(passphrase_slot(bare, PASSPHRASE, argon2=CHEAP, vault_key=KEY))


def edited(data: bytes, old: bytes, new: bytes) -> bytes:
    """Change a header as somebody without the vault key would: length and hash made right, the MAC left."""
    assert old in data
    magic, _, rest = data.partition(b"\n")
    _, _, rest = rest.partition(b"\n")
    body, _, tail = rest.partition(b"\nsha256:")
    body = body.replace(old, new)
    signed = magic + b"\n" + str(len(body)).encode() + b"\n" + body + b"\n"
    mac = tail.partition(b"\n")[2]
    return signed + b"sha256:" + hashlib.sha256(signed).hexdigest().encode() + b"\n" + mac


def test_a_header_comes_back_as_it_was_written(header: Header) -> None:
    loaded = parse_header(build_header(header, KEY))
    assert loaded.verify(KEY) == header
    assert bytes(open_passphrase_slot(loaded.header, PASSPHRASE)) == KEY


def test_an_edited_header_is_not_believed(header: Header) -> None:
    loaded = parse_header(edited(build_header(header, KEY), b'"commits":7', b'"commits":6'))
    assert loaded.header.commits == 6
    with pytest.raises(StoreDamaged):
        loaded.verify(KEY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"memory_kib":65536', b'"memory_kib":65535'),
        (b'"memory_kib":65536', b'"memory_kib":2097152'),
        (b'"iterations":1', b'"iterations":2147483648'),
        (b'"kind":"passphrase"', b'"kind":"other"'),
        (b'"db_file":"store-1.db"', b'"db_file":"../store-1.db"'),
        (b'"commits":7', b'"commits":-7'),
        (b'"commits":7', b'"commits":7.5'),
        (b'"commits":7', b'"commits":7,"commits":8'),
        (b'"generation":1', b'"generation":"1"'),
    ],
)
def test_values_out_of_bounds_are_damage_before_any_key_is_derived(
    header: Header, old: bytes, new: bytes
) -> None:
    with pytest.raises(StoreDamaged):
        parse_header(edited(build_header(header, KEY), old, new))


def test_every_single_changed_byte_is_noticed(header: Header) -> None:
    data = build_header(header, KEY)
    for place in range(0, len(data), 7):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(StoreDamaged):
            parse_header(bytes(changed)).verify(KEY)


def test_a_slot_moved_to_another_vault_or_cost_does_not_open(header: Header) -> None:
    for other in (replace(header, vault_id="1e" * 16), replace(header, generation=2)):
        with pytest.raises(WrongPassphrase):
            open_passphrase_slot(other, PASSPHRASE)
    (slot,) = header.slots
    dearer = replace(slot, parameters=Argon2Parameters(iterations=2))
    with pytest.raises(WrongPassphrase):
        open_passphrase_slot(replace(header, slots=(dearer,)), PASSPHRASE)


def test_no_passphrase_slot_means_the_key_is_lost(header: Header, tmp_path: Path) -> None:
    with pytest.raises(KeyLost):
        open_passphrase_slot(replace(header, slots=()), PASSPHRASE)
    with pytest.raises(KeyLost):
        load_header(tmp_path)


def test_the_header_before_is_kept_until_the_new_one_has_proved_good(header: Header, tmp_path: Path) -> None:
    save_header(tmp_path, header, KEY)
    save_header(tmp_path, replace(header, commits=8), KEY)
    assert load_header(tmp_path).header.commits == 8
    (tmp_path / "vault.hdr").write_bytes(b"torn")
    loaded = load_header(tmp_path)
    assert (loaded.header.commits, loaded.from_previous) == (7, True)
