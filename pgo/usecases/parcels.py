"""What a recipient may have now, and in what form it goes: decided, redacted, and for research unnamed.

Rules:
1. Only what the ledger permits at this moment goes, redacted over the whole of it.
2. What a permit wants de-identified goes as codes, numbers and months only (``health.record.deidentify``); a
   record of which nothing is left that way does not go. Totals are not made here.
3. A permit with a duty that no recipient's program keeps is no permit to send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Protocol

from consent.codes import Deidentification
from consent.decision import Permit, grants_in_force
from consent.duties import unmet
from consent.ledger import Ledger
from consent.plan import Plan, compile_plan
from consent.redaction import redact
from consent.rules import ActorRef
from pgo.health.record.deidentify import deidentify
from pgo.health.record.writer import write_exact
from pgo.usecases.choices import Use, choice_from
from pgo.usecases.content import stored_resource
from pgo.usecases.facts import permitted_now
from pgo.usecases.session import Session
from sync.wire import KEPT_BY_RECIPIENTS


class Sending(Enum):
    """In what form a record goes."""

    NOT = "not"
    WHOLE = "whole"
    UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one recipient may have now for one use: reference to (record number, bytes, full url).

    ``study`` says whether it is for research.
    """

    purpose: str
    action: str
    records: Mapping[str, tuple[int, bytes, str]]
    form: Sending = Sending.WHOLE
    study: bool = False


class Party(Protocol):
    """Whom something is for, with a card or without."""

    @property
    def id(self) -> str:
        """Stable id."""
        ...

    @property
    def actor(self) -> ActorRef:
        """As consent names it."""
        ...


def permitted(
    session: Session,
    card: Party,
    ledger: Ledger,
    *,
    at: datetime,
    kept: frozenset[str] = KEPT_BY_RECIPIENTS,
) -> Iterator[Parcel]:
    """What a recipient may have now, a parcel per purpose; a record comes in the first that permits it."""
    store = session.store
    in_force = {str(grant.id): grant for grant in grants_in_force(ledger, at)}
    rows = [row for row in store.ledger.grants() if row.recipient_id == card.id and row.grant_id in in_force]
    choices = [choice_from(row.choice or "") for row in rows]
    keep_text = bool(choices) and all(choice.keep_text for choice in choices)
    taken: set[int] = set()
    for use in sorted({choice.use for choice in choices}, key=repr):
        plan = plan_for(card.actor, use, ledger, at=at)
        found = permitted_now(session, plan)
        levels = {n: sending(permit, kept=kept) for n, permit in found.items() if n not in taken}
        for wanted in (Sending.WHOLE, Sending.UNNAMED):
            numbers = [number for number, level in levels.items() if level is wanted]
            taken.update(numbers)
            records = _redacted(session, numbers, keep_text=keep_text)
            if wanted is Sending.UNNAMED:
                records = _unnamed(records, today=session.today())
            yield Parcel(use.purpose, use.action.value, records, wanted, use.study is not None)


def plan_for(actor: ActorRef, use: Use, ledger: Ledger, *, at: datetime) -> Plan:
    """The ledger of this moment, ready to answer for one recipient and one use."""
    return compile_plan(
        ledger, actor=[actor], purpose=[use.purpose], action=[use.action], at=at, study=use.study
    )


def sending(decision: object, *, kept: frozenset[str] = KEPT_BY_RECIPIENTS) -> Sending:
    """In what form a decision lets a record go (rule 3), by the duties that are kept there."""
    if not isinstance(decision, Permit) or unmet(decision.obligations, kept):
        return Sending.NOT
    if decision.deidentification is Deidentification.NONE:
        return Sending.WHOLE
    return Sending.NOT if decision.deidentification is Deidentification.AGGREGATE else Sending.UNNAMED


def may_send(decision: object) -> bool:
    """Whether a decision lets a record go in some form."""
    return sending(decision) is not Sending.NOT


def _redacted(
    session: Session, numbers: Sequence[int], *, keep_text: bool
) -> dict[str, tuple[int, bytes, str]]:
    found = [
        (number, full_url, stored_resource(raw, full_url))
        for number, full_url, raw in session.store.records.raws(numbers)
    ]
    inputs = [(one.raw, one.body, tuple(filter(None, (one.reference, one.full_url)))) for _, _, one in found]
    cleaned = redact(inputs, keep_text=keep_text)
    return {
        f"{one.type}/r{number}": (number, clean.raw, full_url)
        for (number, full_url, one), clean in zip(found, cleaned, strict=True)
    }


def _unnamed(
    records: Mapping[str, tuple[int, bytes, str]], *, today: date
) -> dict[str, tuple[int, bytes, str]]:
    """The same records for research; their address in the source stays behind as well."""
    found: dict[str, tuple[int, bytes, str]] = {}
    for reference, (number, raw, _) in records.items():
        kept = deidentify(stored_resource(raw, "").body, today=today)
        if kept is not None:
            found[reference] = (number, write_exact(kept), "")
    return found
