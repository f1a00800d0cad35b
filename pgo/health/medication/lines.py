"""Join the steps about one medicine into one line: agreed, what the pharmacy gave, what the patient takes.

Rules:

1. Of several agreements that hold on a day the one written last counts. A stop ends the agreement it names,
   else the agreements with its own first day; it never is an agreement itself when it ends one.
2. A line is in use when an agreement holds (the doctor's, else the pharmacy's), or when the patient wrote
   after the last change that it is taken. Without any agreement the patient's words decide, then the dates
   of what was handed over.
3. A difference is only said when it is certain: both amounts are exact, in the same unit, of the same
   product, both hold on that day, and the use was written down after the agreement. Else nothing is said.
4. Nothing is judged: the line says what differs, never what is right.

Sources: Nictiz, medication process 9 version 3.0, functional design, "Medication overview and deriving
therapeutic data"; zibs MedicationAgreement-v1.2(2020), MedicationUse2-v1.1.1(2020).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pgo.health.medication.steps import Role, Step, Stop
from pgo.health.record.status import RecordStatus, status_on

_OPEN = (RecordStatus.CURRENT, RecordStatus.UNKNOWN)
_DAY = len("2000-01-01")


class Difference(StrEnum):
    """How two steps of one medicine disagree; the words are in ``assets/locale``."""

    LESS = "less"
    MORE = "more"
    NOT_TAKING = "not_taking"
    STILL_TAKING = "still_taking"
    NOT_AS_AGREED = "not_as_agreed"
    PHARMACY_LESS = "pharmacy_less"
    PHARMACY_MORE = "pharmacy_more"


@dataclass(frozen=True, slots=True)
class Held:
    """A step with the end it really got; ``stop`` says when it ended before its time."""

    step: Step
    end: str
    stop: Stop
    status: RecordStatus


@dataclass(frozen=True, slots=True)
class MedicineLine:
    """One medicine on one day.

    Attributes:
        title: its name.
        status: current, planned, past or unknown.
        start: first day, ISO text, may be empty.
        end: last day, ISO text, may be empty.
        agreed: what the prescriber agreed, in force or last.
        next: an agreement that begins later, when there is one beside ``agreed``.
        plan: what the pharmacy made of it, in force or last.
        schedule: doses that vary from day to day (a thrombosis service), in force or last.
        given: what was handed over last.
        takes: what the patient said last.
        differences: what disagrees, for certain.
        record_ids: every record behind the line, rising.
    """

    title: str
    status: RecordStatus
    start: str
    end: str
    agreed: Held | None
    next: Held | None
    plan: Held | None
    schedule: Held | None
    given: Step | None
    takes: Held | None
    differences: tuple[Difference, ...]
    record_ids: tuple[int, ...]


def medicine_line(steps: Sequence[Step], *, on: date) -> MedicineLine:
    """Join the steps of one medicine.

    Args:
        steps: The order does not matter; none at all gives an empty line of the past.
        on: The day of looking.
    """
    usable = [step for step in steps if step.status is not RecordStatus.ENTERED_IN_ERROR] or list(steps)
    agreed = _held(usable, Role.AGREED, on)
    plan, schedule = _last(_held(usable, Role.PLAN, on)), _last(_held(usable, Role.SCHEDULE, on))
    takes = _last(_held(usable, Role.TAKES, on))
    given = _newest(step for step in usable if step.role is Role.GIVEN)
    main = _last(agreed)
    shown = main or plan or schedule or takes
    status = _status(shown, takes, usable, on)
    named = shown.step if shown else given or _newest(usable)
    return MedicineLine(
        title=named.medicine if named else "",
        status=status,
        start=shown.step.start if shown else named.start if named else "",
        end=shown.end if shown else named.end if named else "",
        agreed=main,
        next=_next(agreed, main),
        plan=plan,
        schedule=schedule,
        given=given,
        takes=takes,
        differences=_differences(main, plan, takes),
        record_ids=tuple(sorted(step.record_id for step in steps)),
    )


def _held(steps: Iterable[Step], role: Role, on: date) -> list[Held]:
    """Give the steps of a role with the ends their stops gave them (rule 1)."""
    own = [step for step in steps if step.role is role]
    stops = [step for step in own if step.stop is not Stop.NONE]
    agreements = [step for step in own if step.stop is Stop.NONE]
    ended: dict[int, Step] = {}
    for stop in sorted(stops, key=_order):
        targets = [one for one in agreements if one.names & stop.replaces]
        targets = targets or [one for one in agreements if one.start[:_DAY] == stop.start[:_DAY]]
        ended.update((one.record_id, stop) for one in targets)
        if not targets:
            agreements.append(stop)
            ended[stop.record_id] = stop
    return [_with_end(step, ended.get(step.record_id), on) for step in agreements]


def _with_end(step: Step, stop: Step | None, on: date) -> Held:
    if stop is None:
        return Held(step, step.end, Stop.NONE, status_on(step.status, step.start, step.end, on=on))
    end = stop.end or stop.written_on or step.end
    status = status_on(step.status, step.start, end, on=on)
    if stop.stop is Stop.CANCELLED or (stop is step and not step.end) or not end:
        status = RecordStatus.PAST
    return Held(step, end, stop.stop, status)


def _last(held: Sequence[Held]) -> Held | None:
    """Give what holds now, else what comes first, else what was last."""
    now = [one for one in held if one.status in _OPEN]
    if now:
        return max(now, key=lambda one: _order(one.step))
    coming = [one for one in held if one.status is RecordStatus.PLANNED]
    if coming:
        return min(coming, key=lambda one: (one.step.start, one.step.record_id))
    return max(held, key=lambda one: (one.end, *_order(one.step)), default=None)


def _next(held: Sequence[Held], main: Held | None) -> Held | None:
    coming = [one for one in held if one.status is RecordStatus.PLANNED and one is not main]
    return min(coming, key=lambda one: (one.step.start, one.step.record_id), default=None)


def _newest(steps: Iterable[Step]) -> Step | None:
    return max(steps, key=_order, default=None)


def _order(step: Step) -> tuple[str, str, int]:
    return (step.written_on, step.start, step.record_id)


def _status(shown: Held | None, takes: Held | None, steps: Sequence[Step], on: date) -> RecordStatus:
    """Say where the whole line stands (rule 2)."""
    if shown is None:
        states = [status_on(step.status, step.start, step.end, on=on) for step in steps]
        return next((one for one in _OPEN if one in states), RecordStatus.PAST)
    if takes is not None and shown is not takes and _is_taken(takes) and _written_later(takes, shown):
        return RecordStatus.CURRENT
    return shown.status


def _is_taken(takes: Held) -> bool:
    return takes.status is RecordStatus.CURRENT and not takes.step.not_taken


def _written_later(takes: Held, other: Held) -> bool:
    """Say whether the patient spoke after the other step began to hold, or ended when it has ended."""
    change = other.end if other.status is RecordStatus.PAST else other.step.written_on
    return bool(change) and takes.step.written_on[:_DAY] >= change[:_DAY]


def _differences(agreed: Held | None, plan: Held | None, takes: Held | None) -> tuple[Difference, ...]:
    """Say what disagrees for certain (rule 3)."""
    if agreed is None:
        return ()
    found: list[Difference] = []
    holds = agreed.status in _OPEN
    if holds and plan is not None and plan.status in _OPEN:
        compared = _compare(plan.step, agreed.step)
        if compared:
            found.append(Difference.PHARMACY_MORE if compared > 0 else Difference.PHARMACY_LESS)
    if takes is not None and _written_later(takes, agreed):
        own = _use_difference(agreed, takes, holds=holds)
        if own is not None:
            found.append(own)
    return tuple(found)


def _use_difference(agreed: Held, takes: Held, *, holds: bool) -> Difference | None:
    if not holds:
        over = agreed.status is RecordStatus.PAST
        return Difference.STILL_TAKING if over and _is_taken(takes) else None
    if takes.step.not_taken:
        return Difference.NOT_TAKING if _not_taken_now(takes) else None
    if takes.status not in _OPEN:
        return None
    compared = _compare(takes.step, agreed.step)
    if compared:
        return Difference.MORE if compared > 0 else Difference.LESS
    return Difference.NOT_AS_AGREED if takes.step.as_agreed is False else None


def _not_taken_now(takes: Held) -> bool:
    """Say whether "I do not take it" holds: stopping does not end, a pause may have."""
    return takes.step.status is RecordStatus.PAST or takes.status in _OPEN


def _compare(one: Step, other: Step) -> int:
    """Compare exact daily amounts of the same product: 1 more, -1 less, 0 equal or not certain."""
    if one.daily is None or other.daily is None or not (one.products & other.products):
        return 0
    # "Pieces" and "mL" have no unit that could be mixed up, but different units do not compare.
    if one.daily.unit != other.daily.unit:
        return 0
    return (one.daily.amount > other.daily.amount) - (one.daily.amount < other.daily.amount)
