"""A line of measurements on screen: what was converted says so, one value of two sources counts once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flet_charts as fch
import pytest

from pgo.ui.records.tokens import token_of
from pgo.usecases import read
from pgo.usecases.session import Application, Session
from tests.support.headless import Headless, run
from tests.ui.records_app import a_vault, opened, subject, take_in

Vault = tuple[Application, Session]


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    application, session = a_vault(tmp_path)
    yield application, session
    session.lock()


def _glucose(id_: str, value: float, unit: str, at: str, **members: Any) -> dict[str, Any]:
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    code = {
        "coding": [{"system": "http://loinc.org", "code": "15074-8", "display": "Glucose [Moles/volume]"}]
    }
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": code,
        "subject": subject(),
        "effectiveDateTime": at,
        "valueQuantity": quantity,
        **members,
    }


@pytest.fixture
def line(vault: Vault) -> str:
    bounds = {"low": {"value": 4.0, "unit": "mmol/L"}, "high": {"value": 5.6, "unit": "mmol/L"}}
    newest = _glucose("o3", 5.4, "mmol/L", "2026-03-01T08:00:00+01:00", referenceRange=[bounds])
    take_in(
        vault[1],
        _glucose("o1", 5100, "umol/L", "2026-01-01"),
        _glucose("o2", 5.2, "mmol/L", "2026-02-01"),
        newest,
    )
    take_in(vault[1], {**newest, "id": "o4"}, name="huisarts.json")
    (found,) = read.series_list(vault[1])
    return token_of(found.key)


@pytest.mark.parametrize("width", [390, 1200])
def test_a_converted_value_is_an_open_circle_and_says_what_was_written(
    vault: Vault, line: str, width: int
) -> None:
    async def go() -> None:
        async with Headless(opened(*vault), route=f"/measurements/{line}", width=width) as app:
            await app.wait_text("Alle waarden")
            assert app.has_text("1 waarde is omgerekend naar mmol/L")
            assert app.has_text("omgerekend uit 5100 µmol/L")
            assert app.has_text("2 keer in uw dossier")
            assert app.has_text("Normale waarden volgens de laatste uitslag: 4,0 - 5,6 mmol/L")
            (chart,) = app.of_kind(fch.LineChart)
            points = chart.data_series[0].points
            assert [point.y for point in points] == [5.1, 5.2, 5.4]
            assert [point.point is not None for point in points] == [True, False, False]

    run(go())


def test_an_everyday_name_stands_in_the_heading_and_is_found(vault: Vault, line: str) -> None:
    async def go() -> None:
        async with Headless(opened(*vault), route=f"/measurements/{line}") as app:
            await app.wait_text("Glucose (bloedsuiker)")
        (row, *_) = read.timeline(vault[1], query="bloedsuiker").rows
        async with Headless(opened(*vault), route=f"/record/{row.id}") as app:
            await app.wait_text("Glucose (bloedsuiker)")
            assert app.has_text("Glucose [Moles/volume]")

    run(go())
