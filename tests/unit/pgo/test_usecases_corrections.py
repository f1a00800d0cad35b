"""Remarks, hiding, correction requests: the provider's words never change, every step has a way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgo.errors import InputRefused, NotFound
from pgo.health.record.reader import read_records
from pgo.health.record.remarks import MAX_WORDS, Asked
from pgo.usecases import corrections, medicate, objections, read
from pgo.usecases.collect import collect
from pgo.usecases.export import export_records
from pgo.usecases.facts import all_facts
from pgo.usecases.session import Session
from tests.support.vaults import Home, a_bundle, a_condition, a_patient

ASKED = Asked("Ik heb geen suikerziekte.", "Graag weghalen.", "Huisarts Voorbeeld")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    opened = Home(tmp_path).open_new()
    collect(opened, a_bundle(a_patient(), a_condition("c1"), a_condition("c2", text="Astma")), name="a.json")
    return opened


def _number(session: Session, name: str = "c1") -> int:
    found = session.store.records.reading.named("Condition", f"Condition/{name}")
    return found[0].id


def test_a_remark_stands_beside_the_record_which_stays_word_for_word(session: Session) -> None:
    number = _number(session)
    before = session.store.records.content(number)

    corrections.remark(session, number, "Dit was in 2010 al over.")

    after = session.store.records.content(number)
    assert before is not None
    assert after is not None
    assert (after.raw, after.versions) == (before.raw, before.versions)
    (remark,) = corrections.said_about(session, number).remarks
    assert (remark.words, remark.versions, remark.editable) == ("Dit was in 2010 al over.", 1, True)
    assert corrections.said_about(session, _number(session, "c2")).remarks == ()


def test_a_remark_changes_as_a_new_version_and_goes_to_the_trash_and_back(session: Session) -> None:
    number = _number(session)
    made = corrections.remark(session, number, "Eerst.")

    assert corrections.remark(session, number, "Daarna.", remark_id=made) == made
    (remark,) = corrections.said_about(session, number).remarks
    assert (remark.words, remark.versions) == ("Daarna.", 2)

    medicate.remove(session, made)
    assert corrections.said_about(session, number).remarks == ()
    medicate.restore(session, made)
    assert len(corrections.said_about(session, number).remarks) == 1


@pytest.mark.parametrize("words", ["", "  \n", "x" * (MAX_WORDS + 1)])
def test_nothing_and_too_much_are_refused_by_field(session: Session, words: str) -> None:
    with pytest.raises(InputRefused) as caught:
        corrections.remark(session, _number(session), words)
    assert set(caught.value.fields) == {"words"}


def test_only_a_remark_is_rewritten_as_a_remark(session: Session) -> None:
    with pytest.raises(NotFound):
        corrections.remark(session, _number(session), "Nee.", remark_id=_number(session, "c2"))


def test_a_remark_does_not_change_what_may_be_shared_of_the_record(session: Session) -> None:
    number = _number(session)
    before = dict(all_facts(session))[number]

    corrections.remark(session, number, "Ik denk aan HIV.")

    assert dict(all_facts(session))[number] == before


def test_remarks_come_back_from_an_export_with_the_record_they_are_about(
    session: Session, tmp_path: Path
) -> None:
    corrections.remark(session, _number(session), "Dit klopt niet.")
    other = Home(tmp_path / "elders").open_new()
    collect(other, export_records(session), name="export.json")

    (remark,) = corrections.said_about(other, _number(other)).remarks

    assert (remark.words, remark.editable) == ("Dit klopt niet.", False)


def test_equal_small_ids_of_two_hospitals_keep_their_own_remarks(session: Session) -> None:
    """``Condition/c1`` of another person's number space is another record."""
    one = {**json.loads(json.dumps(a_condition("c1"))), "code": {"text": "Iets anders"}}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "https://elders.example/fhir/Condition/c1", "resource": one}],
    }
    collect(session, json.dumps(bundle).encode(), name="elders.json", accept_person=True)
    mine, theirs = (found.id for found in session.store.records.reading.named("Condition", "Condition/c1"))

    corrections.remark(session, mine, "Van de eerste.")

    assert len(corrections.said_about(session, mine).remarks) == 1
    assert corrections.said_about(session, theirs).remarks == ()


def test_a_request_is_kept_with_what_was_asked_and_sends_nothing(session: Session) -> None:
    number = _number(session)

    corrections.ask_correction(session, number, ASKED)

    (request,) = corrections.said_about(session, number).requests
    assert request.asked == ASKED
    assert session.store.outbox.count_open() == 0
    assert "correction_asked" in [str(line.event) for line in session.store.journal.lines()]


def test_a_request_needs_to_say_what_is_wrong(session: Session) -> None:
    with pytest.raises(InputRefused) as caught:
        corrections.ask_correction(session, _number(session), Asked(" ", "x", "y"))
    assert set(caught.value.fields) == {"wrong"}


def test_the_file_of_a_request_is_fhir_with_words_task_person_and_the_record_as_it_came(
    session: Session,
) -> None:
    number = _number(session)
    kept = session.store.records.content(number)
    corrections.ask_correction(session, number, ASKED)
    (request,) = corrections.said_about(session, number).requests

    data = corrections.request_file(session, request.id)
    found = {one.type: one for one in read_records(data, name="verzoek.json").resources}

    assert set(found) == {"Communication", "Task", "Patient", "Condition"}
    assert kept is not None
    assert found["Condition"].raw == kept.raw
    coded = found["Task"].body["code"]["coding"][0]
    assert coded["code"] == "medRecCxReq"
    assert found["Task"].body["reasonReference"]["reference"] == found["Communication"].reference


def test_only_a_request_has_a_file(session: Session) -> None:
    made = corrections.remark(session, _number(session), "Hoi")
    for number in (made, _number(session), 999):
        with pytest.raises(NotFound):
            corrections.request_file(session, number)


def test_hiding_is_one_step_for_all_records_of_a_thing_and_back(session: Session) -> None:
    numbers = [_number(session), _number(session, "c2")]

    made = corrections.hide(session, numbers, lang="nl", shown_text="Niemand ziet dit.")
    assert [corrections.said_about(session, number).hidden_by for number in numbers] == [
        (made[0],),
        (made[1],),
    ]

    corrections.show_again(session, made)
    assert corrections.said_about(session, numbers[0]).hidden_by == ()
    assert all(row.lifted_at for row in objections.objections(session))


def test_the_page_of_a_remark_says_what_it_is_about(session: Session) -> None:
    made = corrections.remark(session, _number(session), "Dit klopt niet.")

    found = read.record(session, made)

    assert found.row.title == read.record(session, _number(session)).row.title
    assert found.row.detail == "Dit klopt niet."
