"""Redact the permitted set so that it speaks of nothing outside itself.

1. A reference to something outside the set goes, with its display; references into the set and to
   contained resources stay. Where FHIR demands the element, it is marked as masked instead.
2. Narrative, notes, conclusions and other free text go unless `keep_text`. Values stay: coded text,
   measured text, dosage text and answers are the record itself, not a remark on it.
3. A list entry that existed only to point at a dropped resource goes as a whole.
4. What needs no change is returned as the very same bytes. What is changed is written as compact
   JSON in which every number keeps its digits.

Law (non-interference): the outcome depends only on the permitted set, so a bundle filtered and
redacted equals the bundle that never had the denied resources, byte for byte.

Source: guide consent.md section 2.6; masking: FHIR R4 data-absent-reason
(https://hl7.org/fhir/R4/extension-data-absent-reason.html).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

_Json: TypeAlias = object


@dataclass(frozen=True, slots=True)
class Redacted:
    """One resource after redaction.

    Attributes:
        raw: the same bytes object when nothing had to go.
        changed: whether something went.
    """

    raw: bytes
    changed: bool


# Remarks about a record; the same names in contained resources and backbone elements.
_FREE_TEXT: Final = frozenset(
    {"comment", "comments", "conclusion", "description", "summary", "patientInstruction", "contentString"}
    | {"preamble", "abstract", "disposition"}
)
# Elements R4 requires (1..1) wherever a permitted resource has them; absent they would be invalid.
_REQUIRED: Final = frozenset({"subject", "patient", "medicationReference", "beneficiary", "provider"})
_REQUIRED_LISTS: Final = frozenset({"target", "payor"})
_ENTRY_LISTS: Final = frozenset(
    {"entry", "diagnosis", "procedure", "location", "agent", "media", "extension", "modifierExtension"}
    | {"participant", "activity", "link", "answer", "evidence", "finding", "instance", "content", "related"}
    | {"careTeam", "member", "insurance", "entity", "relatesTo", "detail"}
)
_REFERENCE_MEMBERS: Final = frozenset({"reference", "type", "identifier", "display", "id", "extension"})
# Elements of STU3 without a place in R4 (https://hl7.org/fhir/R4/versions.html#extensions); inside such an
# extension the parts go by their bare names.
_KEPT_URL: Final = "http://hl7.org/fhir/3.0/StructureDefinition/extension-"
_CODING_PLACES: Final = frozenset({"coding", "valueCoding", "security", "tag", "class"})
_RELATIVE: Final = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}(?:/_history/[A-Za-z0-9.\-]{1,64})?")
_MASKED: Final[Mapping[str, _Json]] = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    ]
}


def redact(
    resources: Sequence[tuple[bytes, Mapping[str, object], tuple[str, ...]]], *, keep_text: bool = False
) -> list[Redacted]:
    """Redact a permitted set.

    Args:
        resources: per resource its bytes, the same as parsed JSON, and every reference it is known
            by ("Type/id", full URL). Only what was permitted; nothing else may be passed in.
        keep_text: whether the grant covers the free text itself.

    Returns:
        One result per resource, in order.
    """
    known = frozenset(reference for _, _, names in resources for reference in names)
    cleaner = _Cleaner(known, keep_text=keep_text)
    return [_redact_one(raw, body, cleaner) for raw, body, _ in resources]


def _redact_one(raw: bytes, body: Mapping[str, object], cleaner: _Cleaner) -> Redacted:
    if cleaner.clean(body, "", root=True) is body:
        return Redacted(raw, changed=False)
    exact = json.loads(raw, parse_float=_Number, parse_int=_Number)
    return Redacted(_compact(cleaner.clean(exact, "", root=True)).encode("utf-8"), changed=True)


class _Number(str):
    """Digits of a JSON number exactly as they were written."""

    __slots__ = ()


class _Gone:
    """Marks a value that must be left out."""


_GONE: Final = _Gone()
_GONE_POINTER: Final = _Gone()


class _Cleaner:
    """Walks one resource; returns the same object where nothing changes."""

    def __init__(self, known: frozenset[str], *, keep_text: bool) -> None:
        self.known = known
        self.keep_text = keep_text

    def clean(self, value: _Json, name: str, *, root: bool = False) -> _Json:
        if isinstance(value, Mapping):
            if not root and self._dangles(value, name):
                return dict(_MASKED) if name in _REQUIRED else _GONE_POINTER
            return self._object(value, whole=root or "resourceType" in value)
        return self._list(value, name) if isinstance(value, list) else value

    def _object(self, value: Mapping[str, _Json], *, whole: bool) -> _Json:
        kept: dict[str, _Json] = {}
        changed = False
        lost_pointer = False
        for name, child in value.items():
            new = _GONE if self._is_text(name, child) or self._is_dead_link(name, child) else child
            if new is child:
                new = self.clean(child, name)
            lost_pointer = lost_pointer or new is _GONE_POINTER
            changed = changed or new is not child
            if not isinstance(new, _Gone):
                kept[name] = new
        if not changed:
            return value
        if not kept and not whole:
            return _GONE
        return _Pruned(kept) if lost_pointer and not whole else kept

    def _list(self, items: list[_Json], name: str) -> _Json:
        kept: list[_Json] = []
        changed = False
        for item in items:
            new = _GONE if name == "extension" and self._carries_text(item) else self.clean(item, name)
            if isinstance(new, _Pruned) and name in _ENTRY_LISTS:
                new = _GONE
            changed = changed or new is not item
            if not isinstance(new, _Gone):
                kept.append(new)
        if not changed:
            return items
        if not kept and name in _REQUIRED_LISTS:
            return [dict(_MASKED)]
        return kept or _GONE

    def _is_text(self, name: str, child: _Json) -> bool:
        if self.keep_text:
            return False
        plain = name.removeprefix("_")
        if plain in ("note", "div") or (plain == "text" and isinstance(child, Mapping)):
            # A Narrative; a text that is a string belongs to a code, a dosage or a question.
            return True
        # `_comment` carries the extensions of `comment`: they go together.
        return plain in _FREE_TEXT and (isinstance(child, str) or name != plain)

    def _carries_text(self, item: _Json) -> bool:
        """Whether an extension is a remark of STU3 that R4 has no element for."""
        url = item.get("url") if isinstance(item, Mapping) else None
        if self.keep_text or not isinstance(url, str):
            return False
        path = url.removeprefix(_KEPT_URL)
        return ("/" not in path) and path.rpartition(".")[2] in _FREE_TEXT | {"note"}

    def _is_dead_link(self, name: str, child: _Json) -> bool:
        """An attachment kept elsewhere: the address of a resource outside the set."""
        if name != "url" or not isinstance(child, str):
            return False
        points = child.startswith("urn:uuid:") or _RELATIVE.fullmatch(child) is not None
        return points and not self._inside(child)

    def _dangles(self, value: Mapping[str, _Json], name: str) -> bool:
        reference = value.get("reference")
        if isinstance(reference, str):
            return not self._inside(reference)
        if name in _CODING_PLACES or not value.keys() <= _REFERENCE_MEMBERS:
            return False
        return isinstance(value.get("display"), str) or isinstance(value.get("identifier"), Mapping)

    def _inside(self, reference: str) -> bool:
        return reference.startswith("#") or reference.split("/_history/")[0] in self.known


class _Pruned(dict[str, _Json]):
    """An object that lost a reference it held directly."""


_WRITE = json.JSONEncoder(ensure_ascii=False).encode  # made once: `json.dumps` makes one for every word


def _compact(value: _Json) -> str:
    return "".join(_tokens(value))


def _tokens(value: _Json) -> Iterator[str]:
    if isinstance(value, _Number):
        yield str(value)
    elif isinstance(value, Mapping):
        yield "{"
        for place, (name, child) in enumerate(value.items()):
            yield ("," if place else "") + _WRITE(name) + ":"
            yield from _tokens(child)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for place, child in enumerate(value):
            if place:
                yield ","
            yield from _tokens(child)
        yield "]"
    else:
        yield _WRITE(value)
