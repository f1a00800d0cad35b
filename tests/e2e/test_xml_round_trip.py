"""JSON to XML and back: every resource of real files says the same afterwards, digit for digit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pgo.health.record.reader import read_records
from tests.support.fhir_xml import parsed, resource_xml
from tests.support.health_data import files_of

pytestmark = pytest.mark.data
FOLDERS = {
    "synthea/pathling-r4-json-xml-pairs": 170,
    "nl/nictiz-zib2020-r4-examples": 100,
    "hl7-r4-examples": 100,
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_resource_written_as_xml_comes_back_as_it_was(shared_data: Path, folder: str) -> None:
    tried = 0
    for path in files_of(shared_data / folder):
        for one in read_records(path.read_bytes(), name=path.name).resources:
            before = parsed(one.raw)
            (back,) = read_records(resource_xml(before).encode(), name="back.xml").resources
            assert parsed(back.raw) == before, f"{path.name}: {one.reference}"
            tried += 1
    assert tried >= FOLDERS[folder]


def test_a_change_on_the_way_is_noticed() -> None:
    body: dict[str, Any] = parsed(
        b'{"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},'
        b' "valueQuantity": {"value": 1.10}}'
    )
    written = resource_xml(body)
    assert 'value="1.10"' in written
    (back,) = read_records(written.replace("1.10", "1.1").encode(), name="back.xml").resources
    assert parsed(back.raw) != body
