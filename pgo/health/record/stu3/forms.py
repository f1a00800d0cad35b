"""The changes of form between STU3 and R4 that keep every value: a text becomes a note, a code a concept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pgo.health.assets import load_table
from pgo.health.record.safe import texts
from pgo.health.record.stu3.source import Element
from pgo.health.record.stu3.tables import Rule, moved_system
from pgo.health.record.stu3.target import Item

CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
COVERAGE_CLASS = "http://terminology.hl7.org/CodeSystem/coverage-class"


def coded(item: Item, rule: Rule) -> Item | None:
    """Translate a code; ``None`` for one without a counterpart in R4."""
    codes = rule.codes or {}
    if item.value is None:
        # No value but a reason of its absence, which travels along to where R4 has the element.
        return Item(dict(item.twin or {})) if rule.concept else item
    code = codes.get(item.value) if isinstance(item.value, str) else None
    if code is None:
        return None
    if not rule.concept:
        return Item(code, item.twin)
    beside = dict(item.twin or {})
    return Item({**beside, "coding": [{"system": rule.concept, "code": code}]})


def change_form(form: str, item: Item) -> Item | None:
    """Give an item its R4 form, or ``None`` when it has parts the new form cannot hold."""
    return _FORMS[form](item)


def coverage_class(source: Mapping[str, Any], element: Element, rule: Rule) -> list[Item]:
    """Make the class of a coverage out of its value and its name."""
    kind = {"coding": [{"system": COVERAGE_CLASS, "code": rule.coverage_class}]}
    made: dict[str, Any] = {"type": kind}
    for label, name in (("value", element.name), ("name", rule.name)):
        made |= {label: source[name]} if name in source else {}
        made |= {f"_{label}": source[f"_{name}"]} if f"_{name}" in source else {}
    return [Item(made)]


def consent_scopes(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Say what a Consent of a Dutch profile is about; STU3 had no element for it, the profile says it."""
    known = load_table("fhir/stu3-rules.json")["consent_scopes"]
    codes = dict.fromkeys(known[address] for address in texts(source, "meta", "profile") if address in known)
    return [{"coding": [{"system": CONSENT_SCOPE, "code": code}]} for code in codes]


def _member(name: str) -> Callable[[Item], Item | None]:
    """Wrap a primitive in an object with one member, for example a text in a note."""

    def wrap(item: Item) -> Item | None:
        members = {name: item.value, f"_{name}": item.twin}
        return Item({key: value for key, value in members.items() if value is not None})

    return wrap


def _coding(item: Item) -> Item | None:
    coding = dict(item.value)
    if isinstance(coding.get("system"), str):
        coding["system"] = moved_system(coding["system"])
    return Item({"coding": [coding]})


def _identified(item: Item) -> Item | None:
    return Item({"identifier": item.value})


def _canonical(item: Item) -> Item | None:
    """A reference to a definition becomes its address; its words stand beside it.

    Source: https://hl7.org/fhir/R4/extension-display.html
    """
    members = dict(item.value)
    address, words, marks = members.pop("reference", None), members.pop("display", None), {}
    if members or not isinstance(address, str) or not isinstance(words, str | None):
        return None
    if words is not None:
        display = {"url": "http://hl7.org/fhir/StructureDefinition/display", "valueString": words}
        marks = {"extension": [display]}
    return Item(address, marks or None)


_FORMS: Mapping[str, Callable[[Item], Item | None]] = {
    "annotation": _member("text"),
    "text": _member("text"),
    "reference": _member("reference"),
    "version": _member("value"),
    "coding": _coding,
    "identified": _identified,
    "canonical": _canonical,
}
