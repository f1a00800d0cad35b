"""A plain FHIR server and trouble: taken back midway, let in no more, put back, busy, cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consent.decision import GrantState
from pgo.usecases import deliver, share
from pgo.usecases.backup import make_backup
from pgo.usecases.backup_restore import Secret, restore
from pgo.usecases.collect import collect
from pgo.usecases.deliver import send_now
from pgo.usecases.fhir_servers import ServerForm, add_server
from pgo.usecases.reconcile import after_restore
from pgo.usecases.session import Session
from pgo.usecases.share import DeliveryState, withdraw
from pgo.usecases.unlock import unlock
from sync.errors import Unreachable
from sync.fhir_server.parcel import parcel_bytes
from tests.e2e.test_fhir_server import a_vault, give
from tests.support.applications import PASSPHRASE
from tests.support.fhir_memory import Answer, Habits, MemoryFhir, outcome, serving_fhir
from tests.support.fhir_parcels import a_destination, a_parcel, a_transport, observations
from tests.support.sharing import a_record


class Watched(MemoryFhir):
    """The same server, with something that happens at its requests."""

    def __init__(self, habits: Habits | None = None) -> None:
        super().__init__(habits)
        self.at_request: Callable[[str, str, Any], Answer | None] = lambda *_: None

    def handle(self, method: str, url: str, headers: dict[str, str], body: Any) -> Answer:
        strange = self.at_request(method, url, body)
        return strange or super().handle(method, url, headers, body)


def _is_push(body: Any) -> bool:
    return bool(body) and any("resource" in entry for entry in body.get("entry", []))


def test_what_is_taken_back_midway_goes_no_further() -> None:
    fhir, asked = MemoryFhir(), [0]

    def going() -> bool:
        asked[0] += 1
        return asked[0] <= 2

    with serving_fhir(fhir) as url:
        transport, to = a_transport(), a_destination(url)
        with pytest.raises(Unreachable) as cut:
            transport.deliver(to, parcel_bytes(a_parcel(observations(5))), going=going)
    assert cut.value.code == "taken_back"
    assert fhir.of_type("Observation") == [], "the terms were there, and then it was taken back"


def test_a_withdrawal_during_a_delivery_leaves_nothing_there(tmp_path: Path) -> None:
    fhir = Watched()
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        grant = give(session, add_server(session, ServerForm(url, "Testziekenhuis")))
        seen = [0]

        def take_back(_method: str, _url: str, body: Any) -> None:
            seen[0] += _is_push(body)
            if seen[0] == 2:
                seen[0] += 1
                withdraw(session, grant)

        fhir.at_request = take_back
        send_now(session)
        send_now(session)
        assert fhir.of_type("MedicationStatement") == []
        assert {one["status"] for one in fhir.of_type("Consent")} == {"inactive"}
        assert share.share(session, grant).delivery.state is DeliveryState.WITHDRAWN_GONE_THERE


def test_a_withdrawal_between_the_last_answer_and_its_writing_down_takes_everything_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fhir = MemoryFhir()
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        grant = give(session, add_server(session, ServerForm(url, "Testziekenhuis")))
        real = session.plain_transport.deliver

        def late(*args: Any, **more: Any) -> Any:
            found = real(*args, **more)
            assert fhir.of_type("MedicationStatement"), "it got there"
            withdraw(session, grant)
            monkeypatch.setattr(session.plain_transport, "deliver", real)
            return found

        monkeypatch.setattr(session.plain_transport, "deliver", late)
        send_now(session)
        send_now(session)
        assert fhir.of_type("MedicationStatement") == []
        assert share.share(session, grant).delivery.state is DeliveryState.WITHDRAWN_GONE_THERE


@pytest.mark.parametrize("own_ids", [False, True])
def test_an_answer_that_never_came_leads_to_no_double_and_no_loss(tmp_path: Path, own_ids: bool) -> None:
    fhir = Watched(Habits(own_ids=own_ids))
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        grant = give(session, add_server(session, ServerForm(url, "Testziekenhuis")))
        lost = [0]

        def lose(method: str, path: str, body: Any) -> Answer | None:
            if _is_push(body) and lost[0] < 3:
                lost[0] += 1
                MemoryFhir.handle(fhir, method, path, {}, body)
                return 500, outcome("the answer was lost"), {}
            return None

        fhir.at_request = lose
        for _ in range(5):
            send_now(session)
        assert lost[0] == 3
        assert len(fhir.of_type("MedicationStatement")) == 2
        assert len(fhir.of_type("Consent")) == 1
        assert share.share(session, grant).delivery.state is DeliveryState.STORED_THERE


def test_a_withdrawal_that_was_not_let_in_goes_with_the_new_token(tmp_path: Path) -> None:
    fhir = MemoryFhir(Habits(token="oud"))
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        form = ServerForm(url, "Testziekenhuis", login="bearer", token="oud")
        grant = give(session, add_server(session, form))
        send_now(session)
        assert fhir.of_type("MedicationStatement")
        fhir.habits.token = "nieuw"
        withdraw(session, grant)
        assert send_now(session).refused
        assert share.share(session, grant).delivery.state is not DeliveryState.WITHDRAWN_GONE_THERE
        add_server(session, replace(form, token="nieuw"))
        assert send_now(session).stored
        assert fhir.of_type("MedicationStatement") == []
        assert share.share(session, grant).delivery.state is DeliveryState.WITHDRAWN_GONE_THERE


def test_a_busy_server_is_not_asked_before_its_time(tmp_path: Path) -> None:
    fhir = MemoryFhir()
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        give(session, add_server(session, ServerForm(url, "Testziekenhuis")))
        fhir.habits.busy.append((429, outcome('{"_msBeforeNext":7200000}'), {}))
        assert deliver.deliver(session).later
        [entry] = session.store.outbox.all_open()
        assert entry.next_at - session.now() > timedelta(hours=1, minutes=59)
        assert not deliver.deliver(session).stored


def _restored(session: Session, folder: Path, backup: Path) -> Session:
    app = session.app
    session.lock()
    object.__setattr__(app, "clock", lambda: _later(app))
    restore(app, backup, folder / "again", Secret(PASSPHRASE))
    return unlock(app, folder / "again", PASSPHRASE)


def _later(_app: object) -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC) + timedelta(hours=2)


def test_a_restored_vault_asks_first_and_a_withdrawal_it_forgot_wins(tmp_path: Path) -> None:
    fhir = MemoryFhir()
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        server = add_server(session, ServerForm(url, "Testziekenhuis"))
        grant = give(session, server)
        send_now(session)
        backup = make_backup(session, tmp_path / "backups").path
        withdraw(session, grant)
        send_now(session)
        assert fhir.of_type("MedicationStatement") == []
        again = _restored(session, tmp_path, backup)
        try:
            send_now(again)
            standing = after_restore(again)
            assert standing is not None
            assert [one.outcome for one in standing.settled] == ["withdrawn"]
            assert share.share(again, grant).state is GrantState.WITHDRAWN
            assert fhir.of_type("MedicationStatement") == []
        finally:
            again.lock()


def test_what_was_sent_after_the_backup_is_found_there_and_taken_away(tmp_path: Path) -> None:
    fhir = MemoryFhir()
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        server = add_server(session, ServerForm(url, "Testziekenhuis"))
        grant = give(session, server)
        send_now(session)
        backup = make_backup(session, tmp_path / "backups").path
        more = a_record().replace(b'"m1"', b'"m9"').replace(b"L04AX03", b"A10BA02")
        collect(session, more, name="later.json")
        send_now(session)
        assert len(fhir.of_type("MedicationStatement")) == 3
        again = _restored(session, tmp_path, backup)
        try:
            send_now(again)
            assert share.share(again, grant).state is GrantState.IN_FORCE
            assert len(fhir.of_type("MedicationStatement")) == 2, "the vault does not know the third"
        finally:
            again.lock()
