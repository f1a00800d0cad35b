"""Every STU3 resource at hand: no value of the source is lost, and twins in JSON and XML give the same R4.

The source is read here by other means than in the product (the XML tree of the standard library, plain
``json``), so that a fault of our reader cannot hide itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from pgo.health.record.reader import Refused, read_records
from pgo.health.record.resource import Resource
from pgo.health.record.stu3.tables import moved_system, renamed_types
from tests.support.health_data import files_of, filled

pytestmark = pytest.mark.data

FOLDERS = [
    "nl/hl7-mappings/ketenzorg-3.0.2-stu3-bundles",
    "nl/hl7-mappings/mp9-0.7-stu3-bundles",
    "nl/hl7-mappings/vragenlijsten-1.0-stu3",
    "nl/medmij-testscripts/MedMij-STU3-Portability",
    "nl/nictiz-zib2017-stu3-examples",
    *(
        f"nl/testscripts/{name}"
        for name in (
            *("allergyintolerance-3.0-stu3", "bglz-3.0-stu3", "bgz-3.0-stu3-test", "bgz-msz-2.0-stu3-test"),
            *("geboortezorg-1.0-stu3-vrouw1", "genpractdata-2.0-stu3", "images-2.0-stu3", "pdfa-3.0-stu3"),
            *("laboratoryresults-2.0-stu3", "questionnaires-2.0-stu3", "selfmeasurements-2.0-stu3-test"),
        )
    ),
]
# What a code is called in R4 where it has another name; which one applies depends on the type.
OTHER_NAMES = {
    "suspended": ("on-hold",),
    "cancelled": ("revoked",),
    "aborted": ("stopped",),
    "photo": ("image",),
    "in-progress": ("active",),
    "true": ("not-done", "declined"),
}
# Said by the element a thing now stands in, or by the status.
SAID_ELSEWHERE = {
    ("type", "has-member"),
    ("type", "derived-from"),
    ("notDone", "false"),
    ("notGiven", "false"),
}
VALUES = ("value", "url", "id")
XHTML = "{http://www.w3.org/1999/xhtml}"


def from_xml(raw: bytes) -> Iterator[tuple[str, str]]:
    """(element, value) of every attribute but name spaces; narrative is left out."""
    head, _, rest = raw.partition(b">")
    if b"xmlns=" not in head:
        cut = len(head.removesuffix(b"/").split(None, 1)[0])
        raw = head[:cut] + b' xmlns="http://hl7.org/fhir"' + head[cut:] + b">" + rest
    for element in fromstring(raw, forbid_dtd=True).iter():
        if not element.tag.startswith(XHTML):
            name = element.tag.rpartition("}")[2]
            yield from ((name, element.attrib[label]) for label in VALUES if label in element.attrib)


def from_json(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(element, value as text) of every value; type names and narrative are left out."""
    if isinstance(value, dict):
        for label, inner in value.items():
            if label not in ("resourceType", "div"):
                yield from from_json(inner, label.removeprefix("_"))
    elif isinstance(value, list):
        for inner in value:
            yield from from_json(inner, name)
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def in_r4(name: str, value: str) -> str:
    if name == "system":
        return moved_system(value)
    kind, slash, rest = value.partition("/")
    return f"{renamed_types().get(kind, kind)}{slash}{rest}" if name == "reference" else value


def missing(resource: Resource) -> list[tuple[str, str]]:
    """What stood in the source and is not in the result."""
    assert resource.original is not None
    as_xml = resource.original_format == "stu3_xml"
    source = (
        from_xml(resource.original)
        if as_xml
        else from_json(json.loads(resource.original, parse_float=Decimal))
    )
    there = Counter(value for _, value in from_json(resource.body))
    gone = []
    for name, value in source:
        if (name, value) in SAID_ELSEWHERE:
            continue
        wanted = in_r4(name, value)
        found = next((one for one in (wanted, *OTHER_NAMES.get(wanted, ())) if there[one] > 0), None)
        if found is not None:
            there[found] -= 1
        else:
            gone.append((name, value))
    return gone


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_value_of_any_stu3_resource_is_lost(folder: str, shared_data: Path) -> None:
    checked = 0
    for path in files_of(shared_data / folder):
        try:
            resources = read_records(filled(path.read_bytes()), name=path.name).resources
        except Refused:
            continue
        for resource in resources:
            if resource.original_format.startswith("stu3_"):
                assert missing(resource) == [], f"{path.name}: {resource.type}"
                checked += 1
    assert checked > 0


def test_the_same_patient_from_json_and_from_xml_is_the_same(shared_data: Path) -> None:
    """The hospital data of one Dutch test patient are published in both forms."""
    json_side = by_name(shared_data / "nl/medmij-testscripts/MedMij-STU3-Portability")
    xml_side = by_name(shared_data / "nl/testscripts/bgz-3.0-stu3-test")
    both = sorted(json_side.keys() & xml_side.keys())
    assert len(both) > 50
    same = [name for name in both if comparable(json_side[name]) == comparable(xml_side[name])]
    assert len(same) >= 0.9 * len(both)


def by_name(folder: Path) -> dict[tuple[str, str], Resource]:
    found = {}
    for path in files_of(folder):
        for resource in read_records(filled(path.read_bytes()), name=path.name).resources:
            found[resource.type, resource.id or ""] = resource
    return found


def comparable(resource: Resource) -> Counter[tuple[str, str]]:
    """The values of a resource without narrative and version, which the two publications set apart."""
    body = {name: value for name, value in resource.body.items() if name not in ("text", "meta")}
    return Counter(from_json(body))
