"""A key that signs two records for one place of its chain is frozen: it permits nothing, its denies hold."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from consent.decision import Decision, Deny, GrantState, Permit, Question, Reason, decide, grant_state
from consent.document import SignedRecord, sign_record
from consent.ledger import Ledger
from consent.model import (
    Action,
    By,
    Category,
    Erase,
    KeyRecord,
    Record,
    Target,
    deny_rule,
)
from consent.statement import build_statement, decide_under
from crypto.chain import GENESIS
from crypto.keys import SigningKey
from tests.support.consent_builders import (
    CLINIC,
    KEY,
    NOW,
    OTHER,
    SECOND_KEY,
    SUBJECT,
    a_grant,
    a_permit,
    a_withdrawal,
    facts,
    instant,
)

THIRD = SigningKey.from_seed(bytes(range(2, 34)))
ASKED = Question(frozenset({CLINIC}), frozenset({"TREAT"}), frozenset({Action.VIEW}), facts())
NO_LABS = a_grant(deny_rule(category=[Category.LABS]), grant_id="no")
ELSEWHERE = a_grant(a_permit(actor=[OTHER]), grant_id="elsewhere")


class Log:
    """Really signed records of several keys; `at` a place signs once more for a place already taken."""

    def __init__(self) -> None:
        self.records: list[SignedRecord] = []

    def add(self, record: Record, key: SigningKey = KEY, *, at: int | None = None) -> SignedRecord:
        chain = [r for r in self.records if r.kid == key.public.id]
        position = len({r.position for r in chain}) if at is None else at
        before = [r.hash for r in chain if r.position == position - 1]
        seen = record.seen | {r.hash for r in self.records if at is None}
        told = replace(record, by=replace(record.by, kid=key.public.id), seen=seen)
        previous = before[0] if before else GENESIS
        self.records.append(sign_record(told, key, position=position, previous=previous))
        return self.records[-1]

    @property
    def ledger(self) -> Ledger:
        keys = [KEY.public, SECOND_KEY.public, THIRD.public]
        return Ledger.of([r.token for r in self.records], keys=keys, subject=SUBJECT, at=NOW)

    def ask(self) -> Decision:
        return decide(self.ledger, ASKED, at=NOW)

    @property
    def permits(self) -> bool:
        return isinstance(self.ask(), Permit)


def key_record(action: Any, of: SigningKey, /, **members: Any) -> KeyRecord:
    said: dict[str, Any] = {"kid": of.public.id, "subject": SUBJECT, "by": By("x"), "at": instant(2026)}
    return KeyRecord(action=action, **(said | members))


def frozen(*records: Record) -> Log:
    """A log of one key that signed `records` and then something else for the last place."""
    log = Log()
    for record in records:
        log.add(record)
    log.add(ELSEWHERE, at=len(records) - 1)
    return log


def test_a_frozen_key_permits_nothing_and_the_log_stays_readable() -> None:
    log = frozen(a_grant())
    assert log.ledger.splits == {KEY.public.id: 0}
    answer = log.ask()
    assert isinstance(answer, Deny)
    assert answer.reason is Reason.FORK
    assert grant_state(log.ledger, "g1", NOW) is GrantState.FROZEN


def test_what_lies_before_the_split_is_pending_too() -> None:
    assert not frozen(a_grant(), a_grant(grant_id="later")).permits


def test_denies_and_withdrawals_of_a_frozen_key_hold() -> None:
    log = frozen(NO_LABS)
    log.add(a_grant(), SECOND_KEY)
    answer = log.ask()
    assert isinstance(answer, Deny)
    assert answer.reason is Reason.DENIED
    log = Log()
    log.add(a_grant(), SECOND_KEY)
    log.add(ELSEWHERE)
    log.add(a_withdrawal(Target("grant", ("g1",))), at=0)
    assert log.ledger.splits
    assert not log.permits


def test_other_keys_are_untouched() -> None:
    log = frozen(ELSEWHERE)
    log.add(a_grant(), SECOND_KEY)
    assert log.permits


def test_a_frozen_key_lifts_nothing() -> None:
    log = Log()
    log.add(a_grant(), SECOND_KEY)
    log.add(NO_LABS, SECOND_KEY)
    log.add(a_withdrawal(Target("lift", ("no",))))
    assert log.permits
    log.add(ELSEWHERE, at=0)
    assert not log.permits


def test_a_newer_version_by_a_frozen_key_replaces_nothing() -> None:
    log = Log()
    log.add(a_grant(a_permit(), deny_rule(category=[Category.LABS])), SECOND_KEY)
    log.add(a_grant(a_permit()))
    assert log.permits
    log.add(ELSEWHERE, at=0)
    assert not log.permits


def test_a_key_certified_at_the_split_is_no_key_and_one_certified_before_it_is() -> None:
    log = Log()
    log.add(key_record("add", SECOND_KEY, key=SECOND_KEY.public.text))
    log.add(key_record("add", THIRD, key=THIRD.public.text))
    log.add(a_grant(), SECOND_KEY)
    assert log.permits
    log.add(ELSEWHERE, at=1)
    assert log.permits
    log = Log()
    log.add(key_record("add", SECOND_KEY, key=SECOND_KEY.public.text))
    log.add(a_grant(), SECOND_KEY)
    log.add(ELSEWHERE, at=0)
    assert not log.permits


def settled(place: int, *, by: SigningKey = SECOND_KEY, split_at: int = 1) -> Log:
    """A grant at place 0, a split later, and a record that distrusts the key from `place`."""
    log = Log()
    for number in range(split_at + 1):
        log.add(a_grant() if number == 0 else a_grant(a_permit(actor=[OTHER]), grant_id=f"n{number}"))
    log.add(ELSEWHERE, at=split_at)
    log.add(key_record("revoke", KEY, from_position=place), by)
    return log


def test_distrusting_the_key_from_the_split_settles_it_and_what_lies_before_counts_again() -> None:
    log = settled(1)
    answer = log.ask()
    assert isinstance(answer, Permit)
    assert log.records[-1].hash in answer.basis
    assert grant_state(log.ledger, "elsewhere", NOW) is GrantState.UNKNOWN


def test_distrusting_it_from_a_later_place_settles_nothing() -> None:
    assert not settled(2).permits


def test_distrusting_it_from_an_earlier_place_keeps_only_what_lies_before_that() -> None:
    assert settled(1, split_at=2).permits
    assert not settled(0, split_at=2).permits


def test_a_frozen_key_does_not_settle_its_own_split() -> None:
    assert not settled(1, by=KEY).permits


def test_two_frozen_keys_do_not_settle_each_other() -> None:
    log = settled(1)
    log.add(ELSEWHERE, SECOND_KEY, at=0)
    assert not log.permits


def test_a_representative_does_not_settle_a_split() -> None:
    log = settled(1)
    revoke = log.records.pop()
    by = By("x", "representative", "auth")
    log.add(replace(revoke.record, by=by, seen=frozenset()), SECOND_KEY)
    assert not log.permits


def test_a_new_version_by_another_key_that_saw_both_halves_is_in_force() -> None:
    log = frozen(a_grant())
    log.add(a_grant(), SECOND_KEY)
    assert log.permits


def test_merging_is_a_set_union_whichever_half_came_first() -> None:
    log = frozen(a_grant())
    log.add(NO_LABS, SECOND_KEY)
    for order in permutations(log.records):
        merged = Ledger.of_verified([*order, *order[:1]], subject=SUBJECT)
        assert merged == log.ledger


def test_each_half_may_go_on_and_the_next_record_makes_no_new_split() -> None:
    log = frozen(a_grant())
    longer = log.add(a_grant(grant_id="g2"))
    assert log.ledger.head(KEY.public.id) == (1, longer.hash)
    assert log.ledger.splits == {KEY.public.id: 0}


def test_as_it_was_known_before_the_second_record_was_signed_the_grant_worked() -> None:
    log = Log()
    log.add(a_grant(at=instant(2026, 1)))
    log.add(replace(ELSEWHERE, at=instant(2026, 3)), at=0)
    known = decide(log.ledger, ASKED, at=NOW, known_as_of=instant(2026, 2))
    assert isinstance(known, Permit)
    assert isinstance(decide(log.ledger, ASKED, at=NOW, known_as_of=instant(2026, 4)), Deny)


@pytest.mark.parametrize("split", [False, True])
def test_a_recipient_of_a_frozen_key_gets_a_statement_that_stops_and_erases_nothing(split: bool) -> None:
    log = frozen(a_grant()) if split else Log()
    if not split:
        log.add(a_grant())
    statement = build_statement(
        log.ledger,
        audience_actor=CLINIC,
        audience_id="ura:00000123",
        subject=KEY.public.text,
        reply_key="reply",
        sequence=1,
        previous=None,
        at=NOW,
    )
    assert (statement.scope == ()) is split
    assert statement.erase is Erase.NONE
    read = decide_under(
        statement, actor=[CLINIC], purpose=["TREAT"], action=[Action.VIEW], facts=facts(), at=NOW
    )
    assert isinstance(read, Permit) is not split
