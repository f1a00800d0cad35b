"""Documents keep their bytes; CDA keeps its bytes, shows its text as text and names its person."""

from __future__ import annotations

import base64
import hashlib

import pytest

from pgo.health.record import documents
from pgo.health.record.cda import read_cda
from pgo.health.record.documents import document_bytes
from pgo.health.record.person import contained_person
from pgo.health.record.reader import Refused, read_records
from pgo.health.record.safe import obj, objs, text

SAMPLES = {
    "application/pdf": b"%PDF-1.7 <script>",
    "image/png": b"\x89PNG\r\n\x1a\nrest",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a",
    "image/tiff": b"II*\x00",
    "image/webp": b"RIFF\x00\x00\x00\x00WEBP",
    "image/heic": b"\x00\x00\x00\x18ftypheic",
    "application/dicom": bytes(128) + b"DICM",
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_document_is_kept_byte_for_byte(kind: str) -> None:
    (one,) = read_records(SAMPLES[kind], name="brief").resources
    attachment = obj(one.body, "content", "attachment")
    assert document_bytes(one.body) == (SAMPLES[kind], kind)
    assert attachment["size"] == len(SAMPLES[kind])
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(SAMPLES[kind]).digest()
    assert (one.type, one.body["description"], one.body["status"]) == (
        "DocumentReference",
        "brief",
        "current",
    )


def test_a_document_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_DOCUMENT_BYTES", 4)
    with pytest.raises(Refused, match="too_large"):
        read_records(b"%PDF-1.7", name="x")


def test_a_record_without_bytes_or_with_broken_ones_has_no_document() -> None:
    assert document_bytes({"resourceType": "Binary"}) is None
    assert document_bytes({"resourceType": "Binary", "data": "no base64!"}) is None
    assert document_bytes(
        {"resourceType": "Media", "content": {"data": "YQ==", "contentType": "image/png"}}
    ) == (b"a", "image/png")


CDA = """<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
 <id root="2.16.840.1.113883.19" extension="doc7"/>
 <code code="34133-9" codeSystem="2.16.840.1.113883.6.1" displayName="Summary"/>
 <title>Overdracht &amp; brief</title>
 <effectiveTime value="{when}"/>
 <confidentialityCode code="R" codeSystem="2.16.840.1.113883.5.25"/>
 <languageCode code="nl-NL"/>
 <recordTarget><patientRole>
  <id extension="999999011" root="2.16.840.1.113883.2.4.6.3"/>
  <patient><name><given>An</given><family>Bakker</family></name><administrativeGenderCode code="F"/><birthTime value="19800203"/></patient>
 </patientRole></recordTarget>
 <author><assignedAuthor><assignedPerson><name><family>Smit</family></name></assignedPerson></assignedAuthor></author>
 <component><structuredBody><component><section><title>Allergie</title>
  <text><table><tr><td>Pinda</td><td>ernstig &lt;b&gt;</td></tr><tr><td>Kat</td></tr></table>
   <paragraph onclick="x()">Let <script>alert(1)</script> op</paragraph><list><item>een</item><item>twee</item></list>
   <linkHtml href="http://a.example/">hier</linkHtml></text>
 </section></component></structuredBody></component>
</ClinicalDocument>"""  # noqa: E501


def cda(when: str = "20200102") -> bytes:
    return CDA.format(when=when).encode()


def test_a_cda_document_keeps_its_bytes_and_says_what_it_is() -> None:
    (one,) = read_records(cda(), name="x.xml").resources
    body = one.body
    assert document_bytes(body) == (cda(), "text/xml")
    assert text(body, "type", "coding", "system") == "http://loinc.org"
    assert body["description"] == "Overdracht & brief"
    assert body["masterIdentifier"] == {"system": "urn:oid:2.16.840.1.113883.19", "value": "doc7"}
    assert text(body, "securityLabel", "coding", "code") == "R"
    assert obj(body, "content", "attachment")["creation"] == "2020-01-02"
    assert body["author"] == [{"display": "Smit"}]


def test_its_person_is_named_so_that_somebody_elses_document_is_noticed() -> None:
    person = contained_person(read_cda(cda()))
    assert person is not None
    assert (person.name, person.birth_date, person.gender) == ("An Bakker", "1980-02-03", "female")
    assert person.identifiers == {("http://fhir.nl/fhir/NamingSystem/bsn", "999999011")}


def test_its_text_is_shown_as_text_and_no_mark_up_comes_along() -> None:
    div = read_cda(cda()).body["text"]["div"]
    inner = div.removeprefix('<div xmlns="http://www.w3.org/1999/xhtml">').removesuffix("</div>")
    assert inner == (
        "<h3>Allergie</h3><p>Pinda | ernstig &lt;b&gt;</p><p>Kat</p><p>Let alert(1) op</p>"
        "<p>een</p><p>twee</p><p>hier</p>"
    )


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        ("2020", "2020"),
        ("202001", "2020-01"),
        ("20200102", "2020-01-02"),
        ("202001021530+0100", "2020-01-02T15:30:00+01:00"),
        ("20200102153045.123-0500", "2020-01-02T15:30:45-05:00"),
        ("20200102153045", "2020-01-02"),
        ("gisteren", None),
        ("", None),
        ("20201399", "2020-13-99"),
    ],
)
def test_a_moment_keeps_its_precision_and_gains_none(when: str, shown: str | None) -> None:
    if shown == "2020-13-99":
        shown = None  # no such day
    assert obj(read_cda(cda(when)).body, "content", "attachment").get("creation") == shown


def test_a_document_without_anything_known_is_still_kept() -> None:
    (one,) = read_records(b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>', name="x").resources
    assert set(one.body) == {"resourceType", "status", "content"}
    assert objs(one.body, "contained") == ()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><ClinicalDocument xmlns="urn:hl7-org:v3"/>', "xml_dtd"),
        (b'<ClinicalDocument xmlns="urn:hl7-org:v3"><a></ClinicalDocument>', "cda"),
        (
            b'<ClinicalDocument xmlns="urn:hl7-org:v3">'
            + b"<a>" * 80
            + b"</a>" * 80
            + b"</ClinicalDocument>",
            "too_deep",
        ),
    ],
)
def test_a_hostile_or_torn_document_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_records(data, name="x")
    assert refusal.value.code == code
