"""What we write ourselves: exact numbers, nothing empty, checked by the models, which stay out of reading."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest

from pgo.health.record.authored import checked
from pgo.health.record.writer import Authored, write_json


def test_numbers_keep_their_digits_and_empty_members_are_left_out() -> None:
    body: dict[str, Authored] = {
        "a": Decimal("7.50"),
        "b": "",
        "c": [],
        "d": {"e": None},
        "f": [None, "x"],
        "g": False,
        "h": 0,
    }
    assert write_json(body) == b'{"a":7.50,"f":["x"],"g":false,"h":0}'


def test_numbers_without_an_exact_form_are_refused() -> None:
    with pytest.raises(TypeError):
        write_json({"a": 1.5})  # type: ignore[dict-item] # the point of the test
    with pytest.raises(ValueError, match="finite"):
        write_json({"a": Decimal("NaN")})


def test_a_fault_of_ours_names_the_element_and_never_the_content() -> None:
    raw = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"secret":"Jansen"}'
    with pytest.raises(ValueError, match="secret") as fault:
        checked(raw, "Observation")
    assert "Jansen" not in str(fault.value)


def test_reading_never_loads_the_slow_models() -> None:
    code = (
        "import sys, datetime\n"
        "from pgo.health.demo import demo_bundle\n"
        "from pgo.health.medication import entry\n"
        "from pgo.health.record import index, reader, resolve, views\n"
        "found = reader.read_records(demo_bundle(datetime.date(2026, 1, 1)), name='x.json').resources\n"
        "[index.build_index(one, resolve=resolve.nothing) for one in found]\n"
        "sys.exit(any(name.startswith(('fhir', 'pydantic')) for name in sys.modules))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
