"""In which order to work: pure, from the entries that are due to a list of work.

Rules:

1. Statements first, then removals, then pushes: a withdrawal never waits behind records.
2. For one recipient, oldest first; a push waits until every statement, removal and earlier push for its
   recipient is out of the way: no record travels under a statement that the recipient has not seen, nor
   overtakes an older version of itself or the wish that it goes.
3. Of several statements for one recipient that were never started, only the newest is sent: it says all
   that the older ones said. One that was started may have arrived and goes first, as it was.
4. After a recipient could not be reached, the rest for it waits for the next round (`hold`).
5. Per recipient one push at a time, so a recipient with much to get holds no other up, and a withdrawal
   that comes in between two parts goes before the next part (`sync.runner` plans anew each round).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.outbox import OutboxEntry, is_due
from sync.wire import Kind


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do in this round.

    Attributes:
        superseded: Statements that a newer one makes needless; cancel them.
        send: Entries in sending order.
    """

    superseded: tuple[OutboxEntry, ...]
    send: tuple[OutboxEntry, ...]


def plan(entries: Iterable[OutboxEntry], *, at: datetime) -> Plan:
    """Order the work.

    Args:
        entries: All queued and sending entries, due or not: one that is not due may still hold others
            back (rule 2).
        at: Now.
    """
    ordered = sorted(entries, key=_age)
    superseded = _superseded(ordered)
    needless = {entry.id for entry in superseded}
    kept = [entry for entry in ordered if entry.id not in needless]
    waiting = {entry.recipient_id for entry in kept if _holds_others(entry) and not is_due(entry, at)}
    due = [entry for entry in kept if is_due(entry, at)]
    first = sorted((entry for entry in due if not _is_push(entry)), key=lambda one: not _is_statement(one))
    pushes = [entry for entry in due if _is_push(entry) and entry.recipient_id not in waiting]
    return Plan(superseded=superseded, send=(*first, *pushes))


def hold(send: Sequence[OutboxEntry], recipient_id: str) -> tuple[OutboxEntry, ...]:
    """What is left of the work when this recipient cannot be reached (rule 4)."""
    return tuple(entry for entry in send if entry.recipient_id != recipient_id)


def _superseded(ordered: Sequence[OutboxEntry]) -> tuple[OutboxEntry, ...]:
    newest: dict[str, OutboxEntry] = {}
    for entry in ordered:
        if _is_statement(entry):
            newest[entry.recipient_id] = entry
    return tuple(
        entry
        for entry in ordered
        if _is_statement(entry) and entry.payload is None and newest[entry.recipient_id] is not entry
    )


def _is_statement(entry: OutboxEntry) -> bool:
    return entry.kind is Kind.STATEMENT


def _holds_others(entry: OutboxEntry) -> bool:
    """A push that was never sent (for a grant that begins later, say) overtakes nothing."""
    return not _is_push(entry) or entry.payload is not None


def _is_push(entry: OutboxEntry) -> bool:
    return entry.kind is Kind.PUSH


def _age(entry: OutboxEntry) -> tuple[datetime, int]:
    return entry.created_at, entry.id
