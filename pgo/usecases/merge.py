"""One person's records of several providers, shown once for reading; "these are not the same", and back.

Rules:
1. Nothing is merged in storing. What is one thing is found anew from the records whenever they changed
   (``pgo.health.record.merge`` and its table ``sameness``).
2. The patient's word parts what the table joined, until it is taken back; both are in the journal.
3. A thing always opens to all its records and their sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pgo.errors import NotFound
from pgo.health.record.index import concept_of
from pgo.health.record.kinds import RecordKind
from pgo.health.record.merge import merge
from pgo.health.record.resolve import referred
from pgo.health.record.resource import Resolve, Resource
from pgo.health.record.safe import obj
from pgo.health.record.sameness import JOINED, About, about, candidates, names_of_thing, shared_rule
from pgo.health.record.status import RecordStatus
from pgo.store.journal import Event
from pgo.store.record_types import Source, StoredRow
from pgo.usecases.content import stored_resource, vault_resolver
from pgo.usecases.session import Session

T = TypeVar("T")
Pair = frozenset[int]

# What says most about the whole thing comes first; of equals the newest.
_WEIGHT = (
    RecordStatus.CURRENT,
    RecordStatus.UNKNOWN,
    RecordStatus.PLANNED,
    RecordStatus.PAST,
    RecordStatus.ENTERED_IN_ERROR,
)


@dataclass(frozen=True, slots=True)
class Thing:
    """Records about one thing, numbers rising; ``rule`` is the first row of the table that joined them."""

    record_ids: tuple[int, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class Member:
    """One record of a thing and where it came from."""

    row: StoredRow
    source: Source


@dataclass(frozen=True, slots=True)
class SameThing:
    """What a record belongs to.

    Attributes:
        record_id: the record asked about.
        members: every record of the thing, the one asked about included.
        rule: why they are taken for one, '' for a thing of one record.
        parted: pairs by which the patient parted this record from others; take them back with ``join_again``.
    """

    record_id: int
    members: tuple[Member, ...]
    rule: str
    parted: frozenset[Pair]


def things(session: Session, kind: RecordKind) -> tuple[Thing, ...]:
    """Every thing of a kind; each record outside the trash is in exactly one."""
    store = session.store
    apart = store.records.reading.apart.all()
    return session.remembered(
        f"things:{kind}", (store.records.stamp(), apart), lambda: _find(session, kind, apart)
    )


def by_record(found: Iterable[Thing]) -> dict[int, Thing]:
    """Number of a record to its thing."""
    return {number: thing for thing in found for number in thing.record_ids}


def foremost(rows: Iterable[T], status: Callable[[T], RecordStatus], start: Callable[[T], str]) -> T:
    """The one that stands for a thing in a list: what holds now before what is over, then the newest."""
    newest_first = sorted(rows, key=start, reverse=True)
    return min(newest_first, key=lambda row: _WEIGHT.index(status(row)))


def same_as(session: Session, record_id: int) -> SameThing:
    """What else is about the same thing as this record.

    Raises:
        NotFound: no such record outside the trash.
    """
    store = session.store
    row = store.records.row(record_id)
    if row is None or row.in_trash:
        raise NotFound("record")
    thing = _thing_of(session, record_id, row)
    rows, sources = store.records.rows(thing.record_ids), store.records.reading.sources(thing.record_ids)
    members = tuple(Member(rows[number], sources[number]) for number in thing.record_ids)
    return SameThing(record_id, members, thing.rule, store.records.reading.apart.of(record_id))


def part(session: Session, record_id: int) -> frozenset[Pair]:
    """Say that this record is not the same as the others it is shown with.

    Returns:
        The new pairs, for taking them back.

    Raises:
        NotFound: no such record, or it stands alone already.
    """
    store, at = session.store, session.now()
    others = [one.row.id for one in same_as(session, record_id).members if one.row.id != record_id]
    pairs = frozenset(frozenset({record_id, other}) for other in others)
    if not pairs:
        raise NotFound("record")
    with store.write(at):
        store.records.reading.apart.add(pairs, at=at)
        store.journal.add(Event.SAID_DIFFERENT, at=at, record=record_id, others=len(pairs))
    session.changed()
    return pairs


def join_again(session: Session, record_id: int, pairs: frozenset[Pair]) -> None:
    """Take back what ``part`` said; doing it twice changes nothing."""
    store, at = session.store, session.now()
    with store.write(at):
        if store.records.reading.apart.remove(pairs):
            store.journal.add(Event.SAID_DIFFERENT_UNDONE, at=at, record=record_id, others=len(pairs))
    session.changed()


def _thing_of(session: Session, record_id: int, row: StoredRow) -> Thing:
    kind = RecordKind(row.columns.kind)
    if kind not in JOINED:
        return Thing((record_id,), "")  # claims and organisations by the thousand need not be read for this
    if kind is RecordKind.MEASUREMENT:
        # A vault may hold a hundred thousand readings: only those with this value at this moment are read.
        numbers = session.store.records.reading.like(row)
        found = things_among(session, numbers, session.store.records.reading.apart.all())
    else:
        found = things(session, kind)
    return by_record(found).get(record_id, Thing((record_id,), ""))


def _find(session: Session, kind: RecordKind, apart: frozenset[Pair]) -> tuple[Thing, ...]:
    return things_among(session, [row.id for row in session.store.records.of_kinds((kind.value,))], apart)


def things_among(session: Session, numbers: Iterable[int], apart: frozenset[Pair]) -> tuple[Thing, ...]:
    """The things that these records are about, each record in exactly one."""
    numbers = tuple(numbers)
    store, resolve = session.store, vault_resolver(session.store)
    sources = store.records.reading.sources(numbers)
    names: dict[int, Mapping[str, str]] = {}
    rows = []
    for number, full_url, raw in store.records.raws(numbers):
        found = about_record(stored_resource(raw, full_url), resolve)
        names[number] = names_of_thing(found)
        rows.append((number, sources[number].id, found, names[number]))
    return tuple(
        Thing(group, shared_rule([names[number] for number in group]) if len(group) > 1 else "")
        for group in merge(candidates(rows), apart)
    )


def about_record(resource: Resource, resolve: Resolve) -> About:
    """Bring together what the rules of sameness look at."""
    medicine = referred(resource.body, obj(resource.body, "medicationReference"), resolve)
    return about(resource, concept_of(resource, resolve), medicine)
