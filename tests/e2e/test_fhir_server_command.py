"""``pgo share add-server``, ``server``, ``sign`` and ``sync`` with a plain FHIR server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pgo.cli import main
from tests.support.applications import PASSPHRASE
from tests.support.commands import cheap_commands
from tests.support.fhir_memory import Habits, MemoryFhir, serving_fhir
from tests.support.sharing import a_record


def test_a_server_is_added_asked_and_sent_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cheap_commands(monkeypatch)
    secret, token, records = (tmp_path / name for name in ("passphrase", "token", "records.json"))
    secret.write_text(PASSPHRASE)
    token.write_text("geheim.token-9\n")
    records.write_bytes(a_record())
    vault = ["--vault", str(tmp_path / "vault"), "--passphrase-file", str(secret)]

    def pgo(*call: str) -> dict[str, Any]:
        assert main([*call, *vault, "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    pgo("vault", "create")
    pgo("import", str(records))
    fhir = MemoryFhir(Habits(token="geheim.token-9", types=("Patient", "Consent", "Provenance", "Condition")))
    with serving_fhir(fhir) as url:
        named = ["--fhir", url, "--name", "Testziekenhuis"]
        assert main(["share", "add-server", *named, *vault]) != 0, "without the token it is not taken"
        capsys.readouterr()
        added = pgo("share", "add-server", *named, "--token-file", str(token))
        assert added["cannot"] == {"types": ["AllergyIntolerance", "MedicationStatement", "Observation"]}
        assert "geheim" not in json.dumps(added)
        server = added["recipient"]
        assert pgo("share", "server", server)["takes"] == ["Condition"]
        pgo("share", "sign", "--to", server, "--yes")
        sent = pgo("sync")
        assert sent["delivered"] == 0
        assert sent["stored_unsigned"] == 1
        [row] = pgo("share", "list")["shares"]
        assert row["delivery"] == "stored_there"
    assert len(fhir.of_type("Condition")) == 1
