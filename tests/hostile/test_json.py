"""JSON as its worst readers know it: what is wrong is refused, what is right is read, nothing crashes.

Corpora: JSONTestSuite (nst/JSONTestSuite, MIT), half of which lies in the shared data; check 15 of the guide.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crypto.canonical import parse_strict
from crypto.errors import Malformed
from tests.support.fault_figures import figures

pytestmark = pytest.mark.data
MAX_BYTES = 5_000_000
DUPLICATES = frozenset({"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"})
"""Right by the grammar and refused by rule 3 of ``parse_strict``: two readers may disagree about them."""
NUL = frozenset(
    {"y_string_null_escape.json", "y_object_escaped_null_in_key.json", "y_string_escaped_noncharacter.json"}
)
"""Right by the grammar; U+0000 is refused by rule 5, because no text column keeps it."""


def outcome(data: bytes) -> str:
    """'read', or the reason of the refusal; anything else would be a crash."""
    try:
        parse_strict(data, max_bytes=MAX_BYTES)
    except Malformed as exc:
        return exc.reason
    return "read"


def test_the_suite_is_read_and_refused_as_it_says(shared_data: Path) -> None:
    folder = shared_data / "hostile/json-test-suite"
    outcomes = {path.name: outcome(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
    wrong = {name: found for name, found in outcomes.items() if name.startswith("n_") and found == "read"}
    right = {name: found for name, found in outcomes.items() if name.startswith("y_")}
    refused = {name: found for name, found in right.items() if found != "read"}
    either = {name: found for name, found in outcomes.items() if name.startswith("i_")}
    bad = sum(name.startswith("n_") for name in outcomes)
    figures["hostile JSON"] = (
        f"wrong {bad} tried, {len(wrong)} accepted, 0 crashed; right {len(right)} tried,"
        f" {len(refused)} refused by stricter rules;"
        f" undecided {len(either)} tried, {list(either.values()).count('read')} read"
    )
    assert bad >= 90
    assert len(right) >= 40
    assert wrong == {}
    assert set(refused) <= DUPLICATES | NUL, refused
    assert {refused[name] for name in refused.keys() & DUPLICATES} <= {"duplicate_key"}


def test_the_standard_reader_as_a_control_takes_more(shared_data: Path) -> None:
    """The suite does find a lenient reader: Python's own, as it comes, takes some of the wrong files."""
    taken = 0
    for path in sorted((shared_data / "hostile/json-test-suite").glob("n_*.json")):
        try:
            json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            continue
        taken += 1
    assert taken
    figures["hostile JSON, control"] = f"the standard reader takes {taken} of the wrong ones"
