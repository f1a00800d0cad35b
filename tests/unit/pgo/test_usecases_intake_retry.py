"""What was set aside waits with its bytes, and becomes a record as soon as the reader can read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgo.errors import NotFound
from pgo.health.record.reader import READER_VERSION
from pgo.store.journal import Event
from pgo.store.quarantine import Quarantined
from pgo.usecases.collect import collect
from pgo.usecases.intake_documents import document_file
from pgo.usecases.intake_retry import entry_file, retry, retry_after_update, throw_away, waiting
from pgo.usecases.read import record, timeline
from pgo.usecases.session import Session
from tests.support.vaults import Home, a_bundle, a_patient

OWN = "999999011"
ME = {"reference": "Patient/p1"}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Home(tmp_path).open_new()
    patient = a_patient(bsn=OWN)
    ME["reference"] = f"Patient/{patient['id']}"
    collect(session, a_bundle(patient), name="eerst.json")
    return session


def stu3(number: int, **members: object) -> bytes:
    body = {"resourceType": "Condition", "id": f"s{number}", "subject": ME, "assertedDate": "2017", **members}
    return json.dumps(body).encode()


def keep(
    session: Session, *raws: bytes, entry: str = "entry {}", reader: int = 1, full_url: str = ""
) -> None:
    """Set aside what a reader without STU3 could not take."""
    with session.store.write(session.now()):
        source = session.store.records.add_source(
            "oud.json", sha256="x", kind="file", size_bytes=1, at=session.now()
        )
        session.store.quarantine.add(
            source,
            [
                Quarantined(
                    entry.format(n), "Condition", f"s{n}", "wrong_version_stu3", "", raw, full_url, reader
                )
                for n, raw in enumerate(raws, start=1)
            ],
        )


def test_after_an_update_what_can_be_read_becomes_records_of_the_file_it_came_with(session: Session) -> None:
    keep(session, stu3(1, code={"text": "Hoofdpijn"}), stu3(2, wish=1))
    outcome = retry_after_update(session)
    assert (outcome.imported, outcome.settled, outcome.waiting) == (1, 1, 1)
    (row,) = [row for row in timeline(session).rows if row.title == "Hoofdpijn"]
    assert record(session, row.id).source.name == "oud.json"
    assert [(one.entry, one.code) for one in waiting(session)] == [("entry 2", "stu3_ambiguous")]
    assert retry_after_update(session).waiting == 0


def test_an_entry_of_today_is_tried_again_only_when_asked(session: Session) -> None:
    keep(session, stu3(1), reader=READER_VERSION)
    assert retry_after_update(session).imported == 0
    assert retry(session).imported == 1
    assert waiting(session) == ()


def test_a_piece_of_xml_is_read_without_the_file_around_it(session: Session) -> None:
    xml = f'<Condition><id value="x1"/><subject><reference value="{ME["reference"]}"/></subject></Condition>'
    keep(session, xml.encode(), f"<entry><resource>{xml.replace('x1', 'x2')}</resource></entry>".encode())
    assert retry(session).imported == 2


def test_the_full_url_is_remembered(session: Session) -> None:
    keep(session, stu3(1), full_url="https://a.example/fhir/Condition/s1")
    retry(session)
    known = session.store.records.known("Condition", "s1", "https://a.example/fhir")
    assert known is not None


def test_a_whole_file_waits_as_one_entry(session: Session) -> None:
    unread = json.dumps({"resourceType": "Encounter", "status": "planned", "class": [{"text": "x"}]}).encode()
    result = collect(session, unread, name="r5.json")
    assert (result.imported, [one.code for one in result.set_aside]) == (0, ["wrong_version_r5"])
    (one,) = waiting(session)
    assert (one.entry, one.source_name, one.size_bytes) == ("file", "r5.json", len(unread))
    assert entry_file(session, one.id) == (f"set-aside-{one.id}.json", unread)


def test_broken_text_keeps_waiting_and_harms_nothing(session: Session) -> None:
    keep(session, b'{"resourceType":"Condition","a":tru}', b'{"resourceType":', b"\xff", b"[1", stu3(5))
    outcome = retry(session)
    assert (outcome.imported, outcome.waiting) == (1, 4)


def test_records_of_somebody_else_keep_waiting(session: Session) -> None:
    other = json.loads(stu3(1)) | {"subject": {"reference": "Patient/somebody-else"}}
    keep(session, json.dumps(other).encode(), stu3(2))
    outcome = retry(session)
    assert (outcome.imported, outcome.waiting) == (1, 1)
    assert [one.code for one in waiting(session)] == ["other_patient"]


def test_trying_again_and_throwing_away_are_in_the_journal(session: Session) -> None:
    keep(session, stu3(1), stu3(2, wish=1))
    retry(session)
    (left,) = waiting(session)
    throw_away(session, left.id)
    assert waiting(session) == ()
    with pytest.raises(NotFound):
        throw_away(session, left.id)
    with pytest.raises(NotFound):
        entry_file(session, left.id)
    events = [line.event for line in session.store.journal.lines()]
    assert events[-2:] == [Event.QUARANTINE_RETRIED, Event.QUARANTINE_DISCARDED]


def a_document(number: str, birth: str) -> bytes:
    """A document that names its patient inside itself, as ours of a CDA file do."""
    inner = {
        "resourceType": "Patient",
        "id": "patient",
        "identifier": [{"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": number}],
        "birthDate": birth,
    }
    body = {
        "resourceType": "DocumentReference",
        "status": "current",
        "contained": [inner],
        "subject": {"reference": "#patient"},
        "content": [{"attachment": {"contentType": "application/pdf", "data": "JVBERi0xLjc="}}],
    }
    return json.dumps(body).encode()


def test_a_document_about_somebody_else_is_asked_about(session: Session) -> None:
    assert collect(session, a_document("999999047", "1950-01-01"), name="x").person_question is not None
    taken = collect(session, a_document(OWN, a_patient()["birthDate"]), name="x")
    assert (taken.imported, taken.person_question) == (1, None)


def test_the_document_of_a_record_comes_out_as_it_went_in(session: Session) -> None:
    binary = {"resourceType": "Binary", "id": "b1", "contentType": "application/pdf", "data": "JVBERi0xLjc="}
    pointing = {
        "resourceType": "DocumentReference",
        "id": "d1",
        "status": "current",
        "subject": ME,
        "content": [{"attachment": {"contentType": "application/pdf", "url": "Binary/b1"}}],
    }
    away = {**pointing, "id": "d2", "content": [{"attachment": {"url": "https://a.example/Binary/zz"}}]}
    collect(session, a_bundle(binary, pointing, away), name="x.json")
    collect(session, b"%PDF-1.7 brief", name="brief.pdf")
    ids = {row.resource_id: row.id for row in session.store.records.of_kinds(("document",))}
    joined = document_file(session, ids["d1"])
    assert joined is not None
    assert (joined.name, joined.data) == (f"document-{ids['d1']}.pdf", b"%PDF-1.7")
    assert document_file(session, ids["d2"]) is None
    (own,) = [number for name, number in ids.items() if name.startswith("~")]
    kept = document_file(session, own)
    assert kept is not None
    assert kept.data == b"%PDF-1.7 brief"
    with pytest.raises(NotFound):
        document_file(session, 999_999)
