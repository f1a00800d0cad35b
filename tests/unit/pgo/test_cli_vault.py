"""``pgo vault``: the commands around the ways in, end to end on real vaults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgo.cli import main
from pgo.cli.terminal import LOCKED, REFUSED
from tests.support.applications import PASSPHRASE
from tests.support.commands import cheap_commands

OTHER = "heel andere woorden dan net"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap_commands(monkeypatch)


@pytest.fixture
def words(tmp_path: Path) -> dict[str, str]:
    files = {}
    for name, text in (("old", PASSPHRASE), ("new", OTHER), ("weak", "kort")):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        files[name] = str(path)
    return files


@pytest.fixture
def made(tmp_path: Path, words: dict[str, str], capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Folder and recovery code of a vault made by ``pgo vault new``."""
    folder = str(tmp_path / "vaults" / "Thuis")
    assert main(["vault", "new", "--vault", folder, "--passphrase-file", words["old"], "--json"]) == 0
    return folder, json.loads(capsys.readouterr().out)["recovery_code"]


def opens(folder: str, passphrase_file: str) -> bool:
    return main(["vault", "check", "--vault", folder, "--passphrase-file", passphrase_file]) == 0


def test_list_names_vaults_without_asking_for_anything(
    made: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["vault", "list", "--vaults", str(Path(made[0]).parent), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["vaults"]
    assert [(row["name"], row["vault"], row["hidden"]) for row in rows] == [("Thuis", made[0], False)]


def test_check_says_what_a_guess_costs(
    made: tuple[str, str], words: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    access = ["--vault", made[0], "--passphrase-file", words["old"]]
    assert main(["vault", "check", *access, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["guess_mib"], found["guess_seconds"], found["generation"]) == (
        True,
        64,
        0.5,
        1,
    )
    assert not found["keyring"]


def test_passphrase_is_changed(made: tuple[str, str], words: dict[str, str]) -> None:
    access = ["--vault", made[0], "--passphrase-file", words["old"]]
    assert main(["vault", "passphrase", *access, "--new-passphrase-file", words["weak"]]) == REFUSED
    assert main(["vault", "passphrase", *access, "--new-passphrase-file", words["new"]]) == 0
    assert opens(made[0], words["new"])
    assert main(["vault", "check", *access]) == LOCKED


def test_a_used_code_is_replaced(
    made: tuple[str, str], words: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, code = made
    (tmp_path / "code").write_text(code, encoding="ascii")
    use = ["vault", "recovery", "--vault", folder, "--use", "--code-file", str(tmp_path / "code")]
    assert main([*use, "--new-passphrase-file", words["new"]]) == 0
    assert capsys.readouterr().out.splitlines()[-1] != code
    assert opens(folder, words["new"])
    assert main([*use, "--new-passphrase-file", words["old"]]) == LOCKED


def test_the_vault_key_is_renewed(
    made: tuple[str, str], words: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, code = made
    assert main(["vault", "renew-key", "--vault", folder, "--passphrase-file", words["old"]]) == 0
    assert capsys.readouterr().out.splitlines()[-1] != code
    assert [path.name for path in Path(folder).glob("*.db")] == ["store-2.db"]
    assert opens(folder, words["old"])
    assert main(["vault", "renew-key", "--vault", folder, "--passphrase-file", words["new"]]) == LOCKED


def test_a_folder_in_a_cloud_is_warned_about(
    tmp_path: Path, words: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "Dropbox" / "pgo" / "Thuis"
    assert main(["vault", "new", "--vault", str(folder), "--passphrase-file", words["old"]]) == 0
    assert "Dropbox" in capsys.readouterr().err
