"""The record screens on a real vault, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import flet as ft
import flet_charts as fch
import pytest

from pgo.ui.records.tokens import token_of
from pgo.usecases import medicate, read, unlock
from pgo.usecases.medicines import medicines
from pgo.usecases.session import Application, Session
from tests.support.applications import PASSPHRASE
from tests.support.headless import Headless, run
from tests.ui.records_app import (
    a_condition,
    a_measurement,
    a_medication,
    a_vault,
    an_allergy,
    many_measurements,
    opened,
    take_in,
)

Vault = tuple[Application, Session]


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    application, session = a_vault(tmp_path)
    yield application, session
    session.lock()


def row_named(session: Session, title: str) -> read.RecordRow:
    return next(row for row in read.timeline(session, query=title).rows if row.title == title)


def test_an_empty_profile_says_what_to_do_and_does_not_promise_no_allergies(vault: Vault) -> None:
    async def go() -> None:
        async with Headless(opened(*vault), route="/profile") as app:
            await app.wait_text("Uw dossier is nog leeg")
            assert app.has_text("niet zeker dat u er geen hebt")
            await app.click("allergy-add")
            await app.wait_text("Waarvoor bent u allergisch?")

    run(go())


def test_allergies_come_before_conditions_and_past_conditions_are_apart(vault: Vault) -> None:
    over = [a_condition(n, f"Griep {n}", "resolved") for n in range(2, 7)]
    take_in(vault[1], an_allergy(1, "Penicilline"), a_condition(1, "Astma"), *over)

    async def go() -> None:
        async with Headless(opened(*vault), route="/profile") as app:
            await app.wait_text("Let op: 1 allergie")
            texts = app.texts()
            assert texts.index("Penicilline") < texts.index("Astma")
            assert app.has_text("Testje Voorbeeld")
            assert app.has_text("2 april 1961")
            assert not app.has_text("Griep 2")
            await app.click("past-conditions")
            assert app.has_text("Griep 2")
            assert app.has_text("Voorbij")
            assert not app.conn.crashes

    run(go())


def test_a_typed_medication_appears_stops_and_moves_to_the_past(vault: Vault) -> None:
    async def go() -> None:
        async with Headless(opened(*vault), route="/medication") as app:
            await app.wait_text("Nog geen medicijnen")
            await app.click("medication-add")
            await app.wait_text("Naam van het medicijn")
            await app.type("field-name", "Paracetamol 500 mg")
            await app.type("field-start", "3-2024")
            await app.click("form-save")
            await app.wait_text("Gebruikt u nu")
            row = row_named(vault[1], "Paracetamol 500 mg")
            assert row.start == "2024-03"
            assert app.has_text("maart 2024")
            await app.click(f"stop-{row.id}")
            await app.click("stop-yes")
            await app.wait_text("Gebruikte u vroeger")
            assert row_named(vault[1], "Paracetamol 500 mg").status == "past"

    run(go())


def test_the_form_says_in_plain_words_what_is_wrong_and_saves_nothing(vault: Vault) -> None:
    async def go() -> None:
        async with Headless(opened(*vault), route="/medication/new") as app:
            await app.wait_text("Naam van het medicijn")
            await app.type("field-start", "31-2-2024")
            await app.click("form-save")
            assert app.has_text("Nog niet opgeslagen. Kijk bij: Naam van het medicijn, Sinds wanneer?")
            assert app.by_key("field-name", ft.TextField).error
            assert app.by_key("field-start", ft.TextField).error
            assert not app.by_key("field-end", ft.TextField).error
            await app.type("field-name", "Ibuprofen")
            assert not app.by_key("field-name", ft.TextField).error
        assert medicines(vault[1]).current == ()

    run(go())


def test_a_half_typed_form_survives_lock_and_unlock(vault: Vault) -> None:
    application, session = vault

    def kept_name() -> str:
        return (medicate.kept_form(session, "medication:new") or {}).get("name", "")

    async def half() -> None:
        async with Headless(opened(application, session), route="/medication/new") as app:
            await app.wait_text("Naam van het medicijn")
            await app.type("field-name", "Metfor")
            await app.type("field-name", "Metformine")
            await app.wait(lambda: kept_name() == "Metformine", "the last letters were never kept")

    async def rest(again: Session) -> None:
        async with Headless(opened(application, again), route="/medication/new") as app:
            await app.wait_text("Wat u typte, staat er nog")
            assert app.by_key("field-name", ft.TextField).value == "Metformine"
            await app.click("form-start-over")
            await app.wait_gone("Wat u typte")
            assert app.by_key("field-name", ft.TextField).value == ""

    run(half())
    session.lock()
    again = unlock.unlock(application, session.folder, PASSPHRASE)
    run(rest(again))
    assert medicate.kept_form(again, "medication:new") is None
    again.lock()


def test_a_medication_from_a_file_cannot_be_edited_but_an_own_one_can(vault: Vault) -> None:
    take_in(vault[1], a_medication(1, "Metoprolol"))

    async def go() -> None:
        async with Headless(opened(*vault), route="/medication") as app:
            await app.wait_text("Metoprolol")
            row = row_named(vault[1], "Metoprolol")
            assert app.has_key(f"medicine-{row.id}")
            assert not app.has_key(f"edit-{row.id}")

    run(go())


def test_a_stopped_medication_says_until_when_although_its_first_day_is_unknown(vault: Vault) -> None:
    from pgo.health.medication.forms import MedicationForm

    number = medicate.save_medication(vault[1], MedicationForm(name="Vitamine D"))
    medicate.stop_medication(vault[1], number, on=date(2026, 1, 31))

    async def go() -> None:
        async with Headless(opened(*vault), route="/medication") as app:
            await app.wait_text("tot en met 31 januari 2026")
            assert not app.has_text("datum onbekend")

    run(go())


def test_throwing_away_can_be_undone_at_once_and_from_the_trash(vault: Vault) -> None:
    from pgo.health.medication.forms import MedicationForm

    number = medicate.save_medication(vault[1], MedicationForm(name="Vitamine D"))

    async def go() -> None:
        async with Headless(opened(*vault), route="/medication") as app:
            await app.wait_text("Vitamine D")
            await app.click(f"remove-{number}")
            await app.wait_text("ligt in de prullenbak")
            await app.wait_text("Nog geen medicijnen")
            await app.click("notice-undo")
            await app.wait_text("Gebruikt u nu")
            await app.click(f"remove-{number}")
            await app.wait_text("Nog geen medicijnen")
            await app.click("trash")
            await app.wait_text("Vitamine D terugzetten")
            await app.click(f"restore-{number}")
            await app.wait_text("De prullenbak is leeg")
        assert [row.title for row in medicines(vault[1]).current] == ["Vitamine D"]

    run(go())


def test_measurements_are_found_by_any_word_without_accents(vault: Vault) -> None:
    names = ["Bloeddruk", "Hémoglobine", "Glucose nuchter", "Gewicht", "Lengte", "Natrium", "Kalium", "TSH"]
    take_in(vault[1], *(a_measurement(n, 5 + n, name=name) for n, name in enumerate(names)))

    async def go() -> None:
        async with Headless(opened(*vault), route="/measurements") as app:
            await app.wait_text("8 soorten metingen")
            await app.type("measurements-search", "hemo")
            assert app.has_text("1 soort meting")
            assert app.has_text("Hémoglobine")
            await app.type("measurements-search", "nuchter mmol")
            assert app.has_text("Glucose nuchter")
            await app.type("measurements-search", "zzz")
            assert app.has_text("Geen meting gevonden")

    run(go())


def test_one_chart_shows_one_unit_and_leaves_bounds_to_the_table(vault: Vault) -> None:
    take_in(
        vault[1],
        a_measurement(1, 5, on="2024-01-01"),
        a_measurement(2, 6, on="2024-02-01"),
        a_measurement(3, 90, unit="mg/dL", on="2024-03-01"),
        a_measurement(4, 1, on="2024-04-01", comparator="<"),
    )
    key = next(one.key for one in read.series_list(vault[1]) if one.unit == "mmol/L")

    async def go() -> None:
        async with Headless(opened(*vault), route=f"/measurements/{token_of(key)}", width=390) as app:
            await app.wait_text("Eenheid: mmol/L")
            charts = app.of_kind(fch.LineChart)
            assert len(charts) == 1
            assert [point.y for point in charts[0].data_series[0].points] == [5, 6]
            assert app.has_text("1 waarde met < of >")
            spoken = [c.semantics_label for c in app.of_kind(ft.Text) if c.semantics_label]
            assert any(text.startswith("minder dan 1") for text in spoken)
            assert not app.has_text("mg/dL")
            alt = [c.label for c in app.of_kind(ft.Semantics) if c.image and c.label]
            assert len(alt) == 1
            assert "2 metingen" in str(alt[0])

    run(go())


def test_an_address_of_another_run_says_so_instead_of_breaking(vault: Vault) -> None:
    async def go() -> None:
        for route in ("/measurements/0123456789abcdef", "/record/999", "/record/abc", "/medication/7/edit"):
            async with Headless(opened(*vault), route=route) as app:
                await app.wait(lambda app=app: not app.has_text("Even geduld"), "still loading")  # type: ignore[misc]
                assert not app.has_text("kan niet worden getoond")
                assert not app.conn.crashes

    run(go())


def test_a_record_shows_its_source_and_the_original_word_for_word(vault: Vault) -> None:
    take_in(vault[1], an_allergy(1, "Penicilline"), name="huisarts.json")
    row = row_named(vault[1], "Penicilline")

    async def go() -> None:
        async with Headless(opened(*vault), route=f"/record/{row.id}") as app:
            await app.wait_text("Uit bestand")
            assert app.has_text("huisarts.json")
            assert not app.has_text("resourceType")
            await app.click("original")
            shown = next(text for text in app.texts() if "resourceType" in text)
            assert json.loads(shown) == an_allergy(1, "Penicilline")
            await app.click("record-remove")
            await app.wait_text("Dit ligt in de prullenbak.")
            await app.click("record-restore")
            await app.wait_gone("Dit ligt in de prullenbak.")
            assert not app.has_text("[")

    run(go())


def test_a_record_that_is_not_quite_fhir_says_so_and_a_good_one_does_not(vault: Vault) -> None:
    odd = {**an_allergy(2, "Latex"), "criticality": "zeer ernstig"}
    take_in(vault[1], an_allergy(1, "Penicilline"), odd)

    async def go() -> None:
        for title, remark in (("Penicilline", False), ("Latex", True)):
            row = row_named(vault[1], title)
            async with Headless(opened(*vault), route=f"/record/{row.id}") as app:
                await app.wait_text("Uit bestand")
                assert app.has_text("zoals is afgesproken") is remark

    run(go())


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    application, session = a_vault(tmp_path_factory.mktemp("big"))
    take_in(session, *many_measurements(10_000), an_allergy(1, "Graspollen"))
    yield application, session
    session.lock()


async def scroll(app: Headless, pixels: float) -> None:
    column = next(c for c in app.of_kind(ft.Column) if c.on_scroll is not None)
    data: dict[str, Any] = {
        "event_type": "update",
        "pixels": pixels,
        "min_scroll_extent": 0.0,
        "max_scroll_extent": 1e6,
        "viewport_dimension": 600.0,
    }
    await app.fire(column, "scroll", data)


def test_the_timeline_of_ten_thousand_records_sends_little_and_reaches_the_end(big: Vault) -> None:
    async def go() -> None:
        async with Headless(opened(*big), route="/timeline", width=390) as app:
            await app.wait_text("10.001 gegevens")
            await app.wait_text("Meting 00000")
            assert app.conn.bytes < 150_000
            before = app.conn.bytes
            await scroll(app, 72.0 * 5_000)
            await app.wait_text("Meting 05000")
            assert app.conn.bytes - before < 150_000
            assert not app.has_text("Meting 00000")
            await scroll(app, 72.0 * 10_001)
            await app.wait_text("Meting 09999")

    run(go())


def test_searching_waits_for_the_last_letter_and_starts_at_the_top(big: Vault) -> None:
    async def go() -> None:
        async with Headless(opened(*big), route="/timeline") as app:
            await app.wait_text("10.001 gegevens")
            await scroll(app, 72.0 * 4_000)
            await app.wait_text("Meting 04000")
            for text in ("g", "gr", "graspollen"):
                await app.type("timeline-search", text)
            await app.wait_text("1 gevonden")
            await app.wait_text("Graspollen")
            await app.wait_gone("Meting 04000")
            await app.type("timeline-search", "zzz")
            await app.wait_text("Niets gevonden")
            await app.type("timeline-search", "")
            await app.wait_text("Meting 00000")

    run(go())


def test_a_filter_shows_one_kind_and_says_that_it_is_chosen(big: Vault) -> None:
    async def go() -> None:
        async with Headless(opened(*big), route="/timeline") as app:
            await app.wait(lambda: app.has_key("kind-allergy"), "filters never appeared")
            await app.click("kind-allergy")
            await app.wait_text("1 gegeven")
            await app.wait_gone("Meting 00000")
            chosen = [c for c in app.of_kind(ft.Semantics) if c.selected and c.content is not None]
            names = [app.name_of(c.content) for c in chosen if isinstance(c.content, ft.TextButton)]
            assert "Allergieën" in names
            await app.click("kind-all")
            await app.wait_text("Meting 00000")

    run(go())


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize(
    "route",
    ["/profile", "/medication", "/medication/new", "/allergy/new", "/trash", "/measurements", "/timeline"],
)
def test_every_text_of_every_screen_exists_in_both_languages(vault: Vault, route: str, lang: str) -> None:
    async def go() -> None:
        async with Headless(opened(*vault, lang=lang, text_scale=1.5), route=route, width=390) as app:
            await app.wait(lambda: not app.has_text("…"), "still loading")
            assert not [text for text in app.texts() if text.startswith("[")]
            assert not app.conn.crashes

    run(go())
