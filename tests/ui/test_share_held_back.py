"""What holds sending back, on the screens: a changed check code, a costly connection; and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import flet as ft
import pytest

from crypto.keys import SigningKey
from pgo.usecases import holding, share
from pgo.usecases.renewals import other_keys
from pgo.usecases.session import Session
from pgo.usecases.unlock import unlock
from tests.support.applications import PASSPHRASE
from tests.support.headless import run
from tests.support.sharing import CLINIC_ID, CLINIC_NAME, a_card, an_open_vault
from tests.support.sharing_screens import screens, with_share


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = an_open_vault(tmp_path)
    yield opened
    opened.lock()


def _shows_another_key(session: Session) -> str:
    key = SigningKey.generate()
    with session.store.write(session.now()):
        session.store.recipients.lay_before(CLINIC_ID, a_card(key), at=session.now())
    return key.public.fingerprint()


def test_both_codes_are_shown_and_yes_takes_the_new_one(session: Session) -> None:
    with_share(session)
    known, shown = share.recipient(session, CLINIC_ID).fingerprint, _shows_another_key(session)

    async def compare() -> None:
        async with screens(session, "/share") as app:
            await app.wait_text(f"De controlecode van {CLINIC_NAME} is veranderd")
            texts = app.texts()
            assert all(group in texts for code in (known, shown) for group in code.split())
            await app.click(f"other-key-same-{CLINIC_ID}")
            await app.wait_gone("De code van nu")

    run(compare())
    assert share.recipient(session, CLINIC_ID).fingerprint == shown


def test_the_share_itself_says_what_it_waits_for(session: Session) -> None:
    grant_id = with_share(session)
    _shows_another_key(session)

    async def look() -> None:
        async with screens(session, f"/share/{grant_id}") as app:
            await app.wait_text("De app verstuurt geen gegevens totdat u bij Delen de code hebt vergeleken")
            assert not app.has_text("U hoeft niets te doen")

    run(look())


def test_no_keeps_the_known_one(session: Session) -> None:
    with_share(session)
    known = share.recipient(session, CLINIC_ID).fingerprint
    _shows_another_key(session)

    async def compare() -> None:
        async with screens(session, "/share") as app:
            await app.wait_text("De code van nu")
            await app.click(f"other-key-not-{CLINIC_ID}")
            await app.wait_gone("De code van nu")

    run(compare())
    assert share.recipient(session, CLINIC_ID).fingerprint == known
    assert other_keys(session) == ()


def test_on_a_costly_connection_the_screen_says_that_it_waits(session: Session) -> None:
    with_share(session)
    session.lock()
    costly = unlock(replace(session.app, metered=lambda: True), session.folder, PASSPHRASE)

    async def look() -> None:
        async with screens(costly, "/share") as app:
            await app.wait_text("De app wacht met versturen")
            assert app.has_key("share-send-anyway")

    run(look())
    costly.lock()


def test_the_choice_to_wait_is_kept(session: Session) -> None:
    async def switch() -> None:
        async with screens(session, "/share") as app:
            await app.wait_text("Wachten met versturen als de verbinding geld kost")
            await app.choose(app.by_key("share-wait-on-metered", ft.Switch), "change", value=False)
            await app.wait(lambda: not holding.waits_on_metered(session), "still waits")

    assert holding.waits_on_metered(session)
    run(switch())


def test_a_large_share_shows_how_far_it_is(session: Session) -> None:
    grant_id = with_share(session)
    store = session.store
    with store.write(session.now()):
        store.recipients.set_to_send(CLINIC_ID, 2176)
        store._engine.run(
            "INSERT INTO delivered (recipient_id, record_id, sha256, message_id, refused, at)"
            " SELECT ?, id, 'sha256:0', 'm', '', '2026-01-01T00:00:00Z' FROM record LIMIT 3",
            (CLINIC_ID,),
        )

    async def look() -> None:
        async with screens(session, f"/share/{grant_id}") as app:
            await app.wait_text("3 van 2176 gegevens verstuurd")

    run(look())
