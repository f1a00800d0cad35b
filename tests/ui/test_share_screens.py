"""The sharing screens on a real vault and the real consent engine, without a browser."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import flet as ft
import pytest

from consent.codes import Category, Sensitivity
from consent.records import Grant
from crypto.keys import SigningKey
from pgo.ui.sharing_words import shown_text
from pgo.usecases import share
from pgo.usecases.consenting import load_ledger
from pgo.usecases.session import DemoInfo, Session
from pgo.usecases.unlock import unlock
from tests.support.applications import PASSPHRASE
from tests.support.headless import run
from tests.support.sharing import CLINIC_ID, CLINIC_NAME, a_card, an_open_vault
from tests.support.sharing_screens import a_choice, screens, with_clinic, with_share


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = an_open_vault(tmp_path)
    yield opened
    opened.lock()


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


def test_in_the_demonstration_the_practice_card_is_one_click_away(tmp_path: Path) -> None:
    demo = DemoInfo(
        vault=tmp_path, passphrase="", portal_url="", portal_user="", portal_password="", card_text=a_card()
    )
    made = an_open_vault(tmp_path)
    made.lock()
    session = unlock(replace(made.app, demo=demo), made.folder, PASSPHRASE)

    async def look() -> None:
        async with screens(session, "/share/add") as app:
            await app.click("card-demo")
            await app.click("card-check")
            await app.wait_text("Van wie is dit kaartje?")

    run(look())
    session.lock()
