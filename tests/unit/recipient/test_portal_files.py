"""The files in a record: what they are is told from their first bytes, and listing them unpacks nothing."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from recipient.portal.files import attached, text_of
from tests.support.clinical_rich import PDF

PNG = b"\x89PNG\r\n\x1a\n" + bytes(500)
DICOM = bytes(128) + b"DICM" + bytes(900)


def letter(data: bytes, kind: str) -> dict[str, Any]:
    packed = base64.b64encode(data).decode("ascii")
    attachment = {"contentType": kind, "data": packed, "title": "Brief"}
    return {"resourceType": "DocumentReference", "content": [{"attachment": attachment}]}


@pytest.mark.parametrize(
    ("data", "claimed", "kind"),
    [
        (PDF, "text/html", "pdf"),
        (PNG, "application/pdf", "image"),
        (DICOM, "", "image"),
        (b"<html><script>", "text/html", "file"),
        (b"<ClinicalDocument/>", "text/xml", "xml"),
        ("Geachte collega, é".encode(), "text/plain; charset=utf-8", "text"),
        (b"\x00\x01", "text/plain", "file"),
    ],
)
def test_what_a_file_is_stands_in_its_first_bytes(data: bytes, claimed: str, kind: str) -> None:
    (found,) = attached(letter(data, claimed))
    assert found.kind == kind
    assert found.data() == data
    assert abs(found.size_bytes - len(data)) <= 2
    assert text_of(found) == (data.decode() if kind == "text" else "")


def test_base64_in_lines_is_read_and_what_is_none_is_empty() -> None:
    body = letter(PDF, "application/pdf")
    attachment = body["content"][0]["attachment"]
    attachment["data"] = "\n".join(attachment["data"][at : at + 10] for at in range(0, 200, 10)).strip()
    (found,) = attached(body)
    assert (found.kind, found.data()) == ("pdf", PDF)
    attachment["data"] = "%%%"
    assert attached(body)[0].data() == b""


def test_a_file_that_lies_elsewhere_is_listed_without_bytes() -> None:
    body = {"resourceType": "DiagnosticReport", "presentedForm": [{"url": "https://x.example/1.pdf"}]}
    (found,) = attached(body)
    assert (found.packed, found.data(), found.size_bytes) == ("", b"", 0)


def test_a_photograph_of_the_person_is_no_document() -> None:
    assert attached({"resourceType": "Patient", "photo": [{"data": "AAAA"}]}) == ()
