"""A backup of a vault of every version is put back today, migrated, with everything in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pgo.store.backup_open import with_passphrase
from pgo.store.backup_restore import compare_restored, restore_new
from pgo.store.backup_write import Source, write_backup
from pgo.store.header import load_header
from pgo.store.migrations import STEPS, schema_version
from pgo.store.opening import open_with_passphrase
from pgo.store.slots import open_passphrase_slot
from tests.conftest import PROJECT
from tests.support.applications import PASSPHRASE
from tests.support.vaults import START

VAULTS = PROJECT / "tests" / "vectors" / "vaults"


@pytest.mark.parametrize("version", range(1, len(STEPS) + 1))
def test_an_old_backup_is_put_back_and_brought_up_to_date(version: int, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(VAULTS / f"v{version}", tmp_path / "old"))
    expected = json.loads((folder / "expected.json").read_text(encoding="ascii"))
    header = load_header(folder).header
    source = Source(folder, header, open_passphrase_slot(header, PASSPHRASE))
    made = write_backup(source, tmp_path / "old.pgobackup", at=START)
    assert made.header.schema == version
    unwrap = with_passphrase(PASSPHRASE)
    opened = restore_new(made.path, tmp_path / "vaults" / "Terug", unwrap, at=START)
    assert "record" in compare_restored(tmp_path / "vaults" / "Terug", unwrap, opened)
    vault = open_with_passphrase(tmp_path / "vaults" / "Terug", PASSPHRASE)
    assert schema_version(vault._engine) == len(STEPS)
    assert vault.records.counts_by_type() == expected["records"]
    assert len(vault.ledger.grants()) == expected["grants"]
    assert not any(vault.backups.may_send(one.id) for one in vault.recipients.all())
    vault.close()
