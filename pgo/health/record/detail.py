"""Rows of a record page that need more than one element: extensions, missing values, judgements, wishes.

Sources: zib profiles of https://zibs.nl and http://nictiz.nl/fhir as named in ``labels``;
https://hl7.org/fhir/R4/extension-data-absent-reason.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pgo.health.record.dates import date_text
from pgo.health.record.directive import Decision, read_directive
from pgo.health.record.labels import (
    ABSENT,
    CAUTION,
    DIRECTIVES,
    EXTENSIONS,
    JUDGEMENT_SYSTEMS,
    JUDGEMENTS,
    LABELS,
)
from pgo.health.record.safe import extension, obj, objs, text
from pgo.health.record.words import any_text, concept_text, plain_display, value_text

_REASONS: Final = (("/data-absent-reason", "valueCode"), ("/iso21090-nullFlavor", "valueCode"))
_MAX_VALUE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Detail:
    """One row: ``kind`` is ``text``, ``date`` (ISO text) or ``code`` (``value_key`` has the words)."""

    label_key: str
    value: str
    value_key: str = ""
    kind: str = "text"


def directive_rows(body: Mapping[str, Any]) -> Iterator[Detail]:
    """Give what an advance or treatment directive is about, its yes or no, and its remarks."""
    found = read_directive(body)
    yield Detail(LABELS["directive"], found.title)
    if found.decision is not Decision.NONE:
        yield Detail(LABELS["value"], found.decision.value, DIRECTIVES[found.decision.value], "code")
    period = obj(body, "provision", "period")
    for part, label in (("start", LABELS["start"]), ("end", LABELS["end"])):
        if day := date_text(text(period, part)):
            yield Detail(label, day, kind="date")
    for remark in found.remarks:
        yield Detail(LABELS["remarks"], remark[:_MAX_VALUE])


def extension_rows(body: Mapping[str, Any]) -> Iterator[Detail]:
    """Give the extensions that say something to a person, and every modifier we do not know."""
    for item in objs(body, "extension"):
        yield from _known(item)
    for item in objs(body, "modifierExtension"):
        rows = tuple(_known(item))
        yield from rows
        if not rows and not _is_directive_part(item):
            yield Detail(CAUTION, (value_text(item) or text(item, "url").rpartition("/")[2])[:_MAX_VALUE])


def absent_rows(name: str, value: object, *, beside: object) -> Iterator[Detail]:
    """Give why a primitive element has no value, when its shadow (``_name``) says so."""
    if beside is not None and not isinstance(beside, list):
        return
    for item in value if isinstance(value, list) else (value,):
        reason = absent_reason(item) if isinstance(item, Mapping) else ""
        if reason and name in LABELS:
            yield Detail(LABELS[name], reason, ABSENT[reason], "code")


def absent_reason(item: Mapping[str, Any]) -> str:
    """Give the code of why an element has no value; empty when it does not say, or not in a known code."""
    for ending, member in _REASONS:
        code = text(extension(item, ending), member)
        if code in ABSENT:
            return code
    return ""


def judgement_row(label: str, concept: Mapping[str, Any]) -> Detail | None:
    """Give what a laboratory says about a result in plain words, when it says it in a code we know."""
    if label != LABELS["interpretation"]:
        return None
    for coding in objs(concept, "coding"):
        code = text(coding, "code")
        if text(coding, "system") in JUDGEMENT_SYSTEMS and code in JUDGEMENTS:
            return Detail(label, concept_text(concept) or code, JUDGEMENTS[code], "code")
    return None


def _known(item: Mapping[str, Any]) -> Iterator[Detail]:
    url = text(item, "url")
    label = next((EXTENSIONS[ending] for ending in EXTENSIONS if url.endswith(ending)), "")
    if not label:
        return
    period = obj(item, "valuePeriod")
    for part, place in (("start", label), ("end", LABELS["end"])):
        if day := date_text(text(period, part)):
            yield Detail(place, day, kind="date")
    if moment := date_text(text(item, "valueDateTime")):
        yield Detail(label, moment, kind="date")
    elif not period:
        who = plain_display(text(item, "valueReference", "display"))
        yield Detail(label, (who or any_text(_value(item)))[:_MAX_VALUE])


def _value(item: Mapping[str, Any]) -> object:
    return next((value for name, value in item.items() if name.startswith("value")), None)


def _is_directive_part(item: Mapping[str, Any]) -> bool:
    """Say whether the rows of a directive have it already (decision, other wishes)."""
    return text(item, "url").endswith(("TreatmentDirective-TreatmentPermitted", ".SpecificationOther"))
