"""The journal on the screen: lines, filters, search, paging, the check and the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pgo.health.medication.entry import MedicationForm
from pgo.store.journal import Event
from pgo.usecases.journal import check_journal_file
from pgo.usecases.medicate import save_medication
from tests.support.headless import run
from tests.support.screens import Frame, open_frame


def texts_with(frame: Frame, part: str) -> int:
    return sum(part in text for text in frame.app.texts())


def test_lines_can_be_filtered_and_searched(tmp_path: Path) -> None:
    async def look() -> None:
        async with open_frame(tmp_path, route="/settings/journal", width=390) as frame:
            save_medication(frame.session, MedicationForm(name="Paracetamol", start="2026-01-01"))
            app = frame.app
            await app.wait_text("Opgeslagen: Paracetamol")
            assert app.has_text("Kluis gemaakt")
            await app.click("tab-access")
            await app.wait_gone("Opgeslagen: Paracetamol")
            await app.click("journal-clear")
            await app.wait_text("Opgeslagen: Paracetamol")
            await app.type("journal-search", "kluis gem")
            await app.wait_gone("Opgeslagen: Paracetamol")
            await app.type("journal-search", "niets van dit")
            await app.wait_text("Geen regels gevonden")

    run(look())


def test_a_long_journal_comes_in_pages(tmp_path: Path) -> None:
    async def look() -> None:
        async with open_frame(tmp_path, route="/settings/journal") as frame:
            store, at = frame.session.store, frame.session.now()
            with store.write(at):
                for _ in range(119):
                    store.journal.add(Event.OBJECTION_SIGNED, at=at)
            frame.session.changed()
            app = frame.app
            await app.wait_text("Regel 1 tot en met 50 van 120")
            await app.click("journal-older")
            await app.wait_text("Regel 51 tot en met 100 van 120")
            await app.click("journal-older")
            await app.wait_text("Regel 101 tot en met 120 van 120")
            assert app.has_text("Kluis gemaakt")
            await app.click("journal-newer")
            await app.wait_text("Regel 51 tot en met 100 van 120")

    run(look())


def test_the_check_names_what_is_wrong_and_the_file_can_be_checked(tmp_path: Path) -> None:
    saved: list[dict[str, Any]] = []

    async def look() -> None:
        results = {"save_file": lambda args: saved.append(args)}
        async with open_frame(tmp_path, route="/settings/journal", results=results) as frame:
            app = frame.app
            await app.click("journal-check")
            await app.wait_text("Het logboek klopt: 1 regel.")
            await app.click("journal-save")
            await app.wait_text("Het logboek staat klaar")
            assert check_journal_file(frame.session, saved[0]["src_bytes"]).findings == ()
            engine = frame.session.store.journal._engine
            engine.run("DROP TRIGGER journal_no_update")
            engine.run("UPDATE journal SET link = 'sha256:' || hex(zeroblob(32)) WHERE position = 0")
            await app.click("journal-check")
            await app.wait_text("Regel 1 is veranderd.")

    run(look())
