"""Show one record to a person: labelled rows, and the facts of a Patient.

Rules:

1. Every row is (label key, value); the label's words are in ``assets/locale``. A code word of the standard
   also carries ``value_key``, so that it shows in the reader's language.
2. Values are the source's own words and digits. A reference shows the title of what it points at, or its own
   words; never a bare technical address.
3. Rows come in the order of the standard, nothing is repeated, and a record never fails to show.
4. Narrative (``text.div``) is not shown: it is markup from outside and often says more than the coded part.
5. A value that is missing for a stated reason shows the reason (masked, unknown, not asked).
6. Extensions we know show under their label. A modifier extension changes what the rest means, so one we do
   not know is named as a caution and never left out (https://hl7.org/fhir/R4/extensibility.html#modifierExtension).

Source: https://hl7.org/fhir/R4/; Dutch address and name parts: zib AddressInformation, NameInformation 2020.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pgo.health.record.dates import date_text
from pgo.health.record.detail import (
    Detail,
    absent_reason,
    absent_rows,
    directive_rows,
    extension_rows,
    judgement_row,
)
from pgo.health.record.index import build_index, dosage_text, medication_concept, observation_text
from pgo.health.record.labels import ABSENT, HIDDEN, LABEL_KEYS, LABELS, OTHER, VALUE_KEYS, VALUES
from pgo.health.record.names import human_name, name_line
from pgo.health.record.resolve import nothing, referred, short_reference
from pgo.health.record.resource import Resolve, Resource
from pgo.health.record.safe import obj, objs, text, texts
from pgo.health.record.words import (
    any_text,
    concept_text,
    plain_display,
    quantity_text,
    range_text,
    value_text,
)

__all__ = ["LABEL_KEYS", "VALUE_KEYS", "Detail", "PersonView", "details", "person_view", "range_words"]

_MAX_VALUE = 2_000
_CHOICE_END = re.compile(
    r"(?:DateTime|Date|Time|Period|Instant|Timing|Age|Range|String|Boolean|Integer|Decimal|Quantity|Money|"
    r"CodeableConcept|Coding|Reference|Ratio|SampledData|Attachment|Duration|Uri|Code)\Z"
)
_PERIOD_PARTS = frozenset({"start", "end"})
_NOT_INSIDE = frozenset({"extension", "modifierExtension", "id", "use", "system", "period", "mode"})


@dataclass(frozen=True, slots=True)
class PersonView:
    """What a Patient resource says about the person. ``identifiers`` are (system, value) in file order."""

    name: str
    birth_date: str
    gender: str
    identifiers: tuple[tuple[str, str], ...]
    address: str
    phone: str


def details(resource: Resource, resolve: Resolve) -> tuple[Detail, ...]:
    """Give the rows of one record.

    Args:
        resource: A resource the reader took.
        resolve: Look-up for references.

    Returns:
        Rows in the order of the standard, without empty ones, never raising on odd content.
    """
    rows: dict[Detail, None] = {}
    for row in _all_rows(resource, resolve):
        if row.value:
            rows.setdefault(row)
    return tuple(rows)


def range_words(resource: Resource) -> str:
    """Give the normal values that an Observation names, in the source's digits; empty when it names none."""
    return "; ".join(filter(None, _range_rows(resource, nothing)))


def _all_rows(resource: Resource, resolve: Resolve) -> Iterator[Detail]:
    first = tuple(directive_rows(resource.body)) if resource.type == "Consent" else ()
    yield from first
    said = {row.value for row in first}
    yield from (row for row in extension_rows(resource.body) if row.value not in said)
    for name, value in resource.body.items():
        if name.startswith("_"):
            yield from absent_rows(name[1:], value, beside=resource.body.get(name[1:]))
        elif name not in HIDDEN and not (resource.type == "Consent" and name in _IN_DIRECTIVE):
            yield from _rows(_stem(name), value, resource, resolve)


def person_view(resource: Resource) -> PersonView:
    """Give the facts of a Patient resource; what is unknown is an empty text."""
    body = resource.body
    numbers = ((text(item, "system"), text(item, "value")) for item in objs(body, "identifier"))
    return PersonView(
        name=human_name(body),
        birth_date=date_text(text(body, "birthDate")),
        gender=text(body, "gender"),
        identifiers=tuple((system, value) for system, value in numbers if value),
        address=next((line for item in objs(body, "address") if (line := address_line(item))), ""),
        phone=next((text(c, "value") for c in objs(body, "telecom") if text(c, "system") == "phone"), ""),
    )


def address_line(address: Mapping[str, Any]) -> str:
    """Write an Address on one line; its own text first."""
    if words := text(address, "text"):
        return " ".join(words.split())
    street = ", ".join(line for line in texts(address, "line") if line.strip())
    place = " ".join(filter(None, (text(address, "postalCode"), text(address, "city"))))
    return ", ".join(filter(None, (street, place, text(address, "country"))))


# What the rows of a directive say already, better than the elements do.
_IN_DIRECTIVE = frozenset({"scope", "provision", "policy", "policyRule"})


def _stem(name: str) -> str:
    """Give the name of an element without its choice ending (``valueString`` -> ``value``)."""
    if name in LABELS:
        return name
    return _CHOICE_END.sub("", name) or name


def _rows(stem: str, value: object, resource: Resource, resolve: Resolve) -> Iterator[Detail]:
    label = LABELS.get(stem, OTHER)
    special = _SPECIAL.get(stem)
    if special is not None and isinstance(value, list | dict):
        for row in special(resource, resolve):
            if row.strip():
                yield Detail(label, row[:_MAX_VALUE])
        return
    if stem == "medication":
        yield Detail(label, concept_text(medication_concept(resource, resolve)))
        return
    for item in value if isinstance(value, list) else [value]:
        yield from _row(label, item, resource, resolve)


def _row(label: str, item: object, resource: Resource, resolve: Resolve) -> Iterator[Detail]:
    if label == OTHER and not isinstance(item, Mapping):
        return  # a bare number or tick without a label of its own tells nobody anything
    if isinstance(item, str) and item in VALUES:
        yield Detail(label, item, VALUES[item], "code")
    elif isinstance(item, str) and date_text(item) and len(item) > len("2000"):
        yield Detail(label, item, kind="date")
    elif isinstance(item, Mapping) and item.keys() <= _PERIOD_PARTS and item:
        yield from _period_rows(label, item)
    elif isinstance(item, Mapping) and (judged := judgement_row(label, item)):
        yield judged
    elif isinstance(item, Mapping) and (missing := absent_reason(item)) and not any_text(item):
        yield Detail(label, missing, ABSENT[missing], "code")
    elif isinstance(item, Mapping) and (word := _code_word(item)):
        yield Detail(label, concept_text(item) or text(item, "display") or word, VALUES[word], "code")
    else:
        shown = _shown(item, resource, resolve)[:_MAX_VALUE]
        if shown:
            yield Detail(label, shown)


def _period_rows(label: str, period: Mapping[str, Any]) -> Iterator[Detail]:
    if start := date_text(text(period, "start")):
        yield Detail(label, start, kind="date")
    if end := date_text(text(period, "end")):
        yield Detail(LABELS["end"], end, kind="date")


def _code_word(concept: Mapping[str, Any]) -> str:
    """Give the code of a concept or coding from HL7's own small lists when we have words for it."""
    for coding in objs(concept, "coding") or (concept,):
        if (
            text(coding, "system").startswith("http://terminology.hl7.org/")
            and text(coding, "code") in VALUES
        ):
            return text(coding, "code")
    return ""


def _shown(item: object, resource: Resource, resolve: Resolve) -> str:
    if not isinstance(item, Mapping):
        return any_text(item)
    if "reference" in item or item.keys() == {"display"}:
        return _reference_text(item, resource, resolve)
    if "family" in item or "given" in item:
        return name_line(item)
    if "city" in item or "postalCode" in item:
        return address_line(item)
    own = any_text(item)
    return own or ", ".join(dict.fromkeys(filter(None, _inside(item, resource, resolve))))


def _inside(item: Mapping[str, Any], resource: Resource, resolve: Resolve) -> Iterator[str]:
    """Give the readable parts of a nested element; bare code words and numbers say nothing here."""
    for name, value in item.items():
        if name in _NOT_INSIDE or name.startswith("_"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Mapping) or (isinstance(part, str) and part not in VALUES):
                yield _shown(part, resource, resolve)


def _reference_text(reference: Mapping[str, Any], resource: Resource, resolve: Resolve) -> str:
    if words := plain_display(text(reference, "display")):
        return words
    target = text(reference, "reference")
    found = resolve(target) if target and not target.startswith("#") else None
    if found is not None and found is not resource:
        return build_index(found, resolve=lambda _: None).title
    body = referred(resource.body, reference, resolve)
    own = human_name(body) or text(body, "name") or concept_text(obj(body, "code"))
    return own or text(reference, "identifier", "value") * (short_reference(target) is None)


def _component_rows(resource: Resource, resolve: Resolve) -> list[str]:  # noqa: ARG001 (one shape for all)
    rows = ((concept_text(obj(c, "code")), value_text(c)) for c in objs(resource.body, "component"))
    return [f"{name}: {value}" for name, value in rows if value] or [observation_text(resource.body)]


def _range_rows(resource: Resource, resolve: Resolve) -> list[str]:  # noqa: ARG001
    rows = objs(resource.body, "referenceRange")
    return [
        " ".join(filter(None, (concept_text(obj(row, "type")), text(row, "text") or range_text(row))))
        for row in rows
    ]


def _reaction_rows(resource: Resource, resolve: Resolve) -> list[str]:  # noqa: ARG001
    return [
        ", ".join(concept_text(item) for item in objs(row, "manifestation"))
        for row in objs(resource.body, "reaction")
    ]


def _dosage_rows(resource: Resource, resolve: Resolve) -> list[str]:  # noqa: ARG001
    return [dosage_text(resource.body)]


def _note_rows(resource: Resource, resolve: Resolve) -> list[str]:  # noqa: ARG001
    return [text(note, "text") for note in objs(resource.body, "note")]


def _supply_rows(resource: Resource, resolve: Resolve) -> list[str]:  # noqa: ARG001
    return [quantity_text(obj(resource.body, "dispenseRequest", "quantity"))]


def _document_rows(resource: Resource, resolve: Resolve) -> list[str]:  # noqa: ARG001
    attachments = [obj(row, "attachment") for row in objs(resource.body, "content")]
    return [text(a, "title") or text(a, "contentType") for a in attachments]


def _section_rows(resource: Resource, resolve: Resolve) -> list[str]:  # noqa: ARG001
    return [text(s, "title") or concept_text(obj(s, "code")) for s in objs(resource.body, "section")]


def _contact_rows(resource: Resource, resolve: Resolve) -> list[str]:  # noqa: ARG001
    return [text(item, "value") for item in objs(resource.body, "telecom")]


def _item_rows(resource: Resource, resolve: Resolve) -> list[str]:  # noqa: ARG001
    """Write each answered question of a QuestionnaireResponse as ``question: answer``."""
    rows: list[str] = []
    waiting = list(reversed(objs(resource.body, "item")))
    while waiting:
        item = waiting.pop()
        answers = ", ".join(filter(None, (value_text(answer) for answer in objs(item, "answer"))))
        if answers:
            rows.append(": ".join(filter(None, (text(item, "text"), answers))))
        inner = [sub for answer in objs(item, "answer") for sub in objs(answer, "item")]
        waiting.extend(reversed([*objs(item, "item"), *inner]))
    return rows


_SPECIAL = {
    "component": _component_rows,
    "referenceRange": _range_rows,
    "reaction": _reaction_rows,
    "dosageInstruction": _dosage_rows,
    "dosage": _dosage_rows,
    "note": _note_rows,
    "dispenseRequest": _supply_rows,
    "content": _document_rows,
    "section": _section_rows,
    "telecom": _contact_rows,
    "item": _item_rows,
}
