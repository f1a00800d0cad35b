"""A vault and a plain FHIR server, over real HTTP: share, change, throw away, stop; what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consent.codes import Category, Sensitivity
from pgo.bootstrap import _open_plain
from pgo.errors import InputRefused
from pgo.usecases.collect import collect
from pgo.usecases.deliver import send_now
from pgo.usecases.fhir_servers import ServerForm, add_server, ask_again, ask_server, last_answer
from pgo.usecases.session import Session
from pgo.usecases.share import DeliveryState, ShareChoice, ShareRow, share, sign_share, withdraw
from pgo.usecases.unlock import create_vault
from sync.fhir_server.capability import Lack
from tests.support.applications import PASSPHRASE, an_application
from tests.support.fhir_memory import Habits, MemoryFhir, serving_fhir
from tests.support.fhir_products import PRODUCTS
from tests.support.sharing import a_record

ALL = frozenset(Category)


@contextmanager
def a_vault(folder: Path) -> Iterator[Session]:
    app = replace(an_application(folder), open_plain=_open_plain, open_transport=_no_card)
    session = create_vault(app, folder / "vault", PASSPHRASE).session
    try:
        assert collect(session, a_record(), name="test.json").imported == 8
        yield session
    finally:
        session.lock()


def _no_card() -> Any:
    from sync.transport import InboxTransport

    return InboxTransport()


def a_choice(session: Session, recipient_id: str, **changes: Any) -> ShareChoice:
    today = session.today()
    choice = ShareChoice(recipient_id, ALL, frozenset(), "TREAT", (today, today + timedelta(days=30)))
    return replace(choice, **changes)


def give(session: Session, recipient_id: str, **changes: Any) -> str:
    choice = a_choice(session, recipient_id, **changes)
    return sign_share(session, choice, lang="nl", shown_text="zo")


def state(session: Session, grant: str) -> ShareRow:
    return share(session, grant)


@pytest.mark.parametrize("kind", ["a good one", "ids of its own", *PRODUCTS])
def test_share_repeat_change_and_stop(tmp_path: Path, kind: str) -> None:
    fhir = MemoryFhir(Habits(**({"own_ids": kind == "ids of its own"} | PRODUCTS.get(kind, {}))))
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        server = add_server(session, ServerForm(url, "Testziekenhuis"))
        grant = give(session, server)
        report = send_now(session)
        assert report.stored
        assert not report.delivered
        assert len(fhir.of_type("MedicationStatement")) == 2
        assert len(fhir.of_type("Condition")) == 1, "hiv was not opted in"
        assert state(session, grant).delivery.state is DeliveryState.STORED_THERE
        writes = fhir.writes
        assert not send_now(session).stored
        assert fhir.writes == writes, "nothing new, nothing written"

        give(session, server, sensitivity=frozenset({Sensitivity.HIV}))
        send_now(session)
        assert len(fhir.of_type("Condition")) == 2

        withdraw(session, grant)
        send_now(session)
        assert len(fhir.of_type("Condition")) == 2, "the other grant goes on"
        for row in [one for one in _grants(session) if one != grant]:
            withdraw(session, row)
        send_now(session)
        left = {name.partition("/")[0] for name in fhir.stored}
        assert left <= {"Patient", "Consent", "Provenance"}
        assert {one["status"] for one in fhir.of_type("Consent")} == {"inactive"}
        [anchor] = fhir.of_type("Patient")
        assert "name" not in anchor
        assert state(session, grant).delivery.state is DeliveryState.WITHDRAWN_GONE_THERE


def _grants(session: Session) -> list[str]:
    return [row.grant_id or "" for row in session.store.ledger.grants()]


def test_nothing_that_connects_patients_or_servers_goes(tmp_path: Path) -> None:
    one, other = MemoryFhir(), MemoryFhir()
    with a_vault(tmp_path) as session, serving_fhir(one) as first, serving_fhir(other) as second:
        for url in (first, second):
            give(
                session,
                add_server(session, ServerForm(url, "Testziekenhuis")),
                categories=ALL - {Category.DEMOGRAPHICS},
            )
        send_now(session)
        assert one.stored
        assert one.stored.keys() & other.stored.keys() == set()
        text = str(one.stored)
        assert session.store.vault_id not in text
        assert "Test Persoon" not in text
        assert "'m1'" not in text, "ids of the source stay behind"
        anchor = one.of_type("Patient")[0]["id"]
        subjects = {m["subject"]["reference"] for m in one.of_type("MedicationStatement")}
        assert subjects == {f"Patient/{anchor}"}


def test_the_terms_lie_there_signed_with_the_pairwise_key(tmp_path: Path) -> None:
    import base64

    from consent.statement import open_statement
    from crypto.keys import VerifyKey

    fhir = MemoryFhir()
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        give(session, add_server(session, ServerForm(url, "Testziekenhuis")))
        send_now(session)
        [consent] = fhir.of_type("Consent")
        [provenance] = fhir.of_type("Provenance")
        signed = provenance["signature"][0]
        key = VerifyKey.from_text(signed["who"]["identifier"]["value"])
        token = base64.b64decode(signed["data"]).decode()
        assert open_statement(token, key).scope
        assert consent["sourceAttachment"]["data"] == signed["data"]
        assert consent["provision"]["type"] == "permit"


def test_what_is_thrown_away_here_goes_there(tmp_path: Path) -> None:
    from pgo.usecases.medicate import remove

    fhir = MemoryFhir()
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        give(session, add_server(session, ServerForm(url, "Testziekenhuis")))
        send_now(session)
        before = len(fhir.of_type("MedicationStatement"))
        remove(session, session.store.records.present_ids("MedicationStatement")[0])
        send_now(session)
        assert len(fhir.of_type("MedicationStatement")) == before - 1


def test_an_end_of_the_grant_is_an_end_there(tmp_path: Path) -> None:
    fhir = MemoryFhir()
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        today = session.today()
        server = add_server(session, ServerForm(url, "Testziekenhuis"))
        give(session, server, period=(today, today))
        send_now(session)
        assert fhir.of_type("MedicationStatement")
        later = session.now() + timedelta(days=2)
        object.__setattr__(session.app, "clock", lambda: later)
        send_now(session)
        assert fhir.of_type("MedicationStatement") == []
        assert {one["status"] for one in fhir.of_type("Consent")} == {"inactive"}


def test_research_does_not_go_this_way(tmp_path: Path) -> None:
    from consent.codes import Action
    from consent.research import ResearchUse

    fhir = MemoryFhir()
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        server = add_server(session, ServerForm(url, "Testziekenhuis"))
        with pytest.raises(InputRefused) as refusal:
            give(
                session,
                server,
                purpose="HRESCH",
                actions=frozenset({Action.EXTRACT}),
                research=ResearchUse(topics=frozenset({"http://hl7.org/fhir/sid/icd-10|M06"})),
            )
        assert refusal.value.code == "research_not_here"


def test_what_a_server_cannot_is_said_before_anything_is_kept(tmp_path: Path) -> None:
    fhir = MemoryFhir(Habits(types=("Patient", "Consent", "Condition"), deletes=False))
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        form = ServerForm(url, "Testziekenhuis")
        lacks = dict(ask_server(session, form).check.lacks)
        assert set(lacks) == {Lack.TYPES, Lack.PROVENANCE, Lack.DELETE}
        assert lacks[Lack.TYPES] == ("AllergyIntolerance", "MedicationStatement", "Observation")
        assert session.store.recipients.all() == ()
        server = add_server(session, form)
        assert dict(last_answer(session, server).check.lacks) == lacks
        grant = give(session, server)
        send_now(session)
        assert state(session, grant).delivery.refused_count == 5
        withdraw(session, grant)
        send_now(session)
        assert state(session, grant).delivery.state is DeliveryState.WITHDRAWN_STILL_THERE
        fhir.habits.deletes = True
        object.__setattr__(session.app, "clock", lambda: session.store.newest_at() + timedelta(hours=2))
        assert Lack.DELETE not in dict(ask_again(session, server).check.lacks)


def test_a_page_that_is_no_fhir_server_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    with a_vault(tmp_path) as session, serving_fhir(MemoryFhir(Habits(page=b"<html>sign in</html>"))) as url:
        with pytest.raises(InputRefused) as refusal:
            add_server(session, ServerForm(url, "Testziekenhuis"))
        assert refusal.value.code == "fhir_no_statement"
        assert session.store.recipients.all() == ()


def test_a_token_is_needed_tried_and_never_comes_out_again(tmp_path: Path) -> None:
    fhir = MemoryFhir(Habits(token="geheim.token-123"))
    with a_vault(tmp_path) as session, serving_fhir(fhir) as url:
        form = ServerForm(url, "Testziekenhuis", login="bearer", token="ander.token")
        with pytest.raises(InputRefused) as refusal:
            add_server(session, form)
        assert refusal.value.code == "fhir_not_allowed"
        server = add_server(session, replace(form, token="geheim.token-123"))
        give(session, server)
        assert send_now(session).stored
        assert "geheim" not in repr(last_answer(session, server))
        assert "geheim" not in repr(form)
