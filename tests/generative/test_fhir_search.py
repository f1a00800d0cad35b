"""Search finds what a naive filter over the same resources finds, in the same order, in pages of any size."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from pgo.health.record.index import build_index
from pgo.health.record.resolve import nothing
from recipient.fhir_api.query import parse_search
from recipient.fhir_api.results import Found, found_in, page_of, search
from recipient.holdings import Held
from recipient.look import Item
from recipient.parsed import parse_held

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HANDLE = "abcdefghij_klmnopqrst-"
PATIENT = HANDLE.replace("_", ".")
SYSTEMS = ("http://loinc.org", "http://snomed.info/sct", None)
CODES = ("a", "A", "b,c", "d|e", "1-2")
STATUSES = ("final", "preliminary", "active")
DAYS = ("2023", "2024", "2024-02", "2024-03", "2024-02-28", "2024-02-29", "2024-03-01")
PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")


def coding() -> st.SearchStrategy[dict[str, str]]:
    made = st.fixed_dictionaries({"system": st.sampled_from(SYSTEMS), "code": st.sampled_from(CODES)})
    return made.map(lambda found: {name: value for name, value in found.items() if value is not None})


def concept() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"coding": st.lists(coding(), max_size=2)})


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["Observation", "Condition"]))
    body: dict[str, Any] = {"resourceType": kind, "id": str(draw(st.integers(0, 3)))}
    optional: dict[str, st.SearchStrategy[Any]] = {
        "code": concept(),
        "category": st.lists(concept(), max_size=2),
    }
    if kind == "Observation":
        optional["status"] = st.sampled_from(STATUSES)
        optional["effectiveDateTime"] = st.sampled_from(DAYS)
    else:
        optional["clinicalStatus"] = concept()
        optional["recordedDate"] = st.sampled_from(DAYS)
    return body | draw(st.fixed_dictionaries({}, optional=optional))


ESCAPED = str.maketrans({",": "\\,", "|": "\\|", "\\": "\\\\"})
Token = tuple[str | None, str | None]  # system ("" none, None any) and code (None any)


@st.composite
def tokens(draw: st.DrawFn) -> tuple[str, Token]:
    code = draw(st.sampled_from(CODES))
    system = draw(st.sampled_from([*SYSTEMS, "", "bound"]))
    if system is None:
        return code.translate(ESCAPED), (None, code)
    if system == "bound":
        system = "http://hl7.org/fhir/observation-status"
    if system and draw(st.booleans()):
        return f"{system}|", (system, None)
    return f"{system}|{code.translate(ESCAPED)}", (system, code)


def codings_of(value: Any) -> list[tuple[str, str]]:
    found = []
    for each in value if isinstance(value, list) else [value]:
        found += [(one.get("system", ""), one["code"]) for one in each.get("coding", [])]
    return found


def token_fits(body: dict[str, Any], element: str, asked: list[Token]) -> bool:
    if element not in body:
        return False
    value = body[element]
    pairs = (
        [("http://hl7.org/fhir/observation-status", value)] if isinstance(value, str) else codings_of(value)
    )
    return any(
        (system is None or system == has) and (code is None or code.lower() == own.lower())
        for system, code in asked
        for has, own in pairs
    )


def days(text: str) -> set[date]:
    """All days a date may denote."""
    first = date.fromisoformat((text + "-01-01")[:10])
    every = (first + timedelta(days=n) for n in range(366))
    return {day for day in every if day.isoformat().startswith(text)}


def date_fits(body: dict[str, Any], element: str, asked: list[tuple[str, str]]) -> bool:
    if element not in body:
        return False
    has = days(body[element])
    results = []
    for prefix, text in asked:
        want = days(text)
        later, earlier = max(has) > max(want), min(has) < min(want)
        results.append(
            {
                "eq": has <= want,
                "ne": not has <= want,
                "gt": later,
                "lt": earlier,
                "ge": later or has <= want,
                "le": earlier or has <= want,
                "sa": min(has) > max(want),
                "eb": max(has) < min(want),
            }[prefix or "eq"]
        )
    return any(results)


ELEMENTS = {
    "Observation": {"code": "code", "category": "category", "status": "status", "date": "effectiveDateTime"},
    "Condition": {
        "code": "code",
        "category": "category",
        "clinical-status": "clinicalStatus",
        "recorded-date": "recordedDate",
    },
}


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]], list[Any]]:
    """Draw a type, its parameters as text, and the same as the naive filter wants them."""
    kind = draw(st.sampled_from(sorted(ELEMENTS)))
    pairs: list[tuple[str, str]] = [("patient", PATIENT)]
    meant: list[Any] = []
    for name in draw(st.lists(st.sampled_from(sorted(ELEMENTS[kind])), max_size=3)):
        if "date" in name:
            drawn = st.tuples(st.sampled_from(PREFIXES), st.sampled_from(DAYS))
            dates = draw(st.lists(drawn, min_size=1, max_size=2))
            pairs.append((name, ",".join(prefix + text for prefix, text in dates)))
            meant.append((date_fits, ELEMENTS[kind][name], dates))
        else:
            found = draw(st.lists(tokens(), min_size=1, max_size=2))
            pairs.append((name, ",".join(text for text, _ in found)))
            meant.append((token_fits, ELEMENTS[kind][name], [token for _, token in found]))
    if draw(st.booleans()):
        own_date = next(name for name in ELEMENTS[kind] if "date" in name)
        pairs.append(("_sort", draw(st.sampled_from(["", "-"])) + own_date))
    return kind, pairs, meant


def items(all_bodies: list[dict[str, Any]]) -> list[Item]:
    rows = [
        Held(number, f"{body['resourceType']}/r{number}", None, json.dumps(body).encode(), NOW)
        for number, body in enumerate(all_bodies)
    ]
    return [
        Item(one.row.id, one.row.reference, one.resource, one.facts,
             build_index(one.resource, resolve=nothing), one.row.received_at)
        for one in parse_held(rows)
    ]  # fmt: skip


def ordered(found: list[dict[str, Any]], kind: str, sort: str | None) -> list[dict[str, Any]]:
    if sort is None:
        return found
    element = ELEMENTS[kind][sort.removeprefix("-")]
    dated, undated = [one for one in found if element in one], [one for one in found if element not in one]
    if sort.startswith("-"):
        dated.sort(key=lambda one: -max(days(one[element])).toordinal())
    else:
        dated.sort(key=lambda one: min(days(one[element])).toordinal())
    return dated + undated


def bodies_of(found: tuple[Found, ...]) -> list[Any]:
    return [dict(one.item.resource.body) for one in found if one.item is not None]


@given(
    all_bodies=st.lists(bodies(), max_size=8),
    question=questions(),
    readable=st.sets(st.sampled_from(["Observation", "Condition"])),
    size=st.integers(1, 4),
)
def test_search_is_a_naive_filter(
    all_bodies: list[dict[str, Any]],
    question: tuple[str, list[tuple[str, str]], list[Any]],
    readable: set[str],
    size: int,
) -> None:
    kind, pairs, meant = question
    expected = [
        body
        for body in all_bodies
        if body["resourceType"] == kind
        and kind in readable
        and all(fits(body, element, asked) for fits, element, asked in meant)
    ]
    expected = ordered(expected, kind, dict(pairs).get("_sort"))
    query = parse_search(kind, pairs, lenient=False)
    found = search(found_in(HANDLE, items(all_bodies)), query, may_read=readable.__contains__, now=NOW)
    assert bodies_of(found) == expected
    pages, start = [], 0
    while start is not None:
        page = page_of(found, start=start, count=size)
        assert page.total == len(expected)
        pages += bodies_of(page.found)
        start = page.next_start  # type: ignore[assignment]
    assert pages == expected
    assert quote(PATIENT) == PATIENT  # ids need no escaping in an address
