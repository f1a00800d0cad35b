"""The ``recipient`` command as an operator and as a script use it: real processes, real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from recipient.cli import SENTENCES, main
from recipient.store import open_store
from sync.card import parse_card
from tests.e2e.recipient_server import PASSWORD, log_in

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str, entered: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "recipient", *arguments],
        cwd=ROOT,
        input=entered,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def serving(folder: Path, *more: str) -> Iterator[dict[str, str]]:
    """Run ``recipient serve`` until the block ends; give what it announced."""
    ready_file = folder.parent / "ready.json"
    ready_file.unlink(missing_ok=True)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "recipient", "serve", "--data", str(folder)),
            *("--ready-file", str(ready_file), *more),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        ends = time.monotonic() + 30
        while not ready_file.exists():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < ends
            time.sleep(0.05)
        yield json.loads(ready_file.read_text("utf-8"))
    finally:
        process.send_signal(signal.SIGTERM)
        printed, complaints = process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM)
    assert json.loads(printed) == json.loads(ready_file.read_text("utf-8"))
    assert [json.loads(line)["event"] for line in complaints.splitlines()] == ["ready", "stopping", "stopped"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "clinic"
    assert main(["init", "--data", str(folder), "--name", "Praktijk Zuid", "--id", "ura:00000123"]) == 0
    return folder


def test_init_user_serve_log_in_and_again_at_the_same_address(folder: Path) -> None:
    added = command(
        *("user", "add", "dewit", "--data", str(folder), "--display", "S. de Wit"),
        *("--role", "internist", "--password-file", "-", "--no-second-factor"),
        entered=PASSWORD + "\n",
    )
    assert (added.returncode, added.stderr) == (0, "")
    with serving(folder) as first:
        card = parse_card(Path(first["card"]).read_bytes(), at=datetime.now(UTC))
        assert (card.id, card.name, card.endpoint) == ("ura:00000123", "Praktijk Zuid", first["url"])
        with httpx.Client(base_url=first["url"], trust_env=False) as browser:
            assert log_in(browser).status_code == 303
            assert "S. de Wit" in browser.get("/portal").text
    with serving(folder) as second:
        assert second["url"] == first["url"]
        again = parse_card(Path(second["card"]).read_bytes(), at=datetime.now(UTC))
    assert again.fingerprint == card.fingerprint


def test_account_made_while_the_service_runs_can_log_in(folder: Path) -> None:
    with serving(folder) as ready:
        added = command(
            *("user", "add", "nieuw", "--data", str(folder), "--display", "N. Ieuw"),
            *("--password-file", "-", "--no-second-factor"),
            entered=PASSWORD + "\n",
        )
        assert added.returncode == 0
        with httpx.Client(base_url=ready["url"], trust_env=False) as browser:
            assert log_in(browser, "nieuw").status_code == 303


def test_password_is_neither_argument_nor_environment_and_not_printed(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\nsecond line is not part of it\n", "utf-8")
    done = command(
        *("user", "add", "dewit", "--data", str(folder), "--display", "S. de Wit"),
        *("--password-file", str(secret)),
    )
    assert done.returncode == 0
    assert PASSWORD not in done.stdout + done.stderr
    refused = command("user", "add", "x", "--data", str(folder), "--display", "X", "--password", PASSWORD)
    assert refused.returncode == 2


def test_card_file_is_accepted_by_the_patients_side(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "card.txt"
    assert main(["card", "--data", str(folder), "--out", str(out)]) == 3, "no address is known yet"
    named = tmp_path / "named"
    url = "https://share.example.org"
    assert main(["init", "--data", str(named), "--name", "N", "--id", "agb:01234567", "--url", url]) == 0
    assert main(["card", "--data", str(named), "--out", str(out)]) == 0
    card = parse_card(out.read_bytes(), at=datetime.now(UTC))
    assert (card.endpoint, card.kind) == (url, "clinic")
    assert card.identifiers == (("http://fhir.nl/fhir/NamingSystem/agb-z", "01234567"),)


def test_new_opening_key_goes_on_the_card_and_the_fingerprint_stays(tmp_path: Path) -> None:
    folder, cards = tmp_path / "named", []
    url = "https://share.example.org"
    main(
        [
            "init",
            "--data",
            str(folder),
            "--name",
            "N",
            "--id",
            "ura:00000123",
            "--url",
            url,
            "--kind",
            "registry",
        ]
    )
    for _ in range(2):
        main(["card", "--data", str(folder), "--out", str(tmp_path / "card")])
        cards.append(parse_card((tmp_path / "card").read_bytes(), at=datetime.now(UTC)))
        assert main(["renew-key", "--data", str(folder)]) == 0
    assert cards[0].fingerprint == cards[1].fingerprint
    assert cards[0].sealing_key != cards[1].sealing_key
    assert cards[0].kind == "registry"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"--id": "00000123"}, "bad_id"),
        ({"--id": "ura:"}, "bad_id"),
        ({"--name": " "}, "bad_name"),
        ({"--name": "a\nb"}, "bad_name"),
        ({"--url": "http://share.example.org"}, "bad_url"),
        ({"--url": "https://user:pw@share.example.org"}, "bad_url"),
        ({"--url": "ftp://share.example.org"}, "bad_url"),
    ],
)
def test_bad_settings_are_refused_in_a_sentence_and_leave_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], code: str
) -> None:
    said = {"--data": str(tmp_path / "new"), "--name": "N", "--id": "ura:00000123"} | changes
    assert main(["init", *(part for pair in said.items() for part in pair)]) == 3
    assert capsys.readouterr().err == f"recipient: {SENTENCES[code]}\n"
    assert not (tmp_path / "new").exists()


def test_second_init_is_refused_and_changes_nothing(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(["init", "--data", str(folder), "--name", "Other", "--id", "ura:00000999"]) == 3
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "arguments", [["serve"], ["card"], ["user", "list"], ["user", "close", "dewit"], ["renew-key"]]
)
def test_folder_without_a_recipient_or_without_its_key_is_code_5(
    folder: Path, tmp_path: Path, arguments: list[str]
) -> None:
    assert main([*arguments, "--data", str(tmp_path / "nothing")]) == 5
    (folder / "recipient.key").unlink()
    assert main([*arguments, "--data", str(folder)]) == 5


def test_serving_other_machines_needs_tls(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--data", str(folder), "--host", "0.0.0.0"]) == 3
    assert SENTENCES["no_tls"] in capsys.readouterr().err


def test_every_code_of_the_program_has_its_sentence() -> None:
    import re

    sources = "".join(path.read_text("utf-8") for path in (ROOT / "recipient").rglob("*.py"))
    codes = set(re.findall(r'Unusable\("(\w+)"', sources)) | {"not_initialised", "store_damaged"}
    assert codes <= SENTENCES.keys()


def test_what_the_service_writes_is_for_its_owner_only(folder: Path) -> None:
    with serving(folder):
        modes = {path.name: path.stat().st_mode & 0o077 for path in folder.iterdir()}
    assert set(modes.values()) == {0}
    assert os.stat(folder).st_mode & 0o077 == 0


def test_accounts_of_several_processes_are_all_there(folder: Path) -> None:
    for number in range(3):
        added = command(
            *(
                "user",
                "add",
                f"user{number}",
                "--data",
                str(folder),
                "--display",
                "U",
                "--password-file",
                "-",
            ),
            entered=PASSWORD + "\n",
        )
        assert added.returncode == 0
    store = open_store(folder)
    assert store.row("SELECT count(*) FROM account") == (3,)
    store.close()
