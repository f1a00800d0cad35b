"""Who shares now, ready for searching and sorting: names and dates of birth in memory, nothing else.

Promises:
1. a name is in here only while the statement in force permits showing it; what is shown of a page is decided
   once more, at the moment of showing (``recipient.reading``);
2. it is brought up to date at every question by one query; only people of whom something changed, or whose
   permission comes to a turn, are read again;
3. per person it holds a name, a date of birth and a few words for searching, never a record.

It keeps no names on disk: an index of names would outlive the keys that a withdrawal destroys.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from consent.duties import erase_at
from pgo.health.record.views import PersonView
from pgo.health.record.words import folded
from recipient.holdings import ACTIVE, Holding, holding_of
from recipient.portal.text import LANGUAGES, day_text
from recipient.store import Store

ORDERS: Final = ("name", "new", "ends")
_LAST: Final = "\uffff"  # sorts behind every name


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see of the list.

    Attributes:
        query: every word of it must occur in a name or date of birth.
        born: the whole date of birth, YYYY-MM-DD; then the query is looked for in the name alone. '' for any.
        order: one of ``ORDERS``.
        first: how many to skip.
        length: how many at most.
    """

    query: str = ""
    born: str = ""
    order: str = ORDERS[0]
    first: int = 0
    length: int = 50


@dataclass(frozen=True, slots=True)
class SharedPatient:
    """One line of the list of people who share."""

    holding: Holding
    person: PersonView | None
    new_count: int
    never_seen: bool


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page of the list, how many the search found, and how many share in all."""

    patients: tuple[SharedPatient, ...]
    found: int
    total: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One person who shares.

    Attributes:
        sub: the pairwise key.
        revision: of the holding this was read from.
        good_until: when the permission comes to its next turn; then it is read again.
        until_at: end of the grant, None for somebody who shares nothing with the people here.
        name: folded for sorting.
        born: date of birth, '' when it is not shared.
        search: folded words to look in.
    """

    sub: str
    revision: int
    good_until: datetime
    until_at: datetime | None
    name: str
    born: str
    search: str

    def fits(self, words: Iterable[str], born: str) -> bool:
        """Tell whether every word occurs in the name or date of birth, or in the name beside that date."""
        if born:
            return self.born == born and all(word in self.name for word in words)
        return all(word in self.search for word in words)


class Directory:
    """All entries of one recipient, shared by the threads that answer.

    Args:
        store: open store.
        who: gives the person a holding may show at an instant; None for one who shares nothing here.
    """

    def __init__(
        self, store: Store, who: Callable[[Holding, datetime], tuple[PersonView | None] | None]
    ) -> None:
        self._store = store
        self._who = who
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}

    def live(self, *, at: datetime) -> list[Entry]:
        """Return everybody who shares with the people here now, in no particular order."""
        with self._lock:
            rows = self._store.rows("SELECT sub, revision FROM sender WHERE state = ?", (ACTIVE,))
            present = {str(sub): int(revision) for sub, revision in rows}
            for sub in self._entries.keys() - present.keys():
                del self._entries[sub]
            for sub, revision in present.items():
                known = self._entries.get(sub)
                if known is None or known.revision != revision or at >= known.good_until:
                    self._read(sub, at=at)
            return [entry for entry in self._entries.values() if entry.until_at is not None]

    def _read(self, sub: str, *, at: datetime) -> None:
        holding = holding_of(self._store, sub)
        if holding is None:
            self._entries.pop(sub, None)
            return
        who = self._who(holding, at) if holding.in_force(at) else None
        person = who[0] if who else None
        name = folded(person.name) if person else ""
        self._entries[sub] = Entry(
            sub=sub,
            revision=holding.revision,
            good_until=_next_turn(holding, at),
            until_at=holding.statement.until_at if who else None,
            name=name or _LAST,
            born=person.birth_date if person else "",
            search=f"{name} {_birth_words(person.birth_date) if person else ''}",
        )


def search(entries: Iterable[Entry], wish: Wish) -> list[Entry]:
    """Return those that fit; everybody for an empty query."""
    words = folded(wish.query).split()
    return [entry for entry in entries if entry.fits(words, wish.born)]


def _next_turn(holding: Holding, at: datetime) -> datetime:
    """Return the first instant after which the statement may permit something else than it does now."""
    statement = holding.statement
    days = [day for rule in statement.scope if (day := erase_at(rule.obligation)) is not None]
    turns = [turn for turn in (statement.next_update_at, statement.until_at, *days) if turn > at]
    return min(turns, default=datetime.max.replace(tzinfo=UTC))


def _birth_words(birth_date: str) -> str:
    """Write a date of birth the ways people type it."""
    year, _, rest = birth_date.partition("-")
    month, _, day = rest.partition("-")
    numbers = (birth_date, f"{day}-{month}-{year}", f"{day}/{month}/{year}", f"{day}{month}{year}")
    spoken = (folded(day_text(lang, birth_date)) for lang in LANGUAGES)
    return " ".join((*numbers, *spoken) if day else (birth_date, *spoken))
