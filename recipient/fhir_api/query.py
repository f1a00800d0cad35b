"""A search request, parsed once: which type, whose, by what, in which order, how many at a time.

Rules:

1. at most 40 parameters and 50 values each, of at most 400 characters; repeated ones are joined by "and",
   values between commas by "or" (a comma, bar or dollar of a value is escaped by a backslash);
2. a parameter that is not supported refuses, unless the client said ``Prefer: handling=lenient``: then it is
   left out, the self link does not hold it, and a warning in the answer says so. R4 leaves the default to the
   server; a filter that is silently not applied shows a clinician something else than was asked for;
3. a modifier (``code:in``) refuses in any case (R4: search.html#modifiers);
4. every search but that for patients names exactly one patient.

Source: FHIR R4 search.html#errors, #escaping, #sort, #count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from recipient.errors import NotShared
from recipient.fhir_api.addresses import handle_of_patient
from recipient.fhir_api.matching import Asked, Moment, Token
from recipient.fhir_api.moments import PREFIXES, read_span
from recipient.fhir_api.outcome import Unanswerable
from recipient.fhir_api.parameters import DATE, TOKEN, TYPES, Parameter, patient_names

MAX_PARAMETERS, MAX_VALUES, MAX_CHARACTERS = 40, 50, 400
DEFAULT_COUNT, MAX_COUNT = 50, 500
LAST_UPDATED = Parameter("_lastUpdated", DATE, ())
ID = Parameter("_id", TOKEN, ())
_SEPARATOR = re.compile(r"(?<!\\)((?:\\\\)*),")
_BAR = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_ESCAPED = re.compile(r"\\([\\,|$])")
NOT_ASKED = frozenset({"_format", "_pretty"})  # how to write, not what; _format is looked at by the routes

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked.

    Attributes:
        kind: the type; None for everything of a patient.
        handle: whose; None for a search for patients.
        filters: all of them hold; of the asked values of one, any.
        sort: parameter and whether descending, most important first.
        kinds: for everything of a patient: these types only; None for all.
        used: the parameters that count, as they came, for the self link.
        ignored: whether something was left out.
    """

    kind: str | None
    handle: str | None
    filters: tuple[tuple[Parameter, tuple[Asked, ...]], ...] = ()
    sort: tuple[tuple[Parameter, bool], ...] = ()
    count: int = DEFAULT_COUNT
    kinds: frozenset[str] | None = None
    used: tuple[tuple[str, str], ...] = ()
    ignored: bool = False


@dataclass(slots=True)
class _Draft:
    """What is known while the parameters are read."""

    handles: list[str] = field(default_factory=list)
    filters: list[tuple[Parameter, tuple[Asked, ...]]] = field(default_factory=list)
    sort: tuple[tuple[Parameter, bool], ...] = ()
    count: int = DEFAULT_COUNT
    kinds: frozenset[str] | None = None
    used: list[tuple[str, str]] = field(default_factory=list)
    ignored: bool = False


def parse_search(kind: str, pairs: Pairs, *, lenient: bool) -> Query:
    """Read a search for one type.

    Args:
        kind: a type of ``TYPES``.
        pairs: untrusted names and values, decoded, in order.
        lenient: leave out what is not supported.

    Raises:
        Unanswerable: see the rules.
        NotShared: the patient's id has no form that ours have.
    """
    draft = _read(kind, pairs, lenient=lenient)
    if kind != "Patient" and len(set(draft.handles)) != 1:
        raise Unanswerable("patient_needed", parameter="patient")
    return _finished(kind, draft.handles[0] if draft.handles else None, draft)


def parse_everything(handle: str, pairs: Pairs, *, lenient: bool) -> Query:
    """Read a request for everything of one patient; see ``parse_search``."""
    return _finished(None, handle, _read(None, pairs, lenient=lenient))


def _finished(kind: str | None, handle: str | None, draft: _Draft) -> Query:
    return Query(
        kind=kind,
        handle=handle,
        filters=tuple(draft.filters),
        sort=draft.sort,
        count=draft.count,
        kinds=draft.kinds,
        used=tuple(draft.used),
        ignored=draft.ignored,
    )


def _read(kind: str | None, pairs: Pairs, *, lenient: bool) -> _Draft:
    if len(pairs) > MAX_PARAMETERS:
        raise Unanswerable("too_many_values")
    draft = _Draft()
    for name, value in pairs:
        if name in NOT_ASKED:
            continue
        if ":" in name:
            raise Unanswerable("unknown_modifier")
        if len(value) > MAX_CHARACTERS:
            raise Unanswerable("too_many_values")
        if _take(draft, kind, name, value):
            draft.used.append((name, value))
        elif lenient:
            draft.ignored = True
        else:
            raise Unanswerable("unknown_parameter")
    return draft


def _take(draft: _Draft, kind: str | None, name: str, value: str) -> bool:
    """Read one parameter into the draft; False when there is no such parameter."""
    if name == "_count":
        draft.count = _count(value)
    elif name == "_sort" and kind is not None:
        draft.sort = tuple(_sort_keys(kind, value))
    elif name == "_type" and kind is None:
        draft.kinds = _kinds(value)
    elif name == "_since" and kind is None:
        draft.filters.append((LAST_UPDATED, (_moment("_since", f"ge{value}"),)))
    elif kind is None:
        return False
    elif name in patient_names(kind):
        draft.handles.append(_patient(value))
    elif parameter := _parameter(kind, name):
        draft.filters.append((parameter, _values(parameter, value)))
    else:
        return False
    return True


def _parameter(kind: str, name: str) -> Parameter | None:
    common = {"_id": ID, "_lastUpdated": LAST_UPDATED}
    return common.get(name) or TYPES[kind].get(name)


def _count(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Unanswerable("bad_value", parameter="_count")
    return min(int(value), MAX_COUNT)


def _sort_keys(kind: str, value: str) -> Iterable[tuple[Parameter, bool]]:
    for name in value.split(",")[:MAX_VALUES]:
        parameter = _parameter(kind, name.removeprefix("-"))
        if parameter is None or parameter.kind != DATE:
            raise Unanswerable("bad_value", parameter="_sort")
        yield parameter, name.startswith("-")


def _kinds(value: str) -> frozenset[str]:
    kinds = frozenset(value.split(","))
    if not kinds <= TYPES.keys():
        raise Unanswerable("bad_value", parameter="_type")
    return kinds


def _patient(value: str) -> str:
    """Read ``id``, ``Patient/id`` or the full address; whether it is ours is seen when it is looked up."""
    handle = handle_of_patient(value.rpartition("Patient/")[2])
    if handle is None:
        raise NotShared
    return handle


def _values(parameter: Parameter, value: str) -> tuple[Asked, ...]:
    parts = _SEPARATOR.sub("\\1\n", value.replace("\n", " ")).split("\n")
    if len(parts) > MAX_VALUES:
        raise Unanswerable("too_many_values", parameter=parameter.name)
    return tuple(_value(parameter, part) for part in parts)


def _value(parameter: Parameter, text: str) -> Asked:
    if not text.strip():
        raise Unanswerable("bad_value", parameter=parameter.name)
    if parameter.kind == DATE:
        return _moment(parameter.name, text)
    if parameter.kind != TOKEN:
        return _unescaped(text)
    system, bar, code = _BAR.sub("\\1\n", text.replace("\n", " "), count=1).partition("\n")
    if not bar:
        return Token(None, _unescaped(system))
    if not system and not code:
        raise Unanswerable("bad_value", parameter=parameter.name)
    return Token(_unescaped(system), _unescaped(code) if code else None)


def _moment(name: str, text: str) -> Moment:
    prefix = text[:2] if text[:2] in PREFIXES else ""
    span = read_span(text[len(prefix) :])
    if span is None:
        raise Unanswerable("bad_value", parameter=name)
    return Moment(prefix or "eq", span)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
