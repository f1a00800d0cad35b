"""The command: shapes of its JSON, exit codes, and a passphrase that is never an argument."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from pgo.cli import main
from pgo.cli.parser import build_parser
from tests.support.commands import cheap_commands
from tests.support.sharing import a_card
from tests.support.vaults import a_bundle, a_condition, a_patient

PASSPHRASE = "vier losse woorden fietsbel"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap_commands(monkeypatch)


@pytest.fixture
def passphrase(tmp_path: Path) -> str:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    return str(file)


@pytest.fixture
def vault(tmp_path: Path, passphrase: str, capsys: pytest.CaptureFixture[str]) -> str:
    folder = str(tmp_path / "vault")
    assert main(["vault", "create", "--vault", folder, "--passphrase-file", passphrase, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert len(made["recovery_code"].split("-")) == 8
    return folder


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = main(list(words))
    out = capsys.readouterr().out
    return code, json.loads(out) if out.startswith("{") else out


def test_import_list_and_export(
    tmp_path: Path, vault: str, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(a_bundle(a_patient(), a_condition("c1"), {"resourceType": "Nonsense", "id": "n"}))
    bad.write_bytes(b"no json at all")
    access = ("--vault", vault, "--passphrase-file", passphrase)
    code, told = run(capsys, "import", *access, "--json", str(good), str(bad))
    assert code == 3
    assert set(told) == {"files", "imported", "unchanged", "quarantined", "seconds"}
    assert (told["files"], told["imported"], told["unchanged"]) == (2, 2, 0)
    entry, file = told["quarantined"]
    assert set(entry) == {"file", "entry", "type", "id", "code", "reason"}
    assert (entry["file"], entry["type"], entry["id"], entry["code"]) == (
        str(good),
        "Nonsense",
        "n",
        "unknown_type",
    )
    assert (file["entry"], file["code"]) == ("file", "not_json")
    assert run(capsys, "import", *access, "--json", str(good))[1]["unchanged"] == 2

    expected = {"total": 2, "by_type": {"Condition": 1, "Patient": 1}}
    assert run(capsys, "list", *access, "--json") == (0, expected)
    only = {"total": 1, "by_type": {"Condition": 1}}
    assert run(capsys, "list", *access, "--type", "Condition", "--json") == (0, only)

    out = tmp_path / "out.json"
    assert run(capsys, "export", *access, str(out))[0] == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert len(json.loads(out.read_bytes())["entry"]) == 2
    assert run(capsys, "export", *access, str(out))[0] == 3
    status, found = run(capsys, "vault", "check", *access, "--json")
    assert (status, found["ok"], found["total"]) == (0, True, 2)


def test_wrong_passphrase_is_4_and_damage_is_5(
    tmp_path: Path, vault: str, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("vier heel andere woorden\n")
    assert main(["list", "--vault", vault, "--passphrase-file", str(wrong)]) == 4
    (Path(vault) / "store-1.db").write_bytes(b"")
    assert main(["list", "--vault", vault, "--passphrase-file", passphrase]) == 5
    said = capsys.readouterr()
    assert said.out == ""
    assert vault not in said.err
    assert PASSPHRASE not in said.err


def test_refused_input_is_3(tmp_path: Path, passphrase: str, vault: str) -> None:
    weak = tmp_path / "weak"
    weak.write_text("testtesttest\n")
    assert main(["vault", "create", "--vault", str(tmp_path / "v2"), "--passphrase-file", str(weak)]) == 3
    assert not (tmp_path / "v2").exists()
    assert main(["vault", "create", "--vault", vault, "--passphrase-file", passphrase]) == 3
    assert main(["list", "--vault", str(tmp_path / "nowhere"), "--passphrase-file", passphrase]) == 3


@pytest.mark.parametrize(
    "words", [[], ["nonsense"], ["list"], ["vault", "create"], ["app", "--port", "99999"]]
)
def test_wrong_usage_is_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2


def test_no_option_takes_a_passphrase() -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["list", "--vault", "v", "--passphrase", "secret"])


def test_another_person_is_told_and_stores_nothing(
    tmp_path: Path, vault: str, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    access = ("--vault", vault, "--passphrase-file", passphrase)
    mine, other = tmp_path / "mine.json", tmp_path / "other.json"
    mine.write_bytes(a_bundle(a_patient()))
    other.write_bytes(a_bundle(a_patient("p2", name="Piet Proef", born="1950-01-01")))
    run(capsys, "import", *access, "--json", str(mine))
    code, told = run(capsys, "import", *access, "--json", str(other))
    assert (code, told["imported"], told["quarantined"][0]["code"]) == (3, 0, "other_patient")
    code, told = run(capsys, "import", *access, "--json", "--this-is-me", str(other))
    assert (code, told["imported"]) == (0, 1)


def test_sharing_from_the_command_line_without_a_network(
    tmp_path: Path, vault: str, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    access = ("--vault", vault, "--passphrase-file", passphrase)
    record, card = tmp_path / "a.json", tmp_path / "card.txt"
    record.write_bytes(a_bundle(a_patient(), a_condition("c1")))
    card.write_text(a_card())
    run(capsys, "import", *access, "--json", str(record))
    assert run(capsys, "share", "add", *access, "--json", str(card))[1]["recipient"] == "ura:00000123"
    to = ("--to", "ura:00000123")
    seen = run(capsys, "share", "preview", *access, *to, "--json")[1]
    assert (seen["total"], seen["permitted"]) == (2, 2)
    assert run(capsys, "share", "preview", *access, *to, "--category", "nonsense")[0] == 3
    assert run(capsys, "share", "sign", *access, *to, "--until", "2001-01-01", "--yes", "--json")[0] == 3
    code, told = run(capsys, "share", "sign", *access, *to, "--yes", "--json")
    assert code == 0
    assert run(capsys, "sync", *access, "--json")[1] == {
        "delivered": 0,
        "stored_unsigned": 0,
        "later": 1,
        "refused": 0,
        "waiting": 1,
        "not_asked_since_restore": [],
    }
    (row,) = run(capsys, "share", "list", *access, "--json")[1]["shares"]
    assert (row["grant"], row["state"], row["delivery"]) == (told["grant"], "in_force", "waiting")
    assert run(capsys, "share", "withdraw", *access, told["grant"], "--json")[0] == 0
    (row,) = run(capsys, "share", "list", *access, "--json")[1]["shares"]
    assert row["state"] == "withdrawn"
    assert run(capsys, "looked", *access, "ura:00000123")[0] == 3


def test_the_journal_is_shown_exported_and_verified(
    tmp_path: Path, vault: str, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    access = ("--vault", vault, "--passphrase-file", passphrase)
    file = tmp_path / "journal.jsonl"
    assert main(["journal", "export", *access, str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert main(["journal", "export", *access, str(file)]) == 3
    code, shown = run(capsys, "journal", "show", *access, "--kind", "copies")
    assert code == 0
    assert "Journal saved in a file" in shown
    for asked in ((str(file),), (str(file), *access), access):
        code, told = run(capsys, "journal", "verify", *asked, "--json")
        assert (code, told["ok"], told["findings"]) == (0, True, [])
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[1:]))
    code, told = run(capsys, "journal", "verify", str(file), "--json")
    assert (code, told["findings"]) == (5, [{"fault": "missing", "position": 0, "until": 0, "line": 1}])
    code, words = run(capsys, "journal", "verify", str(file))
    assert (code, "Line 1 to 1 is missing." in words) == (5, True)
    file.write_bytes(b"".join(lines[:-1]))
    assert main(["journal", "verify", str(file)]) == 3
    assert main(["journal", "verify"]) == 3


def test_everything_paper_and_tables_are_written_by_ending_or_by_name(
    tmp_path: Path, vault: str, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    access = ("--vault", vault, "--passphrase-file", passphrase)
    (tmp_path / "r.json").write_bytes(a_bundle(a_patient(), a_condition("c1")))
    assert main(["import", *access, str(tmp_path / "r.json")]) == 0
    for name, form, start in (
        ("all.zip", (), b"PK"),
        ("paper.pdf", ("--part", "conditions", "--lang", "en"), b"%PDF-"),
        ("table.csv", ("--as", "medication"), b"\xef\xbb\xbf"),
        ("bundle.json", (), b'{"resourceType":"Bundle"'),
    ):
        out = tmp_path / name
        assert main(["export", *access, *form, str(out)]) == 0
        assert out.read_bytes().startswith(start)
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert main(["export", *access, *form, str(out)]) == 3
    assert main(["export", *access, "--part", "nonsense", str(tmp_path / "x.pdf")]) == 3
    assert not (tmp_path / "x.pdf").exists()
    assert "not encrypted" in capsys.readouterr().err
