"""Shares that were signed: their state in words, stopping, who looked. A real vault, no browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import flet as ft
import pytest

from pgo.usecases import share
from pgo.usecases.session import Session
from pgo.usecases.unlock import unlock
from sync.card import RecipientCard
from sync.errors import Unreachable
from tests.support.applications import PASSPHRASE
from tests.support.headless import run
from tests.support.sharing import CLINIC_ID, CLINIC_NAME, an_open_vault
from tests.support.sharing_screens import screens, with_share


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = an_open_vault(tmp_path)
    yield opened
    opened.lock()


# ------------------------------------------------------------------ detail


def test_detail_says_what_was_agreed_and_that_it_waits(session: Session) -> None:
    grant_id = with_share(session)

    async def look() -> None:
        async with screens(session, f"/share/{grant_id}") as app:
            await app.wait_text("Wat u hebt afgesproken")
            assert app.has_text("Gevoelige onderwerpen gaan niet mee.")
            assert app.has_text("De gegevens staan klaar op dit apparaat.")
            assert app.has_text("Nog geen ontvangstbewijs.")

    run(look())


def test_stopping_asks_once_works_at_once_and_does_not_claim_confirmation(session: Session) -> None:
    grant_id = with_share(session)

    async def stop() -> None:
        async with screens(session, f"/share/{grant_id}") as app:
            await app.wait_text("Stop met delen")
            await app.click("share-stop")
            await app.wait_text(f"Stoppen met delen met {CLINIC_NAME}?")
            assert share.share(session, grant_id).withdrawn_at is None
            await app.click("dialog-yes")
            await app.wait_text("Op dit apparaat is het delen gestopt.")
            assert not app.has_text("heeft bevestigd")
            assert not app.has_key("share-stop")

    run(stop())
    assert share.share(session, grant_id).withdrawn_at is not None


def test_saying_no_keeps_the_share(session: Session) -> None:
    grant_id = with_share(session)

    async def refuse() -> None:
        async with screens(session, f"/share/{grant_id}") as app:
            await app.wait_text("Stop met delen")
            await app.click("share-stop")
            await app.click("dialog-no")
            assert app.has_key("share-stop")

    run(refuse())
    assert share.share(session, grant_id).withdrawn_at is None


# ------------------------------------------------------------------ who looked, both languages


def test_who_looked_starts_with_an_explanation(session: Session) -> None:
    with_share(session)

    async def look() -> None:
        async with screens(session, f"/share/looked/{CLINIC_ID}") as app:
            await app.wait_text("U hebt de lijst nog niet opgehaald.")
            assert app.has_key("looked-fetch")

    run(look())


def test_a_list_that_does_not_hold_is_a_warning_and_stays_one(session: Session) -> None:
    with_share(session)
    at = session.now()
    with session.store.write(at):
        session.store.access.fetched(CLINIC_ID, problem="access_log_rolled_back", at=at)

    async def look() -> None:
        async with screens(session, f"/share/looked/{CLINIC_ID}") as app:
            await app.wait_text("Let op: de lijst is korter dan de vorige keer.")
            assert not app.has_text("Gecontroleerd")

    run(look())


class NobodyAnswers:
    """A network where nobody is reached."""

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        raise Unreachable

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def offline(tmp_path: Path) -> Iterator[Session]:
    made = an_open_vault(tmp_path)
    made.lock()
    app = replace(made.app, open_transport=NobodyAnswers)
    opened = unlock(app, made.folder, PASSPHRASE)
    yield opened
    opened.lock()


def test_fetching_without_a_connection_says_so_and_blames_nobody(offline: Session) -> None:
    with_share(offline)

    async def look() -> None:
        async with screens(offline, f"/share/looked/{CLINIC_ID}") as app:
            await app.wait_text("U hebt de lijst nog niet opgehaald.")
            await app.click("looked-fetch")
            await app.wait_text("is nu niet bereikbaar. Probeer het later nog eens.")
            assert not app.has_text("klopt niet")

    run(look())


def test_send_now_without_a_connection_keeps_waiting_and_says_when(offline: Session) -> None:
    grant_id = with_share(offline)

    async def look() -> None:
        async with screens(offline, f"/share/{grant_id}") as app:
            await app.wait_text("Nu versturen")
            await app.click("share-send-now")
            await app.wait_text("Nog geen verbinding met")
            await app.wait_text("Volgende poging:")
            assert app.has_text("Wacht op verbinding")

    run(look())


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("scale_width", [390, 1280])
def test_every_sharing_screen_draws_in_both_languages(session: Session, lang: str, scale_width: int) -> None:
    grant_id = with_share(session)
    routes = (
        "/share",
        "/share/add",
        f"/share/new/{CLINIC_ID}",
        f"/share/{grant_id}",
        f"/share/looked/{CLINIC_ID}",
    )

    async def look() -> None:
        for route in routes:
            async with screens(session, route, lang=lang, width=scale_width) as app:
                await app.wait(lambda app=app: not app.of_kind(ft.ProgressRing), "still loading")  # type: ignore[misc]
                await asyncio.sleep(0.05)
                texts = app.texts()
                assert not app.conn.crashes
                assert not [text for text in texts if "[" in text or "{" in text], route
                assert app.conn.bytes < 60_000, route

    run(look())


@pytest.mark.parametrize("route", ["/share/unknown", "/share/new/ura:99", "/share/looked/ura:99"])
def test_something_that_is_not_there_says_so(session: Session, route: str) -> None:
    async def look() -> None:
        async with screens(session, route) as app:
            await app.wait(lambda: not app.of_kind(ft.ProgressRing), "still loading")
            assert app.has_key("back")
            assert not app.conn.crashes

    run(look())
