"""Which numbers of a sender's messages never came.

An app numbers its messages to one recipient 1, 2, 3 ... when it first starts to send them. A number that
never came belongs to a message that was lost on its way, that was refused, or that the patient took back;
after a backup was put back an app also leaps over numbers it may have used (docs/wire-format.md). What is
missing cannot be asked for from here: only the app can send it again, and it does until it has a receipt.

Promises:
1. a number above the next one opens a gap, with the instant it was noticed; a late message closes its part of
   it again;
2. what came before anybody counted (a store of an older program) is no gap;
3. gaps are told by handle and number, never by what a message held: nobody here knows.

Source: security.md 3.6 (sequence gaps visible).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recipient.gap_tables import UNKNOWN
from recipient.holdings import ACTIVE
from recipient.instants import instant_text, parse_instant
from recipient.store import Store

_OPEN = "FROM message_gap JOIN sender ON sender.sub = message_gap.sub WHERE sender.state = ?"


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of one sender that never came.

    Attributes:
        handle: the patient's address in the portal.
        first, last: the numbers, both included.
        since_at: when a later message showed it.
    """

    handle: str
    first: int
    last: int
    since_at: datetime


@dataclass(frozen=True, slots=True)
class GapCount:
    """How many gaps there are, and at how many people."""

    gaps: int
    people: int


def note_number(store: Store, sub: str, number: int, *, new: bool, at: datetime) -> None:
    """Note that a message with this number was taken in, inside its transaction.

    Args:
        store: open store.
        sub: a sender that is known by now.
        number: of the message, from 1; of no use below that.
        new: whether this is the first message ever of this sender, so that numbers below it are missing too.
        at: now.
    """
    if number < 1:
        return
    if store.run("UPDATE sender SET heard = ? WHERE sub = ? AND heard = ?", (number, sub, number - 1)):
        return  # the next one, as nearly always
    row = store.row("SELECT heard FROM sender WHERE sub = ?", (sub,))
    if row is None:
        return
    heard = 0 if new else int(row[0])
    if number <= heard:
        _close(store, sub, number)
        return
    if heard != UNKNOWN and number > heard + 1:
        _open(store, sub, heard + 1, number - 1, instant_text(at))
    store.run("UPDATE sender SET heard = ? WHERE sub = ?", (number, sub))


def gaps(store: Store) -> tuple[Gap, ...]:
    """Return what is missing of everybody who shares, oldest first."""
    rows = store.rows(f"SELECT handle, first, last, since {_OPEN} ORDER BY since, handle, first", (ACTIVE,))
    return tuple(Gap(handle, first, last, parse_instant(since)) for handle, first, last, since in rows)


def count_gaps(store: Store) -> GapCount:
    """Count what ``gaps`` would list."""
    row = store.row(f"SELECT count(*), count(DISTINCT message_gap.sub) {_OPEN}", (ACTIVE,))
    return GapCount(int(row[0]), int(row[1])) if row else GapCount(0, 0)


def _open(store: Store, sub: str, first: int, last: int, since: str) -> None:
    store.run(
        "INSERT INTO message_gap (sub, first, last, since) VALUES (?, ?, ?, ?)", (sub, first, last, since)
    )


def _close(store: Store, sub: str, number: int) -> None:
    """Take one number out of the gap it lies in, if any; what is left of that keeps its day."""
    row = store.row(
        "SELECT first, last, since FROM message_gap WHERE sub = ? AND first <= ? AND last >= ?",
        (sub, number, number),
    )
    if row is None:
        return
    first, last, since = row
    store.run("DELETE FROM message_gap WHERE sub = ? AND first = ?", (sub, first))
    if first < number:
        _open(store, sub, first, number - 1, since)
    if number < last:
        _open(store, sub, number + 1, last, since)
