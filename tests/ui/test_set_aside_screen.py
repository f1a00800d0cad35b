"""What could not be read has a screen; documents are saved and never opened; reading can be stopped."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from pgo.store.quarantine import Quarantined
from pgo.usecases.collect import collect
from pgo.usecases.intake_process import ReaderProcess
from pgo.usecases.read import timeline
from pgo.usecases.session import Session
from tests.support.headless import run
from tests.support.screens import open_frame
from tests.support.vaults import a_bundle, a_patient
from tests.ui.test_collect_screen import Browser
from tests.ui.test_collect_screen import collect as pick
from tests.unit.pgo.health.test_documents import cda

R5 = json.dumps({"resourceType": "Encounter", "status": "planned", "class": [{"text": "x"}]}).encode()


def set_aside_by_an_older_app(session: Session) -> None:
    body = {"resourceType": "Condition", "id": "s", "code": {"text": "Hoofdpijn"}, "assertedDate": "2017"}
    raw = json.dumps({**body, "subject": {"reference": "Patient/p1"}}).encode()
    with session.store.write(session.now()):
        source = session.store.records.add_source(
            "oud.json", sha256="x", kind="file", size_bytes=1, at=session.now()
        )
        session.store.quarantine.add(
            source, [Quarantined("entry 4", "Condition", "s", "wrong_version_stu3", "", raw)]
        )


def test_what_waits_is_tried_again_saved_and_thrown_away(tmp_path: Path) -> None:
    saved: list[dict[str, Any]] = []

    async def go() -> None:
        async with open_frame(
            tmp_path, route="/collect", width=390, results={"save_file": saved.append}
        ) as frame:
            app, session = frame.app, frame.session
            collect(session, a_bundle(a_patient()), name="ik.json")
            collect(session, R5, name="nieuw.json")
            set_aside_by_an_older_app(session)
            frame.state.changed()
            await app.wait_text("2 gegevens uit uw bestanden liggen opzij")
            await app.click("set-aside")
            await app.wait_text("nieuw.json")
            assert app.has_text("Condition · nummer 4")
            assert app.has_text("het hele bestand")
            await app.click("retry")
            await app.wait_text("Gelukt: 1 gegeven staat nu in uw kluis.")
            await app.wait_gone("oud.json")
            (left,) = session.store.quarantine.waiting()
            await app.click(f"save-{left.id}")
            await app.wait(lambda: bool(saved), "a saved file")
            assert saved[0]["src_bytes"] == R5
            await app.click(f"drop-{left.id}")
            await app.click(f"drop-no-{left.id}")
            await app.click(f"drop-{left.id}")
            await app.click(f"drop-yes-{left.id}")
            await app.wait_text("Er ligt niets opzij")
            assert not app.conn.crashes

    run(go())


def test_a_try_that_brings_nothing_says_so(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/set-aside") as frame:
            collect(frame.session, R5, name="nieuw.json")
            frame.state.changed()
            await frame.app.wait_text("nieuw.json")
            await frame.app.click("retry")
            await frame.app.wait_text("Het lukt nog niet. Alles ligt er nog.")

    run(go())


def test_a_document_is_saved_from_its_record(tmp_path: Path) -> None:
    saved: list[dict[str, Any]] = []

    async def go() -> None:
        async with open_frame(tmp_path, route="/collect", results={"save_file": saved.append}) as frame:
            collect(frame.session, b"%PDF-1.7 brief", name="brief.pdf")
            (row,) = timeline(frame.session).rows
            frame.app.page.navigate(f"/record/{row.id}")
            await frame.app.wait_text("Bewaar als bestand")
            assert frame.app.has_text("pdf")
            await frame.app.click("document-save")
            await frame.app.wait(lambda: bool(saved), "a saved file")
            assert saved[0]["src_bytes"] == b"%PDF-1.7 brief"
            assert saved[0]["file_name"] == f"document-{row.id}.pdf"

    run(go())


def test_the_words_of_a_cda_document_are_shown_as_words(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/collect", width=390) as frame:
            collect(frame.session, cda(), name="brief.xml", accept_person=True)
            (row,) = timeline(frame.session).rows
            frame.app.page.navigate(f"/record/{row.id}")
            await frame.app.wait_text("Pinda | ernstig <b>")
            assert frame.app.has_text("Allergie")
            assert not frame.app.has_text("onclick")

    run(go())


def test_reading_can_be_stopped_and_nothing_has_changed(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/collect") as frame:
            frame.session._reader = ReaderProcess(command=("-c", "import time; time.sleep(600)"))
            changes = frame.session.store.changes()
            reading = asyncio.ensure_future(pick(frame, Browser("groot.json", a_bundle(a_patient()))))
            await frame.app.wait(lambda: frame.app.has_key("stop"), "a way to stop")
            await frame.app.click("stop")
            await reading
            await frame.app.wait(lambda: frame.app.has_key("pick"), "the first screen again")
            assert not frame.app.has_text("niet overgenomen")
            assert frame.session.store.changes() == changes

    run(go())
