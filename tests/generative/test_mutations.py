"""Planted defects are caught: every one of `tests.support.mutations` by the test it names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.mutations import MUTATIONS, PROJECT

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="plants defects in forked children"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    folder: Path = tmp_path_factory.mktemp("mutants")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.mutations", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "steady"},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = (json.loads(line) for line in done.stdout.splitlines())
    return {verdict["name"]: verdict["status"] for verdict in found}


@pytest.mark.parametrize("name", [mutation.name for mutation in MUTATIONS])
def test_a_planted_defect_is_caught(verdicts: dict[str, int], name: str) -> None:
    assert verdicts[name] == 0, "the named test did not object"


def test_there_are_enough_defects_and_each_is_of_its_own() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 20
