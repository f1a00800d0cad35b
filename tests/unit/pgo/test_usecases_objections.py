"""Objections, exceptions, why and reminders, on a real vault and the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consent.codes import Category, Sensitivity
from consent.decision import Reason
from consent.statement import reread_statement
from crypto.keys import SigningKey
from pgo.errors import InputRefused, NotFound
from pgo.usecases import objections, reminders, share
from pgo.usecases.cards import card_of
from pgo.usecases.consenting import load_ledger
from pgo.usecases.facts import all_facts
from pgo.usecases.objections import ObjectionChoice
from pgo.usecases.parcels import permitted
from pgo.usecases.reasons import OwnReason
from pgo.usecases.session import Session
from pgo.usecases.statements import current_statement
from pgo.usecases.why import why
from sync.wire import Kind
from tests.support.sharing import CLINIC_ID, a_card, an_open_vault
from tests.support.sharing_screens import a_choice, with_clinic, with_share

HB = "Observation/o1"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = an_open_vault(tmp_path)
    yield opened
    opened.lock()


def number_of(session: Session, reference: str) -> int:
    return next(number for number, one in all_facts(session) if one.reference == reference)


def names(session: Session) -> set[str]:
    """References of everything that would be sent to the clinic now."""
    store = session.store
    card = card_of(store.recipients.get(CLINIC_ID))
    known = {number: one.reference for number, one in all_facts(session)}
    parcels = permitted(session, card, load_ledger(store), at=session.now())
    return {str(known[number]) for parcel in parcels for number, _, _ in parcel.records.values()}


def object_to(session: Session, choice: ObjectionChoice) -> str:
    return objections.object_to(session, choice, lang="nl", shown_text="Niemand ziet dit.")


# ------------------------------------------------------------------ objections


def test_an_objection_beats_a_grant_signed_before_and_one_signed_after(session: Session) -> None:
    with_share(session)
    assert HB in names(session)
    object_to(session, ObjectionChoice(categories=frozenset({Category.LABS})))
    assert HB not in names(session)
    choice = a_choice(session)
    share.sign_share(session, choice, lang="nl", shown_text="Alles.")
    assert HB not in names(session)


def test_lifting_gives_back_what_was_granted_and_only_once(session: Session) -> None:
    with_share(session)
    before = names(session)
    made = object_to(session, ObjectionChoice(sensitivity=frozenset(Sensitivity), recipient_id=CLINIC_ID))
    objections.lift(session, made)
    length = session.store.ledger.head()[0]
    objections.lift(session, made)
    assert session.store.ledger.head()[0] == length
    assert names(session) == before
    (row,) = objections.objections(session)
    assert row.lifted_at is not None


def test_an_objection_to_one_recipient_holds_everything_back_from_it(session: Session) -> None:
    with_share(session)
    object_to(session, ObjectionChoice(recipient_id=CLINIC_ID))
    assert names(session) == set()
    (row,) = objections.objections(session)
    assert row.everything
    assert row.recipient is not None
    assert row.recipient.id == CLINIC_ID


def test_an_objection_to_one_record_leaves_the_rest(session: Session) -> None:
    with_share(session)
    before = names(session)
    object_to(session, ObjectionChoice(record_id=number_of(session, HB)))
    assert names(session) == before - {HB}
    (row,) = objections.objections(session)
    assert [one.title for one in row.records] == ["Hemoglobine"]
    store = session.store
    card = card_of(store.recipients.get(CLINIC_ID))
    with store.write(session.now()):
        made = current_statement(store, card, load_ledger(store), at=session.now())
    assert reread_statement(made.token).scope
    assert "/o1" not in str(reread_statement(made.token))


def test_an_objection_about_nothing_is_refused(session: Session) -> None:
    with pytest.raises(InputRefused) as caught:
        object_to(session, ObjectionChoice())
    assert caught.value.fields == {"what": "nothing"}
    assert objections.objections(session) == ()
    with pytest.raises(NotFound):
        objections.lift(session, "no-such")


def test_what_waits_is_decided_anew_and_the_new_statement_goes_first(session: Session) -> None:
    with_share(session)
    (before,) = session.store.outbox.open_for(CLINIC_ID)
    object_to(session, ObjectionChoice(categories=frozenset({Category.LABS})))
    waiting = session.store.outbox.open_for(CLINIC_ID)
    assert before.id not in {entry.id for entry in waiting}
    assert [entry.kind for entry in waiting] == [Kind.STATEMENT, Kind.PUSH]


def test_a_recipient_that_never_got_anything_is_told_nothing(session: Session) -> None:
    with_clinic(session)
    object_to(session, ObjectionChoice(categories=frozenset({Category.LABS})))
    assert session.store.outbox.open_for(CLINIC_ID) == ()


def test_the_effect_is_known_before_signing(session: Session) -> None:
    with_share(session)
    before = session.store.ledger.head()
    seen = objections.effect(session, ObjectionChoice(categories=frozenset({Category.LABS})))
    assert (seen.records, seen.total) == (1, 8)
    assert [(row.id, lost) for row, lost in seen.lost] == [(CLINIC_ID, 1)]
    assert session.store.ledger.head() == before


# ------------------------------------------------------------------ choices and their preview


def test_a_record_left_out_stays_and_is_counted_as_left_out(session: Session) -> None:
    with_clinic(session)
    choice = a_choice(session, left_out=frozenset({HB}))
    seen = share.preview(session, choice)
    assert seen.held_back[OwnReason.LEFT_OUT] == 1
    share.sign_share(session, choice, lang="nl", shown_text="Zonder Hb.")
    assert HB not in names(session)
    assert len(names(session)) == seen.permitted
    assert share.shares(session)[0].choice == choice


def test_only_the_chosen_records_go(session: Session) -> None:
    with_clinic(session)
    choice = a_choice(session, only=frozenset({HB, "Condition/c2"}))
    seen = share.preview(session, choice)
    assert seen.permitted == 1  # chosen by hand is not opted in: hiv stays
    assert seen.held_back[Reason.SENSITIVE] == 1
    assert seen.held_back[OwnReason.NOT_CHOSEN] == 6
    share.sign_share(session, choice, lang="nl", shown_text="Alleen Hb.")
    assert names(session) == {HB}


def test_data_up_to_a_day_leaves_newer_data_behind(session: Session) -> None:
    with_clinic(session)
    choice = a_choice(session, data_until=session.today().replace(year=2025, month=12, day=31))
    share.sign_share(session, choice, lang="nl", shown_text="Tot 2026.")
    assert HB not in names(session)
    assert "Condition/c1" in names(session)


def test_what_an_author_wrote_stays_and_the_name_goes(session: Session) -> None:
    with_clinic(session)
    choice = a_choice(session, without_authors=frozenset({"Organization/x"}))
    share.sign_share(session, choice, lang="nl", shown_text="Niet van X.")
    assert names(session) == {"Patient/p1"}  # nobody signed the others, so they may be X's


def test_the_preview_counts_objections_and_names_them(session: Session) -> None:
    with_clinic(session)
    made = object_to(session, ObjectionChoice(categories=frozenset({Category.LABS})))
    seen = share.preview(session, a_choice(session))
    assert seen.held_back[Reason.DENIED] == 1
    assert [(one.objection.id, one.records) for one in seen.conflicts] == [(made, 1)]
    objections.lift(session, made)
    assert share.preview(session, a_choice(session)).conflicts == ()


def test_sensitive_subjects_are_counted_and_what_stays_can_be_listed(session: Session) -> None:
    with_clinic(session)
    seen = share.preview(session, a_choice(session))
    assert seen.by_cluster == {Sensitivity.HIV: (0, 1)}
    page = share.held_page(session, seen, Reason.SENSITIVE)
    assert (page.total, [row.title for row in page.rows]) == (1, ["Hiv"])
    assert share.held_page(session, seen, offset=1, limit=1).total == len(seen.held)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"only": frozenset({"a/b"}), "left_out": frozenset({"a/b"})}, "records"),
        ({"left_out": frozenset(f"a/{i}" for i in range(301))}, "records"),
    ],
)
def test_choices_that_mean_nothing_are_refused(
    session: Session, change: dict[str, frozenset[str]], field: str
) -> None:
    with_clinic(session)
    with pytest.raises(InputRefused) as caught:
        share.preview(session, a_choice(session, **change))
    assert field in caught.value.fields


# ------------------------------------------------------------------ why


def test_why_says_for_everybody_by_which_rule(session: Session) -> None:
    grant_id = with_share(session)
    share.add_recipient(session, a_card(SigningKey.generate(), name="Apotheek", recipient_id="ura:00000999"))
    found = why(session, number_of(session, HB))
    clinic, pharmacy = found.rows
    assert (clinic.may_see, clinic.reason, clinic.share_id) == (True, None, grant_id)
    assert (pharmacy.may_see, pharmacy.reason, pharmacy.share_id) == (False, Reason.RECIPIENT, None)
    hidden = why(session, number_of(session, "Condition/c2"))
    assert [row.reason for row in hidden.rows] == [Reason.RECIPIENT, Reason.SENSITIVE]


def test_why_names_the_objection_that_holds_a_record_back(session: Session) -> None:
    with_share(session)
    made = object_to(session, ObjectionChoice(record_id=number_of(session, HB)))
    (row,) = why(session, number_of(session, HB)).rows
    assert (row.may_see, row.reason, row.objections) == (False, Reason.DENIED, (made,))


def test_why_of_an_unknown_record_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        why(session, 9999)


# ------------------------------------------------------------------ reminders


def at(session: Session, days: int) -> None:
    """Let time go by: the vault's clock never runs before the newest instant it has recorded."""
    later = datetime.now(UTC) + timedelta(days=days)
    object.__setattr__(session, "_app", replace(session.app, clock=lambda: later))


def test_a_share_that_ends_soon_asks_and_can_be_put_aside_for_a_week(session: Session) -> None:
    grant_id = with_share(session)  # ninety days
    assert reminders.reminders(session) == ()
    at(session, 80)
    (one,) = reminders.reminders(session)
    assert (one.kind, one.share_id) == (reminders.ReminderKind.ENDS, grant_id)
    reminders.put_aside(session, one.id)
    assert reminders.reminders(session) == ()
    at(session, 88)
    assert len(reminders.reminders(session)) == 1
    at(session, 92)
    assert reminders.reminders(session) == ()


def test_a_long_share_asks_for_a_look_after_a_year(session: Session) -> None:
    with_clinic(session)
    today = session.today()
    choice = a_choice(session, period=(today, today + timedelta(days=900)))
    share.sign_share(session, choice, lang="nl", shown_text="Lang.")
    at(session, 364)
    assert reminders.reminders(session) == ()
    at(session, 366)
    assert [one.kind for one in reminders.reminders(session)] == [reminders.ReminderKind.REVIEW]


def test_only_a_reminder_that_is_shown_can_be_put_aside(session: Session) -> None:
    with pytest.raises(InputRefused):
        reminders.put_aside(session, "ends:nothing")
