"""Duties that go with a permit: which there are, which carry a day, which a recipient can keep.

1. A duty is a code of `codes.OBLIGATIONS`, or such a code and a day: `DELAU:2027-01-01` says that from the
   first instant of that day (UTC) nothing received under it may be held any more. `DELAU` without a day is
   "delete after use".
2. Limits on research bring duties of their own (`MOR:` with a day, `RTN`); they travel in statements and
   are not written in a rule's `obligation`.
3. Duties are joined by union: whoever holds data under two days erases at the earlier one. At the recipient
   such a day ends what it may (`consent.statement.still_allowed`).
4. A recipient keeps a kind of duty or it does not; it keeps `DELAU:` with any day when it keeps `DELAU`.

>>> sorted(map(is_obligation, ["DELAU", "DELAU:2027-01-01"])), is_obligation("AUDIT:2027-01-01")
([True, True], False)

Sources: HL7 v3-ActCode DELAU, "delete after use" (https://terminology.hl7.org/CodeSystem-v3-ActCode.html);
the day is ours, guide consent.md section 2.2, `oblig`; DUO MOR, RTN (http://purl.obolibrary.org/obo/duo.owl).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, time
from typing import Final

from consent.codes import OBLIGATIONS
from consent.dates import parse_day
from consent.errors import InvalidDocument, UnknownCode

ERASE: Final = "DELAU"
_WITH_DAY: Final = frozenset({ERASE, "MOR"})
EVERY_DUTY: Final = OBLIGATIONS | {"MOR", "RTN"}
"""Kinds of duty a statement may name: those of rules, and those that research limits bring."""


def is_obligation(text: str) -> bool:
    """Say whether a rule may name this duty."""
    return kind_of(text) in OBLIGATIONS and _is_written_well(text)


def is_duty(text: str) -> bool:
    """Say whether a statement may name this duty."""
    return kind_of(text) in EVERY_DUTY and _is_written_well(text)


def read_obligation(text: str) -> str:
    """Take a duty as a rule names it.

    Raises:
        UnknownCode: no such duty.
    """
    if not is_obligation(text):
        raise UnknownCode("obligation")
    return text


def kind_of(duty: str) -> str:
    """The code of a duty, without its day."""
    return duty.partition(":")[0]


def unmet(duties: Iterable[str], kept: Collection[str]) -> frozenset[str]:
    """Return the duties of a kind that is not among those kept."""
    return frozenset(duty for duty in duties if kind_of(duty) not in kept)


def erase_at(duties: Iterable[str]) -> datetime | None:
    """Return the earliest instant at which these duties want everything erased, None for no day."""
    days = [parse_day(day) for duty in duties if kind_of(duty) == ERASE and (day := duty.partition(":")[2])]
    return datetime.combine(min(days), time(), UTC) if days else None


def is_overdue(duties: Iterable[str], at: datetime) -> bool:
    """Say whether these duties want everything erased by now."""
    day = erase_at(duties)
    return day is not None and day <= at


def _is_written_well(text: str) -> bool:
    kind, colon, day = text.partition(":")
    if not colon:
        return kind != "MOR"  # a moratorium is until a day
    try:
        parse_day(day)
    except InvalidDocument:
        return False
    return kind in _WITH_DAY
