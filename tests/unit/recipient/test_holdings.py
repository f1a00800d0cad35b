"""What is held ends by itself, and the access log is only added to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from consent.statement import open_statement
from crypto.keys import OpeningKey, SigningKey, VerifyKey
from recipient import audit, holdings, looks
from recipient.accounts import Account
from recipient.errors import NotShared, Purged
from recipient.identity import create_identity
from recipient.store import Store, create_store
from sync.access import sign_access_log, verify_access_log
from sync.bundle import Item
from sync.card import RecipientCard
from tests.support.patient_side import PatientSide

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = SigningKey.from_seed(bytes(32))
ACCOUNT = Account(1, "dewit", "S. de Wit", "internist")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = create_store(tmp_path / "clinic")
    store.run("INSERT INTO account VALUES (1, 'dewit', 'S. de Wit', 'internist', 'phc', 1, 't')")
    create_identity(store, recipient_id="ura:00000123", name="Praktijk Zuid", kind="clinic", url=None, at=AT)
    yield store
    store.close()


@pytest.fixture
def sub(store: Store) -> str:
    """A patient who shares for ten days, with one resource held."""
    card = RecipientCard(
        version=1,
        id="ura:00000123",
        kind="clinic",
        name="Praktijk Zuid",
        identifiers=(),
        endpoint="https://share.example.org",
        verify_key=KEY.public,
        sealing_key=OpeningKey.from_seed(bytes(32)).public,
        issued_at=AT,
        expires_at=AT + timedelta(days=365),
    )
    patient = PatientSide(card, bytes(range(32)))
    patient.grant(at=AT, days=10)
    statement = open_statement(patient.statement, VerifyKey.from_text(patient.sub))
    with store.transaction():
        holdings.save_statement(store, statement, token=patient.statement, state=holdings.ACTIVE, at=AT)
        item = Item("Patient/p1", b'{"resourceType":"Patient","id":"p1"}', {}, None)
        holdings.put_resources(store, patient.sub, [item], at=AT)
    return patient.sub


def look(store: Store, sub: str, action: str = audit.OPENED, *, at: datetime = AT) -> None:
    seen = audit.Seen(action=action, categories=frozenset({"labs", "allergies"}), purpose="TREAT")
    with store.transaction():
        audit.append(store, sub, account=ACCOUNT, seen=seen, at=at)


class TestEnd:
    def count(self, store: Store) -> int:
        row = store.row("SELECT count(*) FROM resource")
        assert row is not None
        return int(row[0])

    def test_handle_works_until_the_end_and_is_gone_after(self, store: Store, sub: str) -> None:
        (holding,) = holdings.holdings_in_force(store, at=AT)
        assert holdings.holding_in_force(store, holding.handle, at=AT + timedelta(days=9.9)).sub == sub
        with pytest.raises(Purged):
            holdings.holding_in_force(store, holding.handle, at=AT + timedelta(days=10))
        with pytest.raises(NotShared):
            holdings.holding_in_force(store, "other", at=AT)

    def test_handle_says_nothing_about_the_key(self, store: Store, sub: str) -> None:
        (holding,) = holdings.holdings_in_force(store, at=AT)
        assert holding.handle not in sub
        assert len(holding.handle) >= 22  # 128 bits in base64url

    @pytest.mark.parametrize(("days", "left"), [(39.9, 1), (40, 0)])
    def test_resources_are_erased_thirty_days_after_the_end(
        self, store: Store, sub: str, days: float, left: int
    ) -> None:
        keep = timedelta(days=30)
        done = holdings.erase_ended(store, at=AT + timedelta(days=days), keep_hidden=keep)
        assert (done, self.count(store)) == (1 - left, left)
        assert holdings.erase_ended(store, at=AT + timedelta(days=days), keep_hidden=keep) == 0

    def test_sequence_outlives_the_data_as_guard_against_rollback(self, store: Store, sub: str) -> None:
        holdings.erase_ended(store, at=AT + timedelta(days=99), keep_hidden=timedelta(0))
        holding = holdings.holding_of(store, sub)
        assert holding is not None
        assert (holding.sequence, holding.state) == (1, holdings.ERASED)

    def test_same_bytes_again_are_nothing_new(self, store: Store, sub: str) -> None:
        item = Item("Patient/p1", b'{"resourceType":"Patient","id":"p1"}', {}, None)
        changed = Item("Patient/p1", b'{"resourceType":"Patient","id":"p1","active":true}', {}, None)
        holdings.put_resources(store, sub, [item], at=AT + timedelta(days=1))
        assert looks.count_newer(store, sub, AT) == 0
        holdings.put_resources(store, sub, [changed], at=AT + timedelta(days=2))
        assert looks.count_newer(store, sub, AT) == 1


class TestAccessLog:
    def test_chain_is_the_one_the_patients_side_verifies(self, store: Store, sub: str) -> None:
        for minutes in range(5):
            look(store, sub, at=AT + timedelta(minutes=minutes))
        token = sign_access_log(audit.entries_after(store, sub, 0), subject=sub, total=5, key=KEY, at=AT)
        log = verify_access_log(token, KEY.public, subject=sub)
        assert [entry.sequence for entry in log.entries] == [1, 2, 3, 4, 5]
        assert log.entries[0].categories == ("allergies", "labs")
        assert log.head == audit.head(store, sub)

    def test_continues_after_what_the_patient_knows(self, store: Store, sub: str) -> None:
        for _ in range(4):
            look(store, sub)
        assert [entry.sequence for entry in audit.entries_after(store, sub, 2)] == [3, 4]
        assert audit.entries_after(store, sub, 4) == ()

    @pytest.mark.parametrize("sql", ["DELETE FROM access_event", "UPDATE access_event SET user = 'nobody'"])
    def test_events_can_be_neither_deleted_nor_changed(self, store: Store, sub: str, sql: str) -> None:
        look(store, sub)
        with pytest.raises(dbapi2.IntegrityError):
            store.run(sql)
        assert [entry.user for entry in audit.entries_after(store, sub, 0)] == ["S. de Wit"]

    def test_later_change_of_name_leaves_old_events_as_they_were(self, store: Store, sub: str) -> None:
        look(store, sub)
        store.run("UPDATE account SET display = 'Other' WHERE id = 1")
        assert audit.entries_after(store, sub, 0)[0].user == "S. de Wit"

    def test_look_that_fails_leaves_no_event(self, store: Store, sub: str) -> None:
        def failing() -> None:
            with store.transaction():
                seen = audit.Seen(action=audit.OPENED, categories=frozenset(), purpose="TREAT")
                audit.append(store, sub, account=ACCOUNT, seen=seen, at=AT)
                raise RuntimeError("no page")

        with pytest.raises(RuntimeError, match="no page"):
            failing()
        assert audit.entries_after(store, sub, 0) == ()
