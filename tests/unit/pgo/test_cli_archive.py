"""``pgo archive verify``: what it prints, and its exit codes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from pgo.cli import main
from pgo.ui.paper_words import PaperWords
from pgo.usecases import looked, share
from pgo.usecases.export_archive import export_archive
from sync.errors import RemoteRuleError
from tests.support.looked import sharing_with_a_desk
from tests.support.sharing import CLINIC_ID


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An archive with two looks and a doubted answer, and the fingerprint of the clinic."""
    folder = tmp_path_factory.mktemp("archive")
    with sharing_with_a_desk(folder) as made:
        for _ in range(2):
            made.desk.look()
        looked.fetch_access(made.session, CLINIC_ID)
        for table in ("access_event", "access_line"):
            made.desk.store.run(f"DROP TRIGGER {table}_stays")
            made.desk.store.run(f"DELETE FROM {table}")
        with pytest.raises(RemoteRuleError):
            looked.fetch_access(made.session, CLINIC_ID)
        file = folder / "all.zip"
        file.write_bytes(export_archive(made.session, PaperWords("en")).data)
        return file, share.recipient(made.session, CLINIC_ID).fingerprint


def test_it_says_what_holds_who_signed_and_what_was_doubted(
    archive: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    file, fingerprint = archive
    assert main(["archive", "verify", str(file)]) == 0
    told = capsys.readouterr().out
    assert "The journal is whole" in told
    assert "The decisions are whole: 1" in told
    assert f"Who looked at {CLINIC_ID}: 2 looks, as signed there at " in told
    assert fingerprint in told
    assert "the list is shorter than last time" in told


def test_one_json_object_for_programs(archive: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["archive", "verify", str(archive[0]), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"ok", "files", "journal", "decisions", "looked"}
    (clinic,) = told["looked"]
    assert (told["ok"], clinic["recipient"], clinic["looks"], clinic["fault"]) == (True, CLINIC_ID, 2, "")
    assert clinic["problem"] == "access_log_rolled_back"


def test_another_file_and_a_changed_one_are_refused(
    archive: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(archive[0]) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + (b"\n" if name == "journal.jsonl" else b""))
    assert main(["archive", "verify", str(changed)]) == 3
    assert "journal.jsonl" in capsys.readouterr().err
    changed.write_bytes(b"no zip")
    assert main(["archive", "verify", str(changed)]) == 3
