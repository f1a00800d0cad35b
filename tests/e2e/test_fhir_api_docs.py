"""The commands of `docs/fhir-api.md` do what the page says: each is run as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from recipient.cli import main
from tests.conftest import PROJECT
from tests.e2e.recipient_server import running_clinic
from tests.support import clinical
from tests.support.fhir_clinic import FhirClinic, entries, link
from tests.support.fhir_programs import Program, person

PAGE = (PROJECT / "docs" / "fhir-api.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """Return the examples of the page in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def run(command: str, folder: Path, key_file: Path) -> int:
    """Run a `recipient` command of the page with this folder and key file instead of the page's."""
    words = shlex.split(command.replace("\\\n", " "))
    here = {"/srv/recipient": str(folder), "his-public.json": str(key_file)}
    return main([here.get(word, word) for word in words[1:]])


def curl(example: str, **said: str) -> Any:
    answer = subprocess.run(
        ["bash", "-euc", example],
        env={"PATH": os.environ["PATH"], **said},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(answer.stdout)


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl and bash")
def test_the_examples_of_the_page_in_order(tmp_path: Path) -> None:
    with running_clinic(tmp_path / "clinic") as clinic:
        program = Program("his", clinic.url)
        key_file = tmp_path / "his-public.json"
        key_file.write_bytes(program.key_set())
        (registration,) = [text for text in blocks("") if text.startswith("recipient client add")]
        assert run(registration, clinic.folder, key_file) == 0
        side = FhirClinic(clinic, program, clinic.browser())
        patient = side.sharing(clinical.small_record())
        log_in, by_name, by_code, by_form, everything = blocks("sh")

        (claims,) = (json.loads(text) for text in blocks("json"))
        assert claims == person()
        assertion = program.assertion(clinic.clock(), **claims)
        token = curl(log_in, RECIPIENT=clinic.url, ASSERTION=assertion)
        assert token["scope"] == "system/Observation.rs system/Patient.rs"
        said = {"RECIPIENT": clinic.url, "TOKEN": token["access_token"]}

        found = curl(by_name, **said)
        assert [one["name"][0]["family"] for one in entries(found)] == ["Voorbeeld"]
        said["PATIENT"] = found["entry"][0]["link"][0]["url"].rpartition("/")[2]
        assert said["PATIENT"] == side.id_of(patient)
        for example, kinds in (
            (by_code, {"Observation"}),
            (by_form, {"Observation"}),
            (everything, {"Observation", "Patient"}),
        ):
            bundle = curl(example, **said)
            assert {one["resourceType"] for one in entries(bundle)} == kinds
            assert link(bundle, "self") is not None
        log = patient.who_looked(at=clinic.clock()).entries
        assert [entry.action for entry in log] == ["list", "api_search", "api_search", "api_all"]
        assert {entry.user for entry in log} == {"S. de Wit (HIS Zuid)"}


def test_other_commands_about_clients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, key_file = tmp_path / "recipient", tmp_path / "keys.json"
    assert main(["init", "--data", str(folder), "--name", "Praktijk Zuid", "--id", "ura:00000123"]) == 0
    key_file.write_bytes(Program("his", "").key_set())
    add = [
        "client",
        "add",
        "his",
        "--data",
        str(folder),
        "--jwks",
        str(key_file),
        "--acts-for",
        "record/TREAT",
    ]
    assert main([*add, "--scopes", "system/*.write"]) == 3
    assert "Scopes are words like" in capsys.readouterr().err
    assert main([*add, "--scopes", "system/*.rs", "--person-needed"]) == 0
    assert main(["client", "keys", "his", "--data", str(folder), "--jwks", str(key_file)]) == 0
    assert main(["client", "close", "his", "--data", str(folder)]) == 0
    capsys.readouterr()
    assert main(["client", "list", "--data", str(folder)]) == 0
    assert capsys.readouterr().out == "his\this\trecord/TREAT\tsystem/*.rs\tclosed\n"
    assert main(["client", "close", "nobody", "--data", str(folder)]) == 3


def test_the_description_of_every_address_is_printed_and_not_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "recipient"
    assert main(["init", "--data", str(folder), "--name", "Praktijk Zuid", "--id", "ura:00000123"]) == 0
    capsys.readouterr()
    assert main(["openapi", "--data", str(folder)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["openapi"] == "3.1.0"
    assert {"/fhir/{type}", "/oauth/token", "/v1/inbox", "/v1/card", "/health", "/portal"} <= document[
        "paths"
    ].keys()
    with running_clinic(tmp_path / "clinic") as clinic:
        for path in ("/openapi.json", "/docs", "/fhir/openapi.json"):
            assert clinic.browser().get(path).status_code in (401, 404)
