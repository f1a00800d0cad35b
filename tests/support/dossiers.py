"""The records a journey starts from: a small one of our own, and real ones from the shared test data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SHARED_DATA
from tests.support.sharing import a_record

SYNTHEA = "synthea/generated-sample-data-r4/Tony_Douglas_f6d715f8-94c0-49ad-a46a-4f96dc7a67b4.json"
LARGE = "synthea/bulk-data-server-r4/Wenona_Cormier_fabfe789-b8b6-45ae-ad04-f43bb2d5c342.json"
DUTCH_MEDICATION = "nl/hl7-mappings/mp9-3.0-r4-bundles/mg-mgrp-999900468-tst-ALL.xml"


@dataclass(frozen=True, slots=True)
class Dossier:
    """A file and what a reader of it must find.

    Attributes:
        file: what the patient picks.
        name: whose it is, as it stands in the file.
        imported: number of records that come in.
        set_aside: number of entries that are set aside.
        allergy: an allergy on the profile.
        condition: a condition on the profile that still plays.
        medicine: a medication in use.
        measurement: a measurement, whose name is also found by searching.
        found: how many records the search for `measurement` finds.
        held_back: words that the usual share for care never shows.
    """

    file: Path
    name: str
    imported: int
    set_aside: int
    allergy: str
    condition: str
    medicine: str
    measurement: str
    found: int
    held_back: tuple[str, ...]


def shared_file(relative: str) -> Path:
    """A file of the shared test data; skips the test with that reason where it is absent."""
    path = SHARED_DATA / relative
    if not path.is_file():
        pytest.skip(f"the shared test data file ../shared/data/{relative} is not here")
    return path


def own_dossier(folder: Path, name: str = "Test Persoon") -> Dossier:
    """Write our small record, with one entry that is no resource: nine entries, eight records."""
    bundle: dict[str, Any] = json.loads(a_record())
    given, _, family = name.partition(" ")
    bundle["entry"][0]["resource"]["name"] = [{"text": name, "family": family, "given": [given]}]
    bundle["entry"].append({"resource": {"id": "zonder-soort"}})
    path = folder / "dossier.json"
    path.write_text(json.dumps(bundle), encoding="utf-8")
    return Dossier(
        file=path,
        name=name,
        imported=8,
        set_aside=1,
        allergy="Penicilline",
        condition="Reumatoïde artritis",
        medicine="Methotrexaat",
        measurement="Gewicht",
        found=1,
        held_back=("Hiv",),
    )


def synthea_dossier(_folder: Path) -> Dossier:
    """A Synthea patient: 159 resources of 14 types, made by their generator, not by us."""
    return Dossier(
        file=shared_file(SYNTHEA),
        name="Tony Douglas",
        imported=159,
        set_aside=0,
        allergy="Allergy to eggs",
        condition="Osteoarthritis of hip",
        medicine="Hydrochlorothiazide 25 MG",
        measurement="Witte bloedcellen",
        found=2,
        held_back=("Claim", "Schade", "Declaratie"),
    )


def desktop_fallback(folder: Path) -> Dossier:
    """Our own record for the desktop, only where the Synthea patient is absent."""
    if (SHARED_DATA / SYNTHEA).is_file():
        pytest.skip("the same journey runs on the Synthea patient of the shared test data")
    return own_dossier(folder, "Test Bureaublad")


MakeDossier = Callable[[Path], Dossier]
