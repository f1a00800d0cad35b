"""Make the old vaults of the tests: ``.venv/bin/python tools/make_old_vaults.py``.

For every version of the tables that has none yet, writes ``tests/vectors/vaults/v<number>/`` with a whole
vault as that version kept it: ``vault.hdr``, ``store-1.db`` and ``expected.json`` (what has to be there after
opening it today). One that exists is never made again: it stands for the files people have.

Everything in them is invented; the passphrase is ``tests.support.applications.PASSPHRASE``. The content is
made by the use cases of today and taken over column by column into the tables of the version, so a step that
needs what an older version did not have shows here first.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the builders of synthetic data lie beside the tests

from consent.codes import Category  # noqa: E402
from crypto.canonical import canonical_bytes  # noqa: E402
from crypto.kdf import derive  # noqa: E402
from pgo.store.database import CIPHER_PROFILE, EncryptedDatabase, create_database  # noqa: E402
from pgo.store.files import sha256_file  # noqa: E402
from pgo.store.founding import database_key  # noqa: E402
from pgo.store.header import Header, build_header  # noqa: E402
from pgo.store.journal import Journal  # noqa: E402
from pgo.store.ledger import LedgerTable  # noqa: E402
from pgo.store.meta import Meta  # noqa: E402
from pgo.store.migrations import STEPS, migrate  # noqa: E402
from pgo.store.slots import passphrase_slot  # noqa: E402
from pgo.store.vault import Vault  # noqa: E402
from pgo.usecases import share  # noqa: E402
from pgo.usecases.collect import collect  # noqa: E402
from pgo.usecases.read import counts_by_type  # noqa: E402
from pgo.usecases.session import Session  # noqa: E402
from pgo.usecases.settings import Settings, save_settings  # noqa: E402
from tests.support.applications import CHEAP, PASSPHRASE  # noqa: E402
from tests.support.sharing import CLINIC_ID, a_card  # noqa: E402
from tests.support.vaults import START, Home, a_bundle, a_condition, a_patient, a_weight  # noqa: E402

VAULTS = ROOT / "tests" / "vectors" / "vaults"
_FIRST_WITH_JOURNAL_HEAD = 3
"""Headers of the versions before did not remember the journal, nor restores."""


def fill(session: Session) -> None:
    """A little of everything that the first version could keep."""
    collect(
        session, a_bundle(a_patient(), a_condition("c1"), a_condition("c2", text="Zure regen")), name="a.json"
    )
    collect(
        session,
        a_bundle(json.loads(a_weight("w1")), json.loads(a_weight("w2", kilos="71.25"))),
        name="b.json",
    )
    collect(session, a_bundle({"resourceType": "Nonsense", "id": "x"}), name="c.json")
    share.add_recipient(session, a_card(at=START))
    today = session.today()
    period = (today, today + timedelta(days=30))
    choice = share.ShareChoice(CLINIC_ID, frozenset({Category.PROBLEMS}), frozenset(), "TREAT", period)
    share.withdraw(session, share.sign_share(session, choice, lang="nl", shown_text="x"))
    save_settings(session, Settings(language="en", text_scale=1.3))


def take_over(source: EncryptedDatabase, target: EncryptedDatabase) -> None:
    """Copy every row into the tables of an older version, those columns that it had."""
    target.run("PRAGMA defer_foreign_keys = ON")
    for table in sorted(plain_tables(target) & plain_tables(source)):
        new = {str(row[1]) for row in source.rows(f"PRAGMA table_info({table})")}
        columns = [str(row[1]) for row in target.rows(f"PRAGMA table_info({table})") if str(row[1]) in new]
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        rows = source.rows(f"SELECT {names} FROM {table} ORDER BY 1")
        target.run_many(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def plain_tables(engine: EncryptedDatabase) -> set[str]:
    """Tables that hold rows of their own: no search index, nor what one keeps behind it."""
    found = engine.rows(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    virtual = tuple(str(name) for name, sql in found if str(sql).upper().startswith("CREATE VIRTUAL"))
    return {str(name) for name, _ in found if not any(str(name).startswith(index) for index in virtual)}


def make(version: int, source: Vault, folder: Path) -> None:
    """One vault of one version."""
    vault_key = bytearray(secrets.token_bytes(32))
    header = Header(source.vault_id, 1, CIPHER_PROFILE, ())
    engine = create_database(folder / header.db_file, database_key(vault_key))
    with engine.transaction():
        migrate(engine, to=version)
        take_over(source._engine, engine)
    (ledger_length, ledger_head), (journal_length, journal_head) = (
        LedgerTable(engine).head(),
        Journal(engine).head(),
    )
    commits = Meta(engine).commits()
    engine.checkpoint()
    engine.close()
    header = replace(
        header.with_slot(passphrase_slot(header, PASSPHRASE, argon2=CHEAP, vault_key=vault_key)),
        commits=commits,
        ledger_length=ledger_length,
        ledger_head=ledger_head,
        journal_length=journal_length,
        journal_head=journal_head,
        db_sha256=sha256_file(folder / header.db_file),
    )
    data = build_header(header, vault_key)
    if version < _FIRST_WITH_JOURNAL_HEAD:
        data = without(data, vault_key, "journal", "restores")
    (folder / "vault.hdr").write_bytes(data)


def without(data: bytes, vault_key: bytearray, *members: str) -> bytes:
    """A header as programs wrote it that did not know these members."""
    magic, _, body, *_ = data.split(b"\n")
    kept = {name: value for name, value in json.loads(body).items() if name not in members}
    shorter = canonical_bytes(kept)
    signed = magic + b"\n" + str(len(shorter)).encode() + b"\n" + shorter + b"\n"
    mac = hmac.new(derive(vault_key, "pgo/1/header"), signed, hashlib.sha256).hexdigest()
    return signed + f"sha256:{hashlib.sha256(signed).hexdigest()}\nmac:{mac}\n".encode()


def main() -> None:
    """Make what is missing."""
    missing = [n for n in range(1, len(STEPS) + 1) if not (VAULTS / f"v{n}").is_dir()]
    with tempfile.TemporaryDirectory() as folder:
        session = Home(Path(folder)).open_new()
        fill(session)
        store = session.store
        if not isinstance(store, Vault):
            raise TypeError("only a vault on disk can be taken over")
        expected = {
            "records": counts_by_type(session),
            "journal": store.journal.head()[0],
            "grants": len(store.ledger.grants()),
            "withdrawals": len(store.ledger.withdrawals()),
        }
        for version in missing:
            place = VAULTS / f"v{version}"
            place.mkdir(parents=True)
            make(version, store, place)
            (place / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", encoding="ascii")
            print(f"made {place.relative_to(ROOT)}")
        session.lock()


if __name__ == "__main__":
    main()
