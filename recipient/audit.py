"""The access log: who looked, when, at what, why; hash-chained per patient, for the patient to fetch.

Promises:
1. an event is written in the transaction of the look it describes;
2. each event carries the hash of the one before (``sync.access``); events are only ever added;
3. names and roles are kept as they were at the time of the look;
4. categories, never contents: the log tells what kind of data was seen, not what it said.

Sources: NEN 7513:2018 (logging of actions on electronic patient records); EHDS, Regulation (EU) 2025/327,
article 9 (the right to know who looked).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recipient.accounts import Account
from recipient.instants import instant_text, parse_instant
from recipient.store import Store
from sync.access import MAX_ENTRIES, NO_HEAD, AccessEntry, AccessHead, next_entry

LISTED = "list"  # the name was shown in the list of people who share; once per session
OPENED = "open"  # the page with the overview of one patient
TIMELINE = "timeline"
TREND = "trend"
DETAILS = "details"
PRINTED = "print"  # the whole record, laid out for paper
DOCUMENT = "document"  # a file in a record, taken out
ACTIONS = (LISTED, OPENED, TIMELINE, TREND, DETAILS, PRINTED, DOCUMENT)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look showed."""

    action: str
    categories: frozenset[str]
    purpose: str


def append(store: Store, sub: str, *, account: Account, seen: Seen, at: datetime) -> None:
    """Write one event; the caller holds the transaction of the look."""
    entry = next_entry(
        head(store, sub),
        at=at,
        user=account.display,
        role=account.role,
        action=seen.action,
        categories=sorted(seen.categories),
        purpose=seen.purpose,
    )
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


def head(store: Store, sub: str) -> AccessHead:
    """Return the newest event's number and hash, ``NO_HEAD`` when nobody has looked."""
    row = store.row(
        "SELECT sequence, hash FROM access_event WHERE sub = ? ORDER BY sequence DESC LIMIT 1", (sub,)
    )
    return AccessHead(row[0], row[1]) if row else NO_HEAD


def entries_after(store: Store, sub: str, after: int) -> tuple[AccessEntry, ...]:
    """Return one patient's events with a number above ``after``, oldest first, at most one answer's worth."""
    rows = store.rows(
        'SELECT sequence, at, "user", role, action, categories, purpose, previous, hash '
        "FROM access_event WHERE sub = ? AND sequence > ? ORDER BY sequence LIMIT ?",
        (sub, after, MAX_ENTRIES),
    )
    return tuple(
        AccessEntry(
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
        for row in rows
    )
