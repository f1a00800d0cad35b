"""Taking along on the screen: everything in one file, the paper, tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flet as ft

from pgo.health.medication.entry import MedicationForm
from pgo.store.journal import Event
from pgo.usecases.collect import collect
from pgo.usecases.export_import import is_archive
from pgo.usecases.medicate import save_medication
from tests.support.headless import run
from tests.support.screens import open_frame
from tests.support.vaults import a_bundle, a_condition, a_patient


def test_everything_is_made_with_progress_and_says_what_is_in_it(tmp_path: Path) -> None:
    saved: list[dict[str, Any]] = []

    async def look() -> None:
        results = {"save_file": saved.append}
        async with open_frame(tmp_path, route="/settings/export", width=390, results=results) as frame:
            collect(frame.session, a_bundle(a_patient(), a_condition("c1")), name="a.json")
            app = frame.app
            assert app.has_text("niet versleuteld")
            await app.click("export-all")
            await app.wait_text("Het bestand is klaar: 2 gegevens, 0 uit de prullenbak, 0 documenten.", 30)
            assert is_archive(saved[0]["src_bytes"])
            assert b"summary.pdf" in saved[0]["src_bytes"]
            assert saved[0]["file_name"].startswith("pgo-alles-")

    run(look())


def test_tables_are_saved_and_stand_in_the_journal(tmp_path: Path) -> None:
    saved: list[dict[str, Any]] = []

    async def look() -> None:
        results = {"save_file": saved.append}
        async with open_frame(tmp_path, route="/settings/export", results=results) as frame:
            save_medication(frame.session, MedicationForm(name="Paracetamol", start="2026-01-01"))
            app = frame.app
            await app.click("export-medication")
            await app.wait_text("Het bestand is klaar.")
            assert "Paracetamol" in saved[0]["src_bytes"].decode("utf-8")
            assert frame.session.store.journal.lines()[-1].event is Event.EXPORTED

    run(look())


def test_the_paper_is_chosen_part_by_part(tmp_path: Path) -> None:
    saved: list[dict[str, Any]] = []
    drinking = a_condition("c2", text="Alcoholafhankelijkheid")
    drinking["code"]["coding"] = [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F10.2"}]

    async def look() -> None:
        results = {"save_file": saved.append}
        async with open_frame(tmp_path, route="/settings/export", width=390, results=results) as frame:
            collect(frame.session, a_bundle(a_patient(), a_condition("c1"), drinking), name="a.json")
            app = frame.app
            await app.click("export-paper")
            await app.wait_text("Wat komt erop?")
            assert not app.by_key("paper-past_medication", ft.Checkbox).value
            assert not app.by_key("paper-sensitive-substance", ft.Checkbox).value
            await app.choose(app.by_key("paper-sensitive-substance", ft.Checkbox), "change", value=True)
            assert app.by_key("paper-sensitive-substance", ft.Checkbox).value
            await app.click("paper-make")
            await app.wait_text("Het bestand is klaar.")
            assert saved[0]["src_bytes"].startswith(b"%PDF-")
            assert saved[0]["file_name"].endswith(".pdf")

    run(look())
