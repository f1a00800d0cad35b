"""Single records and authors to choose from, and their names for the sentences that are signed.

Rules:
1. A record is chosen by the name its source gave it (``Type/id``), because that is what a rule can name; a
   record without one cannot be chosen singly.
2. Authors are offered by the names the vault knows them under; several references of one name are one line.
   An author whose name is nowhere in the vault is not offered: nobody could tell who is meant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pgo.usecases.choices import ShareChoice
from pgo.usecases.facts import all_facts
from pgo.usecases.read import RecordRow, record_row, timeline
from pgo.usecases.session import Session

_SEARCHED = 60


@dataclass(frozen=True, slots=True)
class Pickable:
    """A record that can be named in a rule."""

    reference: str
    row: RecordRow


@dataclass(frozen=True, slots=True)
class Named:
    """What a record or author is called; the ISO day tells two results of one kind apart, '' for none."""

    title: str
    day: str = ""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote records: all references meant, the name, how many records; ``is_patient`` for oneself."""

    references: frozenset[str]
    name: str
    records: int
    is_patient: bool


def pickable(session: Session, query: str, *, limit: int = 8) -> tuple[Pickable, ...]:
    """Records that match a search, newest first; an empty search gives the newest."""
    references = {number: one.reference for number, one in all_facts(session)}
    found: list[Pickable] = []
    for row in timeline(session, query=query, limit=_SEARCHED).rows:
        reference = references.get(row.id)
        if reference is not None:
            found.append(Pickable(reference, row))
    return tuple(found[:limit])


def picked(session: Session, references: Collection[str]) -> tuple[Pickable, ...]:
    """The records of these names that are (still) in the vault, by title."""
    numbers = session.store.records.ids_by_reference(references)
    rows = session.store.records.rows(numbers.values())
    found = [
        Pickable(reference, record_row(rows[number], today=session.today()))
        for reference, number in numbers.items()
        if number in rows
    ]
    return tuple(sorted(found, key=lambda one: (one.row.title, one.reference)))


def authors(session: Session) -> tuple[Author, ...]:
    """Who wrote what is here, the most productive first."""
    counts = Counter(name for _, one in all_facts(session) for name in one.author)
    titles = _titles(session, counts)
    by_title: dict[tuple[str, bool], set[str]] = {}
    for reference, title in titles.items():
        by_title.setdefault((title, reference.startswith("Patient/")), set()).add(reference)
    together = [
        Author(frozenset(references), title, _records(session, references), is_patient)
        for (title, is_patient), references in by_title.items()
    ]
    return tuple(sorted(together, key=lambda one: (-one.records, one.name)))


def names_in(session: Session, choice: ShareChoice) -> Mapping[str, Named]:
    """Name of every single record and author in a choice, as far as the vault knows them."""
    found = {
        one.reference: Named(one.row.title, one.row.start[:10])
        for one in picked(session, choice.only | choice.left_out)
    }
    wrote = {one: Named(title) for one, title in _titles(session, choice.without_authors).items()}
    return {**wrote, **found}


def _titles(session: Session, references: Iterable[str]) -> dict[str, str]:
    numbers = session.store.records.ids_by_reference(references)
    rows = session.store.records.rows(numbers.values())
    return {
        reference: rows[number].columns.title
        for reference, number in numbers.items()
        if number in rows and rows[number].columns.title
    }


def _records(session: Session, references: Collection[str]) -> int:
    return sum(1 for _, one in all_facts(session) if not one.author.isdisjoint(references))
