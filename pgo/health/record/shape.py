"""Decide whether one decoded object is an R4 resource we can work with.

This is a lenient check at the border: it accepts all valid R4 and looks only at what later code leans on.
It leaves value sets, invariants, profiles and nested elements to a full validator.

Rules, in this order; the first that fails names the reason:

1. The value is an object with a ``resourceType`` text (``not_fhir``, ``no_resource_type``).
2. The type is an R4 type; a type of another release says so (``wrong_version_stu3``, ``wrong_version_r5``,
   ``unknown_type``).
3. No profile address belongs to an STU3 package, no top-level element has a form that only STU3 or only R5
   has. A lone ``false`` (``notDone: false``) beside elements that only R4 has is a left-over and says
   nothing.
4. ``id`` has the form of the standard; every known top-level element has its JSON form (object, list,
   primitive); every element the standard demands is there, or its ``_name`` twin with the reason of absence
   (``bad_structure``).
5. No value still holds a template placeholder such as ``${DATE, T, D, -44}`` (``placeholder``).

Sources: HL7 FHIR R4 4.0.1, https://hl7.org/fhir/R4/json.html, /datatypes.html#id, /resourcelist.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pgo.health.assets import load_table

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z]")
_NARRATIVE = frozenset({"div"})
# Profiles of Dutch STU3 packages. The R4 packages of the same house use other names: nl-core-Patient
# instead of nl-core-patient, nl-core-Problem instead of zib-Problem, mp- instead of zib-MedicationAgreement.
# Source: https://simplifier.net/organization/nictiz, packages nictiz.fhir.nl.stu3.zib2017 and
# nictiz.fhir.nl.r4.zib2020.
STU3_PROFILE = re.compile(
    r"http://fhir\.nl/fhir/StructureDefinition/"
    r"|http://nictiz\.nl/fhir/StructureDefinition/(?:zib-|gp-|vl-|bc-|BgZ-|images-|IHE\.MHD\.|vitalsign-|eAfspraak-)"
    r"|https?://[^ ]*/(?:STU3|stu3|3\.0(?:\.[0-9])?)/"
)
_R5_PROFILE = re.compile(r"https?://[^ ]*/(?:R5|r5|5\.0(?:\.[0-9])?)/")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an object is not taken: a stable code and the element or rule it is about."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class _TypeRules:
    shapes: Mapping[str, str]
    required: tuple[str, ...]
    choices: tuple[tuple[str, tuple[str, ...]], ...]
    foreign: tuple[tuple[str, Mapping[str, str], frozenset[str]], ...]


def check_resource(body: object, *, raw: bytes) -> Problem | None:
    """Check one decoded resource against the rules of this module.

    Args:
        body: Decoded JSON, untrusted.
        raw: The bytes it came from; used to skip the placeholder search when there can be none.

    Returns:
        ``None`` when the resource can be used, otherwise the first problem found.
    """
    if not isinstance(body, dict):
        return Problem("not_fhir", "not an object")
    kind = body.get("resourceType")
    if not isinstance(kind, str) or not kind:
        return Problem("no_resource_type", "resourceType")
    return (
        type_problem(kind)
        or _version_problem(kind, body)
        or _structure_problem(kind, body)
        or (_placeholder_problem(kind, body) if b"${" in raw else None)
    )


@cache
def _r4_types() -> frozenset[str]:
    return frozenset(load_table("fhir/r4-elements.json")["resources"])


@cache
def _foreign_types(release: str) -> frozenset[str]:
    return frozenset(load_table("fhir/version-markers.json")[release]["types"])


@cache
def _rules(kind: str) -> _TypeRules:
    table, marks = load_table("fhir/r4-elements.json"), load_table("fhir/version-markers.json")
    elements: Mapping[str, str] = table["types"].get(kind, {})
    shapes = {name: _letter(text) for name, text in elements.items()}
    choices = tuple(
        (
            group,
            tuple(name for name in elements if name.startswith(group) and name[len(group) :][:1].isupper()),
        )
        for group in table["required_choices"].get(kind, ())
    )
    return _TypeRules(
        shapes,
        tuple(name for name, text in elements.items() if text.endswith("!")),
        choices,
        tuple(
            (
                release,
                marks[release]["elements"].get(kind, {}),
                frozenset(marks[release]["r4_only"].get(kind, ())),
            )
            for release in ("stu3", "r5")
        ),
    )


def _letter(text: str) -> str:
    letter = "p" if text[0].islower() else "o"
    return letter.upper() if "*" in text else letter


def shape_letter(value: object) -> str:
    """Give ``p`` (primitive) or ``o`` (object), upper case for a list; ``?`` when neither is clear."""
    if isinstance(value, dict):
        return "o"
    if isinstance(value, list):
        kinds = {isinstance(item, dict) for item in value if item is not None}
        if any(isinstance(item, list) for item in value) or len(kinds) != 1:
            return "?"
        return "O" if kinds.pop() else "P"
    return "?" if value is None else "p"


def type_problem(kind: str) -> Problem | None:
    """Say why a type name is not one of R4, or ``None`` when it is."""
    if kind in _r4_types():
        return None
    if kind in _foreign_types("stu3"):
        return Problem("wrong_version_stu3", kind)
    if kind in _foreign_types("r5"):
        return Problem("wrong_version_r5", kind)
    return Problem("unknown_type", "resourceType")


def profile_problem(addresses: Iterable[str]) -> Problem | None:
    """Say which other release the profile addresses of a resource belong to."""
    for address in addresses:
        if STU3_PROFILE.match(address):
            return Problem("wrong_version_stu3", "meta.profile")
        if _R5_PROFILE.match(address):
            return Problem("wrong_version_r5", "meta.profile")
    return None


def xml_version_problem(kind: str, letters: Iterable[tuple[str, str]]) -> Problem | None:
    """Find an element of another release in XML, where one item and a list of one look the same.

    Args:
        kind: An R4 type name.
        letters: Name and ``p`` or ``o`` of every top-level element.
    """
    rules = _rules(kind)
    for name, letter in letters:
        if rules.shapes.get(name, "?").lower() == letter:
            continue
        for release, elements, _ in rules.foreign:
            if elements.get(name, "?").lower() == letter:
                return Problem(f"wrong_version_{release}", name)
    return None


def _version_problem(kind: str, body: Mapping[str, Any]) -> Problem | None:
    meta = body.get("meta")
    listed = meta.get("profile") if isinstance(meta, dict) else None
    addresses = [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
    return profile_problem(addresses) or _element_problem(kind, body)


def _element_problem(kind: str, body: Mapping[str, Any]) -> Problem | None:
    rules = _rules(kind)
    for name, value in body.items():
        letter = shape_letter(value)
        if rules.shapes.get(name) == letter:
            continue
        for release, elements, r4_only in rules.foreign:
            if elements.get(name) == letter and not (value is False and r4_only & body.keys()):
                return Problem(f"wrong_version_{release}", name)
    return None


def _structure_problem(kind: str, body: Mapping[str, Any]) -> Problem | None:
    identity = body.get("id")
    if "id" in body and not (isinstance(identity, str) and _ID.match(identity)):
        return Problem("bad_structure", "id")
    rules = _rules(kind)
    for name, value in body.items():
        expected = rules.shapes.get(name)
        if expected is not None and not _fits(expected, value):
            return Problem("bad_structure", name)
    for name in rules.required:
        if name not in body and f"_{name}" not in body:
            return Problem("bad_structure", f"missing {name}")
    for group, names in rules.choices:
        if not any(name in body or f"_{name}" in body for name in names):
            return Problem("bad_structure", f"missing {group}[x]")
    return None


def _fits(expected: str, value: object) -> bool:
    letter = shape_letter(value)
    if letter == expected:
        return True
    # A list of primitives may hold nulls only (their twins carry the reason): shape unknown, but still a
    # list.
    return expected == "P" and isinstance(value, list) and bool(value) and all(item is None for item in value)


def _placeholder_problem(kind: str, body: Mapping[str, Any]) -> Problem | None:
    known = _rules(kind).shapes
    for name, value in body.items():
        if _holds_placeholder(name, value):
            return Problem("placeholder", name if name in known else "")
    return None


def _holds_placeholder(name: str, value: object) -> bool:
    waiting = [(name, value)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str):
            if name not in _NARRATIVE and _PLACEHOLDER.search(value):
                return True
        elif isinstance(value, dict):
            waiting.extend(value.items())
        elif isinstance(value, list):
            waiting.extend((name, item) for item in value)
    return False
