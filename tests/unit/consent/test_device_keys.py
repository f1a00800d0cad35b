"""The life of device keys: certified, handed over, distrusted from a place on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consent.decision import Decision, Deny, Permit, Question, Reason, decide, grants_in_force
from consent.document import SignedRecord, sign_record
from consent.errors import InvalidDocument, NotTrusted
from consent.ledger import Ledger
from consent.model import (
    Action,
    By,
    Category,
    KeyRecord,
    Record,
    deny_rule,
)
from crypto.chain import GENESIS
from crypto.keys import SigningKey
from tests.support.consent_builders import (
    CLINIC,
    KEY,
    NOW,
    SECOND_KEY,
    SUBJECT,
    a_grant,
    facts,
    key_record,
)

ROOT = SigningKey.from_seed(bytes([9] * 32))
CARE = Question(frozenset({CLINIC}), frozenset({"TREAT"}), frozenset({Action.VIEW}), facts())


def reason(decision: Decision) -> Reason | None:
    return decision.reason if isinstance(decision, Deny) else None


def log(*entries: tuple[Record, SigningKey]) -> Ledger:
    signed: list[SignedRecord] = []
    for record, key in entries:
        chain = [r for r in signed if r.kid == key.public.id]
        told = replace(record, by=By(key.public.id), seen=frozenset(r.hash for r in signed))
        previous = chain[-1].hash if chain else GENESIS
        signed.append(sign_record(told, key, position=len(chain), previous=previous))
    return Ledger.of([r.token for r in signed], keys=[ROOT.public], subject=SUBJECT)


def test_a_certified_device_signs_and_an_uncertified_one_does_not() -> None:
    ledger = log((key_record("add", KEY, ROOT), ROOT), (a_grant(), KEY))
    assert isinstance(decide(ledger, CARE, at=NOW), Permit)
    with pytest.raises(NotTrusted, match="unknown_key"):
        log((a_grant(), KEY))


def test_a_rotated_key_hands_over_and_the_old_one_is_distrusted_from_there() -> None:
    add = (key_record("add", KEY, ROOT), ROOT)
    rotate = (
        key_record("rotate", SECOND_KEY, KEY, replaces=KEY.public.id, from_position=2),
        KEY,
    )
    ledger = log(
        add, (a_grant(), KEY), rotate, (a_grant(grant_id="new"), SECOND_KEY), (a_grant(grant_id="late"), KEY)
    )
    assert {grant.id for grant in grants_in_force(ledger, NOW)} == {"g1", "new"}


def test_a_revoked_key_loses_later_permits_but_its_denies_stay() -> None:
    deny = a_grant(deny_rule(category=[Category.LABS]), grant_id="no")
    add, revoke = key_record("add", KEY, ROOT), key_record("revoke", KEY, ROOT, from_position=1)
    kept = log((add, ROOT), (a_grant(), KEY), (a_grant(grant_id="late"), KEY), (revoke, ROOT))
    assert [grant.id for grant in grants_in_force(kept, NOW)] == ["g1"]
    denied = log((add, ROOT), (a_grant(), KEY), (deny, KEY), (revoke, ROOT))
    assert reason(decide(denied, CARE, at=NOW)) is Reason.DENIED


def test_a_key_certified_by_a_distrusted_key_is_distrusted() -> None:
    ledger = log(
        (key_record("add", KEY, ROOT), ROOT),
        (key_record("add", SECOND_KEY, KEY), KEY),
        (a_grant(), SECOND_KEY),
        (key_record("revoke", KEY, ROOT, from_position=0), ROOT),
    )
    assert reason(decide(ledger, CARE, at=NOW)) is Reason.SIGNATURE


def test_a_key_record_names_the_key_it_carries() -> None:
    wrong = replace(key_record("add", KEY, ROOT), kid="another")
    with pytest.raises(NotTrusted, match="key_id"):
        log((wrong, ROOT))


@pytest.mark.parametrize(
    "members",
    [
        {"action": "rotate", "kid": "k", "key": "AAAA"},
        {"action": "rotate", "kid": "k", "key": "AAAA", "replaces": "k"},
        {"action": "add", "kid": "k", "key": "AAAA", "from_position": 1},
        {"action": "revoke", "kid": "k", "from_position": -1},
        {"action": "forget", "kid": "k"},
    ],
)
def test_a_key_record_that_says_too_much_or_too_little_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument):
        KeyRecord(subject=SUBJECT, by=By("x"), at=NOW, **members)
