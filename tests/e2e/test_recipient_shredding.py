"""Copies made before a withdrawal open nothing of what was withdrawn, and everything of the others."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from consent.model import Category
from recipient import holdings
from recipient.backup import back_up, copy_keys, put_back
from recipient.config import DATABASE_NAME, KEK_NAME, KEY_NAME, STORE_NAME
from recipient.data_keys import care_for_kek, key_of, renew_kek
from recipient.errors import Unusable
from recipient.key_copy import DataKeyRow, PutBack
from recipient.store import Store, create_store, open_store
from recipient.store_sqlcipher import SqlcipherStore
from tests.support import clinical
from tests.support.patient_side import PatientSide
from tests.support.postgres import Cluster
from tests.support.recipient_direct import AT, a_patient_of, found, look, push, withdraw

LATER = AT + timedelta(hours=1)


def two_patients(store: Store) -> tuple[PatientSide, PatientSide]:
    staying, leaving = a_patient_of(store, 1), a_patient_of(store, 2)
    for patient in (staying, leaving):
        push(store, patient, clinical.small_record())
    return staying, leaving


def opens(store: Store, patient: PatientSide) -> bool:
    try:
        return len(holdings.held(store, patient.sub)) == len(clinical.small_record())
    except Unusable:
        return False


class TestCopyOfTheFile:
    """Somebody copied the store itself: a disk image, a copied folder."""

    def test_the_withdrawn_opens_with_no_key_there_is_and_the_others_with_the_keys_of_now(
        self, tmp_path: Path
    ) -> None:
        folder = tmp_path / "recipient"
        store = create_store(folder)
        found(store)
        staying, leaving = two_patients(store)
        store.fold()
        image = (folder / STORE_NAME).read_bytes()
        withdraw(store, leaving, at=LATER)
        assert care_for_kek(store)
        copy_keys(store, folder, to=tmp_path / "keys")
        store.close()

        (folder / STORE_NAME).write_bytes(image)  # put back under the keys of now
        store = open_store(folder)
        assert not opens(store, leaving)
        assert not opens(store, staying)  # its key lies in the image under a KEK that is no more
        store.close()

        again = tmp_path / "again"
        (tmp_path / "image").write_bytes(image)
        done = put_back(again, keys_from=tmp_path / "keys", copy=tmp_path / "image")
        record = len(clinical.small_record())
        assert done == PutBack(people=1, resources=record, people_gone=1, resources_gone=record)
        store = open_store(again)
        assert (opens(store, staying), holdings.held(store, leaving.sub)) == (True, ())
        store.close()

    def test_without_a_withdrawal_nothing_is_renewed(self, tmp_path: Path) -> None:
        store = create_store(tmp_path / "recipient")
        found(store)
        two_patients(store)
        before = (tmp_path / "recipient" / KEK_NAME).read_bytes()
        assert not care_for_kek(store)
        assert (tmp_path / "recipient" / KEK_NAME).read_bytes() == before
        store.close()


class TestBackup:
    def test_a_backup_and_the_keys_of_after_open_nothing_of_the_withdrawn(self, tmp_path: Path) -> None:
        folder, keys = tmp_path / "recipient", tmp_path / "keys"
        store = create_store(folder)
        account = found(store)
        staying, leaving = two_patients(store)
        back_up(store, folder, to=tmp_path / "monday", keys_to=keys)
        withdraw(store, leaving, at=LATER)
        back_up(store, folder, to=tmp_path / "tuesday", keys_to=keys)
        store.close()

        done = put_back(tmp_path / "again", keys_from=keys, copy=tmp_path / "monday")
        record = len(clinical.small_record())
        assert done == PutBack(1, record, 1, record)
        store = open_store(tmp_path / "again")
        assert set(look(store, account, staying, at=LATER)) >= {"Patient/p1"}
        gone = holdings.holding_of(store, leaving.sub)
        assert gone is not None
        assert (gone.state, key_of(store, leaving.sub)) == (holdings.ERASED, None)
        assert store.faults() == 0
        store.close()

    def test_a_renewal_in_the_middle_of_a_backup_does_not_part_keys_from_keks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder, keys = tmp_path / "recipient", tmp_path / "keys"
        store = create_store(folder)
        found(store)
        two_patients(store)
        assert isinstance(store, SqlcipherStore)
        real, renewed = store.copy_without_data_keys, []

        def copying(path: Path) -> tuple[DataKeyRow, ...]:
            rows = real(path)
            if not renewed:
                renewed.append(renew_kek(store))
            return rows

        monkeypatch.setattr(store, "copy_without_data_keys", copying)
        back_up(store, folder, to=tmp_path / "copy", keys_to=keys)
        store.close()
        done = put_back(tmp_path / "again", keys_from=keys, copy=tmp_path / "copy")
        assert (done.people, done.people_gone, renewed) == (2, 0, [2])

    def test_a_backup_while_the_store_is_written_is_of_one_moment(self, tmp_path: Path) -> None:
        folder = tmp_path / "recipient"
        store, other = create_store(folder), open_store(folder)
        found(store)
        two_patients(store)
        with other.transaction():  # another process is in the middle of something
            other.run("UPDATE kek_care SET destroyed = 9")
            back_up(store, folder, to=tmp_path / "copy", keys_to=tmp_path / "keys")
        put_back(tmp_path / "again", keys_from=tmp_path / "keys", copy=tmp_path / "copy")
        again = open_store(tmp_path / "again")
        assert again.row("SELECT destroyed FROM kek_care") == (0,)
        for one in (store, other, again):
            one.close()

    def test_a_backup_holds_no_key_and_no_plain_text(self, tmp_path: Path) -> None:
        folder = tmp_path / "recipient"
        store = create_store(folder)
        found(store)
        staying, _ = two_patients(store)
        back_up(store, folder, to=tmp_path / "copy", keys_to=tmp_path / "keys")
        row = store.row("SELECT wrapped FROM data_key WHERE sub = ?", (staying.sub,))
        store.close()
        whole = (tmp_path / "copy").read_bytes()
        assert row is not None
        assert not any(text in whole for text in (row[0], b"Voorbeeld", b"SQLite format 3"))
        assert sorted(path.name for path in folder.iterdir()) == [STORE_NAME, KEK_NAME, KEY_NAME]
        for name in ("copy", "keys"):
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600

    def test_nothing_is_written_over_and_nothing_is_put_over(self, tmp_path: Path) -> None:
        folder, keys = tmp_path / "recipient", tmp_path / "keys"
        store = create_store(folder)
        found(store)
        (tmp_path / "taken").write_bytes(b"mine")
        with pytest.raises(Unusable, match="backup_exists"):
            back_up(store, folder, to=tmp_path / "taken", keys_to=keys)
        back_up(store, folder, to=tmp_path / "copy", keys_to=keys)
        store.close()
        with pytest.raises(Unusable, match="already_initialised"):
            put_back(folder, keys_from=keys, copy=tmp_path / "copy")
        assert (tmp_path / "taken").read_bytes() == b"mine"

    def test_a_damaged_backup_is_refused(self, tmp_path: Path) -> None:
        folder, keys = tmp_path / "recipient", tmp_path / "keys"
        store = create_store(folder)
        found(store)
        back_up(store, folder, to=tmp_path / "copy", keys_to=keys)
        store.close()
        damaged = bytearray((tmp_path / "copy").read_bytes())
        damaged[100] ^= 1
        (tmp_path / "copy").write_bytes(damaged)
        with pytest.raises(Unusable, match="store_damaged"):
            put_back(tmp_path / "again", keys_from=keys, copy=tmp_path / "copy")
        assert list((tmp_path / "again").iterdir()) == []  # and the next try finds an empty folder


def test_the_receipt_of_a_withdrawal_names_every_message_whose_content_is_gone(tmp_path: Path) -> None:
    store = create_store(tmp_path / "recipient")
    found(store)
    patient, other = two_patients(store)
    more = push(store, patient, [clinical.lab("l9", "2026-01-05", 5.1)], at=AT + timedelta(minutes=1))
    rows = store.rows("SELECT mid FROM message WHERE sub = ?", (patient.sub,))
    receipt = withdraw(store, patient, at=LATER)
    assert set(receipt.messages) == {row[0] for row in rows}
    assert receipt.messages[-1] == more.message_id
    assert len(receipt.messages) == 2
    assert opens(store, other)
    store.close()


class TestPartlyErased:
    def test_what_a_narrower_grant_no_longer_covers_opens_from_no_copy(self, tmp_path: Path) -> None:
        folder = tmp_path / "recipient"
        store = create_store(folder)
        found(store)
        patient = a_patient_of(store, 1, grant_id="A", category=(Category.DEMOGRAPHICS,))
        push(store, patient, [clinical.patient()])
        patient.grant(at=AT, grant_id="B", category=(Category.LABS,))
        push(store, patient, [clinical.lab("l1", "2026-01-05", 5.1)])
        before = {row[0]: row[1] for row in store.rows("SELECT reference, raw FROM resource")}
        old = key_of(store, patient.sub)
        withdraw(store, patient, at=LATER, grant_id="B")
        (left,) = holdings.held(store, patient.sub)
        new = key_of(store, patient.sub)
        assert old is not None
        assert new is not None
        assert (left.reference, old.id != new.id) == ("Patient/p1", True)
        for reference, sealed in before.items():
            with pytest.raises(Unusable):
                new.open(reference, sealed)
        store.close()


class TestRenewal:
    def test_everything_opens_after_a_renewal_and_only_the_new_kek_is_there(self, tmp_path: Path) -> None:
        store = create_store(tmp_path / "recipient")
        found(store)
        patients = two_patients(store)
        before = store.wrapping.known()
        assert renew_kek(store) == 2
        assert all(opens(store, patient) for patient in patients)
        assert len(store.wrapping.known()) == 1
        assert not store.wrapping.known() & before
        store.close()

    def test_a_renewal_cut_short_opens_everything_and_is_finished_later(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "recipient"
        store = create_store(folder)
        found(store)
        patients = two_patients(store)
        with monkeypatch.context() as patch:
            patch.setattr(store, "run_many", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
            with pytest.raises(OSError, match="disk full"):
                renew_kek(store)
        assert len(store.wrapping.known()) == 2
        store.close()
        store = open_store(folder)
        assert all(opens(store, patient) for patient in patients)
        assert care_for_kek(store)
        assert len(store.wrapping.known()) == 1
        assert all(opens(store, patient) for patient in patients)
        store.close()

    def test_a_process_that_read_the_file_earlier_wraps_with_the_newest(self, tmp_path: Path) -> None:
        one = create_store(tmp_path / "recipient")
        found(one)
        two = open_store(tmp_path / "recipient")
        renew_kek(one)
        late = a_patient_of(two, 3)
        push(two, late, clinical.small_record())
        assert opens(one, late)
        one.close()
        two.close()


def test_a_dump_of_postgres_and_the_keys_of_after_open_nothing_of_the_withdrawn(
    tmp_path: Path, postgres: Cluster
) -> None:
    folder, dump = tmp_path / "recipient", tmp_path / "dump.sql"
    address, other = postgres.database(), postgres.database()
    store = create_store(folder, database=address)
    found(store)
    staying, leaving = two_patients(store)
    with dump.open("wb") as file:
        subprocess.run(
            [postgres.program("pg_dump"), "--exclude-table-data=data_key", address],
            stdout=file, check=True, timeout=60,
        )  # fmt: skip
    withdraw(store, leaving, at=LATER)
    copy_keys(store, folder, to=tmp_path / "keys")
    store.close()

    text = dump.read_text("utf-8")
    assert not any(word in text for word in ("Voorbeeld", "Sanne", "resourceType"))
    subprocess.run(
        [postgres.program("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-d", other, "-f", str(dump)],
        check=True, timeout=60, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    done = put_back(tmp_path / "again", keys_from=tmp_path / "keys", database=other)
    record = len(clinical.small_record())
    assert done == PutBack(1, record, 1, record)
    store = open_store(tmp_path / "again")
    assert (opens(store, staying), holdings.held(store, leaving.sub)) == (True, ())
    store.close()
    assert (tmp_path / "again" / DATABASE_NAME).stat().st_mode & 0o777 == 0o600
    shutil.rmtree(folder)
