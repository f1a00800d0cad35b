"""Read elements of an untrusted FHIR resource: codings, what stands at a path, references, days.

1. Nothing here raises for odd content: what has another shape is not there, a day that cannot be read may be
   any day.
2. A reference is cut to "Type/id"; one by identifier is "system|value".

Source: FHIR R4 section 2.3 (references, https://hl7.org/fhir/R4/references.html), section 2.24 (data types).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from consent.dates import DateInterval, parse_fhir_date
from consent.errors import InvalidDocument

_UNKNOWN_DAY: Final = DateInterval(None, None)
# The plain type first: asking an abstract class of every element costs more than the walk itself.
_OBJECT: Final = (dict, Mapping)
_CHOICE: Final = ("", "DateTime", "Date", "Period", "Instant", "Timing", "String", "Age", "Range")


def codings(concept: object) -> Iterator[tuple[str, str]]:
    """Yield (system, code) of a CodeableConcept or a list of them."""
    for item in concept if isinstance(concept, list) else [concept]:
        codings = item.get("coding") if isinstance(item, _OBJECT) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, _OBJECT):
                code, system = coding.get("code"), coding.get("system")
                if isinstance(code, str) and isinstance(system, str):
                    yield system, code


def at_path(value: object, path: str) -> Iterator[object]:
    """Yield what stands at a dotted path, through lists."""
    head, _, rest = path.partition(".")
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, _OBJECT) and (found := item.get(head)) is not None:
            if rest:
                yield from at_path(found, rest)
            else:
                yield from found if isinstance(found, list) else [found]


def references(resource: Mapping[str, object], paths: Iterable[str]) -> Iterator[str]:
    """Yield every reference at these paths, as text and by identifier."""
    for head, path in _heads(tuple(paths)):
        if head in resource:
            for value in at_path(resource, path):
                yield from _reference_names(value)


@lru_cache(maxsize=256)
def _heads(paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Give each path with its first element, by which most resources are done with it."""
    return tuple((path.partition(".")[0], path) for path in paths)


def _reference_names(value: object) -> Iterator[str]:
    if not isinstance(value, _OBJECT):
        return
    text, identifier = value.get("reference"), value.get("identifier")
    if isinstance(text, str):
        yield short_reference(text)
    if isinstance(identifier, Mapping):
        system, number = identifier.get("system"), identifier.get("value")
        if isinstance(system, str) and isinstance(number, str):
            yield f"{system}|{number}"
    for inner in ("actor", "individual", "who", "member"):
        if inner in value:
            yield from _reference_names(value[inner])


def short_reference(text: str) -> str:
    """Cut a reference to "Type/id" where it is one (versions and server address dropped)."""
    if text.startswith(("urn:", "#")):
        return text
    parts = text.split("/_history/")[0].split("/")
    return "/".join(parts[-2:])


def choice(resource: Mapping[str, object], path: str) -> Iterator[object]:
    """Yield what stands at a path that is written without the type at its end."""
    for head, name in _heads(tuple(path + suffix for suffix in _CHOICE)):
        if head in resource:
            yield from at_path(resource, name)


def days_of(value: object) -> list[DateInterval]:
    """Read the days of one date value; what cannot be read may be any day."""
    if isinstance(value, str):
        return [_day(value)]
    if not isinstance(value, Mapping):
        return [_UNKNOWN_DAY]
    event = value.get("event")
    if isinstance(event, list) and event:
        return [_day(day) for day in event]
    start, end = value.get("start"), value.get("end")
    first = _day(start).first if start is not None else None
    last = _day(end).last if end is not None else None
    return [DateInterval(first, last)]


def _day(value: object) -> DateInterval:
    try:
        return parse_fhir_date(value) if isinstance(value, str) else _UNKNOWN_DAY
    except InvalidDocument:
        return _UNKNOWN_DAY
