"""Objections, exceptions, requests, why, reminders and history on the screen: real vault, real engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from consent.codes import Category, Sensitivity
from consent.records import Grant
from crypto.keys import SigningKey
from pgo.ui import objection_words
from pgo.ui.request_words import difference
from pgo.ui.sharing_words import choice_sentences, shown_text
from pgo.ui.why_words import by_rule
from pgo.usecases import history, objections, requests, share
from pgo.usecases.consenting import load_ledger
from pgo.usecases.facts import all_facts
from pgo.usecases.objections import ObjectionChoice
from pgo.usecases.picking import Named
from pgo.usecases.session import Session
from pgo.usecases.why import why
from tests.support.headless import run
from tests.support.requests_signed import a_request
from tests.support.sharing import CLINIC_ID, CLINIC_NAME, a_card, an_open_vault
from tests.support.sharing_screens import a_choice, screens, tap, with_clinic, with_share

KEY = SigningKey.from_seed(bytes(range(5, 37)))
HB = "Observation/o1"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = an_open_vault(tmp_path)
    yield opened
    opened.lock()


def number_of(session: Session, reference: str) -> int:
    return next(number for number, one in all_facts(session) if one.reference == reference)


def object_to(session: Session, choice: ObjectionChoice) -> str:
    return objections.object_to(session, choice, lang="nl", shown_text="Niemand.")


# ------------------------------------------------------------------ home


def test_stopping_is_one_button_and_one_question_away_from_the_home_screen(session: Session) -> None:
    grant_id = with_share(session)

    async def stop() -> None:
        async with screens(session, "/share", width=390) as app:
            await app.wait_text("Nu gedeeld")
            await app.click(f"share-stop-{grant_id}")
            await app.wait_text(f"Stoppen met delen met {CLINIC_NAME}?")
            await app.click("dialog-yes")
            await app.wait_gone("share-stop")

    run(stop())
    assert share.share(session, grant_id).withdrawn_at is not None


def test_home_says_what_waits_behind_the_other_doors(session: Session) -> None:
    share.add_recipient(session, a_card(KEY))
    requests.take_in(session, a_request(KEY))
    object_to(session, ObjectionChoice(categories=frozenset({Category.LABS})))

    async def look() -> None:
        async with screens(session, "/share") as app:
            await app.wait_text("1 verzoek wacht op u")
            assert app.has_text("1 bezwaar geldt nu")
            await app.click("to-history")
            await app.wait_text("U maakte bezwaar.")

    run(look())


# ------------------------------------------------------------------ objections


def test_an_objection_says_what_it_changes_and_signs_the_words_on_the_screen(session: Session) -> None:
    with_share(session)

    async def sign() -> None:
        async with screens(session, "/share/objections", width=390) as app:
            await app.wait_text("U hebt geen bezwaren")
            await app.click("objection-new")
            await app.wait_text("Kies eerst wat niemand mag zien")
            assert not app.has_key("objection-sign")
            await tap(app, "never-labs")
            await app.wait_text("Dit gaat nu over 1 van uw 8 gegevens.")
            assert app.has_text(f"{CLINIC_NAME} ziet daardoor 1 gegeven niet meer.")
            assert app.has_text("Niemand krijgt dit ooit te zien: uitslagen van het laboratorium.")
            await app.click("objection-sign")
            await app.wait_text("Ondertekend op")

    run(sign())
    choice = ObjectionChoice(categories=frozenset({Category.LABS}))
    words = objection_words.shown_text("nl", objection_words.sentence("nl", choice, name=None))
    signed = load_ledger(session.store).records[-1].record
    assert isinstance(signed, Grant)
    assert signed.shown is not None
    assert signed.shown.text_hash == "sha256:" + hashlib.sha256(words.encode()).hexdigest()


def test_an_objection_is_lifted_with_one_action(session: Session) -> None:
    with_clinic(session)
    made = object_to(session, ObjectionChoice(recipient_id=CLINIC_ID))

    async def lift() -> None:
        async with screens(session, "/share/objections") as app:
            await app.wait_text(f"{CLINIC_NAME} krijgt nooit iets te zien.")
            await app.click(f"objection-lift-{made}")
            await app.wait_text("Dit bezwaar opheffen?")
            await app.click("dialog-yes")
            await app.wait_text("U hebt geen bezwaren")
            assert app.has_text("Opgeheven op")

    run(lift())


def test_an_objection_in_the_way_of_a_share_is_shown_and_can_be_lifted_there(session: Session) -> None:
    with_clinic(session)
    made = object_to(session, ObjectionChoice(categories=frozenset({Category.LABS})))

    async def lift() -> None:
        async with screens(session, f"/share/new/{CLINIC_ID}") as app:
            await app.wait_text("Een bezwaar van u houdt 1 gegeven tegen.")
            assert app.has_text("6 van uw 8 gegevens")
            await app.click(f"conflict-lift-{made}")
            await app.click("dialog-yes")
            await app.wait_text("7 van uw 8 gegevens")
            assert not app.has_text("Een bezwaar van u")

    run(lift())


# ------------------------------------------------------------------ third layer


def test_a_single_record_is_left_out_by_name_in_the_signed_words(session: Session) -> None:
    with_clinic(session)

    async def choose() -> None:
        async with screens(session, f"/share/new/{CLINIC_ID}", width=390) as app:
            await app.wait_text("7 van uw 8 gegevens")
            await app.click("share-refine")
            await tap(app, "share-single-except")
            await app.type("share-pick", "hemo")
            await app.wait_text("Hemoglobine · ")
            await tap(app, f"pick-{number_of(session, HB)}")
            await app.wait_text("6 van uw 8 gegevens")
            assert app.has_text("Deze gegevens gaan niet mee: Hemoglobine (1 oktober 2026).")
            await app.click("share-sign")
            await app.wait_text("Wat u hebt afgesproken")
            assert app.has_text("Deze gegevens gaan niet mee: Hemoglobine (1 oktober 2026).")

    run(choose())
    (row,) = share.shares(session)
    assert row.choice.left_out == {HB}
    words = shown_text("nl", row.choice, name=CLINIC_NAME, names=row.names)
    signed = load_ledger(session.store).records[-1].record
    assert isinstance(signed, Grant)
    assert signed.shown is not None
    assert signed.shown.text_hash == "sha256:" + hashlib.sha256(words.encode()).hexdigest()


def test_only_pointed_out_records_needs_at_least_one(session: Session) -> None:
    with_clinic(session)

    async def choose() -> None:
        async with screens(session, f"/share/new/{CLINIC_ID}") as app:
            await app.wait_text("7 van uw 8 gegevens")
            await app.click("share-refine")
            await tap(app, "share-single-only")
            await app.wait_text("Wijs eerst een gegeven aan.")
            assert not app.has_key("share-sign")
            await app.type("share-pick", "hemo")
            await app.wait_text("Hemoglobine · ")
            await tap(app, f"pick-{number_of(session, HB)}")
            await app.wait_text("1 van uw 8 gegevens")
            assert app.has_text("6 gegevens: niet aangewezen")

    run(choose())


def test_what_stays_is_listed_record_by_record(session: Session) -> None:
    with_clinic(session)

    async def look() -> None:
        async with screens(session, f"/share/new/{CLINIC_ID}") as app:
            await app.wait_text("Bekijk wat bij u blijft (1)")
            await app.click("preview-held")
            await app.wait_text("Hiv")
            await tap(app, "share-preset-own")
            await app.wait_text("Hiv (1)")

    run(look())


def test_a_name_the_vault_no_longer_knows_is_counted_not_left_unsaid(session: Session) -> None:
    choice = a_choice(session, left_out=frozenset({"a/1", "a/2"}), without_authors=frozenset({"b/1"}))
    said = " ".join(choice_sentences("nl", choice, name="X", names={"a/1": Named("Hb")}))
    assert "Deze gegevens gaan niet mee: Hb; 1 die niet meer in de app staat." in said
    assert "Wat deze mensen of instellingen schreven, gaat niet mee: 1 die" in said


# ------------------------------------------------------------------ requests


def test_a_request_is_shown_as_the_difference_and_answered_with_a_signature(session: Session) -> None:
    share.add_recipient(session, a_card(KEY))

    async def answer() -> None:
        async with screens(session, "/share/requests/new", width=390) as app:
            await app.type("request-text", a_request(KEY))
            await app.click("request-check")
            await app.wait_text(f"{CLINIC_NAME} vraagt om gegevens")
            assert app.has_text("“Wij willen uw uitslagen zien voor uw controle.”")
            assert app.has_text("Naam, geboortedatum en adres; uitslagen van het laboratorium.")
            await app.click("request-yes-request-1")
            await app.wait_text("2 van uw 8 gegevens")
            await app.click("share-sign")
            await app.wait_text("Wat u hebt afgesproken")

    run(answer())
    assert requests.requests(session) == ()
    signed = load_ledger(session.store).records[-1].record
    assert isinstance(signed, Grant)
    assert signed.answers == "request-1"


def test_no_takes_one_press_and_a_forged_request_says_so(session: Session) -> None:
    share.add_recipient(session, a_card(KEY))
    requests.take_in(session, a_request(KEY))

    async def refuse() -> None:
        async with screens(session, "/share/requests") as app:
            await app.wait_text("vraagt om gegevens")
            await app.click("request-no-request-1")
            await app.wait_text("Geen verzoeken")
            await app.click("request-add")
            await app.type("request-text", a_request(SigningKey.generate()))
            await app.click("request-check")
            await app.wait_text("Dit verzoek is niet goed")

    run(refuse())


def test_every_difference_is_said(session: Session) -> None:
    share.add_recipient(session, a_card(KEY))
    choice = a_choice(session, data_from=session.today().replace(year=2020, month=1, day=1))
    share.sign_share(session, choice, lang="nl", shown_text="x")
    requests.take_in(session, a_request(KEY, sensitivity=[Sensitivity.HIV], purpose=["HQUALIMP"]))
    (row,) = requests.requests(session)
    assert difference("nl", row) == (
        "Ook: om de kwaliteit van zorg te verbeteren.",
        "Ook: hiv.",
        "Ook: gegevens van voor 1 januari 2020.",
    )
    unknown = replace(row, also={"encounter": ("Encounter/1",)})
    assert difference("en", unknown) == ("Also something this app cannot explain (encounter).",)


# ------------------------------------------------------------------ why


def test_a_record_says_who_can_see_it_and_can_be_closed_for_everybody(session: Session) -> None:
    with_share(session)
    number = number_of(session, HB)

    async def close() -> None:
        async with screens(session, f"/record/{number}", width=390) as app:
            await app.wait_text("Hemoglobine")
            await app.click("record-why")
            await app.wait_text(f"{CLINIC_NAME} mag dit zien, maar heeft het nog niet ontvangen.")
            await app.click("why-close")
            await app.wait_text("Dit gegeven voor iedereen sluiten?")
            await app.click("dialog-yes")
            await app.wait_text("Waarom niet: u hebt er bezwaar tegen gemaakt.")
            assert not app.has_key("why-close")
            await app.click(f"why-open-{CLINIC_ID}")
            await app.wait_text("het gegeven Hemoglobine")

    run(close())


def test_the_rule_behind_a_no_is_named(session: Session) -> None:
    with_clinic(session)
    choice = a_choice(session, categories=frozenset({Category.PROBLEMS}))
    share.sign_share(session, choice, lang="nl", shown_text="x")
    said = [by_rule("nl", why(session, number_of(session, one)).rows[0]) for one in (HB, "Condition/c2")]
    assert said == [
        "Waarom niet: deze soort staat niet in uw toestemming: uitslagen van het laboratorium.",
        "Waarom niet: dit gaat over een gevoelig onderwerp dat u niet hebt aangezet: hiv.",
    ]


# ------------------------------------------------------------------ reminders and history


def test_a_reminder_rests_for_a_week(session: Session) -> None:
    with_clinic(session)
    today = session.today()
    choice = a_choice(session, period=(today, today + timedelta(days=5)))
    grant_id = share.sign_share(session, choice, lang="nl", shown_text="x")

    async def rest() -> None:
        async with screens(session, "/") as app:
            await app.wait_text(f"Het delen met {CLINIC_NAME} stopt na")
            await app.click(f"reminder-later-{grant_id}")
            await app.wait_gone(f"Het delen met {CLINIC_NAME} stopt na")

    run(rest())


def test_a_receipt_opens_in_words(session: Session) -> None:
    with_share(session)
    (number,) = [one.receipt_id[-12:] for one in history.history(session) if one.receipt_id]

    async def look() -> None:
        async with screens(session, "/share/history", lang="en") as app:
            await app.wait_text(f"You gave {CLINIC_NAME} permission.")
            await app.click(f"receipt-{number}")
            await app.wait_text("Number of this receipt.")
            assert app.has_text("Purpose: for your treatment.")

    run(look())
