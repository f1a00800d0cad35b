"""A backup older than a withdrawal, put back, against a real recipient over loopback (guide check 29)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from consent.codes import Category
from consent.decision import GrantState
from pgo.store.journal import Event
from pgo.usecases import deliver, objections, reconcile, share
from pgo.usecases.backup import make_backup
from pgo.usecases.backup_restore import Secret, restore
from pgo.usecases.collect import collect
from pgo.usecases.reconcile_answer import KEPT, NEW, SAME, WITHDRAWN
from pgo.usecases.session import Application, Session
from pgo.usecases.unlock import create_vault, unlock
from recipient.holdings import holdings_in_force
from sync.card import RecipientCard
from sync.errors import Unreachable
from sync.transport import InboxTransport, Transport
from tests.e2e.recipient_server import Clinic, running_clinic
from tests.support.applications import CHEAP, PASSPHRASE
from tests.support.sharing import CLINIC_ID, a_record
from tests.support.sharing_screens import a_choice
from tests.support.vaults import START, a_bundle, a_condition


@dataclass
class Tap:
    """The real network, with every message written down, and a cable that can be pulled."""

    inner: Transport = field(default_factory=InboxTransport)
    paths: list[str] = field(default_factory=list)
    pulled: bool = False

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        if self.pulled:
            raise Unreachable
        self.paths.append(path)
        return self.inner.send(card, path, body)


@dataclass
class Patient:
    """A patient whose device can be lost and made again from a backup."""

    folder: Path
    clinic: Clinic
    tap: Tap = field(default_factory=Tap)
    backup: Path = field(default_factory=Path)

    @property
    def app(self) -> Application:
        return Application(
            vaults=self.folder,
            clock=self.clinic.clock,
            argon2=CHEAP,
            open_transport=lambda: self.tap,
            zone=UTC,
        )

    def begin(self) -> Session:
        session = create_vault(self.app, self.folder / "a", PASSPHRASE).session
        collect(session, a_record(), name="dossier.json")
        share.add_recipient(session, (self.clinic.folder / "card.txt").read_bytes())
        return session

    def give(self, session: Session, **change: object) -> str:
        choice = a_choice(session, **change)
        grant = share.sign_share(session, choice, lang="nl", shown_text="test")
        deliver.deliver(session)
        return grant

    def back_up(self, session: Session) -> None:
        self.backup = make_backup(session, self.folder / "backups").path
        self.clinic.clock.forward(hours=1)

    def lose_and_restore(self, session: Session) -> Session:
        session.lock()
        self.clinic.clock.forward(hours=1)
        self.tap.paths.clear()
        restore(self.app, self.backup, self.folder / "b", Secret(PASSPHRASE))
        return unlock(self.app, self.folder / "b", PASSPHRASE)


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    with running_clinic(tmp_path / "clinic") as clinic:
        card = clinic.browser().get("/v1/card").text
        (clinic.folder / "card.txt").write_text(f"PGO-CARD 1\n{card}\n")
        yield Patient(tmp_path / "vaults", clinic)


def state(session: Session, grant: str) -> GrantState:
    return share.share(session, grant).state


def held(clinic: Clinic) -> int:
    return int(clinic.store.rows("SELECT count(*) FROM resource")[0][0])


def shown(clinic: Clinic) -> int:
    return len(holdings_in_force(clinic.store, at=clinic.clock()))


def outcome(session: Session) -> tuple[str, int]:
    standing = reconcile.after_restore(session)
    assert standing is not None
    (settled,) = standing.settled
    return settled.outcome, settled.withdrawn


def test_a_withdrawal_after_the_backup_stays_withdrawn(patient: Patient) -> None:
    session = patient.begin()
    grant = patient.give(session)
    assert (held(patient.clinic) > 0, shown(patient.clinic)) == (True, 1)
    patient.back_up(session)
    share.withdraw(session, grant)
    deliver.deliver(session)
    assert (held(patient.clinic), shown(patient.clinic)) == (0, 0)

    session = patient.lose_and_restore(session)
    assert state(session, grant) is GrantState.IN_FORCE, "the backup itself knows nothing of it"
    collect(session, a_bundle(a_condition("new")), name="new.json")  # would be sent under that grant
    assert patient.tap.paths == [], "nothing is sent before the recipient was asked"
    deliver.deliver(session)

    assert patient.tap.paths[0] == "/v1/head"
    assert state(session, grant) is GrantState.WITHDRAWN
    assert outcome(session) == (WITHDRAWN, 1)
    assert (held(patient.clinic), shown(patient.clinic)) == (0, 0)
    assert session.store.outbox.count_open() == 0
    events = [line.event for line in session.store.journal.lines()]
    assert events.index(Event.RECIPIENT_ASKED) > events.index(Event.BACKUP_RESTORED)
    session.lock()


def test_a_grant_taken_back_for_one_that_covers_it_stays_withdrawn(patient: Patient) -> None:
    session = patient.begin()
    old = patient.give(session)
    patient.back_up(session)
    share.withdraw(session, old)
    patient.give(session)  # all that the old one permitted, under another name
    session = patient.lose_and_restore(session)
    deliver.deliver(session)
    assert state(session, old) is GrantState.WITHDRAWN
    assert outcome(session) == (WITHDRAWN, 1)
    assert (held(patient.clinic), shown(patient.clinic)) == (0, 0), "the new one cannot be seen here"
    session.lock()


def test_a_withdrawal_stays_also_where_the_clock_was_put_back(patient: Patient) -> None:
    session = patient.begin()
    old = patient.give(session)
    patient.back_up(session)
    share.withdraw(session, old)
    patient.give(session)
    patient.clinic.clock.now = START - timedelta(hours=1)
    session = patient.lose_and_restore(session)
    restored = session.store.backups.last_restore()
    assert restored is not None
    assert restored.at == share.share(session, old).signed_at, "the times do not tell which was first"
    patient.give(session, categories=frozenset({Category.LABS}))
    assert state(session, old) is GrantState.WITHDRAWN
    assert outcome(session) == (WITHDRAWN, 1)
    assert shown(patient.clinic) == 1, "what was given after the restore goes on"
    session.lock()


def test_of_two_grants_only_the_one_taken_back_ends(patient: Patient) -> None:
    session = patient.begin()
    kept, old = patient.give(session), patient.give(session)
    patient.back_up(session)
    share.withdraw(session, old)
    deliver.deliver(session)
    session = patient.lose_and_restore(session)
    deliver.deliver(session)
    assert (state(session, kept), state(session, old)) == (GrantState.IN_FORCE, GrantState.WITHDRAWN)
    assert outcome(session) == (WITHDRAWN, 1)
    assert shown(patient.clinic) == 1
    session.lock()


def test_nothing_leaves_while_the_recipient_cannot_be_asked(patient: Patient) -> None:
    session = patient.begin()
    grant = patient.give(session)
    patient.back_up(session)
    share.withdraw(session, grant)
    deliver.deliver(session)
    session = patient.lose_and_restore(session)
    collect(session, a_bundle(a_condition("new")), name="new.json")
    patient.tap.pulled = True
    for _ in range(3):
        deliver.send_now(session)
        patient.clinic.clock.forward(hours=1)
    standing = reconcile.after_restore(session)
    assert standing is not None
    assert [(one.recipient_id, one.problem) for one in standing.waiting] == [(CLINIC_ID, "unreachable")]
    assert (patient.tap.paths, held(patient.clinic)) == ([], 0)
    deliver.deliver(session)
    wait = deliver.next_try_at(session)
    assert wait == session.now() + timedelta(minutes=5), "it asks again by itself, and does not spin"
    patient.tap.pulled = False
    deliver.send_now(session)
    assert state(session, grant) is GrantState.WITHDRAWN
    assert "/v1/inbox" not in patient.tap.paths[:1]
    session.lock()


def test_sharing_that_did_not_change_goes_on_by_itself(patient: Patient) -> None:
    session = patient.begin()
    grant = patient.give(session)
    before = held(patient.clinic)
    patient.back_up(session)
    session = patient.lose_and_restore(session)
    collect(session, a_bundle(a_condition("new", start="2026-01-05")), name="new.json")
    deliver.deliver(session)
    assert outcome(session) == (SAME, 0)
    assert state(session, grant) is GrantState.IN_FORCE
    assert (held(patient.clinic), shown(patient.clinic)) == (before + 1, 1)
    session.lock()


def test_a_statement_only_renewed_after_the_backup_keeps_the_grant(patient: Patient) -> None:
    session = patient.begin()
    grant = patient.give(session)
    patient.back_up(session)
    patient.clinic.clock.forward(days=25)  # half-way to stale: the app renews its statement
    deliver.deliver(session)
    session = patient.lose_and_restore(session)
    deliver.deliver(session)
    assert outcome(session) == (KEPT, 0)
    assert state(session, grant) is GrantState.IN_FORCE
    assert shown(patient.clinic) == 1
    session.lock()


def test_what_was_narrowed_after_the_backup_is_not_widened_again(patient: Patient) -> None:
    session = patient.begin()
    grant = patient.give(session)
    patient.back_up(session)
    choice = objections.ObjectionChoice(
        categories=frozenset({Category.MEDICATIONS}),
    )
    objections.object_to(session, choice, lang="nl", shown_text="test")
    deliver.deliver(session)
    narrowed = held(patient.clinic)
    session = patient.lose_and_restore(session)
    deliver.deliver(session)
    assert outcome(session) == (WITHDRAWN, 1)
    assert state(session, grant) is GrantState.WITHDRAWN
    assert held(patient.clinic) <= narrowed
    assert shown(patient.clinic) == 0
    session.lock()


def test_what_was_given_after_the_backup_ends_at_the_recipient_too(patient: Patient) -> None:
    session = patient.begin()
    patient.back_up(session)
    patient.give(session)
    assert shown(patient.clinic) == 1
    session = patient.lose_and_restore(session)
    assert share.shares(session) == ()
    deliver.deliver(session)
    assert outcome(session) == (KEPT, 0)
    assert shown(patient.clinic) == 0, "what the app cannot show and stop must not go on"
    again = patient.give(session)
    assert state(session, again) is GrantState.IN_FORCE
    assert shown(patient.clinic) == 1
    session.lock()


def test_a_grant_given_again_before_the_recipient_answered_is_not_taken_back(patient: Patient) -> None:
    session = patient.begin()
    old = patient.give(session)
    patient.back_up(session)
    share.withdraw(session, old)
    deliver.deliver(session)
    session = patient.lose_and_restore(session)
    patient.tap.pulled = True
    new = patient.give(session)
    patient.tap.pulled = False
    deliver.send_now(session)
    assert (state(session, old), state(session, new)) == (GrantState.WITHDRAWN, GrantState.IN_FORCE)
    assert outcome(session) == (WITHDRAWN, 1)
    assert shown(patient.clinic) == 1
    session.lock()


def test_a_recipient_that_never_heard_of_us_is_asked_all_the_same(patient: Patient) -> None:
    session = patient.begin()
    patient.back_up(session)
    session = patient.lose_and_restore(session)
    patient.give(session)
    assert patient.tap.paths[0] == "/v1/head"
    assert outcome(session) == (NEW, 0)
    assert shown(patient.clinic) == 1
    session.lock()


def test_records_after_a_restore_never_take_the_name_of_lost_ones(patient: Patient) -> None:
    session = patient.begin()
    patient.give(session)
    patient.back_up(session)
    collect(session, a_bundle(a_condition("lost", text="Verloren")), name="lost.json")
    deliver.deliver(session)
    names = {row[0] for row in patient.clinic.store.rows("SELECT reference FROM resource")}
    session = patient.lose_and_restore(session)
    collect(session, a_bundle(a_condition("other", text="Ander")), name="other.json")
    newest = max(session.store.records.present_ids())
    assert f"Condition/r{newest}" not in names
    session.lock()
