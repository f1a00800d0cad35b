"""Plain FHIR servers on the screens: add one, read what it cannot, share, see what it showed, stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pgo.bootstrap import build_application
from pgo.ui.fhir_words import shown_text
from pgo.usecases import share
from pgo.usecases.collect import collect
from pgo.usecases.deliver import send_now
from pgo.usecases.fhir_servers import ServerForm, add_server
from pgo.usecases.session import Session
from pgo.usecases.unlock import create_vault
from tests.support.applications import CHEAP, PASSPHRASE
from tests.support.fhir_memory import Habits, MemoryFhir, serving_fhir
from tests.support.headless import run
from tests.support.sharing import a_record
from tests.support.sharing_screens import a_choice, screens, tap


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    app = replace(build_application(tmp_path), argon2=CHEAP, calibrate=None)
    opened = create_vault(app, tmp_path / "vault", PASSPHRASE).session
    assert collect(opened, a_record(), name="test.json").imported == 8
    yield opened
    opened.lock()


def test_a_server_is_asked_shown_and_only_then_kept(session: Session) -> None:
    fhir = MemoryFhir(Habits(deletes=False, types=("Patient", "Consent", "Condition")))

    async def add(url: str) -> None:
        async with screens(session, "/share/add") as app:
            await app.click("to-server")
            await app.wait_text("De app vraagt de server eerst")
            await app.type("server-url", url)
            await app.type("server-name", "Testziekenhuis")
            await app.click("server-ask")
            await app.wait_text("Wat deze server zegt")
            assert app.has_text("Test server 1")
            assert app.has_text("dit gaat niet mee: allergieën, medicijnen, metingen en uitslagen")
            assert app.has_text("De server kan dit niet wissen: aandoeningen, wie u bent")
            assert share.recipients(session) == ()
            await app.click("server-accept")
            await app.wait_text("Delen met Testziekenhuis")
            await app.wait_text("Wat de server van Testziekenhuis kan")
            assert app.has_text("Een FHIR-server geeft geen ondertekend bewijs")

    with serving_fhir(fhir) as url:
        run(add(url))
    assert [row.kind for row in share.recipients(session)] == ["fhir"]
    assert fhir.writes == 0


@pytest.mark.parametrize(
    ("url", "page", "sentence"),
    [
        ("http://voorbeeld.example/fhir", b"", "Dit adres kan niet"),
        ("", b"<html>", "geen FHIR-server die zegt wat hij kan"),
    ],
)
def test_an_address_that_is_of_no_use_says_why(
    session: Session, url: str, page: bytes, sentence: str
) -> None:
    async def ask(address: str) -> None:
        async with screens(session, "/share/add/server") as app:
            await app.type("server-url", address)
            await app.type("server-name", "Testziekenhuis")
            await app.click("server-ask")
            await app.wait_text(sentence)
            assert not app.has_key("server-accept")

    with serving_fhir(MemoryFhir(Habits(page=page))) as base:
        run(ask(url or base))
    assert share.recipients(session) == ()


def test_a_registered_program_shows_its_public_key_and_never_the_private_one(session: Session) -> None:
    async def look() -> None:
        async with screens(session, "/share/add/server") as app:
            await tap(app, "server-login-smart")
            await app.wait_text("Geef deze sleutel aan de beheerder")
            assert app.has_text('"crv": "P-384"')
            assert not app.has_text('"d"')

    run(look())


def _shared(session: Session, url: str) -> str:
    server = add_server(session, ServerForm(url, "Testziekenhuis"))
    choice = a_choice(session, recipient_id=server)
    words = shown_text("nl", choice, name="Testziekenhuis")
    grant = share.sign_share(session, choice, lang="nl", shown_text=words)
    send_now(session)
    return grant


def test_what_the_server_showed_is_said_and_never_called_received(session: Session) -> None:
    async def look(grant: str) -> None:
        async with screens(session, f"/share/{grant}") as app:
            await app.wait_text("De server van Testziekenhuis laat zien dat 7 gegevens daar staan")
            assert app.has_text("Dit is geen bewijs")
            assert app.has_text("Staat daar, teruggelezen")
            assert not app.has_text("ontvangen.")
            assert not app.has_text("Ontvangstbewijzen")
            assert not app.has_key("share-looked")

    with serving_fhir(MemoryFhir()) as url:
        run(look(_shared(session, url)))


@pytest.mark.parametrize(
    ("deletes", "badge", "sentence"),
    [
        (True, "Gestopt, daar weg", "laat niets meer zien van wat u deelde"),
        (False, "Gestopt, daar nog niet weg", "Vraag Testziekenhuis om het te wissen"),
    ],
)
def test_after_a_stop_the_screen_says_what_is_left_there(
    session: Session, deletes: bool, badge: str, sentence: str
) -> None:
    async def look(grant: str) -> None:
        async with screens(session, f"/share/{grant}") as app:
            await app.wait_text(sentence)
            assert app.has_text(badge)
            assert not app.has_text("bevestigd")
            assert app.has_text("bewaart de server nog een oude versie") == deletes, "deleted is not erased"

    with serving_fhir(MemoryFhir(Habits(deletes=deletes))) as url:
        grant = _shared(session, url)
        share.withdraw(session, grant)
        send_now(session)
        run(look(grant))
