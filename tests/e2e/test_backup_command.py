"""``pgo backup`` as people and machines call it: the drill runs here in every test run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.support.applications import PASSPHRASE
from tests.support.backups import filled
from tests.support.vaults import Home

RIGHT = PASSPHRASE
WRONG = "vier andere woorden hier"


def pgo(*words: str | Path, secret: str = RIGHT, code: int = 0) -> str:
    """Run ``pgo backup`` with a passphrase on standard input; returns what it printed."""
    line = [sys.executable, "-m", "pgo", "backup", *map(str, words)]
    if "--passphrase-file" not in line and words[0] not in ("list", "forget"):
        line += ["--passphrase-file", "-"]
    done = subprocess.run(
        line, input=secret.encode() + b"\n", capture_output=True, cwd=PROJECT, timeout=100, check=False
    )
    assert done.returncode == code, done.stderr.decode()
    return (done.stdout if code == 0 else done.stderr).decode()


def as_json(*words: str | Path) -> Any:
    return json.loads(pgo(*words, "--json"))


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    session = filled(Home(tmp_path_factory.mktemp("command") / "vaults"), conditions=25)
    session.lock()
    return session.folder


@pytest.fixture(scope="module")
def made(vault: Path) -> Path:
    found = as_json("create", "--vault", vault, vault.parent / "copies")
    assert found["records"] == 26
    assert found["proved_at"] >= found["made_at"]
    return Path(found["file"])


def test_the_drill_puts_back_opens_and_finds_everything_equal(made: Path, tmp_path: Path) -> None:
    found = as_json("drill", made, "--work", tmp_path)
    assert (found["ok"], found["records"]) == (True, 26)
    assert found["tables"] > 15
    assert list(tmp_path.iterdir()) == [], "a drill leaves nothing behind"


def test_list_and_check_need_no_vault(made: Path) -> None:
    assert as_json("list", made.parent)["backups"][0]["file"] == str(made)
    assert as_json("check", made)["ok"] is True


def test_what_cannot_be_put_back_has_its_own_sentence_and_exit_code(made: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pgobackup"
    damaged.write_bytes(made.read_bytes()[:-1])
    assert "damaged" in pgo("drill", damaged, code=5)
    assert "passphrase" in pgo("drill", made, secret=WRONG, code=4)
    assert "no backup" in pgo("check", PROJECT / "README.md", code=3)
    assert pgo("list", tmp_path).startswith("damaged.pgobackup\tcannot be used (backup_damaged)")


def test_restore_undo_and_forget(made: Path, tmp_path: Path) -> None:
    place = tmp_path / "vaults" / "Terug"
    first = as_json("restore", made, "--vault", place)
    assert (first["records"], first["kept_bytes"]) == (26, 0)
    assert "newer" in pgo("restore", made, "--vault", place, code=3)
    second = as_json("restore", made, "--vault", place, "--older")
    assert second["kept_bytes"] > 0
    pgo("undo", "--vault", place)
    assert "--yes" in pgo("forget", "--vault", place, code=3)
    assert pgo("forget", "--vault", place, "--yes").startswith("2 removed")
    assert sorted(path.name for path in place.glob("store-*.db")) == ["store-1-r3.db"]
    assert as_json("create", "--vault", place, tmp_path / "again")["records"] == 26
