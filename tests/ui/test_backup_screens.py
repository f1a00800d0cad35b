"""Backups on the screen: make, see where and how old, plan, check, remove; put back from the start screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import flet as ft
import pytest

from pgo.ui.backup import places as places_part
from pgo.usecases.backup import backups, make_backup
from pgo.usecases.backup_places import Place, on_same_disk, places
from pgo.usecases.backup_plan import plan_of
from pgo.usecases.backup_restore import Secret, restore
from pgo.usecases.collect import collect
from pgo.usecases.recipients import add_recipient
from pgo.usecases.unlock import vaults
from sync.errors import Unreachable
from tests.support.applications import PASSPHRASE, an_application
from tests.support.headless import Headless, run
from tests.support.screens import locked_frame, open_frame
from tests.support.sharing import a_card, a_record


@pytest.fixture(autouse=True)
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One drive that is plugged in, whatever the machine of the test has."""
    drive = tmp_path / "media" / "STICK"
    drive.mkdir(parents=True)
    offered = places(tmp_path / "nobody", (drive.parent,))
    assert offered == (Place(drive / "pgo-backups", "drive", "STICK"),)
    monkeypatch.setattr(places_part, "places", lambda: offered)
    return drive / "pgo-backups"


async def choose(app: Headless, key: str, value: str) -> None:
    """Choose an option of a radio group by the key of the group."""
    (group,) = [one for one in _children(app.by_key(key)) if isinstance(one, ft.RadioGroup)]
    await app.choose(group, "change", value=value)
    await app.settle(20)


def _children(control: object) -> list[object]:
    found: list[object] = []
    content = getattr(control, "content", None)
    for child in [content, *(getattr(control, "controls", None) or [])]:
        if child is not None:
            found += [child, *_children(child)]
    return found


def test_a_backup_is_made_shown_proved_and_removed(tmp_path: Path, stick: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path / "vaults", route="/settings/backup") as frame:
            app = frame.app
            await app.wait_text("U heeft nog geen reservekopie")
            await app.click("backup-make")
            await app.wait_text("Kies eerst een plek")
            await choose(app, "make-place", str(stick))
            await app.click("backup-make")
            await app.wait_text("teruggelezen en heel bevonden")
            await app.wait_text("Alles van nu staat erin")
            (made,) = backups(frame.session)
            assert made.path.parent == stick
            assert app.has_text(str(made.path))
            await app.click(f"backup-prove-{made.id}")
            await app.wait_text("Nagekeken: deze reservekopie is heel")
            await app.click(f"backup-remove-{made.id}")
            await app.click("dialog-yes")
            await app.wait_text("U heeft nog geen reservekopie")
            assert list(stick.iterdir()) == []
            assert not app.conn.crashes

    run(go())


def test_a_damaged_backup_is_called_so_and_a_missing_one_too(tmp_path: Path, stick: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path / "vaults") as frame:
            made = make_backup(frame.session, stick)
            app = frame.app
            app.page.navigate("/settings/backup")
            await app.wait_text("Alles van nu staat erin")
            data = bytearray(made.path.read_bytes())
            data[len(data) // 2] ^= 1
            made.path.write_bytes(data)
            await app.click(f"backup-prove-{made.id}")
            await app.wait_text("Deze reservekopie is beschadigd")
            made.path.unlink()
            frame.state.changed()
            await app.wait_text("op een plek die nu niet bereikbaar is")
            assert not app.conn.crashes

    run(go())


def test_a_plan_is_saved_and_needs_a_place(tmp_path: Path, stick: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path / "vaults", route="/settings/backup") as frame:
            app = frame.app
            await app.wait_text("Vanzelf een reservekopie")
            await choose(app, "plan-every", "week")
            await app.click("plan-save")
            await app.wait_text("Kies eerst een plek")
            await choose(app, "plan-place", str(stick))
            await choose(app, "plan-keep", "3")
            await app.click("plan-save")
            await app.wait_text("vanaf nu zelf reservekopieën")
            plan = plan_of(frame.session)
            assert (plan.every, plan.keep, plan.folder) == ("week", 3, str(stick))
            assert not app.conn.crashes

    run(go())


def test_a_lost_vault_is_put_back_from_the_start_screen(tmp_path: Path, stick: Path) -> None:
    application = an_application(tmp_path / "new")

    async def make() -> None:
        async with open_frame(tmp_path / "old") as frame:
            collect(frame.session, a_record(), name="dossier.json")
            make_backup(frame.session, stick)

    async def put_back() -> None:
        async with locked_frame(application) as (app, state, _):
            await app.click("to-restore")
            await app.settle(20)
            await choose(app, "restore-place", str(stick))
            await app.click("restore-look")
            await app.wait_text("Welke reservekopie?")
            await app.type("restore-name", "Van mij")
            await app.type("restore-secret", "vier andere woorden hier")
            await app.click("restore-do")
            await app.wait_text("Deze wachtzin opent deze kluis niet")
            assert vaults(application) == ()
            await app.type("restore-secret", PASSPHRASE)
            await app.click("restore-do")
            await app.wait(lambda: app.has_key("unlock"), "the vault is offered for unlocking")
            await app.type("passphrase", PASSPHRASE)
            await app.click("unlock")
            await app.wait(lambda: state.unlocked, "open")
            await app.settle(40)
            app.page.navigate("/settings/backup")
            await app.wait_text("Deze kluis is teruggezet")
            assert not app.conn.crashes

    run(make())
    run(put_back())


def test_an_existing_vault_is_only_replaced_when_the_person_insists(tmp_path: Path, stick: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path / "vaults") as frame:
            make_backup(frame.session, stick)
            collect(frame.session, a_record(), name="dossier.json")
            folder = frame.session.folder
            await frame.state.lock()
            app = frame.app
            await app.wait(lambda: app.has_key("to-restore"), "the start screen")
            await app.click("to-restore")
            await app.settle(20)
            await choose(app, "restore-place", str(stick))
            await app.click("restore-look")
            await app.wait_text("Deze kluis staat al op dit apparaat")
            await app.type("restore-secret", PASSPHRASE)
            await app.click("restore-do")
            await app.wait_text("is nieuwer")
            assert not list(folder.glob("*.before-*"))
            (box,) = app.of_kind(ft.Checkbox)
            await app.choose(box, "change", value=True)
            await app.settle(20)
            await app.click("restore-do")
            await app.wait(lambda: app.has_key("unlock"), "the vault is offered for unlocking")
            assert len(list(folder.glob("*.before-*"))) == 1
            assert not app.conn.crashes

    run(go())


def test_the_overview_reminds_and_the_settings_row_shows_how_it_stands(tmp_path: Path, stick: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path / "vaults", route="/settings") as frame:
            app = frame.app
            await app.wait_text("Nog geen")
            make_backup(frame.session, stick)
            await app.wait_text("Van vandaag")
            collect(frame.session, a_record(), name="dossier.json")
            for path in stick.iterdir():
                path.unlink()
            app.page.navigate("/")
            await app.wait_text("Uw reservekopie is nu niet bereikbaar")
            await app.click("to-backup")
            await app.wait_text("op een plek die nu niet bereikbaar is")
            assert not app.conn.crashes

    run(go())


def test_the_old_vault_stays_until_the_person_says_so(tmp_path: Path, stick: Path) -> None:
    application = an_application(tmp_path / "vaults")

    async def go() -> None:
        async with open_frame(tmp_path / "vaults") as frame:
            made = make_backup(frame.session, stick)
            folder = frame.session.folder
        restore(application, made.path, folder, Secret(PASSPHRASE), accept_older=True)
        async with locked_frame(application) as (app, state, _):
            await app.type("passphrase", PASSPHRASE)
            await app.click("unlock")
            await app.wait(lambda: state.unlocked, "open")
            await app.settle(40)
            app.page.navigate("/settings/backup")
            await app.wait_text("De kluis van vóór het terugzetten")
            await app.click("kept-forget")
            await app.click("dialog-yes")
            await app.wait_gone("De kluis van vóór het terugzetten")
            assert [path.name for path in folder.glob("store-*.db")] == ["store-1-r1.db"]
            assert not app.conn.crashes

    run(go())


def test_one_disk_for_both_is_said(tmp_path: Path) -> None:
    assert on_same_disk(tmp_path / "not" / "there", tmp_path)
    assert places(tmp_path, (tmp_path / "nothing",)) == ()
    (tmp_path / "Documents").mkdir()
    assert places(tmp_path, ())[0].kind == "documents"


def test_the_screens_say_for_whom_a_restored_vault_waits_and_why(tmp_path: Path, stick: Path) -> None:
    application = an_application(tmp_path / "new")

    class Nobody:
        def send(self, card: object, path: str, body: bytes) -> bytes:
            raise Unreachable

    online = replace(application, open_transport=Nobody)

    async def make() -> None:
        async with open_frame(tmp_path / "old") as frame:
            add_recipient(frame.session, a_card())
            collect(frame.session, a_record(), name="dossier.json")
            restore_from = make_backup(frame.session, stick).path
        restore(online, restore_from, tmp_path / "new" / "Terug", Secret(PASSPHRASE))

    async def look() -> None:
        async with locked_frame(online) as (app, state, _):
            await app.type("passphrase", PASSPHRASE)
            await app.click("unlock")
            await app.wait(lambda: state.unlocked, "open")
            await app.wait_text("Er gaat nog niets naar: Oefenkliniek De Linde")
            app.page.navigate("/share")
            await app.wait_text("Naar Oefenkliniek De Linde gaat nog niets")
            app.page.navigate("/settings/backup")
            await app.wait(lambda: app.has_key("after-ask"), "the card about the restore")
            await app.click("after-ask")
            await app.wait_text("Nu niet bereikbaar")
            assert not app.conn.crashes

    run(make())
    run(look())
