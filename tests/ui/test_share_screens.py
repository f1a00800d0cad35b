"""The sharing screens on a real vault and the real consent engine, without a browser."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import flet as ft
import pytest

from consent.codes import Category, Sensitivity
from consent.records import Grant
from crypto.keys import SigningKey
from pgo.ui.app import start
from pgo.ui.sharing_words import shown_text
from pgo.ui.state import AppState
from pgo.usecases import share
from pgo.usecases.consenting import load_ledger
from pgo.usecases.session import Session
from pgo.usecases.share import ShareChoice
from pgo.usecases.unlock import unlock
from sync.card import RecipientCard
from sync.errors import Unreachable
from tests.support.applications import PASSPHRASE
from tests.support.headless import Headless, run
from tests.support.sharing import CLINIC_ID, CLINIC_NAME, a_card, an_open_vault


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = an_open_vault(tmp_path)
    yield opened
    opened.lock()


def screens(session: Session, route: str, **more: Any) -> Headless:
    """Open the app on one screen, with this vault unlocked."""
    lang = more.pop("lang", "nl")

    def main(page: ft.Page) -> None:
        state = AppState()
        state.attach(session.app)
        state.prefs.lang = lang
        state.opened(session)
        state.follow(lambda work: page.run_task(work))
        start(page, state)

    return Headless(main, route=route, **more)


def with_clinic(session: Session) -> str:
    return share.add_recipient(session, a_card())


def a_choice(session: Session, **change: Any) -> ShareChoice:
    today = session.today()
    members: dict[str, Any] = {
        "recipient_id": CLINIC_ID,
        "categories": share.presets("clinic")[0].categories,
        "sensitivity": frozenset[Sensitivity](),
        "purpose": "TREAT",
        "period": (today, today + timedelta(days=90)),
    }
    return ShareChoice(**{**members, **change})


def with_share(session: Session) -> str:
    with_clinic(session)
    choice = a_choice(session)
    return share.sign_share(session, choice, lang="nl", shown_text=shown_text("nl", choice, name=CLINIC_NAME))


# ------------------------------------------------------------------ overview


def test_before_the_first_share_the_screen_says_that_nobody_gets_anything(session: Session) -> None:
    async def look() -> None:
        async with screens(session, "/share") as app:
            await app.wait_text("U deelt nu met niemand")
            await app.click("share-add")
            await app.wait_text("Plak hier de tekst van het kaartje")

    run(look())


def test_a_known_recipient_without_shares_can_be_shared_with_or_taken_off(session: Session) -> None:
    with_clinic(session)

    async def look() -> None:
        async with screens(session, "/share") as app:
            await app.wait_text(CLINIC_NAME)
            assert app.has_key(f"give-{CLINIC_ID}")
            assert not app.has_key(f"who_looked-{CLINIC_ID}")
            await app.click(f"remove-{CLINIC_ID}")
            await app.wait_text(f"{CLINIC_NAME} van de lijst halen?")
            await app.click("dialog-yes")
            await app.wait_gone("Zorgverlener ·")

    run(look())
    assert share.recipients(session) == ()


def test_a_share_is_a_card_with_state_number_and_last_day(session: Session) -> None:
    grant_id = with_share(session)

    async def look() -> None:
        async with screens(session, "/share", width=390) as app:
            await app.wait_text("Nu gedeeld")
            assert app.has_text("Staat klaar om te versturen")
            assert app.has_text("Nog niets verstuurd")
            assert app.has_text("Tot en met")
            assert not app.has_key(f"remove-{CLINIC_ID}")
            await app.click(f"share-open-{grant_id}")
            await app.wait_text("Wat u hebt afgesproken")

    run(look())


# ------------------------------------------------------------------ add


def test_a_pasted_card_is_shown_before_it_is_kept(session: Session) -> None:
    key = SigningKey.generate()

    async def add() -> None:
        async with screens(session, "/share/add") as app:
            await app.type("card-text", a_card(key))
            await app.click("card-check")
            await app.wait_text("Van wie is dit kaartje?")
            assert app.has_text(CLINIC_NAME)
            assert app.has_text("URA 00000123")
            groups = key.public.fingerprint().split()
            assert [text for text in app.texts() if text in groups] == groups
            assert share.recipients(session) == ()
            await app.click("card-accept")
            await app.wait_text(f"Delen met {CLINIC_NAME}")

    run(add())
    assert [row.id for row in share.recipients(session)] == [CLINIC_ID]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Plak eerst de tekst"),
        ("dit is geen kaartje", "Dit is geen kaartje"),
        (a_card()[:-4] + "AAAA", "Dit is geen kaartje"),
        (a_card(days=0.5), "Dit kaartje is verlopen"),
    ],
)
def test_a_card_that_cannot_be_used_says_why(session: Session, text: str, sentence: str) -> None:
    async def add() -> None:
        async with screens(session, "/share/add") as app:
            await app.type("card-text", text)
            await app.click("card-check")
            await app.wait_text(sentence)
            assert not app.has_key("card-accept")

    run(add())
    assert share.recipients(session) == ()


def test_a_known_recipient_with_another_key_is_refused_with_a_warning(session: Session) -> None:
    with_clinic(session)

    async def add() -> None:
        async with screens(session, "/share/add") as app:
            await app.type("card-text", a_card(SigningKey.generate()))
            await app.click("card-check")
            await app.wait_text("andere controlecode")

    run(add())


def picked(data: bytes, *, size: int | None = None) -> dict[str, Any]:
    return {
        "pick_files": [
            {"id": 1, "name": "kaartje.txt", "size": size or len(data), "path": None, "bytes": data}
        ]
    }


def test_a_card_file_works_like_pasted_text(session: Session) -> None:
    data = f"PGO-CARD 1\n{a_card()}\n".encode()

    async def add() -> None:
        async with screens(session, "/share/add", results=picked(data)) as app:
            await app.click("card-pick")
            await app.wait_text("Van wie is dit kaartje?")

    run(add())


def test_a_file_too_large_for_a_card_is_not_even_read(session: Session) -> None:
    async def add() -> None:
        async with screens(session, "/share/add", results=picked(b"", size=2_000_000_000)) as app:
            await app.click("card-pick")
            await app.wait_text("te groot voor een kaartje")

    run(add())


# ------------------------------------------------------------------ new


def test_the_preview_is_what_the_consent_engine_says(session: Session) -> None:
    with_clinic(session)
    expected = share.preview(session, a_choice(session))
    assert (expected.permitted, expected.total) == (7, 8)

    async def look() -> None:
        async with screens(session, f"/share/new/{CLINIC_ID}") as app:
            await app.wait_text("7 van uw 8 gegevens")
            assert app.has_text("1 gegeven: gevoelig onderwerp")
            await app.click("preview-details")
            assert app.has_text("Ziekten en klachten")
            assert app.has_text("Methotrexaat")
            assert not any("Hiv" in text for text in app.texts())

    run(look())


def test_a_narrower_preset_shows_less(session: Session) -> None:
    with_clinic(session)

    async def look() -> None:
        async with screens(session, f"/share/new/{CLINIC_ID}") as app:
            await app.wait_text("7 van uw 8 gegevens")
            group = app.by_key("share-preset", ft.RadioGroup)
            await app.choose(group, "change", value="medication")
            await app.wait_text("4 van uw 8 gegevens")
            assert app.has_text("4 gegevens: soort niet gekozen")
            assert app.has_text("Alleen dit gaat mee: medicijnen; allergieën; naam, geboortedatum en adres.")

    run(look())


def test_own_choice_shows_counts_and_keeps_sensitive_subjects_off(session: Session) -> None:
    with_clinic(session)

    async def look() -> None:
        async with screens(session, f"/share/new/{CLINIC_ID}") as app:
            await app.wait_text("7 van uw 8 gegevens")
            await app.choose(app.by_key("share-preset", ft.RadioGroup), "change", value="own")
            await app.wait_text("Gevoelige onderwerpen")
            assert app.has_text("Medicijnen (2)")
            assert all(app.by_key(f"sens-{cluster}", ft.Switch).value is False for cluster in Sensitivity)
            await app.choose(app.by_key("sens-hiv", ft.Switch), "change", value=True)
            await app.wait_text("8 van uw 8 gegevens")
            assert app.has_text("Ook deze gevoelige onderwerpen gaan mee: hiv.")
            await app.choose(app.by_key("cat-problems", ft.Switch), "change", value=False)
            await app.wait_text("6 van uw 8 gegevens")

    run(look())


def test_nothing_chosen_cannot_be_signed(session: Session) -> None:
    with_clinic(session)

    async def look() -> None:
        async with screens(session, f"/share/new/{CLINIC_ID}") as app:
            await app.wait_text("7 van uw 8 gegevens")
            await app.choose(app.by_key("share-preset", ft.RadioGroup), "change", value="measurements")
            await app.wait_text("3 van uw 8 gegevens")
            await app.choose(app.by_key("share-preset", ft.RadioGroup), "change", value="own")
            await app.wait_text("Gevoelige onderwerpen")
            for category in Category:
                switch = app.by_key(f"cat-{category}", ft.Switch)
                if switch.value:
                    await app.choose(switch, "change", value=False)
            assert app.has_text("Kies eerst minstens één soort gegevens.")
            assert not app.has_key("share-sign")

    run(look())


def test_data_from_holds_older_records_back(session: Session) -> None:
    with_clinic(session)

    async def look() -> None:
        async with screens(session, f"/share/new/{CLINIC_ID}") as app:
            await app.wait_text("7 van uw 8 gegevens")
            await app.choose(app.by_key("share-since", ft.RadioGroup), "change", value="years2")
            await app.wait_text("te oud, of de datum is onbekend")
            assert app.has_text("Alleen gegevens vanaf")

    run(look())


def test_signing_keeps_the_words_that_were_shown(session: Session) -> None:
    with_clinic(session)

    async def sign() -> list[str]:
        async with screens(session, f"/share/new/{CLINIC_ID}") as app:
            await app.wait_text("7 van uw 8 gegevens")
            shown = app.texts()
            await app.click("share-sign")
            await app.wait_text("Wat u hebt afgesproken")
            return shown

    shown = run(sign())
    (row,) = share.shares(session)
    words = shown_text("nl", row.choice, name=CLINIC_NAME)
    assert all(sentence in shown for sentence in words.split("\n"))
    grants = [
        signed.record for signed in load_ledger(session.store).records if isinstance(signed.record, Grant)
    ]
    (grant,) = grants
    assert grant.shown is not None
    assert grant.shown.text_hash == "sha256:" + hashlib.sha256(words.encode()).hexdigest()
    assert grant.shown.lang == "nl"


def test_a_registry_gets_its_own_preset_and_purpose(session: Session) -> None:
    share.add_recipient(session, a_card(kind="registry", recipient_id="reg:oefen"))

    async def look() -> None:
        async with screens(session, "/share/new/reg:oefen") as app:
            await app.wait_text("Doel: om de kwaliteit van zorg te verbeteren.")
            assert app.has_text("Vragenlijsten, metingen, medicijnen en allergieën")
            await app.wait(lambda: app.has_key("share-sign"), "nothing to sign")

    run(look())


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
            await app.wait_text("Let op: deze lijst klopt niet.")
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
