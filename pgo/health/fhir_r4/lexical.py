"""The lexical forms of R4's primitive types.

Rules:

1. A text is not empty. What else is in a ``string`` is a matter of advice in R4, not of form.
2. Dates exist: month and day fit, the 29th of February needs a leap year. A time in a ``dateTime`` needs
   seconds and a time zone.
3. White space is what XML Schema calls so (space, tab, line feed, carriage return); the no-break space of a
   Dutch display text is a letter like any other.
4. Numbers are numbers: ``true`` is none, ``"72.5"`` is none. Whole numbers have 32 bits.

Sources: HL7 FHIR R4, https://hl7.org/fhir/R4/datatypes.html (table of primitive types); W3C XML Schema 1.1
part 2 for dates.
"""

from __future__ import annotations

import re
from decimal import Decimal

from pgo.health.fhir_r4.issue import Rule

# The common case first: a day that every month has.
_MONTH = r"(?:0[1-9]|1[0-2])"
_YEAR = r"(?!0000)[0-9]{4}"
_DAY_OF_YEAR = rf"(?:{_MONTH}-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_LEAP_YEAR = r"(?!0000)(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = rf"(?:{_YEAR}-{_DAY_OF_YEAR}|{_LEAP_YEAR}-02-29)"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_PARTIAL = rf"{_YEAR}(?:-{_MONTH})?"
_NO_SPACE = r"[^ \t\r\n\x00-\x1f]+"

FORMS: dict[str, str] = {
    "string": r"(?s:.+)",
    "markdown": r"(?s:.+)",
    "xhtml": r"(?s:.+)",
    "code": rf"{_NO_SPACE}(?: {_NO_SPACE})*",
    "id": r"[A-Za-z0-9\-.]{1,64}",
    "uri": _NO_SPACE,
    "url": _NO_SPACE,
    "canonical": _NO_SPACE,
    "oid": r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+",
    "uuid": r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "date": rf"{_DAY}|{_PARTIAL}",
    "dateTime": rf"{_DAY}(?:T{_CLOCK}{_ZONE})?|{_PARTIAL}",
    "instant": rf"{_DAY}T{_CLOCK}{_ZONE}",
    "time": _CLOCK,
    "base64Binary": r"[ \t\r\n]*(?:(?:[0-9A-Za-z+/][ \t\r\n]*){4})*+"
    r"(?:(?:[0-9A-Za-z+/][ \t\r\n]*){2}(?:=[ \t\r\n]*){2}|(?:[0-9A-Za-z+/][ \t\r\n]*){3}=[ \t\r\n]*)?",
}
"""The form of a text, to be matched from its first to its last character."""

NUMBERS: dict[str, tuple[int, int]] = {
    "integer": (-(2**31), 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
}
"""Least and largest value of a whole number."""

_MATCHERS = {kind: re.compile(form) for kind, form in FORMS.items()}


def broken_rule(kind: str, value: object) -> Rule | None:
    """Say which rule a value of a primitive type breaks.

    Args:
        kind: Name of the primitive type.
        value: Decoded JSON, neither an object nor a list nor null.
    """
    if kind == "boolean":
        return None if isinstance(value, bool) else Rule.WRONG_TYPE
    if kind == "decimal":
        number = isinstance(value, int | Decimal | float) and not isinstance(value, bool)
        return None if number else Rule.WRONG_TYPE
    if kind in NUMBERS:
        return _whole(kind, value)
    if not isinstance(value, str):
        return Rule.WRONG_TYPE
    if not value:
        return Rule.EMPTY
    if _MATCHERS[kind].fullmatch(value):
        return None
    return Rule.BAD_TEXT


def _whole(kind: str, value: object) -> Rule | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return Rule.WRONG_TYPE
    least, most = NUMBERS[kind]
    return None if least <= value <= most else Rule.BAD_NUMBER
