"""A record as it goes to a FHIR server: under a pairwise id, pointing only at what goes as well.

1. The id is the pairwise one; the id of the source does not go, nor its version and its time of change.
2. A reference to a record that goes becomes the name of that record. A record of one source means its
   neighbours in the same source; a short reference that could mean two records means none.
3. Every other reference is masked. The patient is named by the anchor when the patient's own record does
   not go, so that a server which files by patient has somewhere to file.
4. Every resource carries the tag of the anchor, so that all of it can be found again.
5. `in_order`: what is referred to comes first, circles stay together (FHIR R4 http.html#transaction does
   not ask for it, servers that check references in each transaction do).

Source: FHIR R4 references.html#literal, bundle.html#references.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crypto.canonical import JsonValue
from sync.fhir_server.names import MASKED, TAG_SYSTEM, references_of, type_of, with_references

_SERVER_META = frozenset({"versionId", "lastUpdated", "source"})
_PATIENT_PLACES = ("subject", "patient", "beneficiary")


@dataclass(frozen=True, slots=True)
class Source:
    """A record before shaping.

    Attributes:
        name: how we call it at this server.
        body: decided and redacted, with the id of its source.
        full_url: its address in the source, '' for none.
        about_patient: whether what was masked in its `subject` or `patient` was a Patient.
    """

    name: str
    body: Mapping[str, JsonValue] = field(repr=False)
    full_url: str = field(default="", repr=False)
    about_patient: bool = True

    @property
    def own(self) -> str:
        """`Type/id` in its source."""
        return f"{type_of(self.name)}/{self.body.get('id')}"

    @property
    def base(self) -> str:
        """Address of its source, '' for none."""
        return self.full_url.removesuffix(f"/{self.own}") if self.full_url.endswith(f"/{self.own}") else ""


def shape(sources: Sequence[Source], *, anchor: str) -> dict[str, dict[str, Any]]:
    """Shape records that go together.

    Args:
        sources: everything the recipient may have now.
        anchor: name of the anchor Patient.

    Returns:
        Bodies by name, in the order of the sources.
    """
    book = _Book(sources)
    return {one.name: _shaped(one, book, anchor) for one in sources}


class _Book:
    """Who is meant by a reference (rule 2)."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._by_url: dict[str, str] = {}
        self._by_own: dict[str, str | None] = {}
        for one in sources:
            if one.full_url:
                self._by_url[one.full_url] = one.name
            self._by_own[one.own] = None if one.own in self._by_own else one.name

    def name(self, reference: str, base: str) -> str | None:
        plain = reference.split("/_history/")[0]
        found = self._by_url.get(plain) or (self._by_url.get(f"{base}/{plain}") if base else None)
        return found or self._by_own.get(plain)


def _shaped(one: Source, book: _Book, anchor: str) -> dict[str, Any]:
    body = with_references(one.body, lambda reference: book.name(reference, one.base))
    tag = {"system": TAG_SYSTEM, "code": anchor.partition("/")[2]}
    old = body.get("meta")
    meta = {key: value for key, value in old.items() if key not in _SERVER_META} if old else {}
    meta["tag"] = [*(meta.get("tag") or []), tag]
    if one.about_patient:
        for place in _PATIENT_PLACES:
            if body.get(place) == MASKED:
                body[place] = {"reference": anchor}
    rest = {key: value for key, value in body.items() if key not in ("resourceType", "id", "meta")}
    return {"resourceType": body["resourceType"], "id": one.name.partition("/")[2], "meta": meta, **rest}


def in_order(bodies: Mapping[str, Mapping[str, JsonValue]]) -> tuple[tuple[str, ...], ...]:
    """Groups of names, what is referred to first; a group of several is a circle (Tarjan 1972, iterative)."""
    wants = {name: sorted(references_of(body) & bodies.keys() - {name}) for name, body in bodies.items()}
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_names: list[str] = []
    still_open: set[str] = set()
    groups: list[tuple[str, ...]] = []
    for root in bodies:
        work = [] if root in number else [(root, iter(wants[root]))]
        while work:
            name, left = work[-1]
            if name not in number:
                number[name] = low[name] = len(number)
                open_names.append(name)
                still_open.add(name)
            for target in left:
                if target not in number:
                    work.append((target, iter(wants[target])))
                    break
                if target in still_open:
                    low[name] = min(low[name], number[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == number[name]:
                    groups.append(_close(name, open_names, still_open))
    return tuple(groups)


def _close(name: str, open_names: list[str], still_open: set[str]) -> tuple[str, ...]:
    start = open_names.index(name)
    group = tuple(open_names[start:])
    del open_names[start:]
    still_open.difference_update(group)
    return group
