"""What waits to be sent: an entry, its states, and the one table of what may follow what.

The table `TRANSITIONS` is complete: a pair (state, event) that is not in it is refused with
`LocalRuleError("transition")`. `diagram()` draws it.

Rules:

1. Only a verified receipt makes an entry `delivered`. A recipient that signs nothing, a plain FHIR server,
   gets an entry no further than `stored`: it says so, and showed it when it was read back.
2. `sending` is written in the same transaction as the decision that permits it. An entry that is found
   `sending` when nothing is being sent was interrupted; it starts again under the same message id.
3. A cancelled entry whose receipt still comes in is `delivered`: the truth is what happened. The
   withdrawal statement that follows takes it back.
4. A refused entry stays refused until a person asks for another try.

Where entries live and which transaction they share is the store's business (`Outbox`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from sync.errors import LocalRuleError
from sync.wire import MAY_BE_DAMAGE, Kind


class State(StrEnum):
    """Where an entry stands."""

    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    STORED = "stored"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to an entry."""

    START = "start"
    ACKNOWLEDGE = "acknowledge"
    READ_BACK = "read_back"
    POSTPONE = "postpone"
    REFUSE = "refuse"
    CANCEL = "cancel"
    RETRY = "retry"


TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.QUEUED, Event.START): State.SENDING,
        (State.QUEUED, Event.CANCEL): State.CANCELLED,
        (State.SENDING, Event.START): State.SENDING,  # rule 2
        (State.SENDING, Event.ACKNOWLEDGE): State.DELIVERED,
        (State.SENDING, Event.READ_BACK): State.STORED,
        (State.SENDING, Event.POSTPONE): State.QUEUED,
        (State.SENDING, Event.REFUSE): State.REFUSED,
        (State.SENDING, Event.CANCEL): State.CANCELLED,
        (State.CANCELLED, Event.ACKNOWLEDGE): State.DELIVERED,  # rule 3
        (State.CANCELLED, Event.READ_BACK): State.STORED,
        (State.CANCELLED, Event.POSTPONE): State.CANCELLED,
        (State.CANCELLED, Event.REFUSE): State.CANCELLED,
        (State.CANCELLED, Event.CANCEL): State.CANCELLED,
        (State.DELIVERED, Event.ACKNOWLEDGE): State.DELIVERED,  # the same receipt again
        (State.STORED, Event.READ_BACK): State.STORED,
        (State.REFUSED, Event.RETRY): State.QUEUED,  # rule 4
        (State.REFUSED, Event.CANCEL): State.CANCELLED,
    }
)

FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS: Mapping[Kind, int] = MappingProxyType(
    {Kind.PUSH: 3_600, Kind.STATEMENT: 300, Kind.REMOVAL: 300, Kind.ACCESS: 3_600, Kind.HEAD: 300}
)
"""A withdrawal must get through soon after the recipient is back, and so must the wish that something goes;
records may take an hour."""

LONGEST_REQUESTED_WAIT_SECONDS = 24 * 3_600
"""A recipient that asks us to stay away longer is asked again after a day."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One message to one recipient, from the wish to send it until its end.

    Attributes:
        id: Number in the store; 0 before it is stored.
        message_id: The same at every attempt, so the recipient can tell a repetition.
        doubted: Refusals met so far that a changed byte on the way causes too (`wire.MAY_BE_DAMAGE`).
        sequence: Counter of messages to this recipient, given at the first start (0 before): so a number
            that was used and never confirmed belongs to a message that may have arrived, and to no other.
        attempts: Starts so far.
        next_at: Not before this instant.
        last_error: Code of the latest failure, None when there is none.
        payload: Content as it was first sent; a repetition sends these bytes, not new ones.
        manifest: Pairs (record id, hash of its bytes) of what `payload` carries.
    """

    id: int
    recipient_id: str
    kind: Kind
    state: State
    message_id: str
    attempts: int
    next_at: datetime
    created_at: datetime
    last_error: str | None = None
    payload: bytes | None = field(default=None, repr=False)
    manifest: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    sequence: int = 0
    doubted: int = 0


class Outbox(Protocol):
    """Where entries are kept. Each call is part of the transaction of the use case that makes it."""

    def add(self, entry: OutboxEntry) -> int:
        """Store a new entry and return its number."""
        ...

    def get(self, entry_id: int) -> OutboxEntry:
        """Return one entry."""
        ...

    def save(self, entry: OutboxEntry) -> None:
        """Replace an entry by its next version."""
        ...

    def due(self, at: datetime) -> tuple[OutboxEntry, ...]:
        """Return entries that `is_due`, oldest first; may be empty."""
        ...

    def open_for(self, recipient_id: str) -> tuple[OutboxEntry, ...]:
        """Return queued and sending entries for one recipient, oldest first."""
        ...


def next_state(state: State, event: Event) -> State:
    """Look up what follows.

    Raises:
        LocalRuleError: `transition`, the event makes no sense in this state.
    """
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise LocalRuleError("transition")
    return following


def is_due(entry: OutboxEntry, at: datetime) -> bool:
    """Whether an entry is waiting to be sent now: queued and its wait is over, or interrupted."""
    return entry.state is State.SENDING or (entry.state is State.QUEUED and entry.next_at <= at)


def start(
    entry: OutboxEntry,
    *,
    payload: bytes,
    manifest: tuple[tuple[str, str], ...] = (),
    sequence: int | None = None,
) -> OutboxEntry:
    """Mark an entry as being sent, with the content that the decision of this moment permits.

    Args:
        entry: Queued, or found as sending.
        payload: Its content; a repetition must bring the same.
        manifest: What the content carries; of a repetition, that of the first time counts.
        sequence: Number of the message, for an entry that has none yet.

    Raises:
        LocalRuleError: `transition`; or `payload_changed` when it was sent before with other content:
            then cancel it and make a new entry (`needs_new_entry`).
    """
    state = next_state(entry.state, Event.START)
    if needs_new_entry(entry, payload):
        raise LocalRuleError("payload_changed")
    kept = manifest if entry.payload is None else entry.manifest
    number = entry.sequence or sequence or 0
    return replace(
        entry, state=state, attempts=entry.attempts + 1, payload=payload, manifest=kept, sequence=number
    )


def needs_new_entry(entry: OutboxEntry, payload: bytes) -> bool:
    """Whether what may be sent now differs from what this entry may already have delivered.

    The recipient knows the message id with the old content and would call the new one a conflict.
    """
    return entry.payload is not None and entry.payload != payload


def acknowledge(entry: OutboxEntry) -> OutboxEntry:
    """Record that a verified receipt is here; the content is no longer needed for a repetition."""
    return replace(entry, state=next_state(entry.state, Event.ACKNOWLEDGE), last_error=None, payload=None)


def read_back(entry: OutboxEntry) -> OutboxEntry:
    """Record that a plain FHIR server shows what was sent; less than a receipt (rule 1)."""
    return replace(entry, state=next_state(entry.state, Event.READ_BACK), last_error=None, payload=None)


def postpone(entry: OutboxEntry, *, error: str, next_at: datetime) -> OutboxEntry:
    """Put an entry back until `next_at` (`when_again`), with the reason."""
    doubted = entry.doubted + (error in MAY_BE_DAMAGE)
    state = next_state(entry.state, Event.POSTPONE)
    return replace(entry, state=state, last_error=error, next_at=next_at, doubted=doubted)


def refuse(entry: OutboxEntry, *, error: str) -> OutboxEntry:
    """Record a refusal that another try cannot change."""
    return replace(entry, state=next_state(entry.state, Event.REFUSE), last_error=error)


def cancel(entry: OutboxEntry) -> OutboxEntry:
    """Take an entry back; its content is forgotten."""
    return replace(entry, state=next_state(entry.state, Event.CANCEL), payload=None)


def retry(entry: OutboxEntry, *, at: datetime) -> OutboxEntry:
    """Queue a refused entry again because a person asked for it; waiting starts anew."""
    return replace(entry, state=next_state(entry.state, Event.RETRY), attempts=0, doubted=0, next_at=at)


def backoff(attempts: int, jitter: float, *, longest_seconds: int = 3_600) -> timedelta:
    """How long to wait after a number of failed attempts.

    Doubles from `FIRST_WAIT_SECONDS` to `longest_seconds`; half of it is random, so that many apps do
    not come back to a recovering recipient in the same second.

    Args:
        attempts: At least 1.
        jitter: Random number, 0 included to 1 excluded.
        longest_seconds: Bound of the wait.

    Raises:
        ValueError: an argument is out of its range.
    """
    if attempts < 1 or not 0 <= jitter < 1:
        raise ValueError("attempts start at 1 and jitter lies in [0, 1)")
    doublings = min(attempts - 1, 32)  # beyond this every bound is reached; keeps the number small
    full = min(FIRST_WAIT_SECONDS * 2**doublings, longest_seconds)
    return timedelta(seconds=full / 2 + full / 2 * jitter)


def when_again(
    entry: OutboxEntry, *, at: datetime, jitter: float, retry_after_seconds: int | None = None
) -> datetime:
    """When to try again: after the backoff, and not before the recipient's own wish (up to a day)."""
    longest = LONGEST_WAIT_SECONDS[entry.kind]
    wait = backoff(max(entry.attempts, 1), jitter, longest_seconds=longest)
    asked = min(max(retry_after_seconds or 0, 0), LONGEST_REQUESTED_WAIT_SECONDS)
    return at + max(wait, timedelta(seconds=asked))


def diagram() -> str:
    """Draw the table as a Mermaid state diagram (for the documentation)."""
    arrows = [f"    {state} --> {after}: {event}" for (state, event), after in TRANSITIONS.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {State.QUEUED}", *arrows]) + "\n"


def table() -> str:
    """Write the table as Markdown, one row per state, one column per event; `-` is refused."""
    lines = ["| state | " + " | ".join(Event) + " |", "|---" * (len(Event) + 1) + "|"]
    for state in State:
        cells = [TRANSITIONS.get((state, event), "-") for event in Event]
        lines.append(f"| {state} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
