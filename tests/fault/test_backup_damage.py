"""No damaged backup is believed (guide security section 5, check 10). Prints how many were tried."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pgo.errors import AppError, BackupRefused, WrongPassphrase
from pgo.store.backup_open import open_into, with_code, with_key, with_passphrase
from tests.support.applications import PASSPHRASE
from tests.support.backups import Pieces, backup_of, filled, more, pieces_of
from tests.support.fault_figures import figures
from tests.support.vaults import Home

SEED = 20261122


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A backup, an older one of the same vault, and one of another vault under the same passphrase."""
    home = Home(tmp_path_factory.mktemp("damage"))
    session = filled(home, conditions=120)
    older = backup_of(session, home.folder.parent / "out")
    home.clock.forward(days=1)
    more(session, range(120, 130))
    backup = backup_of(session, home.folder.parent / "out")
    key = bytes(session.store._vault_key)  # type: ignore[attr-defined]  # the test damages, it does not guess
    session.lock()
    other = filled(home, "Ander", conditions=120)
    foreign = backup_of(other, home.folder.parent / "out")
    other.lock()
    (home.folder / "key").write_bytes(key)
    return {"good": backup.path, "older": older.path, "foreign": foreign.path, "key": home.folder / "key"}


def _flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def _with_chunks(good: Pieces, number: int, *instead: bytes) -> bytes:
    return replace(good, chunks=(*good.chunks[:number], *instead, *good.chunks[number + 1 :])).whole


def _chunk_damage(good: Pieces, other: Pieces) -> Iterator[tuple[str, bytes]]:
    """Each chunk: flipped, cut, dropped, doubled, swapped, taken from another vault or an older backup."""
    rng = random.Random(SEED)
    for number, chunk in enumerate(good.chunks):
        with_ = functools.partial(_with_chunks, good, number)
        for at in (0, len(chunk) // 2, len(chunk) - 1, rng.randrange(len(chunk))):
            yield f"chunk {number} flipped at {at}", with_(_flipped(chunk, at, rng.randrange(8)))
        yield f"chunk {number} cut by one", with_(chunk[:-1])
        yield f"chunk {number} cut to half", with_(chunk[: len(chunk) // 2])
        yield f"chunk {number} gone", with_()
        yield f"chunk {number} doubled", with_(chunk, chunk)
        yield f"chunk {number} with a byte more", with_(chunk + b"\x00")
        if number < len(other.chunks):
            yield f"chunk {number} of another backup", with_(other.chunks[number])
    for first, second in itertools.combinations(range(len(good.chunks)), 2):
        chunks = list(good.chunks)
        chunks[first], chunks[second] = chunks[second], chunks[first]
        yield f"chunks {first} and {second} swapped", replace(good, chunks=tuple(chunks)).whole


def _file_damage(good: Pieces, other: Pieces) -> Iterator[tuple[str, bytes]]:
    """The file as a whole: cut anywhere, added to, parts of two backups put together."""
    rng, whole = random.Random(SEED), good.whole
    for length in sorted(rng.sample(range(len(whole)), 40)):
        yield f"cut to {length}", whole[:length]
    yield "empty", b""
    yield "a byte more", whole + b"\x00"
    yield "twice", whole + whole
    yield "without signature", whole[:-64]
    yield "another signature", replace(good, signature=other.signature).whole
    yield "another header", replace(good, header=other.header).whole
    yield "other chunks", replace(good, chunks=other.chunks).whole
    for at in range(64):
        yield f"signature flipped at {at}", replace(good, signature=_flipped(good.signature, at)).whole


def _rebuilt(good: Pieces, **members: object) -> bytes:
    """An edited header with its checksum made right again: what somebody who knows the format would do."""
    body = json.loads(good.header.split(b"\n")[2]) | members
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    hashed = f"PGO-BACKUP 1\n{len(text)}\n".encode() + text + b"\n"
    header = hashed + f"sha256:{hashlib.sha256(hashed).hexdigest()}\n".encode()
    return replace(good, header=header).whole


def _header_damage(good: Pieces, other: Pieces) -> Iterator[tuple[str, bytes]]:
    """The header: flipped anywhere, and edited member by member with a right checksum."""
    rng = random.Random(SEED)
    for at in sorted(rng.sample(range(len(good.header)), 80)):
        yield (
            f"header flipped at {at}",
            replace(good, header=_flipped(good.header, at, rng.randrange(7))).whole,
        )
    body = json.loads(good.header.split(b"\n")[2])
    theirs = json.loads(other.header.split(b"\n")[2])
    for name in body:
        yield f"member {name} of another backup", _rebuilt(good, **{name: theirs[name]})
        yield f"member {name} null", _rebuilt(good, **{name: None})
        yield f"member {name} a text", _rebuilt(good, **{name: "x"})
        yield f"member {name} a number", _rebuilt(good, **{name: 7})
    costs = body["slots"][0]["kdf"]
    for price in ({"memory_kib": 8}, {"memory_kib": 1 << 30}, {"iterations": 1 << 31}, {"lanes": 0}):
        slots = [body["slots"][0] | {"kdf": costs | price}, *body["slots"][1:]]
        yield f"price {price}", _rebuilt(good, slots=slots)
    yield "slots swapped", _rebuilt(good, slots=body["slots"][::-1] + body["slots"][:1])
    yield "no slots", _rebuilt(good, slots=[])
    yield "newer", good.whole.replace(b"PGO-BACKUP 1", b"PGO-BACKUP 2", 1)
    yield "of a form of tables not known yet", _rebuilt(good, schema=9_999)


def test_no_damaged_backup_is_accepted(made: dict[str, Path], tmp_path: Path) -> None:
    good, foreign, key = pieces_of(made["good"]), pieces_of(made["foreign"]), made["key"].read_bytes()
    older = pieces_of(made["older"])
    cases = [
        *_chunk_damage(good, foreign),
        *_file_damage(good, foreign),
        *_file_damage(good, older),
        *_header_damage(good, foreign),
        *_header_damage(good, older),
    ]
    cases = [(name, data) for name, data in cases if data != good.whole]
    path, target, outcomes = tmp_path / "damaged.pgobackup", tmp_path / "copy.db", Counter[str]()
    accepted = []
    for name, data in cases:
        path.write_bytes(data)
        try:
            # With the true key, so that every step after the key slot is put to the test too.
            open_into(path, target, with_key(key))
        except BackupRefused as exc:
            outcomes[exc.code] += 1
            assert list(tmp_path.iterdir()) == [path], f"{name}: something was left behind"
        else:
            accepted.append(name)
            target.unlink()
    figures["damaged backups"] = (
        f"{len(cases)} tried, {len(accepted)} accepted ("
        + ", ".join(f"{count} {code}" for code, count in sorted(outcomes.items()))
        + ")"
    )
    assert accepted == []
    assert len(cases) >= 300


def test_the_good_one_is_accepted_by_passphrase_and_by_key(made: dict[str, Path], tmp_path: Path) -> None:
    for number, unwrap in enumerate((with_passphrase(PASSPHRASE), with_key(made["key"].read_bytes()))):
        opened = open_into(made["good"], tmp_path / f"{number}.db", unwrap)
        assert opened.header.records == 131
        assert opened.manifest.tables["record"].rows == 131
        assert opened.sha256 == hashlib.sha256(made["good"].read_bytes()).hexdigest()


def test_an_edited_key_slot_opens_with_no_passphrase(made: dict[str, Path], tmp_path: Path) -> None:
    good = pieces_of(made["good"])
    body = json.loads(good.header.split(b"\n")[2])
    foreign = json.loads(pieces_of(made["foreign"]).header.split(b"\n")[2])
    path = tmp_path / "edited.pgobackup"
    for slots in (foreign["slots"], [body["slots"][0] | {"salt": foreign["slots"][0]["salt"]}]):
        path.write_bytes(_rebuilt(good, slots=slots))
        with pytest.raises(AppError):
            open_into(path, tmp_path / "copy.db", with_passphrase(PASSPHRASE))
    assert list(tmp_path.iterdir()) == [path]


def test_each_way_of_being_wrong_has_its_own_name(made: dict[str, Path], tmp_path: Path) -> None:
    good = made["good"].read_bytes()

    def outcome(data: bytes, passphrase: str = PASSPHRASE) -> str:
        path = tmp_path / "file"
        path.write_bytes(data)
        with pytest.raises(AppError) as caught:
            open_into(path, tmp_path / "copy.db", with_passphrase(passphrase))
        return caught.value.code

    assert outcome(good, "vier andere woorden hier") == WrongPassphrase.code
    assert outcome(good[:-1]) == "backup_damaged"
    assert outcome(_flipped(good, 400)) == "backup_damaged"
    assert outcome(b"PGO-BACKUP 7\n" + good[13:]) == "backup_newer"
    assert outcome(b"a holiday picture") == "backup_unknown"
    with pytest.raises(BackupRefused) as caught:
        open_into(tmp_path / "nowhere", tmp_path / "copy.db", with_passphrase(PASSPHRASE))
    assert caught.value.code == "backup_folder"


def test_a_code_of_another_vault_opens_nothing(made: dict[str, Path], tmp_path: Path) -> None:
    session = Home(tmp_path / "else").open_new()
    code = session.store.keys.replace_recovery()
    session.lock()
    with pytest.raises(WrongPassphrase):
        open_into(made["good"], tmp_path / "copy.db", with_code(code))
