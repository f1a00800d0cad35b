"""What a record page lets the patient say: remark, correction, hide, "not the same"; each with a way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pgo.ui.text import t
from pgo.usecases import corrections, merge, read
from pgo.usecases.session import Application, Session
from tests.support.headless import Headless, run
from tests.ui.records_app import a_condition, a_vault, opened, subject, take_in

Vault = tuple[Application, Session]
_NICTIZ = "http://nictiz.nl/fhir/StructureDefinition/"
_SNOMED = "http://snomed.info/sct"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    application, session = a_vault(tmp_path)
    yield application, session
    session.lock()


def _coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": _SNOMED, "code": code}]}


def _step(type_: str, category: str, times: int, **members: Any) -> dict[str, Any]:
    treatment = {"system": "urn:oid:1.2", "value": "MBH-1"}
    period = {"url": f"{_NICTIZ}ext-TimeInterval.Period", "valuePeriod": {"start": "2020-01-01"}}
    dose = {"value": 1, "unit": "stuk", "system": "http://unitsofmeasure.org", "code": "1"}
    repeat = {"frequency": times, "period": 1, "periodUnit": "d"}
    row = {
        "text": f"{times} maal per dag 1 stuk",
        "timing": {"repeat": repeat},
        "doseAndRate": [{"doseQuantity": dose}],
    }
    product = {"system": "urn:oid:2.16.840.1.113883.2.4.4.10", "code": "4669"}
    return {
        "resourceType": type_,
        "id": f"{type_}-1",
        "subject": subject(),
        "extension": [
            {"url": f"{_NICTIZ}ext-PharmaceuticalTreatment.Identifier", "valueIdentifier": treatment},
            period,
        ],
        "category": [_coded(category)] if type_ == "MedicationRequest" else _coded(category),
        "medicationCodeableConcept": {"coding": [product], "text": "FUROSEMIDE TABLET 40MG"},
        "dosage" if type_ == "MedicationStatement" else "dosageInstruction": [row],
        **members,
    }


def _furosemide(session: Session) -> None:
    take_in(
        session,
        _step("MedicationRequest", "33633005", 2, status="active", intent="order", authoredOn="2020-01-01"),
        _step("MedicationDispense", "422037009", 2, status="unknown"),
        name="huisarts.json",
    )
    used = _step("MedicationStatement", "422979000", 1, status="active", dateAsserted="2020-02-01")
    take_in(session, {**used, "effectivePeriod": {"start": "2020-01-01"}}, name="zelf.json")


def _twice(session: Session) -> int:
    take_in(session, {**a_condition(1, "Astma"), "id": "c1"}, name="huisarts.json")
    take_in(session, {**a_condition(1, "Astma"), "id": "c2"}, name="ziekenhuis.json")
    (row,) = read.profile(session).conditions
    return row.id


def test_a_medicine_says_what_was_agreed_and_taken_and_what_differs(vault: Vault) -> None:
    _furosemide(vault[1])

    async def go() -> None:
        async with Headless(opened(*vault), route="/medication") as app:
            await app.wait_text("Afgesproken: 2 maal per dag 1 stuk")
            assert app.has_text("U gebruikt: 1 maal per dag 1 stuk")
            assert app.has_text("U gebruikt minder dan is afgesproken.")
            assert app.has_text("3 gegevens samen")
            line = next(
                c.identifier
                for c in app.controls()
                if str(getattr(c, "identifier", "")).startswith("medicine-")
            )
            await app.click(line)
            await app.wait_text("Alle gegevens over dit medicijn")
            assert app.has_text("het hoort bij één behandeling")
            assert sum(text.startswith("Afspraak") for text in app.texts()) == 2
            assert app.has_text("Wat u gebruikt · 1 februari 2020")

    run(go())


def test_not_the_same_is_one_step_and_can_be_taken_back(vault: Vault) -> None:
    number = _twice(vault[1])

    async def go() -> None:
        async with Headless(opened(*vault), route=f"/record/{number}") as app:
            await app.wait_text("Dit staat er ook")
            assert app.has_text("Uit huisarts.json") or app.has_text("Uit ziekenhuis.json")
            await app.click("same-different")
            await app.wait_text("U zei dat dit niet hetzelfde is")
            assert len(read.profile(vault[1]).conditions) == 2
            await app.click("notice-undo")
            await app.wait_text("Dit is niet hetzelfde")
            assert len(read.profile(vault[1]).conditions) == 1

    run(go())


def test_what_was_parted_can_be_joined_again_later(vault: Vault) -> None:
    number = _twice(vault[1])
    merge.part(vault[1], number)

    async def go() -> None:
        async with Headless(opened(*vault), route=f"/record/{number}") as app:
            await app.wait_text("U zei dat dit niet hetzelfde is als een ander gegeven.")
            await app.click("same-again")
            await app.wait_text("Dit is niet hetzelfde")

    run(go())


def test_a_remark_is_written_and_thrown_away_and_taken_back(vault: Vault) -> None:
    number = _twice(vault[1])

    async def go() -> None:
        async with Headless(opened(*vault), route=f"/record/{number}") as app:
            await app.wait_text("Klopt dit volgens u?")
            await app.click("said-remark")
            await app.wait_text("Wat wilt u erbij zeggen?")
            await app.click("form-save")
            await app.wait_text("Vul dit in.")
            await app.type("field-words", "Ik heb hier al jaren geen last van.")
            await app.click("form-save")
            await app.wait_text("Uw opmerking van")
            (remark,) = corrections.said_about(vault[1], number).remarks
            await app.click(f"remark-remove-{remark.id}")
            await app.wait_gone("Ik heb hier al jaren geen last van.")
            await app.click("notice-undo")
            await app.wait_text("Ik heb hier al jaren geen last van.")

    run(go())


def test_hiding_asks_one_question_names_all_records_and_can_be_taken_back(vault: Vault) -> None:
    number = _twice(vault[1])

    async def go() -> None:
        async with Headless(opened(*vault), route=f"/record/{number}") as app:
            await app.wait_text("Klopt dit volgens u?")
            await app.click("said-hide")
            await app.wait_text("Mag niemand dit zien?")
            assert app.has_text("Dit staat 2 keer in uw dossier.")
            await app.click("dialog-yes")
            await app.wait_text("U laat dit aan niemand zien.")
            assert len(corrections.said_about(vault[1], number).hidden_by) == 1
            await app.click("notice-undo")
            await app.wait_gone("U laat dit aan niemand zien.")

    run(go())


def test_a_correction_gives_a_letter_with_the_record_the_words_and_the_law(vault: Vault) -> None:
    number = _twice(vault[1])
    saved: dict[str, Any] = {}

    def save(args: dict[str, Any]) -> str:
        saved.update(args)
        return "brief.txt"

    async def go() -> None:
        async with Headless(
            opened(*vault), route=f"/record/{number}/correction", results={"save_file": save}
        ) as app:
            await app.wait_text("Wat klopt er niet?")
            await app.type("field-wrong", "Ik heb geen astma.")
            await app.type("field-recipient", "Huisarts Voorbeeld")
            await app.click("form-save")
            await app.wait_text("Uw verzoek van")
            (request,) = corrections.said_about(vault[1], number).requests
            await app.click(f"request-letter-{request.id}")
            await app.wait(lambda: bool(saved), "the letter was never saved")

    run(go())
    text = bytes(saved["src_bytes"]).decode("utf-8-sig")
    assert "Aan: Huisarts Voorbeeld" in text
    assert "Astma" in text
    assert "Ik heb geen astma." in text
    assert "artikel 16 van de AVG" in text
    assert "Naam: Testje Voorbeeld" in text
    assert t("nl", "letter.file") == saved["file_name"]


def test_a_wish_about_care_shows_its_no(vault: Vault) -> None:
    scope = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]
    }
    wish = {
        "resourceType": "Consent",
        "id": "w1",
        "status": "active",
        "scope": scope,
        "category": [_coded("129125009")],
        "patient": subject(),
        "dateTime": "2020-01-01",
        "provision": {"type": "deny", "code": [{**_coded("89666000"), "text": "Reanimeren"}]},
    }
    take_in(vault[1], wish)

    async def go() -> None:
        async with Headless(opened(*vault), route="/profile") as app:
            await app.wait_text("Reanimeren")
            assert app.has_text("Nee, dit niet")

    run(go())
