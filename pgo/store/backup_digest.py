"""A fingerprint of everything in a vault's database, table by table: equal content, equal fingerprint.

It says nothing about pages, free space or the order in which rows were written, so a copy, a restored backup
and the vault itself can be compared. Rows are read one by one: a table may be larger than memory.

Each value is hashed as a type letter, its length and its bytes, so that no two rows can look alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgo.store.database import EncryptedDatabase
from pgo.store.protocols import Row


@dataclass(frozen=True, slots=True)
class TableDigest:
    """How many rows a table has, and the hash of all of them in the order of their key."""

    rows: int
    sha256: str


def content_digests(engine: EncryptedDatabase) -> Mapping[str, TableDigest]:
    """The fingerprint of every table, by name."""
    names = engine.rows(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"  # what a virtual table keeps lies in others
    )
    return {str(name): table_digest(engine, str(name)) for (name,) in names}


def table_digest(engine: EncryptedDatabase, table: str, *, first: int = -1) -> TableDigest:
    """The fingerprint of one table, or of its first rows.

    Args:
        engine: the database.
        table: a name from ``sqlite_master``.
        first: rows to take; -1 for all.
    """
    # Hidden columns are computed from others: they have no content of their own (hidden <> 0).
    columns = [row for row in engine.rows(f"PRAGMA table_xinfo({_quoted(table)})") if row[6] == 0]
    keys = [_quoted(row[1]) for row in sorted(columns, key=lambda row: int(row[5])) if row[5]]
    names = ", ".join(_quoted(row[1]) for row in columns)
    sql = f"SELECT {names} FROM {_quoted(table)} ORDER BY {', '.join(keys) or 'rowid'} LIMIT {int(first)}"  # noqa: S608
    digest, count = hashlib.sha256(), 0
    for row in engine.each(sql):
        digest.update(_row_bytes(row))
        count += 1
    return TableDigest(count, digest.hexdigest())


def _row_bytes(row: Row) -> bytes:
    return b"".join(map(_value_bytes, row)) + b"\n"


def _value_bytes(value: Any) -> bytes:
    kind, data = _encoded(value)
    return kind + str(len(data)).encode("ascii") + b":" + data


def _encoded(value: Any) -> tuple[bytes, bytes]:
    match value:
        case None:
            return b"n", b""
        case int():
            return b"i", str(value).encode("ascii")
        case float():
            return b"f", value.hex().encode("ascii")
        case str():
            return b"t", value.encode("utf-8")
        case _:
            return b"b", bytes(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
