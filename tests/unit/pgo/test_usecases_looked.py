"""Who looked, from the patient's vault to a real recipient's store and back, in both forms of the list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pgo.usecases import looked, share
from pgo.usecases.session import Session
from recipient import treating
from recipient.errors import NotShared
from recipient.identity import load_identity
from recipient.rotation import rotate_signing_key
from recipient.treating import Reason
from sync.access_full import verify_access_head
from sync.errors import RemoteRuleError
from tests.support.looked import Desk, Shared, sharing_with_a_desk, the_card
from tests.support.recipient_line import Line
from tests.support.sharing import CLINIC_ID


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    with sharing_with_a_desk(tmp_path) as made:
        yield made


@pytest.fixture
def session(shared: Shared) -> Session:
    return shared.session


@pytest.fixture
def line(shared: Shared) -> Line:
    return shared.line


@pytest.fixture
def desk(shared: Shared) -> Desk:
    return shared.desk


def refusal(session: Session) -> str:
    with pytest.raises(RemoteRuleError) as caught:
        looked.fetch_access(session, CLINIC_ID)
    return caught.value.code


def test_a_look_arrives_with_everything_the_standard_asks(session: Session, desk: Desk) -> None:
    with desk.store.transaction():
        treating.save_setting(desk.store, desk.account.id, patients="own", team="")
    desk.reader.glass.give(desk.account, desk.holding.handle, Reason.EMERGENCY, "onwel", at=datetime.now(UTC))
    desk.look()
    view = looked.fetch_access(session, CLINIC_ID)
    (newest, given) = view.entries
    details = newest.details
    assert details is not None
    assert (newest.user, newest.role, newest.action, newest.purpose) == (
        "S. de Wit",
        "internist",
        "open",
        "ETREAT",
    )
    assert (details.user_id, details.organisation, details.organisation_id) == (
        f"staff:{desk.account.id}",
        "Praktijk Zuid",
        CLINIC_ID,
    )
    assert (details.outcome, details.reason, details.note) == ("permitted", "emergency", "onwel")
    assert (details.origin, details.statement) == ("portal", 1)
    assert "192.0.2.7" not in newest.line
    assert details.place.startswith("sha256:")
    assert (given.action, view.reasons, view.refused) == ("reason", 1, 0)


def test_a_refused_look_arrives(session: Session, desk: Desk) -> None:
    with pytest.raises(NotShared):
        desk.reader.open_item(desk.account, desk.holding.handle, 999_999, at=datetime.now(UTC))
    view = looked.fetch_access(session, CLINIC_ID)
    assert view.refused == 1
    assert view.entries[0].categories == ()


def test_the_signed_end_is_kept_and_only_new_looks_are_fetched(session: Session, desk: Desk) -> None:
    desk.look()
    first = looked.fetch_access(session, CLINIC_ID)
    desk.look()
    second = looked.fetch_access(session, CLINIC_ID)
    assert [entry.sequence for entry in second.entries] == [2, 1]
    assert second.entries[0].previous == first.entries[0].hash
    card = share.recipient(session, CLINIC_ID)
    key = load_identity(desk.store).signing.public
    head, _ = verify_access_head(second.signed_head, key, subject=desk.holding.sub)
    assert (head.sequence, head.hash) == (2, second.entries[0].hash)
    assert card.id == CLINIC_ID


def test_the_card_whose_key_signed_the_end_stays_beside_it(session: Session, desk: Desk) -> None:
    desk.look()
    looked.fetch_access(session, CLINIC_ID)
    before = session.store.recipients.get(CLINIC_ID).card
    rotate_signing_key(desk.store, at=datetime.now(UTC))
    share.add_recipient(session, the_card(desk.store))
    after = session.store.recipients.get(CLINIC_ID).card
    kept = session.store.access.last_fetch(CLINIC_ID)
    assert kept is not None
    assert after != before
    assert kept.card == before
    looked.fetch_access(session, CLINIC_ID)
    renewed = session.store.access.last_fetch(CLINIC_ID)
    assert renewed is not None
    assert renewed.card == after


def test_an_old_recipient_still_answers_and_a_new_one_continues_it(
    session: Session, desk: Desk, line: Line
) -> None:
    line.old = True
    desk.look()
    desk.look()
    before = looked.fetch_access(session, CLINIC_ID)
    assert [entry.details for entry in before.entries] == [None, None]
    line.old = False
    desk.look()
    after = looked.fetch_access(session, CLINIC_ID)
    assert after.verified
    assert [entry.sequence for entry in after.entries] == [3, 2, 1]
    assert all(entry.details is not None for entry in after.entries)
    line.old = True  # who answered in full once is not taken for an old one again
    assert refusal(session) == "malformed"


@pytest.fixture
def rewritten(desk: Desk) -> Any:
    """Take the log of the recipient away and write another one, as an operator with the key could."""

    def write(looks: int, *, name: str = "Iemand Anders") -> None:
        for table in ("access_event", "access_line"):
            for trigger in ("stays", "same"):
                desk.store.run(f"DROP TRIGGER IF EXISTS {table}_{trigger}")
            desk.store.run(f"DELETE FROM {table}")
        desk.account = replace(desk.account, display=name)
        for _ in range(looks):
            desk.look()

    return write


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(("looks", "code"), [(0, "access_log_rolled_back"), (1, "access_log_rolled_back")])
def test_a_shorter_log_is_refused_and_what_we_have_stays(
    session: Session, desk: Desk, line: Line, rewritten: Any, looks: int, code: str, old: bool
) -> None:
    desk.look()
    desk.look()
    line.old = old
    known = looked.fetch_access(session, CLINIC_ID).entries
    line.old = False
    rewritten(looks)
    assert refusal(session) == code
    view = looked.access(session, CLINIC_ID)
    assert (view.verified, view.problem) == (False, code)
    assert view.entries == known
    assert bool(view.signed_head) is not old


@pytest.mark.parametrize(
    ("old", "looks", "codes"),
    [
        (False, 2, {"access_log_rewritten"}),
        (False, 3, {"access_log_broken"}),
        (True, 2, {"access_log_rewritten"}),
        (True, 3, {"access_log_rewritten"}),
    ],
)
def test_another_log_is_refused(
    session: Session, desk: Desk, line: Line, rewritten: Any, old: bool, looks: int, codes: set[str]
) -> None:
    desk.look()
    desk.look()
    line.old = old
    looked.fetch_access(session, CLINIC_ID)
    line.old = False
    rewritten(looks)
    assert refusal(session) in codes


def test_a_missing_number_is_seen(session: Session, desk: Desk) -> None:
    for _ in range(3):
        desk.look()
    for table in ("access_event", "access_line"):
        desk.store.run(f"DROP TRIGGER {table}_stays")
        desk.store.run(f"DELETE FROM {table} WHERE sequence = 2")
    assert refusal(session) == "access_log_gap"
    assert looked.access(session, CLINIC_ID).problem == "access_log_gap"
