"""The access log: who looked, when, at what, why; hash-chained per patient, for the patient to fetch.

Promises:
1. an event is committed before what it describes is shown (``recipient.reading``); a refused look is written
   after its own transaction was rolled back, with outcome ``refused``;
2. each event carries the hash of the one before, in the short form of ``sync.access`` and in the full one of
   ``sync.access_full``; events are only ever added, the database refuses anything else;
3. names and roles are kept as they were at the time of the look;
4. categories, never contents: the log tells what kind of data was seen, not what it said;
5. the address of the device stays here: the patient's line holds a salted hash of it, so that it can be
   shown to an auditor later and was not made up then.

Sources: NEN 7513:2018 section 6 (what an event names); EHDS, Regulation (EU) 2025/327, article 9 and annex II
3.2 (the right to know who looked).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crypto.canonical import sha256_id
from crypto.chain import link
from recipient.accounts import Account
from recipient.errors import Unusable
from recipient.instants import instant_text, parse_instant
from recipient.store import Store
from sync.access import (
    MAX_ENTRIES,
    NO_HEAD,
    PERMITTED,
    AccessDetails,
    AccessEntry,
    AccessHead,
    next_entry,
    short_body,
)
from sync.access_full import MAX_LINES, full_line

LISTED = "list"  # the name was shown in the list of people who share; once per session
OPENED = "open"  # the page with the overview of one patient
TIMELINE = "timeline"
TREND = "trend"
DETAILS = "details"
REASONED = "reason"  # a reason was given for looking from outside the treating relation; nothing shown yet
ENDED = "not_treating"  # somebody said that this is no patient of theirs any more
PRINTED = "print"  # the whole record, laid out for paper
DOCUMENT = "document"  # a file in a record, taken out
API_READ = "api_read"  # one record, by a program
API_SEARCH = "api_search"  # records of one type, by a program
API_ALL = "api_all"  # everything the program may read
ACTIONS = (
    *(LISTED, OPENED, TIMELINE, TREND, DETAILS, PRINTED, DOCUMENT),
    *(API_READ, API_SEARCH, API_ALL, REASONED, ENDED),
)

PORTAL = "portal"
_PLACE = b"pgo/1/place\n"
_EVENT = 'SELECT sequence, at, "user", role, action, categories, purpose, previous, hash FROM access_event'


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look showed.

    Attributes:
        action: one of ``ACTIONS``.
        categories: kinds of data that were shown; none for a refused look.
        purpose: the purpose it was decided for, v3-ActReason.
        reason, note: why somebody outside the treating relation looked; '' inside it.
        outcome: ``sync.access.PERMITTED`` or ``REFUSED``.
        origin: by which way, ``portal`` or ``fhir``.
        on_behalf_of: for whom, '' for oneself.
    """

    action: str
    categories: frozenset[str]
    purpose: str
    reason: str = ""
    note: str = ""
    outcome: str = PERMITTED
    origin: str = PORTAL
    on_behalf_of: str = ""


def append(store: Store, sub: str, *, account: Account, seen: Seen, at: datetime) -> None:
    """Write one event; the caller holds a transaction about this patient, which keeps the chain one."""
    entry = next_entry(
        head(store, sub),
        at=at,
        user=account.display,
        role=account.role,
        action=seen.action,
        categories=sorted(seen.categories),
        purpose=seen.purpose,
    )
    before = full_head(store, sub)
    store.run(
        'INSERT INTO access_event (sub, account, sequence, at, "user", role, action, categories, purpose, '
        "previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            sub,
            account.id,
            entry.sequence,
            instant_text(entry.at),
            entry.user,
            entry.role,
            entry.action,
            " ".join(entry.categories),
            entry.purpose,
            entry.previous,
            entry.hash,
        ),
    )
    salt = secrets.token_hex(16)
    details = _details(store, sub, account, seen, place=commitment(account.place, salt))
    line = full_line(entry, details)
    store.run(
        "INSERT INTO access_line (sub, sequence, line, seal, place, place_salt) VALUES (?, ?, ?, ?, ?, ?)",
        (sub, entry.sequence, line, link(before.hash, line.encode("utf-8")), account.place, salt),
    )


def commitment(place: str, salt: str) -> str:
    """Return what stands in a line for the address of a device."""
    return sha256_id(_PLACE + salt.encode("ascii") + b"\n" + place.encode("utf-8")) if place else ""


def head(store: Store, sub: str) -> AccessHead:
    """Return the newest event's number and hash in the short chain, ``NO_HEAD`` when nobody has looked."""
    row = store.row(
        "SELECT sequence, hash FROM access_event WHERE sub = ? ORDER BY sequence DESC LIMIT 1", (sub,)
    )
    return AccessHead(row[0], row[1]) if row else NO_HEAD


def full_head(store: Store, sub: str) -> AccessHead:
    """Return the newest event's number and seal in the full chain.

    Events from before the full form have no line of their own: up to there both chains are one.
    """
    row = store.row(
        "SELECT sequence, seal FROM access_line WHERE sub = ? ORDER BY sequence DESC LIMIT 1", (sub,)
    )
    return AccessHead(row[0], row[1]) if row else head(store, sub)


def entries_after(store: Store, sub: str, after: int) -> tuple[AccessEntry, ...]:
    """Return one patient's events with a number above ``after``, oldest first, at most one answer's worth."""
    rows = store.rows(
        _EVENT + " WHERE sub = ? AND sequence > ? ORDER BY sequence LIMIT ?", (sub, after, MAX_ENTRIES)
    )
    return tuple(entry_of(row) for row in rows)


def lines_after(store: Store, sub: str, after: int) -> tuple[str, ...]:
    """Return the same in full form: each event as the line that the full chain links."""
    last = after + MAX_LINES
    rows = store.rows(
        _EVENT + " WHERE sub = ? AND sequence > ? AND sequence <= ? ORDER BY sequence", (sub, after, last)
    )
    full = store.rows(
        "SELECT sequence, line FROM access_line WHERE sub = ? AND sequence > ? AND sequence <= ?",
        (sub, after, last),
    )
    lines: dict[int, str] = {row[0]: short_body(entry_of(row)).decode("utf-8") for row in rows}
    lines.update(dict(full))
    return tuple(lines[sequence] for sequence in sorted(lines))


def entry_of(row: tuple[Any, ...]) -> AccessEntry:
    """Build an entry from a row of the event table, its columns in the order of the short form."""
    return AccessEntry(
        sequence=row[0],
        at=parse_instant(row[1]),
        user=row[2],
        role=row[3],
        action=row[4],
        categories=tuple(row[5].split()),
        purpose=row[6],
        previous=row[7],
        hash=row[8],
    )


def _details(store: Store, sub: str, account: Account, seen: Seen, *, place: str) -> AccessDetails:
    row = store.row(
        "SELECT identity.name, recipient_id, sequence FROM identity, sender WHERE sender.sub = ?", (sub,)
    )
    if row is None:
        raise Unusable("not_initialised")
    return AccessDetails(
        user_id=f"staff:{account.id}",
        organisation=row[0],
        organisation_id=row[1],
        on_behalf_of=seen.on_behalf_of,
        outcome=seen.outcome,
        reason=seen.reason,
        note=seen.note,
        origin=seen.origin,
        place=place,
        statement=row[2],
        short="",  # `full_line` takes it from the entry
    )
