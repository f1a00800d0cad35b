"""What patients have shared: statement in force, exact bytes, and what was answered to which message.

Promises:
1. one row per pairwise key (``sub``); it stays after withdrawal with sequence and statement hash, so that an
   older statement can never come back (rollback);
2. resources are kept as the bytes that came, sealed under the sender's own key (``recipient.data_keys``).
   Beside them, sealed the same way, stands what each says by itself: it carries the version of the
   classification table and is found anew from the bytes when that is another one, or when it does not belong
   to exactly these bytes. What a resource says among the others is always found anew (``recipient.parsed``);
3. a holding is *in force* only while its statement permits something and neither its end nor its freshness
   limit has passed; nothing else is shown or taken in;
4. whatever changes what is held or permitted raises ``revision`` in the same transaction;
5. erased means: the rows and the key that opened them are gone; the answers given stay, they hold no clinical
   content.

Callers that change something hold ``store.transaction()``.
Source: consent.md section 3 (what a recipient verifies), security.md 3.7 and 3.8.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from consent.errors import InvalidDocument
from consent.facts import ResourceFacts
from consent.statement import Statement, open_statement, statement_hash, still_allowed
from crypto.keys import VerifyKey
from recipient.data_keys import DataKey, destroy_key, key_for, opened_key, reseal
from recipient.errors import NotShared, Purged
from recipient.instants import instant_text, parse_instant
from recipient.store import Store
from sync.bundle import Item
from sync.receipt import MAX_MESSAGES_NAMED
from sync.wire import Kind

ACTIVE, STOPPED, ERASED = "active", "stopped", "erased"
_SELECT = (
    "SELECT sub, handle, first_at, changed_at, sequence, statement_hash, statement, state, revision "
    "FROM sender"
)


@dataclass(frozen=True, slots=True)
class Holding:
    """One patient's share, as this recipient knows it."""

    sub: str
    handle: str
    first_at: datetime
    changed_at: datetime
    sequence: int
    statement_hash: str
    statement: Statement
    state: str
    revision: int

    def in_force(self, at: datetime) -> bool:
        """Tell whether anything may be shown or taken in at this instant."""
        statement = self.statement
        return (
            self.state == ACTIVE
            and bool(statement.scope)
            and at < statement.until_at
            and at < statement.next_update_at
        )


@dataclass(frozen=True, slots=True)
class Held:
    """One stored resource."""

    id: int
    reference: str
    full_url: str | None
    raw: bytes
    received_at: datetime
    own: ResourceFacts | None = None
    """What it says by itself, where that was kept by the present table."""


def holding_of(store: Store, sub: str) -> Holding | None:
    """Return what is known of a sender, whatever its state, or None at first contact."""
    row = store.row(_SELECT + " WHERE sub = ?", (sub,))
    return _holding(row) if row else None


def statement_held(store: Store, sub: str) -> tuple[int, str] | None:
    """Return number and token of the newest statement of a sender, whatever its state, or None."""
    row = store.row("SELECT sequence, statement FROM sender WHERE sub = ?", (sub,))
    return (int(row[0]), str(row[1])) if row else None


def holding_in_force(store: Store, handle: str, *, at: datetime) -> Holding:
    """Return the holding behind an address of the portal.

    Args:
        store: open store.
        handle: untrusted.
        at: now.

    Raises:
        NotShared: there never was one.
        Purged: it was withdrawn or its time is over.
    """
    row = store.row(_SELECT + " WHERE handle = ?", (handle,))
    if row is None:
        raise NotShared
    holding = _holding(row)
    if not holding.in_force(at):
        raise Purged
    return holding


def sub_behind(store: Store, handle: str) -> str:
    """Return whose address of the portal this is, whatever the state; ``NotShared`` when nobody's."""
    row = store.row("SELECT sub FROM sender WHERE handle = ?", (handle,))
    if row is None:
        raise NotShared
    return str(row[0])


def is_unchanged(store: Store, holding: Holding) -> bool:
    """Tell whether nothing of a sender was stored, erased or permitted anew since a holding was read."""
    return store.row("SELECT revision FROM sender WHERE sub = ?", (holding.sub,)) == (holding.revision,)


def holdings_in_force(store: Store, *, at: datetime) -> tuple[Holding, ...]:
    """Return every holding that may be shown now, in no particular order."""
    rows = store.rows(_SELECT + " WHERE state = ?", (ACTIVE,))
    return tuple(holding for row in rows if (holding := _holding(row)).in_force(at))


def save_statement(store: Store, statement: Statement, *, token: str, state: str, at: datetime) -> None:
    """Make a verified statement the one in force for its sender; the first one makes the sender known."""
    now = instant_text(at)
    store.run(
        "INSERT INTO sender (sub, handle, first_at, changed_at, sequence, statement_hash, statement, state, "
        "revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) "
        "ON CONFLICT (sub) DO UPDATE SET changed_at = excluded.changed_at, sequence = excluded.sequence, "
        "statement_hash = excluded.statement_hash, statement = excluded.statement, state = excluded.state, "
        "revision = sender.revision + 1",
        (
            statement.issuer,
            secrets.token_urlsafe(16),
            now,
            now,
            statement.sequence,
            statement_hash(token),
            token,
            state,
        ),
    )


def held(store: Store, sub: str, *, resource_type: str | None = None) -> tuple[Held, ...]:
    """Return the stored resources of a sender, oldest row first, optionally of one FHIR type.

    Raises:
        Unusable: ``store_damaged``, a row does not open; nothing is shown then.
    """
    # Key and records in one statement: apart, a key could be destroyed between the two.
    sql = (
        "SELECT resource.id, reference, raw, received_at, facts, data_key.id, kek, wrapped FROM resource "
        "LEFT JOIN data_key ON data_key.sub = resource.sub WHERE resource.sub = ?"
    )
    parameters: tuple[str, ...] = (sub,)
    if resource_type is not None:
        sql += " AND reference >= ? AND reference < ?"
        parameters = (sub, f"{resource_type}/", f"{resource_type}0")  # "0" comes after "/"
    rows = store.rows(sql + " ORDER BY resource.id", parameters)
    if not rows:
        return ()
    key = opened_key(store, sub, rows[0][5:])
    return tuple(_held(key, row[:5]) for row in rows)


def put_resources(
    store: Store,
    sub: str,
    items: Iterable[Item],
    *,
    own: Mapping[str, ResourceFacts] | None = None,
    at: datetime,
) -> None:
    """Store resources under their references; a later version takes the place of the earlier one.

    The same bytes again keep their day of arrival: nothing is new about them.

    Args:
        store: open store; the caller holds the transaction.
        sub: the sender.
        items: parsed.
        own: what each says by itself, by reference; what is left out is found whenever it is read.
        at: now.
    """
    items = tuple(items)
    if not items:
        return  # and make no key that would open nothing
    key, now = key_for(store, sub, at=at), instant_text(at)
    store.run_many(
        "INSERT INTO resource (sub, reference, raw, facts, digest, received_at) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (sub, reference) DO UPDATE SET raw = excluded.raw, facts = excluded.facts, "
        "digest = excluded.digest, "
        "received_at = CASE WHEN resource.digest = excluded.digest THEN resource.received_at "
        "ELSE excluded.received_at END",
        [(sub, *_sealed(key, item, (own or {}).get(item.reference)), now) for item in items],
    )


def touch(store: Store, sub: str, *, at: datetime) -> None:
    """Note that a sender's resources changed, so that no cache shows the old ones."""
    store.run(
        "UPDATE sender SET changed_at = ?, revision = revision + 1 WHERE sub = ?", (instant_text(at), sub)
    )


def erase_resources(store: Store, sub: str, ids: Iterable[int] | None = None) -> int:
    """Delete the given resources of a sender, or all, with the key that opened them; return how many went."""
    if ids is None:
        destroy_key(store, sub)
        return store.run("DELETE FROM resource WHERE sub = ?", (sub,))
    gone = store.run_many("DELETE FROM resource WHERE sub = ? AND id = ?", [(sub, row_id) for row_id in ids])
    if gone:
        reseal(store, sub)
        store.run("UPDATE sender SET revision = revision + 1 WHERE sub = ?", (sub,))  # no cache keeps it
    return gone


def close_holding(store: Store, sub: str, *, state: str) -> None:
    """End a holding from this side: nothing is held and nothing shown any more."""
    erase_resources(store, sub)
    store.run("UPDATE sender SET state = ?, revision = revision + 1 WHERE sub = ?", (state, sub))


def erase_ended(store: Store, *, at: datetime, keep_hidden: timedelta) -> int:
    """Delete the resources of holdings whose end passed longer ago than ``keep_hidden``.

    The days in between exist because a patient who renews a grant too late would otherwise have to send
    everything again; nothing of it is shown in that time.

    Returns:
        How many holdings were emptied.
    """
    with store.transaction():
        rows = store.rows(_SELECT + " WHERE state = ?", (ACTIVE,))
        over = [holding for row in rows if (holding := _holding(row)).statement.until_at + keep_hidden <= at]
        for holding in over:
            close_holding(store, holding.sub, state=ERASED)
    if over:
        store.fold()
    return len(over)


def overdue(store: Store, *, at: datetime) -> tuple[Holding, ...]:
    """Return the active holdings of which something had to be erased by a day that has come."""
    active = (_holding(row) for row in store.rows(_SELECT + " WHERE state = ?", (ACTIVE,)))
    return tuple(one for one in active if still_allowed(one.statement, at) != one.statement)


def answered(store: Store, sub: str, message_id: str) -> tuple[str, str] | None:
    """Return payload hash and receipt of a message that was answered before, or None."""
    row = store.row("SELECT payload_hash, receipt FROM message WHERE sub = ? AND mid = ?", (sub, message_id))
    return (row[0], row[1]) if row else None


def pushes_of(store: Store, sub: str) -> tuple[str, ...]:
    """Return the ids of the pushes of a sender that were answered, oldest first; the newest when too many."""
    rows = store.rows(
        "SELECT mid FROM message WHERE sub = ? AND kind = ? ORDER BY received_at DESC, mid LIMIT ?",
        (sub, Kind.PUSH.value, MAX_MESSAGES_NAMED),
    )
    return tuple(str(row[0]) for row in reversed(rows))


def save_answer(
    store: Store, sub: str, message_id: str, *, kind: str, payload_hash: str, receipt: str, at: datetime
) -> None:
    """Store the receipt of a message; from now on it is the only answer to that message."""
    store.run(
        "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)",
        (sub, message_id, kind, payload_hash, instant_text(at), receipt),
    )


def _sealed(key: DataKey, item: Item, own: ResourceFacts | None) -> tuple[str, bytes, bytes | None, bytes]:
    """Return reference, record, facts and digest as they are kept."""
    digest = key.digest(item.full_url, item.raw)
    facts = key.seal_facts(item.reference, digest, own.to_json()) if own else None
    return item.reference, key.seal(item.reference, item.full_url, item.raw), facts, digest


def _held(key: DataKey, row: tuple[Any, ...]) -> Held:
    row_id, reference, sealed, received_at, sealed_facts = row
    full_url, raw = key.open(reference, sealed)
    facts = key.open_facts(reference, key.digest(full_url, raw), sealed_facts)
    return Held(row_id, reference, full_url, raw, parse_instant(received_at), _facts(facts))


def _facts(text: str | None) -> ResourceFacts | None:
    """Read facts; None for those of another classification table."""
    if text is None:
        return None
    try:
        return ResourceFacts.from_json(text)
    except InvalidDocument:
        return None


def _holding(row: tuple[Any, ...]) -> Holding:
    sub, handle, first_at, changed_at, sequence, digest, token, state, revision = row
    return Holding(
        sub=sub,
        handle=handle,
        first_at=parse_instant(first_at),
        changed_at=parse_instant(changed_at),
        sequence=sequence,
        statement_hash=digest,
        statement=open_statement(token, VerifyKey.from_text(sub)),
        state=state,
        revision=revision,
    )
