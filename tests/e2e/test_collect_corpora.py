"""Collect all R4 test data into real vaults: counted per folder, nothing twice, and out again unchanged.

Every file of a folder goes into one vault, as when somebody brings in one file after another; questions about
the person are answered with yes. Files that speak of several people at once are not taken: that is the rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pgo.errors import InputRefused
from pgo.usecases.collect import CollectResult, collect
from pgo.usecases.export import export_records
from pgo.usecases.session import Session
from tests.support.health_data import files_of, filled
from tests.support.vaults import Home

pytestmark = [pytest.mark.data, pytest.mark.timeout(300)]

# folder: (records that came in, set aside by code, files refused by code)
FOLDERS: dict[str, tuple[int, dict[str, int], dict[str, int]]] = {
    "synthea/bulk-data-server-r4": (2318, {}, {}),
    "synthea/generated-sample-data-r4": (2482, {}, {}),
    "synthea/pathling-r4": (154, {}, {}),
    "synthea/pathling-r4-json-xml-pairs": (177, {}, {}),
    "synthea/sphr-ig-personas": (538, {"bad_structure": 29, "other_patient": 135, "unknown_format": 5}, {}),
    "bulk-ndjson/pathling-encoders": (0, {"several_persons": 1582}, {}),
    "bulk-ndjson/sample-bulk-10-patients": (173, {"no_resource_type": 4, "several_persons": 5772}, {}),
    "hl7-r4-examples": (388, {"empty": 16, "several_persons": 382}, {}),
    "nl/hl7-mappings/mp9-3.0-r4-bundles": (824, {}, {}),
    "nl/medmij-testscripts": (152, {}, {}),
    "nl/nictiz-zib2020-r4-examples": (115, {}, {}),
    "nl/testscripts/mp9-3.0-r4-test": (305, {}, {}),
    "nl/testscripts/laboratoryresults-3.0-r4-test": (60, {}, {}),
    "hostile": (
        35,
        {
            "bad_structure": 6,
            "no_resource_type": 11,
            "not_json": 1,
            "several_persons": 20,
            "unknown_type": 2,
            "unsupported_type": 1,
            "wrong_version_r5": 1,
        },
        {
            "bad_structure": 5,
            "byte_order_mark": 11,
            "duplicate_key": 4,
            "empty": 1,
            "lone_surrogate": 6,
            "no_resource_type": 6,
            "not_a_number": 1,
            "not_fhir": 51,
            "not_json": 127,
            "not_utf8": 13,
            "nul": 2,
            "too_deep": 1,
            "unknown_format": 1,
            "xml_dtd": 4,
        },
    ),
}


@contextmanager
def opened(home: Home, name: str) -> Iterator[Session]:
    """A new vault, locked again at the end."""
    session = home.open_new(name)
    try:
        yield session
    finally:
        session.lock()


def collect_folder(session: Session, folder: Path) -> tuple[list[CollectResult], Counter[str]]:
    """Bring in every file of a folder; gives the results and the refusals by code."""
    results, refused = [], Counter[str]()
    for path in files_of(folder):
        try:
            results.append(collect(session, filled(path.read_bytes()), name=path.name, accept_person=True))
        except InputRefused as refusal:
            refused[refusal.code] += 1
    return results, refused


@pytest.mark.parametrize("folder", FOLDERS)
def test_everything_is_collected_once_and_comes_out_unchanged(
    folder: str, shared_data: Path, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    with opened(home, "Eerst") as session:
        results, refused = collect_folder(session, shared_data / folder)
        aside = Counter(entry.code for result in results for entry in result.set_aside)
        imported = sum(result.imported for result in results)
        assert (imported, dict(aside), dict(refused)) == FOLDERS[folder]

        again, _ = collect_folder(session, shared_data / folder)
        for first, second in zip(results, again, strict=True):
            # Only a file about several people can bring more later: by then the vault knows its person.
            undecided = any(entry.code == "several_persons" for entry in first.set_aside)
            assert second.imported == 0 or undecided, second.file
        third, _ = collect_folder(session, shared_data / folder)
        assert sum(result.imported for result in third) == 0

        exported = export_records(session)
    if not imported:
        return
    with opened(home, "Tweede") as fresh:
        back = collect(fresh, exported, name="export.json")
        assert back.set_aside == ()
        assert export_records(fresh) == exported
