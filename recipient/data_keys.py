"""A key per holding: what a patient sent is sealed under a key of its own, and erased by destroying that key.

Promises:
1. the records of one sender are sealed under one random 256-bit data key, made when the first of them comes;
   the key lies in the database wrapped by a KEK, which does not lie there (``recipient.kek``);
2. erasing removes the key in the same transaction as the records and the statement that asked for it;
3. erasing a part seals what stays under a fresh key and destroys the old one: what is gone opens nowhere;
4. a record is sealed together with its sender, its reference and its key: rows cannot change places; what it
   says by itself (``seal_facts``) opens beside exactly these bytes.

Why a key per holding and not per grant, and what this means for copies: docs/adr/0017.
Sources: security.md 3.8 and 3.9; NIST SP 800-88 rev. 1 section 2.5 (cryptographic erase).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crypto.aead import AeadKey
from crypto.errors import WrongKey
from recipient.errors import Unusable
from recipient.instants import instant_text
from recipient.schema import AppendOnly

if TYPE_CHECKING:
    from recipient.store_protocol import Store

TABLES: tuple[str | AppendOnly, ...] = (
    """CREATE TABLE data_key (
      sub TEXT PRIMARY KEY REFERENCES sender(sub), id TEXT NOT NULL, kek TEXT NOT NULL, wrapped BLOB NOT NULL,
      created_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # how many keys were destroyed since the KEK was last renewed; one row
    """CREATE TABLE kek_care (
      "only" INTEGER PRIMARY KEY CHECK ("only" = 1), destroyed INTEGER NOT NULL
    ) STRICT""",
    "INSERT INTO kek_care VALUES (1, 0)",
    "ALTER TABLE resource ADD COLUMN digest BLOB",
)
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class DataKey:
    """The opened key of one sender."""

    sub: str
    id: str
    key: AeadKey

    def seal(self, reference: str, full_url: str | None, raw: bytes) -> bytes:
        """Seal a record together with the address it had at its source."""
        address = (full_url or "").encode("utf-8")
        return self.key.seal(
            len(address).to_bytes(_LENGTH_BYTES, "big") + address + raw, aad=self._aad(reference)
        )

    def open(self, reference: str, sealed: bytes) -> tuple[str | None, bytes]:
        """Open a record; return the address it had, and its exact bytes.

        Raises:
            Unusable: ``store_damaged``, it was sealed under another key, for another place, or changed.
        """
        try:
            opened = self.key.open(sealed, aad=self._aad(reference))
        except WrongKey as exc:
            raise Unusable("store_damaged") from exc
        end = _LENGTH_BYTES + int.from_bytes(opened[:_LENGTH_BYTES], "big")
        return opened[_LENGTH_BYTES:end].decode("utf-8") or None, opened[end:]

    def seal_facts(self, reference: str, digest: bytes, facts: str) -> bytes:
        """Seal what a record says by itself; it opens beside exactly the record with this digest."""
        return self.key.seal(facts.encode("utf-8"), aad=self._aad(reference) + b"\nfacts\n" + digest)

    def open_facts(self, reference: str, digest: bytes, sealed: bytes | None) -> str | None:
        """Open them; None when there are none for this record as it is: they are found from it then."""
        if sealed is None:
            return None
        try:
            return self.key.open(sealed, aad=self._aad(reference) + b"\nfacts\n" + digest).decode("utf-8")
        except WrongKey:
            return None

    def digest(self, full_url: str | None, raw: bytes) -> bytes:
        """Return what is equal for equal records, to whoever has the key."""
        return self.key.digest((full_url or "").encode("utf-8"), raw)

    def _aad(self, reference: str) -> bytes:
        return "\n".join(("recipient/1/resource", self.id, self.sub, reference)).encode("utf-8")


def key_of(store: Store, sub: str) -> DataKey | None:
    """Return the key of a sender, None when nothing of hers is kept."""
    row = store.row("SELECT id, kek, wrapped FROM data_key WHERE sub = ?", (sub,))
    return None if row is None else opened_key(store, sub, row)


def opened_key(store: Store, sub: str, row: Sequence[Any]) -> DataKey:
    """Return the key of a sender from what is kept of it: id, KEK, wrapped key.

    Raises:
        Unusable: ``store_damaged``, there is none.
    """
    key_id, kek, wrapped = row
    if key_id is None:
        raise Unusable("store_damaged")
    return DataKey(sub, key_id, store.wrapping.unwrap(kek, wrapped, aad=_key_aad(sub, key_id)))


def key_for(store: Store, sub: str, *, at: datetime) -> DataKey:
    """Return the key of a sender, a fresh one when there is none; the caller holds the transaction."""
    return key_of(store, sub) or _make_key(store, sub, instant_text(at))


def destroy_key(store: Store, sub: str) -> None:
    """Destroy the key of a sender: what it sealed opens nowhere any more. The caller as above."""
    gone = store.run("DELETE FROM data_key WHERE sub = ?", (sub,))
    store.run("UPDATE kek_care SET destroyed = destroyed + ?", (gone,))


def reseal(store: Store, sub: str) -> None:
    """Seal what is left of a sender under a fresh key and destroy the old one; the caller as above."""
    old = key_of(store, sub)
    if old is None:
        return
    rows = store.rows("SELECT id, reference, raw, facts FROM resource WHERE sub = ?", (sub,))
    row = store.row("SELECT created_at FROM data_key WHERE sub = ?", (sub,))
    opened = [(row_id, reference, *old.open(reference, raw)) for row_id, reference, raw, _ in rows]
    facts = [
        old.open_facts(one[1], old.digest(*one[2:]), sealed)
        for one, (_, _, _, sealed) in zip(opened, rows, strict=True)
    ]
    destroy_key(store, sub)
    if opened and row is not None:
        new = _make_key(store, sub, row[0])
        _seal_rows(store, new, opened)
        store.run_many(
            "UPDATE resource SET facts = ? WHERE id = ?",
            [
                (text and new.seal_facts(one[1], new.digest(*one[2:]), text), one[0])
                for one, text in zip(opened, facts, strict=True)
            ],
        )


def renew_kek(store: Store) -> int:
    """Wrap every data key under a fresh KEK and destroy the older KEKs; return how many keys were wrapped.

    Copies of the database made before now open with no KEK that still exists.
    """
    with store.transaction():
        store.wrapping.renew()
        again = []
        for sub, key_id, kek, wrapped in store.rows("SELECT sub, id, kek, wrapped FROM data_key"):
            aad = _key_aad(sub, key_id)
            again.append((*store.wrapping.wrap(store.wrapping.unwrap(kek, wrapped, aad=aad), aad=aad), sub))
        store.run_many("UPDATE data_key SET kek = ?, wrapped = ? WHERE sub = ?", again)
        store.run("UPDATE kek_care SET destroyed = 0")
    store.fold()
    with store.transaction():  # another process may be renewing: what it wrapped meanwhile counts as used
        used = frozenset(str(row[0]) for row in store.rows("SELECT DISTINCT kek FROM data_key"))
        store.wrapping.keep_only(used)
    return len(again)


def care_for_kek(store: Store) -> bool:
    """Renew the KEK when keys were destroyed since the last time, or a renewal was cut short; say whether."""
    row = store.row("SELECT destroyed FROM kek_care")
    if row == (0,) and len(store.wrapping.known()) == 1:
        return False
    renew_kek(store)
    return True


def seal_what_lies_open(store: Store) -> None:
    """Seal records and secrets of a store from before there were data keys; part of a migration step."""
    for sub, since in store.rows("SELECT sub, min(received_at) FROM resource GROUP BY sub"):
        rows = store.rows("SELECT id, reference, full_url, raw FROM resource WHERE sub = ?", (sub,))
        _seal_rows(store, _make_key(store, sub, since), [(row[0], row[1], row[2], row[3]) for row in rows])
    store.run("ALTER TABLE resource DROP COLUMN full_url")
    for (seed,) in store.rows("SELECT signing_seed FROM identity"):
        store.run("UPDATE identity SET signing_seed = ?", (store.secrets.seal("signing_seed", seed),))
    for row_id, seed in store.rows("SELECT id, seed FROM opening_key"):
        sealed = store.secrets.seal("opening_seed", seed)
        store.run("UPDATE opening_key SET seed = ? WHERE id = ?", (sealed, row_id))


def _make_key(store: Store, sub: str, created_at: str) -> DataKey:
    made = DataKey(sub, secrets.token_hex(16), AeadKey.generate())
    kek, wrapped = store.wrapping.wrap(made.key, aad=_key_aad(sub, made.id))
    store.run("INSERT INTO data_key VALUES (?, ?, ?, ?, ?)", (sub, made.id, kek, wrapped, created_at))
    return made


def _seal_rows(store: Store, key: DataKey, rows: Sequence[tuple[int, str, str | None, bytes]]) -> None:
    store.run_many(
        "UPDATE resource SET raw = ?, digest = ? WHERE id = ?",
        (
            (key.seal(reference, full_url, raw), key.digest(full_url, raw), row_id)
            for row_id, reference, full_url, raw in rows
        ),
    )


def _key_aad(sub: str, key_id: str) -> bytes:
    return "\n".join(("recipient/1/data-key", key_id, sub)).encode("utf-8")
