"""The ledger: whole chains, no circles, its heads; damage is named by its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent.errors import NotTrusted
from consent.ledger import Ledger
from consent.model import (
    Target,
    Withdrawal,
)
from crypto.chain import GENESIS
from tests.support.consent_builders import (
    KEY,
    SECOND_KEY,
    SUBJECT,
    a_grant,
    a_withdrawal,
    chained,
    hash_of,
    instant,
    unsigned,
)

GRANT = a_grant()


def test_ledger_refuses_damage_and_names_the_place() -> None:
    one, two, three = (s.token for s in chained(GRANT, a_withdrawal(Target("all")), a_grant(grant_id="g2")))
    read = {"keys": [KEY.public], "subject": SUBJECT}
    assert len(Ledger.of([three, one, two, one], **read).records) == 3  # type: ignore[arg-type]
    for tokens, reason in (
        ([one, three], "gap"),
        ([two], "gap"),
        ([one, "x"], "not_a_token"),
        ([one[:-4] + "AAAA"], "signature"),
    ):
        with pytest.raises(NotTrusted) as caught:
            Ledger.of(tokens, **read)  # type: ignore[arg-type]
        assert caught.value.reason == reason
    with pytest.raises(NotTrusted, match="unknown_key"):
        Ledger.of([one], keys=[SECOND_KEY.public], subject=SUBJECT)
    with pytest.raises(NotTrusted, match="subject"):
        Ledger.of([one], keys=[KEY.public], subject="somebody else")


def test_ledger_refuses_a_broken_chain() -> None:
    one, two = chained(GRANT, a_withdrawal(Target("all")))
    other = chained(a_grant(grant_id="g9"))[0]
    assert Ledger.of_verified([one, other, two], subject=SUBJECT).splits == {KEY.public.id: 0}
    with pytest.raises(NotTrusted, match="broken_chain"):
        Ledger.of_verified([other, two], subject=SUBJECT)


def test_ledger_refuses_a_circle() -> None:
    records = [
        unsigned(replace(GRANT, seen=frozenset({hash_of(other)})), name, kid=name)
        for name, other in (("a", "b"), ("b", "a"))
    ]
    with pytest.raises(NotTrusted, match="causal_cycle"):
        Ledger.of_verified(records, subject=SUBJECT)


def test_ledger_knows_its_heads() -> None:
    empty = Ledger.of([], keys=[], subject=SUBJECT)
    assert (empty.heads, empty.newest_at, empty.head("k")) == ((), None, (-1, GENESIS))
    signed = chained(GRANT, a_withdrawal(Target("all")))
    ledger = Ledger.of_verified(signed, subject=SUBJECT)
    assert ledger.heads == (signed[1].hash,)
    assert ledger.head(KEY.public.id) == (1, signed[1].hash)
    assert ledger.newest_at == instant(2026, 2)
    assert ledger.head_hash != empty.head_hash
    assert isinstance(ledger.records[1].record, Withdrawal)


def test_a_long_chain_is_read_without_recursion_and_fast() -> None:
    tips = [unsigned(GRANT, "0", kid="k")]
    for number in range(1, 1500):
        tips.append(unsigned(GRANT, str(number), kid="k", position=number, previous=tips[-1].hash))
    assert len(Ledger.of_verified(tips, subject=SUBJECT).heads) == 1
