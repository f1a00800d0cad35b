"""FHIR R4 XML: the same resource as in JSON, the exact slice kept, other formats refused by name."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from pgo.health.record.reader import Refused, read_records

FHIR = 'xmlns="http://hl7.org/fhir"'
PATIENT = '<Patient><id value="p1"/><active value="true"/><birthDate value="1980"/></Patient>'
OBSERVATION = (
    '<Observation><id value="o1"/><status value="final"/><code><text value="Gewicht &amp; lengte"/></code>'
    '<valueQuantity><value value="72.50"/><unit value="kg"/></valueQuantity></Observation>'
)


def alone(text: str) -> str:
    head, _, rest = text.partition(">")
    return f"{head} {FHIR}>{rest}"


def bundle(*resources: str) -> bytes:
    entries = "".join(
        f'<entry><fullUrl value="urn:uuid:{n}"/><resource>{text}</resource></entry>'
        for n, text in enumerate(resources)
    )
    return f'<Bundle {FHIR}><type value="collection"/>{entries}</Bundle>'.encode()


def read(text: str) -> dict[str, object]:
    (only,) = read_records(text.encode(), name="x.xml").resources
    return dict(only.body)


def test_a_resource_becomes_json_and_keeps_its_xml() -> None:
    data = bundle(PATIENT, OBSERVATION)
    intake = read_records(data, name="x.xml")
    patient, weight = intake.resources
    assert intake.format == "xml"
    assert patient.raw == b'{"resourceType":"Patient","id":"p1","active":true,"birthDate":"1980"}'
    assert (weight.original, weight.original_format) == (OBSERVATION.encode(), "xml")
    assert b'"value":72.50' in weight.raw
    assert weight.body["valueQuantity"]["value"] == Decimal("72.50")
    assert weight.body["code"]["text"] == "Gewicht & lengte"
    assert weight.full_url == "urn:uuid:1"


def test_lists_and_single_elements_follow_the_standard() -> None:
    status = '<maritalStatus><text value="x"/></maritalStatus>'
    body = read(alone(f'<Patient><name><given value="A"/></name>{status}</Patient>'))
    assert body["name"] == [{"given": ["A"]}]
    assert body["maritalStatus"] == {"text": "x"}


def test_extensions_of_primitives_go_to_their_twin() -> None:
    given = '<given value="A"/><given id="g"><extension url="u"><valueCode value="BR"/></extension></given>'
    body = read(alone(f'<Patient><name><family id="f" value="B"/>{given}</name></Patient>'))
    assert body["name"] == [
        {
            "family": "B",
            "_family": {"id": "f"},
            "given": ["A", None],
            "_given": [None, {"id": "g", "extension": [{"url": "u", "valueCode": "BR"}]}],
        }
    ]


def test_narrative_stays_one_string_with_its_name_space() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>a &lt; b</p></div>'
    body = read(alone(f'<Patient><text><status value="generated"/>{div}</text></Patient>'))
    assert body["text"] == {"status": "generated", "div": div}


def test_contained_resources_are_converted() -> None:
    inner = '<contained><Medication><id value="m"/><code><text value="x"/></code></Medication></contained>'
    body = read(alone(f"<Patient>{inner}</Patient>"))
    assert body["contained"] == [{"resourceType": "Medication", "id": "m", "code": {"text": "x"}}]


def test_nested_bundle_in_xml_is_opened() -> None:
    intake = read_records(bundle(PATIENT, bundle(OBSERVATION).decode().replace(f" {FHIR}", "")), name="x.xml")
    assert [one.type for one in intake.resources] == ["Patient", "Observation"]


BAD = {
    "unknown element": ('<Patient><shoeSize value="1"/></Patient>', "bad_structure"),
    "one too many": (
        '<Patient><birthDate value="1980"/><birthDate value="1981"/></Patient>',
        "bad_structure",
    ),
    "no boolean": ('<Patient><active value="yes"/></Patient>', "bad_structure"),
    "no decimal": (OBSERVATION.replace("72.50", "072"), "bad_structure"),
    "empty value": ('<Patient><name><family value=""/></name></Patient>', "bad_structure"),
    "empty element": ("<Patient><name/></Patient>", "bad_structure"),
    "no value": ("<Patient><birthDate/></Patient>", "bad_structure"),
    "other space": ('<Patient xmlns="urn:x"><active value="true"/></Patient>', "not_fhir"),
    "no such type": ("<Wish/>", "unknown_type"),
    "stu3 element": (
        '<Condition><assertedDate value="2017"/><recordedDate value="2018"/></Condition>',
        "stu3_ambiguous",
    ),
    "stu3 type": ('<DataElement><id value="x"/></DataElement>', "wrong_version_stu3"),
    "stu3 profile": (
        "<Patient><meta>"
        '<profile value="http://fhir.nl/fhir/StructureDefinition/nl-core-patient"/></meta><wish/></Patient>',
        "stu3_ambiguous",
    ),
    "r5 element": (
        '<Encounter><actualPeriod><start value="2024"/></actualPeriod></Encounter>',
        "wrong_version_r5",
    ),
    "placeholder": ('<Patient><birthDate value="${DATE, T, Y, -4}"/></Patient>', "placeholder"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_entry_is_set_aside_with_its_xml(name: str) -> None:
    text, code = BAD[name]
    intake = read_records(bundle(PATIENT, text, OBSERVATION), name="x.xml")
    assert [one.type for one in intake.resources] == ["Patient", "Observation"]
    (aside,) = intake.set_aside
    assert (aside.entry, aside.code, aside.raw) == ("entry 2", code, text.encode())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'<ClinicalDocument xmlns="urn:hl7-org:v3"><sdtc:id/></ClinicalDocument>', "cda"),
        (b'<subject xmlns="urn:hl7-org:v3"><x/></subject>', "hl7_v3"),
        (
            b'<e:Envelope xmlns:e="urn:soap"><e:Body><m xmlns="urn:hl7-org:v3"/></e:Body></e:Envelope>',
            "hl7_v3",
        ),
        (b"<Patient><active/></Patient>", "not_fhir"),
        (b"<html></html>", "not_fhir"),
        (b"<Patient", "not_xml"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Patient xmlns="http://hl7.org/fhir"/>', "xml_dtd"),
        (b'<!DOCTYPE a SYSTEM "http://x.example/a.dtd"><a/>', "xml_dtd"),
        (b"<a>" * 100 + b"</a>" * 100, "too_deep"),
        (b'<Patient xmlns="http://hl7.org/fhir"><language value="\xff"/></Patient>', "not_utf8"),
    ],
)
def test_other_xml_is_refused_by_name(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_records(data, name="x.xml")
    assert refusal.value.code == code


@pytest.mark.parametrize("text", ["<Patient/>", "<Patient></Patient>", "<Patient>/></Patient>"])
def test_the_slice_ends_where_the_element_ends(text: str) -> None:
    (one,) = read_records(bundle(text), name="x.xml").resources
    assert (one.raw, one.original) == (b'{"resourceType":"Patient"}', text.encode())
    (alone_,) = read_records(alone("<Patient></Patient>").encode(), name="x.xml").resources
    assert alone_.original == alone("<Patient></Patient>").encode()


def test_a_byte_order_mark_is_fine_in_xml() -> None:
    assert read_records(b"\xef\xbb\xbf" + alone(PATIENT).encode(), name="x.xml").resources[0].id == "p1"


def test_comments_and_processing_instructions_do_not_disturb() -> None:
    text = '<?xml version="1.0" encoding="UTF-8"?><!-- > --><?x y?>' + alone(PATIENT).replace(
        "<active", "<!--a--><active"
    )
    assert json.loads(json.dumps(read(text)))["active"] is True


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    read_records(
        bundle(*[PATIENT] * 40), name="x.xml", on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(16, 40), (32, 40), (40, 40)]
