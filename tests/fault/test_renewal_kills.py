"""A renewal of the vault key is killed before every file operation: the passphrase still opens it all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.support.fault_figures import figures


@pytest.mark.timeout(600)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_a_renewal_killed_anywhere_locks_nobody_out_and_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.renewal_kills", str(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=540,
    )
    assert done.returncode == 0, done.stderr
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    failed = [kill for kill in kills if kill.get("failed") or kill["records"] != 3 or len(kill["files"]) != 1]
    before = [kill["generation"] for kill in kills].count(1)
    figures["renewals of the vault key killed"] = (
        f"{len(kills)} kills, {before} left the old key and {len(kills) - before} the new one,"
        f" {len(failed)} locked out or short of a record"
    )
    assert failed == []
    assert len(kills) >= 20
    generations = [kill["generation"] for kill in kills]
    assert generations == sorted(generations), "once switched it stays switched"
    assert set(generations) == {1, 2}
