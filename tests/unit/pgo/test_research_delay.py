"""What goes to a registry waits a random time; what goes to a clinic, and every statement, does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pgo.usecases import share
from pgo.usecases.queue import LONGEST_RESEARCH_DELAY, cancel_pushes, queue_push, queue_statement
from pgo.usecases.session import Session
from tests.support.sharing import CLINIC_ID, a_card, an_open_vault

REGISTRY = "reg:oefen"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = an_open_vault(tmp_path, with_records=False)
    share.add_recipient(opened, a_card())
    share.add_recipient(opened, a_card(kind="registry", recipient_id=REGISTRY))
    yield opened
    opened.lock()


def _queued(session: Session, recipient_id: str, **said: object) -> timedelta:
    at = session.now()
    with session.store.write(at):
        queue_push(session.store, recipient_id, at=at, **said)  # type: ignore[arg-type]
    return session.store.outbox.open_for(recipient_id)[-1].next_at - at


@pytest.mark.parametrize("part", [0.0, 0.25, 0.999])
def test_a_registry_waits_its_part_of_a_quarter_of_an_hour(session: Session, part: float) -> None:
    waits = _queued(session, REGISTRY, spread=lambda: part)
    assert abs(waits - LONGEST_RESEARCH_DELAY * part) < timedelta(seconds=1)


def test_moments_differ(session: Session) -> None:
    at = session.now()
    found = set()
    for hours in range(8):
        later = at + timedelta(hours=hours)
        with session.store.write(later):
            queue_push(session.store, REGISTRY, at=later)
            found.add(session.store.outbox.open_for(REGISTRY)[-1].next_at - later)
            cancel_pushes(session.store, REGISTRY)
    assert len(found) > 1
    assert all(timedelta(seconds=-1) <= wait < LONGEST_RESEARCH_DELAY for wait in found)


def test_a_clinic_does_not_wait(session: Session) -> None:
    assert _queued(session, CLINIC_ID, spread=lambda: 0.9) < timedelta(seconds=1)


def test_the_next_parcel_does_not_wait_again(session: Session) -> None:
    assert _queued(session, REGISTRY, follows=True, spread=lambda: 0.9) < timedelta(seconds=1)


def test_several_changes_in_that_time_are_one_entry(session: Session) -> None:
    for _ in range(5):
        _queued(session, REGISTRY)
    assert len(session.store.outbox.open_for(REGISTRY)) == 1


def test_a_withdrawal_does_not_wait(session: Session) -> None:
    at = session.now()
    with session.store.write(at):
        queue_statement(session.store, REGISTRY, at=at)
    (entry,) = session.store.outbox.open_for(REGISTRY)
    assert entry.next_at - at < timedelta(seconds=1)
