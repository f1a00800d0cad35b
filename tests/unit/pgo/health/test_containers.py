"""Unpacking by counted bytes: names are ignored, bombs stop early, one bad member harms no other."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from pgo.health.record import containers
from pgo.health.record.reader import Refused, read_records

PATIENT = b'{"resourceType":"Patient","id":"p1"}'
HOSTILE_NAMES = (
    "../../x",
    "/etc/x",
    "C:\\x",
    "a\x00b",
    "CON",
    "x" * 300,
    "..\\..\\x",
    "~/.x",
    "\u202etxt",
    "",
)


def packed(*contents: bytes, names: tuple[str, ...] = (), method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for number, content in enumerate(contents):
            archive.writestr(zipfile.ZipInfo(names[number] if names else f"{number}.json"), content, method)
    return held.getvalue()


def refusal(data: bytes) -> str:
    with pytest.raises(Refused) as found:
        read_records(data, name="x")
    return found.value.code


def test_members_are_read_as_files_whatever_they_are() -> None:
    xml = b'<Patient xmlns="http://hl7.org/fhir"><id value="p2"/></Patient>'
    lines = PATIENT + b"\n" + PATIENT.replace(b"p1", b"p3") + b"\n"
    intake = read_records(
        packed(PATIENT, xml, lines, gzip.compress(PATIENT.replace(b"p1", b"p4")), b"%PDF-1.7"), name="x"
    )
    assert [one.id for one in intake.resources] == ["p1", "p2", "p1", "p3", "p4", None]
    assert (intake.set_aside, intake.format) == ((), "zip")


def test_a_bad_member_is_set_aside_with_its_number_and_its_bytes() -> None:
    intake = read_records(packed(b"no json", PATIENT, packed(PATIENT)), name="x")
    assert [(one.entry, one.code, one.raw is None) for one in intake.set_aside] == [
        ("file 1", "not_json", False),
        ("file 3", "zip", False),
    ]
    assert len(intake.resources) == 1


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_of_members_are_never_looked_at() -> None:
    contents = [PATIENT.replace(b"p1", f"p{n}".encode()) for n in range(len(HOSTILE_NAMES))]
    intake = read_records(packed(*contents, names=HOSTILE_NAMES), name="x")
    assert len(intake.resources) == len(HOSTILE_NAMES)
    assert intake.set_aside == ()


def test_a_link_is_read_as_the_bytes_it_is() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    (aside,) = read_records(held.getvalue(), name="x").set_aside
    assert (aside.code, aside.raw) == ("not_json", b"/etc/passwd")


def test_gzip_is_read_and_a_second_member_too() -> None:
    intake = read_records(
        gzip.compress(PATIENT + b"\n") + gzip.compress(PATIENT.replace(b"p1", b"p2")), name="x"
    )
    assert [one.id for one in intake.resources] == ["p1", "p2"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (gzip.compress(b"a" * 30_000_000), "too_large"),
        (gzip.compress(PATIENT)[:-9], "damaged"),
        (gzip.compress(gzip.compress(PATIENT)), "damaged"),
        (b"\x1f\x8b\x08", "damaged"),
        (packed(PATIENT)[:-30], "damaged"),
        (b"PK\x03\x04", "damaged"),
    ],
    ids=["bomb", "torn gzip", "gzip in gzip", "head of a gzip", "torn zip", "head of a zip"],
)
def test_a_bomb_or_a_torn_file_is_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_a_member_that_swells_a_hundredfold_is_set_aside() -> None:
    intake = read_records(packed(b"a" * 19_000_000, PATIENT), name="x")
    assert [(one.entry, one.code) for one in intake.set_aside] == [("file 1", "too_large")]
    assert len(intake.resources) == 1


def test_many_small_swellings_stop_at_the_limit_of_the_whole() -> None:
    assert refusal(packed(*[b"a" * 900_000] * 300)) == "too_large"


def test_more_members_than_anybody_sends_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MAX_MEMBERS", 3)
    assert refusal(packed(*[PATIENT] * 4)) == "too_large"


def test_a_lie_about_size_or_sum_is_noticed() -> None:
    data = bytearray(packed(PATIENT, method=zipfile.ZIP_STORED))
    data[data.index(b"Patient")] ^= 1
    (aside,) = read_records(bytes(data), name="x").set_aside
    assert aside.code == "damaged"


def test_what_is_encrypted_or_packed_in_an_unusual_way_is_set_aside() -> None:
    data = bytearray(packed(PATIENT))
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    assert read_records(bytes(data), name="x").set_aside[0].code == "encrypted"
    odd = packed(PATIENT, method=zipfile.ZIP_LZMA)
    assert read_records(odd, name="x").set_aside[0].code == "damaged"
