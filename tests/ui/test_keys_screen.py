"""Settings, who can get in: every way in is changed on the real screen and then really works."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import flet as ft

from crypto.passphrase import Price
from pgo.usecases.session import Application
from pgo.usecases.unlock import create_vault, unlock
from tests.support.applications import CHEAP, PASSPHRASE, an_application
from tests.support.headless import Headless, run
from tests.support.keyrings import InMemory, keeper
from tests.support.screens import locked_frame

OTHER = "heel andere woorden kastanje"


@asynccontextmanager
async def keys_screen(application: Application) -> AsyncIterator[Headless]:
    made = create_vault(application, application.vaults / "Proef", PASSPHRASE)
    async with locked_frame(application, width=390) as (app, state, _):
        state.opened(made.session)
        await app.settle(40)
        app.page.navigate("/settings/keys")
        await app.wait_text("Openen met deze computer", 15)
        yield app
        assert not app.conn.crashes


def test_it_says_what_a_guess_costs(tmp_path: Path) -> None:
    application = replace(an_application(tmp_path), calibrate=lambda: Price(CHEAP, 0.74))

    async def go() -> None:
        async with keys_screen(application) as app:
            assert app.has_text("64 MB geheugen en ongeveer 0,7 seconden")

    run(go())


def test_a_new_passphrase_is_typed_twice_and_opens(tmp_path: Path) -> None:
    application = an_application(tmp_path)

    async def go() -> None:
        async with keys_screen(application) as app:
            await app.click("change-passphrase")
            await app.type("new-passphrase", OTHER)
            await app.type("new-passphrase-again", PASSPHRASE)
            await app.click("save-passphrase")
            await app.wait_text("niet gelijk")
            await app.type("new-passphrase-again", OTHER)
            await app.click("save-passphrase")
            await app.wait_text("nieuwe wachtzin werkt", 15)

    run(go())
    unlock(application, tmp_path / "Proef", OTHER).lock()


def test_the_key_ring_asks_first_opens_then_and_is_off_again(tmp_path: Path) -> None:
    ring = InMemory()
    application = replace(an_application(tmp_path), keyring=keeper(ring))

    async def go() -> None:
        async with keys_screen(application) as app:
            assert app.has_text("Uit")
            await app.click("keyring")
            await app.wait_text("alleen van u")
            assert ring.kept == {}
            await app.click("dialog-yes")
            await app.wait_text("Aan: deze computer", 15)
            await app.click("lock")
            await app.wait_text("Proef openen")
            await app.click("unlock-keyring")
            await app.wait(lambda: app.has_key("who"), "it did not open", 15)
            app.page.navigate("/settings/keys")
            await app.wait_text("Aan: deze computer", 15)
            await app.click("keyring")
            await app.wait_text("Alleen uw wachtzin", 15)
            assert ring.kept == {}
            await app.click("lock")
            await app.wait_text("Proef openen")
            assert not app.has_key("unlock-keyring")

    run(go())


def test_a_computer_without_a_key_ring_says_so_and_stays_off(tmp_path: Path) -> None:
    async def go() -> None:
        async with keys_screen(an_application(tmp_path)) as app:
            await app.click("keyring")
            await app.click("dialog-yes")
            await app.wait_text("geen sleutelbos")
            assert app.has_text("Uit")

    run(go())


def test_a_new_vault_key_shows_a_new_code_and_the_vault_goes_on(tmp_path: Path) -> None:
    application = an_application(tmp_path)

    async def go() -> None:
        async with keys_screen(application) as app:
            await app.click("renew-key")
            await app.type("renew-passphrase", OTHER)
            await app.click("renew-start")
            await app.wait_text("opent deze kluis niet", 15)
            await app.type("renew-passphrase", PASSPHRASE)
            await app.click("renew-start")
            await app.wait_text("Uw herstelcode", 20)
            row = app.by_key("recovery-code", ft.Row)
            code = "-".join(box.content.value for box in row.controls)
            await app.click("written")
            await app.type("recovery-typed", code)
            await app.click("confirm")
            await app.wait_text("De nieuwe herstelcode werkt", 15)
            await app.wait_text("U typte deze code over", 15)
            app.page.navigate("/")
            await app.wait_text("Uw kluis is nog leeg", 15)

    run(go())
    assert [path.name for path in (tmp_path / "Proef").glob("store-*.db")] == ["store-2.db"]
