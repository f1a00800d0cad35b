"""Everything in one file and back, over the shared test data: an empty vault has an equal hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgo.errors import InputRefused
from pgo.ui.paper_words import PaperWords
from pgo.usecases.collect import collect
from pgo.usecases.export_archive import export_archive
from pgo.usecases.export_summary import SummaryChoice, export_summary
from pgo.usecases.export_summary_lines import Part
from tests.support.health_data import files_of, filled
from tests.support.vaults import Home

pytestmark = [pytest.mark.data, pytest.mark.timeout(300)]

WORDS = PaperWords("nl")
FOLDERS = (
    "synthea/pathling-r4-json-xml-pairs",
    "synthea/sphr-ig-personas",
    "nl/hl7-mappings/mp9-3.0-r4-bundles",
    "nl/medmij-testscripts",
    "nl/testscripts/pdfa-3.0-stu3",
    "nl/testscripts/bgz-3.0-stu3-test",
)


def documents_in(folder: Path) -> list[Path]:
    """At most twelve files, so that large folders stay quick."""
    return list(files_of(folder))[:12]


@pytest.mark.parametrize("name", FOLDERS)
def test_what_came_in_goes_out_and_comes_in_again_equal(shared_data: Path, tmp_path: Path, name: str) -> None:
    folder = shared_data / name
    if not folder.is_dir():
        pytest.skip(f"no {name} in the shared test data")
    home = Home(tmp_path)
    session = home.open_new()
    for path in documents_in(folder):
        try:
            collect(session, filled(path.read_bytes()), name=path.name, accept_person=True)
        except InputRefused:
            continue
    archive = export_archive(session, WORDS)
    assert archive.records > 0
    fresh = home.open_new("Leeg")
    result = collect(fresh, archive.data, name="alles.zip", accept_person=True)
    assert result.person_question is None
    assert fresh.store.holdings.digest() == archive.holdings
    assert len(fresh.store.holdings.set_aside()) == len(session.store.holdings.set_aside())
    paper = export_summary(fresh, SummaryChoice(parts=frozenset(Part)), WORDS)
    assert paper.startswith(b"%PDF-")
    print(f"{name}: {archive.records} records, {archive.documents} documents, {len(archive.data)} bytes")
    for one in (session, fresh):
        one.lock()
