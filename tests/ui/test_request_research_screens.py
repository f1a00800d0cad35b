"""A request for research on the screen: what it asks, what a yes can leave out, and what is signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from consent.codes import Action, Category, Deidentification, Sensitivity
from consent.records import Grant
from consent.research import ResearchUse
from crypto.keys import SigningKey
from pgo.usecases import requests, share
from pgo.usecases.consenting import load_ledger
from pgo.usecases.facts import all_facts
from pgo.usecases.session import Session
from tests.support.headless import run
from tests.support.requests_signed import a_request
from tests.support.sharing import CLINIC_ID, CLINIC_NAME, a_card, an_open_vault
from tests.support.sharing_screens import screens, tap

KEY = SigningKey.from_seed(bytes(range(7, 39)))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = an_open_vault(tmp_path)
    share.add_recipient(opened, a_card(KEY))
    yield opened
    opened.lock()


def research_request() -> str:
    return a_request(
        KEY,
        purpose=["HRESCH"],
        action=[Action.EXTRACT, Action.RECONTACT, Action.RESHARE],
        deidentification=Deidentification.DEID,
        research_use=ResearchUse(
            topics=frozenset({"E10-E14", "C50"}), commercial=True, train_models=True, ethics_required=True
        ),
    )


def signed_grant(session: Session) -> Grant:
    record = load_ledger(session.store).records[-1].record
    assert isinstance(record, Grant)
    return record


def test_a_request_for_research_is_answered_with_less_than_it_asks(session: Session) -> None:
    made = requests.take_in(session, research_request())

    async def answer() -> None:
        async with screens(session, "/share/requests", width=390) as app:
            await app.wait_text(f"{CLINIC_NAME} vraagt om gegevens")
            assert app.has_text("Borstkanker; diabetes.")
            await app.click(f"request-yes-{made}")
            await app.wait_text("Waarover?")
            assert app.has_text(
                "Zij vragen ook om dingen die deze app niet geeft. Die zijn weggelaten: doorgeven"
            )
            assert app.has_text("Niets anders mag: geen gebruik door bedrijven, geen AI")
            await tap(app, "asked-about-0")
            await app.wait_text("Het onderzoek mag alleen gaan over: diabetes.")
            await tap(app, "asked-use-commercial")
            await app.wait_text("Dit mag ook: gebruik door bedrijven")
            await app.wait_text("2 van uw 8 gegevens")
            await app.click("share-sign")
            await app.wait_text("Wat u hebt afgesproken")
            assert app.has_text("zonder uw naam")

    run(answer())
    for rule in signed_grant(session).rules:
        assert rule.research_use == ResearchUse(
            topics=frozenset({"E10-E14"}), commercial=True, ethics_required=True
        )
        assert rule.action == {Action.EXTRACT}


def test_a_yes_without_any_subject_cannot_be_signed(session: Session) -> None:
    made = requests.take_in(session, research_request())

    async def answer() -> None:
        async with screens(session, f"/share/answer/{made}") as app:
            await app.wait_text("Waarover?")
            await tap(app, "asked-about-0")
            await tap(app, "asked-about-1")
            await app.wait_text("Laat minstens één onderwerp aan staan.")
            assert not app.has_text("Onderteken en deel")

    run(answer())
    assert load_ledger(session.store).records == ()


def test_a_copy_can_be_refused_and_a_condition_left_out(session: Session) -> None:
    codes = ["http://hl7.org/fhir/sid/icd-10|E11", "http://hl7.org/fhir/sid/icd-10|I10"]
    asked = a_request(KEY, action=[Action.VIEW, Action.COPY], code=codes, category=[Category.PROBLEMS])
    made = requests.take_in(session, asked)

    async def answer() -> None:
        async with screens(session, f"/share/answer/{made}") as app:
            await app.wait_text("Gegevens over welke ziekte of behandeling?")
            await tap(app, "asked-copy")
            await app.wait_text("mag een kopie bewaren in het eigen dossier")
            await tap(app, "asked-copy")
            await tap(app, "asked-codes-1")
            await app.wait_text("Alleen gegevens over dit gaan mee: een deel van: diabetes (code E11).")
            await app.click("share-sign")
            await app.wait_text("Wat u hebt afgesproken")

    run(answer())
    (rule,) = signed_grant(session).rules
    assert rule.action == {Action.VIEW}
    assert rule.code == {codes[0]}


def test_from_the_preview_one_asks_who_can_see_a_record(session: Session) -> None:
    (number,) = [number for number, one in all_facts(session) if Sensitivity.HIV in one.sensitivity]

    async def look() -> None:
        async with screens(session, f"/share/new/{CLINIC_ID}") as app:
            await app.wait_text("Bekijk wat bij u blijft (1)")
            await app.click("preview-held")
            await app.wait_text("Hiv")
            await app.click(f"held-why-{number}")
            await app.wait_text(f"{CLINIC_NAME} krijgt dit niet te zien.")

    run(look())
