"""The medication list: one line per medicine, with what was agreed, handed over and taken.

Which records are one medicine is decided in ``merge``; what a line says is decided in
``pgo.health.medication.lines``. A line is known by its lowest record number.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgo.errors import NotFound
from pgo.health.medication.lines import MedicineLine, medicine_line
from pgo.health.medication.steps import Step, read_step
from pgo.health.record.kinds import RecordKind
from pgo.health.record.status import RecordStatus
from pgo.store.record_types import StoredRow
from pgo.usecases.content import stored_resource, vault_resolver
from pgo.usecases.merge import by_record, foremost, things
from pgo.usecases.read import RecordRow, record_row
from pgo.usecases.session import Session

_OVER = (RecordStatus.PAST, RecordStatus.ENTERED_IN_ERROR)


@dataclass(frozen=True, slots=True)
class Medicine:
    """One medicine.

    Attributes:
        id: lowest number of its records; names the line.
        row: the record that stands for it; a medicine typed here can be changed through it.
        line: what its records say together.
        sources: how many files (or the patient) it comes from.
        rule: why its records are taken for one medicine, '' for a single record.
    """

    id: int
    row: RecordRow
    line: MedicineLine
    sources: int
    rule: str

    @property
    def title(self) -> str:
        """Its name."""
        return self.line.title or self.row.title


@dataclass(frozen=True, slots=True)
class Medicines:
    """In use (planned and unknown included), and over; each newest first."""

    current: tuple[Medicine, ...]
    past: tuple[Medicine, ...]


def medicines(session: Session) -> Medicines:
    """The whole list as it stands today."""
    store = session.store
    found = things(session, RecordKind.MEDICATION)
    rows = store.records.rows(number for thing in found for number in thing.record_ids)
    steps = _steps(session)
    sources = store.records.reading.sources(rows)
    made = [
        _medicine(
            session,
            [rows[number] for number in thing.record_ids],
            [steps[number] for number in thing.record_ids if number in steps],
            sources=len({sources[number].id for number in thing.record_ids}),
            rule=thing.rule,
        )
        for thing in found
    ]
    made.sort(key=lambda one: (one.line.start or one.row.start, one.id), reverse=True)
    return Medicines(
        current=tuple(one for one in made if one.line.status not in _OVER),
        past=tuple(one for one in made if one.line.status in _OVER),
    )


def medicine(session: Session, record_id: int) -> Medicine:
    """The medicine a record belongs to.

    Raises:
        NotFound: no medication record of that number outside the trash.
    """
    if record_id not in by_record(things(session, RecordKind.MEDICATION)):
        raise NotFound("record")
    every = medicines(session)
    return next(one for one in (*every.current, *every.past) if record_id in one.line.record_ids)


def steps_of(session: Session, one: Medicine) -> tuple[Step, ...]:
    """What each record of a medicine says, newest first."""
    steps = _steps(session)
    own = [steps[number] for number in one.line.record_ids if number in steps]
    return tuple(sorted(own, key=lambda step: (step.written_on or step.start, step.record_id), reverse=True))


def _medicine(
    session: Session, rows: list[StoredRow], steps: list[Step], *, sources: int, rule: str
) -> Medicine:
    today = session.today()
    shown = [record_row(row, today=today) for row in rows]
    line = medicine_line(steps, on=today)
    return Medicine(
        id=rows[0].id,
        row=foremost(shown, lambda row: row.status, lambda row: row.start),
        line=line,
        sources=sources,
        rule=rule,
    )


def _steps(session: Session) -> dict[int, Step]:
    """Every medication record as a step, read once per change of the vault."""
    return session.remembered("steps", session.store.records.stamp(), lambda: _read_steps(session))


def _read_steps(session: Session) -> dict[int, Step]:
    store, resolve = session.store, vault_resolver(session.store)
    numbers = [row.id for row in store.records.of_kinds((RecordKind.MEDICATION.value,))]
    steps = (
        read_step(number, stored_resource(raw, full_url), resolve)
        for number, full_url, raw in store.records.raws(numbers)
    )
    return {step.record_id: step for step in steps if step is not None}
