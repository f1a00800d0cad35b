"""Several people in one app: who is open shows everywhere, and nothing of one shows in another."""

from __future__ import annotations

import asyncio
from pathlib import Path

import flet as ft
import pytest

from pgo.ui.files import pick_file
from pgo.ui.state import AppState
from pgo.usecases.collect import collect
from pgo.usecases.people import change_face
from pgo.usecases.session import Application
from pgo.usecases.settings import Settings, save_settings
from pgo.usecases.unlock import create_vault, unlock, vaults
from tests.support.applications import PASSPHRASE, an_application
from tests.support.headless import Headless, run
from tests.support.screens import locked_frame, open_frame
from tests.support.vaults import a_bundle, a_condition, a_patient

OTHER = "heel andere woorden kastanje"
MARK = "Zeldzame Wespenallergie"
ROUTES = ("/", "/profile", "/medication", "/measurements", "/timeline", "/check", "/share", "/settings")


@pytest.fixture
def two(tmp_path: Path) -> Application:
    """Oma has a record and large letters; Kind has nothing."""
    application = an_application(tmp_path)
    oma = create_vault(application, tmp_path / "Oma", PASSPHRASE).session
    collect(
        oma, a_bundle(a_patient(name="Wilhelmina Voorbeeld"), a_condition("c1", text=MARK)), name="a.json"
    )
    change_face(oma, name="Oma Mien", initial="om", colour="violet")
    save_settings(oma, Settings(text_scale=1.5, auto_lock_minutes=15))
    oma.lock()
    create_vault(application, tmp_path / "Kind", OTHER).session.lock()
    return application


async def opens(app: Headless, state: AppState, name: str, passphrase: str) -> None:
    await app.click(f"vault-{name}")
    await app.type("passphrase", passphrase)
    await app.click("unlock")
    await app.wait(lambda: state.unlocked, "it did not open", 15)
    await app.wait(lambda: app.has_key("who"), "nobody says who is open", 15)


def test_who_is_open_stands_on_every_screen_and_leads_to_the_settings_about_it(two: Application) -> None:
    async def go() -> None:
        async with locked_frame(two) as (app, state, _):
            await opens(app, state, "Oma Mien", PASSPHRASE)
            for route in ROUTES:
                app.page.navigate(route)
                await app.settle(40)
                assert app.has_text("Oma Mien"), route
            await app.click("who")
            await app.wait_text("Iemand anders")
            assert app.page.route == "/settings/person"

    run(go())


def test_nothing_of_one_person_is_there_for_the_next(two: Application) -> None:
    async def go() -> None:
        async with locked_frame(two) as (app, state, _):
            await opens(app, state, "Oma Mien", PASSPHRASE)
            app.page.navigate("/profile")
            await app.wait(lambda: app.page.route == "/profile", "the profile was not reached")
            await app.wait_text(MARK)
            state.failure, state.status = f"{MARK} mislukt", f"{MARK} bewaard"
            state.say(MARK)
            first = state.session
            await app.click("lock")
            await app.wait(lambda: first.closed, "the first vault stayed open")
            await app.wait_text("Welke kluis")
            assert not app.has_text(MARK)
            await app.wait(lambda: app.page.route == "/", "the address still says what was open")
            before = len(app.conn.sent)
            await opens(app, state, "Kind", OTHER)
            assert state.session.folder.name == "Kind"
            assert (state.prefs.text_scale, state.prefs.auto_lock_minutes) == (1.0, 5)
            for route in ROUTES:
                app.page.navigate(route)
                await app.settle(60)
                assert not app.has_text(MARK), route
                assert not app.has_text("Wilhelmina"), route
                assert not app.has_text("Oma Mien"), route
            after = repr([message.body for message in app.conn.sent[before:]])
            assert MARK not in after
            assert "Wilhelmina" not in after

    run(go())


def test_a_file_picked_for_one_person_never_arrives_in_the_vault_of_the_next(two: Application) -> None:
    async def go() -> None:
        async with locked_frame(two) as (app, state, _):
            await opens(app, state, "Oma Mien", PASSPHRASE)
            picking: asyncio.Future[list[ft.FilePickerFile]] = asyncio.get_running_loop().create_future()

            class SlowPicker:
                """A dialog that stays open while the vault is locked."""

                async def pick_files(self, *, allow_multiple: bool) -> list[ft.FilePickerFile]:
                    return await picking

            picked = asyncio.ensure_future(pick_file(SlowPicker(), state))  # type: ignore[arg-type]
            await app.settle()
            await app.click("lock")
            await app.wait_text("Welke kluis")
            await opens(app, state, "Kind", OTHER)
            picking.set_result([ft.FilePickerFile(id=1, name="a.json", size=2, bytes=b"{}")])
            assert await picked is None

    run(go())


def test_a_session_remembers_nothing_for_the_next(two: Application) -> None:
    first = unlock(two, two.vaults / "Oma", PASSPHRASE)
    assert first.remembered("words", 1, lambda: MARK) == MARK
    first.lock()
    second = unlock(two, two.vaults / "Kind", OTHER)
    assert second.remembered("words", 1, lambda: "other") == "other"
    assert second.store.identity_seed() != b""
    second.lock()


def test_no_log_says_who_or_what(two: Application, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "pgo")

    async def go() -> None:
        async with locked_frame(two) as (app, state, _):
            await opens(app, state, "Oma Mien", PASSPHRASE)
            app.page.navigate("/profile")
            await app.wait(lambda: app.page.route == "/profile", "the profile was not reached")
            await app.wait_text(MARK)
            await app.click("lock")
            await app.wait_text("Welke kluis")

    run(go())
    for word in (MARK, "Wilhelmina", "Oma", PASSPHRASE):
        assert word not in caplog.text


def test_switching_locks_first(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/settings/person") as frame:
            await frame.app.wait_text("Iemand anders")
            await frame.app.click("switch-person")
            await frame.app.wait(lambda: frame.session.closed, "the vault stayed open")
            await frame.app.wait_text("Proef openen")

    run(go())


def test_a_new_name_and_colour_show_at_once_and_before_opening(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/settings/person") as frame:
            await frame.app.wait_text("Naam en kleur")
            await frame.app.type("person-name", "   ")
            await frame.app.click("person-save")
            await frame.app.wait_text("Kies een naam van 1 tot 40")
            await frame.app.type("person-name", "Sanne")
            await frame.app.type("person-initial", "s")
            await frame.app.click("colour-rose")
            await frame.app.click("person-save")
            await frame.app.wait_text("Bewaard")
            await frame.app.click("lock")
            await frame.app.wait_text("Sanne openen")
            place = vaults(frame.session.app)[0]
            assert (place.name, place.face.initial, place.face.colour) == ("Sanne", "S", "rose")

    run(go())


def test_off_the_list_and_back(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/settings/person") as frame:
            await frame.app.wait_text("Uit de lijst")
            await frame.app.click("hide-vault")
            await frame.app.wait_text("staat niet meer in de lijst")
            assert not frame.app.has_key("vault-Proef")
            await frame.app.click("hidden-vaults")
            await frame.app.click("vault-Proef")
            await frame.app.wait_text("Proef openen")
            assert [place.name for place in vaults(frame.session.app)] == ["Proef"]

    run(go())


def test_deleting_needs_the_name_and_leaves_nothing(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/settings/person") as frame:
            await frame.app.wait_text("Deze kluis verwijderen")
            await frame.app.click("delete-vault")
            await frame.app.type("delete-name", "Proe")
            await frame.app.click("delete-do")
            await frame.app.wait_text("niet de naam")
            assert not frame.session.closed
            await frame.app.type("delete-name", "proef")
            await frame.app.click("delete-do")
            await frame.app.wait_text("De kluis is verwijderd")
            assert not frame.state.unlocked

    run(go())
    assert not [path for path in tmp_path.rglob("*") if path.is_dir()]
    assert not list(tmp_path.rglob("store-*"))
