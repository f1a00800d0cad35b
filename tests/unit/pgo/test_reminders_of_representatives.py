"""What a parent permitted is announced before it lapses with age; a real vault, a real second key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from consent.authority import birthday
from consent.document import sign_record
from consent.model import Authority, Basis, By, Cosignature, Grant, GrantId, KeyRecord, Period, Record
from consent.records import RecordHash
from crypto.chain import GENESIS
from crypto.keys import SigningKey
from pgo.store.ledger import LedgerRow
from pgo.usecases import reminders
from pgo.usecases.choices import choice_text
from pgo.usecases.consenting import by_this_device, device_key, load_ledger, sign, subject_of
from pgo.usecases.session import Session
from tests.support.consent_builders import SHOWN, a_permit
from tests.support.sharing import CLINIC_ID, an_open_vault
from tests.support.sharing_screens import a_choice, with_share

PARENT = SigningKey.from_seed(bytes(range(5, 37)))


def add(session: Session, record: Record, *, grant_id: str | None = None) -> RecordHash:
    """Sign with this device's key, or with the parent's where the record says so, and keep it."""
    store, ledger = session.store, load_ledger(session.store)
    told = replace(record, seen=frozenset(ledger.heads))
    own = told.by.kid == device_key(store).public.id
    signed = sign(store, told, ledger) if own else sign_record(told, PARENT, position=0, previous=GENESIS)
    with store.write(session.now()):
        store.ledger.add(
            LedgerRow(
                position=store.ledger.head()[0],
                hash=signed.hash,
                token=signed.token,
                grant_id=grant_id,
                recipient_id=CLINIC_ID if grant_id else None,
                choice=choice_text(a_choice(session)) if grant_id else None,
                signed_at=signed.record.at,
            )
        )
    session.changed()
    return signed.hash


def test_a_parents_permit_is_announced_sixty_days_before_the_birthday_that_ends_it(tmp_path: Path) -> None:
    session = an_open_vault(tmp_path)
    with_share(session)
    before = {one.share_id for one in reminders.reminders(session)}
    now, store = session.now(), session.store
    sixteen = datetime.combine(now.date() + timedelta(days=40), time(), UTC)
    born = sixteen.date().replace(year=sixteen.year - 16)
    assert birthday(born, 16) == sixteen
    own, subject = by_this_device(store), subject_of(store)
    years = Period(now - timedelta(days=1), now + timedelta(days=900))
    parent = PARENT.public
    add(session, KeyRecord(action="add", kid=parent.id, key=parent.text, subject=subject, by=own, at=now))
    add(
        session,
        Authority(
            id="auth",
            representative=parent.id,
            basis=Basis.PARENT,
            subject=subject,
            by=own,
            at=now,
            period=years,
            born_on=born,
        ),
    )
    grant = Grant(
        id=GrantId("by-parent"),
        subject=subject,
        by=By(parent.id, "representative", "auth"),
        at=now,
        period=years,
        rules=(a_permit(),),
        shown=SHOWN,
    )
    target = add(session, grant, grant_id="by-parent")
    assert {one.share_id for one in reminders.reminders(session)} == before  # at fifteen the minor signs too
    add(session, Cosignature(target=target, subject=subject, by=own, at=now, seen=frozenset({target})))
    (announced,) = (one for one in reminders.reminders(session) if one.share_id == "by-parent")
    assert announced.kind is reminders.ReminderKind.ENDS
    assert announced.on == session.day_of(sixteen - timedelta(seconds=1))
    session.lock()
