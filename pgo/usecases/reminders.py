"""Reminders about sharing: what ends soon, and what is due for another look.

Rules:
1. They are computed when somebody looks, from the signed grants; nothing runs in the background and the
   device's own notifications are not used.
2. Put aside, a reminder comes back after a week (and never after the grant has ended).
3. What a representative permitted is announced 60 days before it lapses with age or authority.
4. Renewing is a new signature; nothing is prolonged by itself (guide consent.md 2.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from consent.decision import grants_in_force, lapses
from consent.floors import PROMPT_BEFORE_LAPSE
from consent.records import Grant
from pgo.errors import InputRefused
from pgo.store.ledger import LedgerRow
from pgo.usecases.choices import choice_from
from pgo.usecases.consenting import load_ledger
from pgo.usecases.recipients import RecipientRow, recipient_row
from pgo.usecases.session import Session

ENDS_SOON = timedelta(days=14)
"""Early enough to make an appointment or to ask; later would surprise."""

PUT_ASIDE = timedelta(days=7)
_SETTING = "reminders.put_aside"


class ReminderKind(StrEnum):
    """What a reminder is about."""

    ENDS = "ends"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder; ``on`` is the last day of the share, or the day since which it waits for another look."""

    kind: ReminderKind
    share_id: str
    recipient: RecipientRow
    on: date

    @property
    def id(self) -> str:
        """By which it is put aside."""
        return f"{self.kind}:{self.share_id}"


def reminders(session: Session) -> tuple[Reminder, ...]:
    """What asks for a look now, the most urgent first."""
    store, at = session.store, session.now()
    if not store.ledger.head()[0]:
        return ()
    aside = _aside(session)
    rows = {row.grant_id: row for row in store.ledger.grants()}
    found: list[Reminder] = []
    ledger = load_ledger(store)
    lapse_at = lapses(ledger, at)
    for grant in grants_in_force(ledger, at):
        row = rows.get(grant.id)
        if row is None or row.recipient_id is None:
            continue
        reminder = _reminder(session, row, grant, lapse_at.get(grant.id), at=at)
        if reminder is not None and not aside.get(reminder.id, "") > at.isoformat():
            found.append(reminder)
    return tuple(sorted(found, key=lambda one: (one.kind is ReminderKind.REVIEW, one.on)))


def put_aside(session: Session, reminder_id: str) -> None:
    """Do not show a reminder for a week.

    Raises:
        InputRefused: ``unknown_reminder``, it is not among those shown now.
    """
    if reminder_id not in {one.id for one in reminders(session)}:
        raise InputRefused("unknown_reminder")
    at = session.now()
    kept = {key: until for key, until in _aside(session).items() if until > at.isoformat()}
    with session.store.write(at):
        session.store.settings.put(_SETTING, {**kept, reminder_id: (at + PUT_ASIDE).isoformat()})
    session.changed()


def _reminder(
    session: Session, row: LedgerRow, grant: Grant, lapse_at: datetime | None, *, at: datetime
) -> Reminder | None:
    who = recipient_row(session.store.recipients.get(row.recipient_id or ""))
    ends, review_by = grant.period.until_at, grant.review_by
    if lapse_at is not None and lapse_at - at <= PROMPT_BEFORE_LAPSE:
        last = session.day_of(lapse_at - timedelta(seconds=1))
        return Reminder(ReminderKind.ENDS, str(grant.id), who, last)
    if ends - at <= ENDS_SOON:
        return Reminder(ReminderKind.ENDS, str(grant.id), who, choice_from(row.choice or "").period[1])
    if review_by is not None and review_by <= at:
        return Reminder(ReminderKind.REVIEW, str(grant.id), who, session.day_of(review_by))
    return None


def _aside(session: Session) -> dict[str, str]:
    """Reminder id to the instant until which it rests, as UTC text of equal form."""
    kept = session.store.settings.get(_SETTING)
    return {str(key): str(until) for key, until in kept.items()} if isinstance(kept, dict) else {}
