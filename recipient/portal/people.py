"""The list of people who share: rows, search, order, pages; and how a name and an age are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from recipient.directory import ORDERS, PeoplePage, SharedPatient, Wish
from recipient.portal.text import day_text, shown, t

PAGE_LENGTH: Final = 50
_MAX_QUERY: Final = 80
_SOON_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One line of the list; ``ends_soon`` says in words that the grant is about to end."""

    handle: str
    name: str
    initials: str
    born: str
    until: str
    ends_soon: str
    new_count: int
    never_seen: bool


def parse_wish(said: Mapping[str, str]) -> Wish:
    """Read search, order and page of a request, untrusted."""
    start = said.get("from", "0")
    return Wish(
        query=said.get("q", "").strip()[:_MAX_QUERY],
        order=said.get("order", "") if said.get("order", "") in ORDERS else ORDERS[0],
        first=int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 0,
        length=PAGE_LENGTH,
    )


def list_page(found: PeoplePage, wish: Wish, *, lang: str, at: datetime) -> dict[str, Any]:
    """Gather one page of the list."""
    last = wish.first + len(found.patients)
    return {
        "rows": [patient_row(patient, lang=lang, at=at) for patient in found.patients],
        "total": found.total,
        "found": found.found,
        "query": wish.query,
        "order": wish.order,
        "orders": [(order, t(lang, f"order.{order}")) for order in ORDERS],
        "span": t(lang, "list.span", first=wish.first + 1, last=last, n=found.found),
        "newer": str(max(0, wish.first - wish.length)) if wish.first > 0 else None,
        "older": str(last) if last < found.found else None,
    }


def patient_row(patient: SharedPatient, *, lang: str, at: datetime) -> PatientRow:
    """Word one line of the list."""
    name = shown(patient.person.name) if patient.person and patient.person.name else ""
    birth_date = patient.person.birth_date if patient.person else ""
    until = patient.holding.statement.until_at.astimezone()
    days = (until.date() - at.astimezone().date()).days
    return PatientRow(
        handle=patient.holding.handle,
        name=name or t(lang, "person.no_name"),
        initials=initials(name),
        born=born_text(birth_date, lang=lang, age=age_on(birth_date, at.date())),
        until=day_text(lang, until.date().isoformat()),
        ends_soon=soon_words(lang, days),
        new_count=patient.new_count,
        never_seen=patient.never_seen,
    )


def soon_words(lang: str, days: int) -> str:
    """Say that something ends within two weeks; empty when it does not."""
    if days > _SOON_DAYS:
        return ""
    if days <= 1:
        return t(lang, "soon.today" if days <= 0 else "soon.tomorrow")
    return t(lang, "soon.days", n=days)


def initials(name: str) -> str:
    """Return the first letters of first and last word, a dash for nobody."""
    words = [word for word in name.split() if word[0].isalpha()]
    if not words:
        return "–"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def age_on(birth_date: str, day: date) -> int | None:
    """Return whole years lived on a day; None when the date is not known to the day or lies after it."""
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return None
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if years >= 0 else None


def born_text(birth_date: str, *, lang: str, age: int | None) -> str:
    """Word a date of birth with the age, or that it is not shared."""
    if not birth_date:
        return t(lang, "person.born_unknown")
    if age is None:
        return t(lang, "person.born_only", date=day_text(lang, birth_date))
    return t(lang, "person.born", date=day_text(lang, birth_date), age=age)
