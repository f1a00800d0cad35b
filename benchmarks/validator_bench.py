"""What does checking against FHIR R4 cost, beside parsing alone and beside ``fhir.resources``?

Run: ``python -m benchmarks.validator_bench [FILE...] [--rounds 9]``

1,500 resources, one document each, without white space between (what a line of NDJSON is) and once more as
they stood in the file. ``orjson.loads`` is the yardstick: it parses and checks nothing. The models of
``fhir.resources`` do a twentieth of the resources. G2 counts planted defects and issues on good data; G3
stores everything and compares each byte with the file.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import orjson
from fhir.resources.R4B import get_fhir_model_class

from benchmarks.data import bundles, open_session, resources
from benchmarks.goals import Goal, print_goals
from benchmarks.side_by_side import print_timings, side_by_side
from pgo.health.fhir_r4 import validate
from pgo.health.record.resource import Resource
from pgo.usecases.collect import collect
from tests.support.r4_defects import DEFECTS

SHARE = 20


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description="Measure the R4 validator.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    files = bundles(chosen.files)
    sent = resources(files)
    found = [replace(one, raw=orjson.dumps(orjson.loads(one.raw))) for one in sent]
    large = side_by_side(
        {
            "orjson.loads": lambda: _parse(found),
            "validate": lambda: _check(found),
            "orjson.loads, as sent": lambda: _parse(sent),
            "validate, as sent": lambda: _check(sent),
        },
        rounds=chosen.rounds,
    )
    few = found[::SHARE]
    small = side_by_side(
        {
            "orjson.loads": lambda: _parse(few),
            "validate": lambda: _check(few),
            "orjson.loads + fhir.resources R4B": lambda: _model(few),
        },
        rounds=chosen.rounds,
    )
    size = sum(len(one.raw) for one in found)
    print(f"{len(found)} resources, {size / 1e6:.1f} MB, {chosen.rounds} rounds, per resource:")
    print_timings(large, "orjson.loads", per=len(found), unit="us")
    print(f"{len(few)} of them, per resource:")
    print_timings(small, "orjson.loads", per=len(few), unit="us")
    caught = sum(bool(validate(defect.body)) for defect in DEFECTS)
    print_goals(
        [
            Goal("check R4, times orjson.loads", 3.0, large.ratio("validate", "orjson.loads"), code="G1"),
            Goal(
                "times faster than fhir.resources",
                18,
                small.ratio("orjson.loads + fhir.resources R4B", "validate"),
                least=True,
                code="G1b",
            ),
            Goal(f"planted defects found, of {len(DEFECTS)}", 47, caught, least=True, code="G2"),
            Goal(
                "good resources with an issue", 0, sum(bool(validate(one.body)) for one in found), code="G2b"
            ),
            Goal("stored byte for byte, %", 100, _kept(files), least=True, code="G3"),
        ]
    )


def _parse(found: list[Resource]) -> None:
    for one in found:
        orjson.loads(one.raw)


def _check(found: list[Resource]) -> None:
    for one in found:
        validate(one.body, raw=one.raw)


def _model(found: list[Resource]) -> None:
    for one in found:
        get_fhir_model_class(one.type).model_validate(orjson.loads(one.raw))


def _kept(files: list[bytes]) -> float:
    """Percentage of what was taken in that lies in the store, and in the file, with the same bytes."""
    same = total = 0
    for data in files:
        with open_session() as session:
            collect(session, data, name="bench.json", accept_person=True)
            records = session.store.records
            for _, _, raw in records.raws(records.present_ids()):
                total += 1
                same += raw in data
    return 100 * same / total


if __name__ == "__main__":
    main()
