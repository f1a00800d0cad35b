"""The keys file: all keys of an installation in one file, of which only the newest may exist.

Data and keys are copied apart. A copy of the data may be kept for weeks: it holds no data key. The keys file
holds the store key, the KEKs and the wrapped data keys *of now*; each new one takes the place of the one
before. So what is erased here opens from no copy of the data as soon as the keys file is written again.

Whoever has a copy of the data and the keys file reads everything in it: keep them in different places, and
never put the keys file where versions are kept.

Source: docs/adr/0017; security.md 3.8 (crypto-shredding reaches backups).
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path

from recipient import holdings
from recipient.data_keys import key_of
from recipient.errors import Unusable
from recipient.holdings import ERASED
from recipient.key_files import read_private, replace_private
from recipient.store_protocol import Store

_VERSION = 1
DataKeyRow = tuple[str, str, str, bytes, str]


@dataclass(frozen=True, slots=True, repr=False)
class KeyCopy:
    """What a keys file holds."""

    store_key: bytes
    kek_file: bytes
    data_keys: tuple[DataKeyRow, ...]


@dataclass(frozen=True, slots=True)
class PutBack:
    """What became of what a copy of the data held."""

    people: int
    resources: int
    people_gone: int
    resources_gone: int


def data_keys_of(store: Store) -> tuple[DataKeyRow, ...]:
    """Return the wrapped data keys as they are now."""
    return tuple(
        (row[0], row[1], row[2], row[3], row[4])
        for row in store.rows("SELECT sub, id, kek, wrapped, created_at FROM data_key")
    )


def write_key_copy(path: Path, copy: KeyCopy) -> None:
    """Write the keys file for the owner only, in the place of the one before: whole or not at all."""
    said = {
        "version": _VERSION,
        "store_key": _text(copy.store_key),
        "kek_file": _text(copy.kek_file),
        "data_keys": [[sub, name, kek, _text(wrapped), at] for sub, name, kek, wrapped, at in copy.data_keys],
    }
    replace_private(path, json.dumps(said).encode("ascii"))


def read_key_copy(path: Path) -> KeyCopy:
    """Read a keys file.

    Raises:
        Unusable: ``key_missing``, ``key_unsafe``.
    """
    try:
        said = json.loads(read_private(path, missing="key_missing"))
        if said["version"] != _VERSION:
            raise Unusable("key_unsafe")
        rows = tuple(
            (str(sub), str(name), str(kek), b64decode(wrapped), str(at))
            for sub, name, kek, wrapped, at in said["data_keys"]
        )
        return KeyCopy(b64decode(said["store_key"]), b64decode(said["kek_file"]), rows)
    except (ValueError, KeyError, TypeError) as exc:
        raise Unusable("key_unsafe") from exc


def put_keys_back(store: Store, data_keys: tuple[DataKeyRow, ...]) -> PutBack:
    """Give data that were put back from a copy the data keys of now; erase what none of them opens.

    Args:
        store: open, with the KEKs of the keys file.
        data_keys: of the newest keys file.

    Returns:
        How much is there, and how much was erased because its key was destroyed since the copy was made.
    """
    with store.transaction():
        known = {str(row[0]) for row in store.rows("SELECT sub FROM sender")}
        store.run("DELETE FROM data_key")
        store.run_many(
            "INSERT INTO data_key (sub, id, kek, wrapped, created_at) VALUES (?, ?, ?, ?, ?)",
            [row for row in data_keys if row[0] in known],
        )
        before = _counts(store)
        for (sub,) in store.rows("SELECT DISTINCT sub FROM resource"):
            _erase_unopenable(store, str(sub))
        after = _counts(store)
    store.fold()
    return PutBack(*after, before[0] - after[0], before[1] - after[1])


def _erase_unopenable(store: Store, sub: str) -> None:
    key = key_of(store, sub)
    gone = []
    for row_id, reference, sealed in store.rows(
        "SELECT id, reference, raw FROM resource WHERE sub = ?", (sub,)
    ):
        try:
            if key is None:
                raise Unusable("store_damaged")
            key.open(reference, sealed)
        except Unusable:
            gone.append((sub, row_id))
    store.run_many("DELETE FROM resource WHERE sub = ? AND id = ?", gone)
    if gone and store.row("SELECT 1 FROM resource WHERE sub = ?", (sub,)) is None:
        holdings.close_holding(store, sub, state=ERASED)


def _counts(store: Store) -> tuple[int, int]:
    row = store.row("SELECT count(DISTINCT sub), count(*) FROM resource")
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
