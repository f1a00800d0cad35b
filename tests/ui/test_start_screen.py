"""Making, opening and recovering a vault, on the real screens and real vaults."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import flet as ft
import pytest

from pgo.usecases.session import DemoInfo
from pgo.usecases.unlock import create_vault, unlock
from tests.support.applications import PASSPHRASE, an_application
from tests.support.headless import Headless, run
from tests.support.screens import locked_frame

OTHER = "heel andere woorden kastanje"


def shown_code(app: Headless) -> str:
    row = app.by_key("recovery-code", ft.Row)
    return "-".join(box.content.value for box in row.controls)


async def make_vault(app: Headless) -> str:
    """Walk through making a vault up to the code."""
    await app.click("create-vault")
    await app.type("passphrase", PASSPHRASE)
    await app.type("passphrase-again", PASSPHRASE)
    await app.click("make")
    await app.wait_text("Uw herstelcode", 15)
    return shown_code(app)


def test_a_new_vault_shows_its_code_once_and_opens_when_it_was_typed_back(tmp_path: Path) -> None:
    async def go() -> None:
        async with locked_frame(an_application(tmp_path), width=390) as (app, state, _):
            code = await make_vault(app)
            assert len(code) == 8 * 4 + 7
            await app.click("written")
            assert not app.has_text(code[:4]), "the code must not stand beside the field it is typed into"
            await app.type("recovery-typed", code.replace("-", " ").lower())
            await app.click("confirm")
            await app.wait_text("Uw kluis is nog leeg", 15)
            assert state.unlocked
            assert not app.has_key("to-recovery"), "it was typed back, so nothing reminds of it"
            assert not app.conn.crashes

    run(go())


def test_a_code_typed_wrong_does_not_pass(tmp_path: Path) -> None:
    async def go() -> None:
        async with locked_frame(an_application(tmp_path)) as (app, state, _):
            code = await make_vault(app)
            await app.click("written")
            await app.type("recovery-typed", ("Z" if code[0] != "Z" else "Y") + code[1:])
            await app.click("confirm")
            await app.wait_text("niet de code")
            assert not state.unlocked

    run(go())


def test_closing_the_window_while_the_code_is_shown_locks_the_vault(tmp_path: Path) -> None:
    application = an_application(tmp_path)

    async def go() -> None:
        async with locked_frame(application) as (app, _, windows):
            await make_vault(app)
            await windows.end()

    run(go())
    unlock(application, tmp_path / "Mijn gezondheid", PASSPHRASE).lock()  # VaultBusy if it were still open


@pytest.mark.parametrize(
    ("first", "again", "sentence"),
    [
        ("", "", "Typ uw wachtzin"),
        (PASSPHRASE, OTHER, "niet gelijk"),
        ("welkom01", "welkom01", "te makkelijk te raden"),
    ],
)
def test_a_passphrase_that_will_not_do_is_explained(
    tmp_path: Path, first: str, again: str, sentence: str
) -> None:
    async def go() -> None:
        async with locked_frame(an_application(tmp_path)) as (app, _, _windows):
            await app.click("create-vault")
            await app.type("passphrase", first)
            await app.type("passphrase-again", again)
            await app.click("make")
            await app.wait_text(sentence)

    run(go())
    assert not list(tmp_path.glob("*/*.db")), "nothing was made"


def test_the_meter_is_honest(tmp_path: Path) -> None:
    async def go() -> None:
        async with locked_frame(an_application(tmp_path)) as (app, _, _windows):
            await app.click("create-vault")
            for typed, word in (
                ("Welkom01!", "Te kort"),
                ("aaaaaaaaaaaaaaaa", "Heel zwak"),
                (PASSPHRASE, "terk"),
            ):
                await app.type("passphrase", typed)
                await app.wait_text(word)

    run(go())


def test_a_wrong_passphrase_says_so_and_changes_nothing(tmp_path: Path) -> None:
    application = an_application(tmp_path)
    create_vault(application, tmp_path / "Proef", PASSPHRASE).session.lock()
    before = {path: path.read_bytes() for path in (tmp_path / "Proef").iterdir() if path.is_file()}

    async def go() -> None:
        async with locked_frame(application) as (app, state, _):
            await app.type("passphrase", OTHER)
            await app.click("unlock")
            await app.wait_text("opent deze kluis niet", 15)
            assert not state.unlocked
            assert {path: path.read_bytes() for path in before} == before
            await app.type("passphrase", PASSPHRASE)
            await app.fire(
                app.by_key("passphrase", ft.TextField), "submit"
            )  # Enter does what the button does
            await app.wait_text("Uw kluis is nog leeg", 15)

    run(go())


def test_the_recovery_code_opens_and_is_replaced(tmp_path: Path) -> None:
    application = an_application(tmp_path)
    made = create_vault(application, tmp_path / "Proef", PASSPHRASE)
    made.session.lock()

    async def go() -> None:
        async with locked_frame(application) as (app, state, _):
            await app.click("lost")
            await app.type("recovery-typed", made.recovery_code_text)
            await app.click("unlock")
            await app.wait_text("Kies een nieuwe wachtzin", 15)
            await app.type("passphrase", OTHER)
            await app.type("passphrase-again", "iets anders dan dat")
            await app.click("save-passphrase")
            await app.wait_text("niet gelijk")
            await app.type("passphrase-again", OTHER)
            await app.click("save-passphrase")
            await app.wait_text("Uw herstelcode", 15)
            assert shown_code(app) != made.recovery_code_text
            await app.click("later")
            await app.wait_text("Uw kluis is nog leeg", 15)
            assert app.has_key("to-recovery"), "not typed back: the overview reminds of it"
            assert state.unlocked

    run(go())
    unlock(application, tmp_path / "Proef", OTHER).lock()


def test_the_demonstration_opens_the_example_or_starts_empty(tmp_path: Path) -> None:
    application = an_application(tmp_path)
    create_vault(application, tmp_path / "Voorbeeld", PASSPHRASE).session.lock()
    demo = DemoInfo(tmp_path / "Voorbeeld", PASSPHRASE, "", "", "", "")

    async def go() -> None:
        async with locked_frame(dataclasses.replace(application, demo=demo)) as (app, state, _):
            assert app.has_key("create-vault")
            await app.click("open-example")
            await app.wait(lambda: state.unlocked, "the example never opened", 15)

    run(go())


def test_language_and_theme_can_be_chosen_before_unlocking(tmp_path: Path) -> None:
    application = an_application(tmp_path)

    async def go() -> None:
        async with locked_frame(application) as (app, _, _windows):
            await app.click("English")
            await app.wait_text("Make a new vault")
            await app.click("Dark")
            assert app.page.theme_mode == ft.ThemeMode.DARK
        async with locked_frame(application) as (app, _, _windows):
            assert app.has_text("Make a new vault"), "the choice was kept"

    run(go())


def test_a_choice_on_the_start_screen_goes_with_the_vault(tmp_path: Path) -> None:
    application = an_application(tmp_path)
    create_vault(application, tmp_path / "Proef", PASSPHRASE).session.lock()

    async def open_it(app: Headless) -> None:
        await app.type("passphrase", PASSPHRASE)
        await app.click("unlock")

    async def go() -> None:
        async with locked_frame(application) as (app, _, _windows):
            await app.click("English")
            await open_it(app)
            await app.wait_text("Your vault is still empty", 15)
        async with locked_frame(application) as (app, _, _windows):
            await open_it(app)
            await app.wait_text("Your vault is still empty", 15)

    run(go())


def test_the_code_does_not_stay_on_the_screen_when_nobody_is_there(tmp_path: Path) -> None:
    async def go() -> None:
        async with locked_frame(an_application(tmp_path)) as (app, state, _):
            code = await make_vault(app)
            assert state.holds_vault, "so the idle watch counts"
            await state.lock_idle()
            await app.settle(40)
            assert not app.has_text(code[:4])
            assert app.has_text("Vergrendeld omdat")
            assert not state.holds_vault

    run(go())
