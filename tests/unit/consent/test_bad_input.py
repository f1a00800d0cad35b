"""Hostile input: every way to spoil a record or statement is refused with its own class.

Nothing changes by it: what was permitted stays permitted, and a deny stays a deny. The figures tried
and accepted are printed (`-s`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from consent.decision import Deny, Permit, Question, decide
from consent.document import TYP_GRANT, sign_record
from consent.errors import ConsentError, ExpiredDocument, Forked, InvalidDocument, NotTrusted, RolledBack
from consent.ledger import Ledger
from consent.model import Action, By, Category, KeyRecord, Target, deny_rule
from consent.record_json import record_to_json
from consent.statement import build_statement, sign_statement, statement_hash, verify_statement
from crypto.canonical import b64url, canonical_bytes
from crypto.signing import peek_jws, sign_jws
from tests.support.consent_builders import (
    CLINIC,
    KEY,
    NOW,
    SECOND_KEY,
    SUBJECT,
    a_grant,
    a_ledger,
    a_withdrawal,
    chained,
    facts,
)

GRANT = a_grant()
DENY = a_grant(deny_rule(category=[Category.LABS]), grant_id="no")
LOG = chained(GRANT, a_grant(grant_id="g2"))
TOKENS = [signed.token for signed in LOG]
NEXT: dict[str, Any] = {
    "position": 2,
    "previous": LOG[-1].hash,
    "record": record_to_json(a_grant(grant_id="g3")),
}
tally: Counter[str] = Counter()


def jws(body: Any, *, typ: str = TYP_GRANT, key: Any = KEY) -> str:
    payload = body if isinstance(body, bytes) else canonical_bytes(body)
    return sign_jws(payload, key, typ=typ)


def raw(header: dict[str, Any], payload: bytes, sign: Callable[[bytes], bytes]) -> str:
    text = f"{b64url(json.dumps(header).encode())}.{b64url(payload)}"
    return f"{text}.{b64url(sign(text.encode()))}"


def record(**members: Any) -> dict[str, Any]:
    return NEXT | {"record": NEXT["record"] | members}


def at_place(text: str) -> bytes:
    """The next record with this text where its position stands."""
    return json.dumps(NEXT).replace('"position": 2', f'"position": {text}').encode()


def forged() -> Iterator[str]:
    head, payload, signature = jws(NEXT).split(".")
    for place in range(0, len(payload), 7):
        changed = payload[:place] + ("A" if payload[place] != "A" else "B") + payload[place + 1 :]
        yield f"{head}.{changed}.{signature}"
    for place in range(0, len(signature) - 1, 5):
        changed = signature[:place] + ("A" if signature[place] != "A" else "B") + signature[place + 1 :]
        yield f"{head}.{payload}.{changed}"


def truncated() -> Iterator[str]:
    token = jws(NEXT)
    yield from (token[:length] for length in range(0, len(token), 11))


def _hmac(secret: bytes, data: bytes) -> bytes:
    return hmac.new(secret, data, hashlib.sha256).digest()


def confused() -> Iterator[str]:
    payload = canonical_bytes(NEXT)
    header = {"alg": "HS256", "kid": KEY.public.id, "typ": TYP_GRANT}
    for secret in (KEY.public.raw, KEY.public.text.encode()):
        yield raw(header, payload, partial(_hmac, secret))
    for algorithm in ("none", "ES256", "EdDSA ", "eddsa", "RS256"):
        yield raw(header | {"alg": algorithm}, payload, KEY.sign)


def unknown_header() -> Iterator[str]:
    header = {"alg": "EdDSA", "kid": KEY.public.id, "typ": TYP_GRANT}
    extras: tuple[dict[str, Any], ...] = (
        {"crit": ["exp"], "exp": 1},
        {"jwk": {"kty": "OKP"}},
        {"jku": "x"},
        {"x5c": []},
    )
    for extra in extras:
        yield raw(header | extra, canonical_bytes(NEXT), KEY.sign)


def weak_keys() -> Iterator[str]:
    for number in (0, 1):
        key = b64url(bytes([number, *[0] * 31]))
        weak = KeyRecord(action="add", kid="k", key=key, subject=SUBJECT, by=By(KEY.public.id), at=NOW)
        yield jws(NEXT | {"record": record_to_json(weak)}, typ="pgo-key+jws")


def of(*tokens: str) -> Callable[[], Iterator[str]]:
    return lambda: iter(tokens)


HUGE = {"rules": [record_to_json(GRANT)["rules"][0]] * 400}
BAD: list[tuple[str, Callable[[], Iterator[str]], type[ConsentError], set[str]]] = [
    ("forged", forged, NotTrusted, {"signature"}),
    ("truncated", truncated, NotTrusted, {"not_a_token", "signature"}),
    ("signed by a stranger", of(jws(NEXT, key=SECOND_KEY)), NotTrusted, {"unknown_key"}),
    ("algorithm confusion", confused, NotTrusted, {"algorithm"}),
    ("unknown header", unknown_header, NotTrusted, {"header"}),
    ("wrong typ", of(jws(NEXT, typ="JWT"), jws(NEXT, typ="pgo-statement+jws")), NotTrusted, {"typ"}),
    ("typ of another kind", of(jws(NEXT, typ="pgo-withdrawal+jws")), InvalidDocument, {"typ"}),
    ("another patient", of(jws(record(subject="somebody-else"))), NotTrusted, {"subject"}),
    ("out of order", of(jws(NEXT | {"position": 5})), NotTrusted, {"gap"}),
    ("chain broken", of(jws(NEXT | {"previous": LOG[0].hash})), NotTrusted, {"broken_chain"}),
    ("duplicate key", of(jws(at_place('2, "position": 2'))), InvalidDocument, {"malformed"}),
    ("float", of(jws(at_place("2.0"))), InvalidDocument, {"position"}),
    ("not a number", of(jws(at_place("NaN"))), InvalidDocument, {"malformed"}),
    ("huge", of(jws(record(**HUGE))), NotTrusted, {"too_large"}),
    ("from the future", of(jws(record(at="2099-01-01T00:00:00Z"))), NotTrusted, {"from_the_future"}),
    ("unknown version", of(jws(record(version=2)), jws(record(version=0))), InvalidDocument, {"version"}),
    ("unknown member", of(jws(record(colour="red"))), InvalidDocument, {"unknown_member"}),
    ("unknown kind", of(jws(record(kind="promise"))), InvalidDocument, {"kind"}),
    ("weak key enrolled", weak_keys, NotTrusted, {"weak_key"}),
]  # fmt: skip


def log_with(token: str) -> Ledger:
    return Ledger.of([*TOKENS, token], keys=[KEY.public], subject=SUBJECT, at=NOW)


@pytest.mark.parametrize(("name", "tokens", "error", "reasons"), BAD, ids=[row[0] for row in BAD])
def test_a_bad_record_is_refused_with_its_own_class(
    name: str, tokens: Callable[[], Iterator[str]], error: type[ConsentError], reasons: set[str]
) -> None:
    for token in tokens():
        tally["tried"] += 1
        with pytest.raises(ConsentError) as caught:
            tally["accepted"] += bool(log_with(token))
        assert isinstance(caught.value, error), name
        assert caught.value.reason in reasons


def test_the_record_these_are_made_from_is_accepted() -> None:
    assert len(log_with(jws(NEXT)).records) == 3


def test_replaying_or_reordering_records_changes_nothing() -> None:
    ledger = Ledger.of(TOKENS, keys=[KEY.public], subject=SUBJECT)
    for again in ([*TOKENS, *TOKENS], TOKENS[::-1], [TOKENS[1], TOKENS[0], TOKENS[1]]):
        assert Ledger.of(again, keys=[KEY.public], subject=SUBJECT) == ledger


@pytest.mark.parametrize(("name", "tokens", "error", "reasons"), BAD, ids=[row[0] for row in BAD])
def test_a_broken_record_never_silences_a_deny(
    name: str, tokens: Callable[[], Iterator[str]], error: type[ConsentError], reasons: set[str]
) -> None:
    ledger = a_ledger(GRANT, DENY)
    with pytest.raises(ConsentError):
        Ledger.of(
            [*(r.token for r in ledger.records), next(tokens())],
            keys=[KEY.public],
            subject=SUBJECT,
            at=NOW,
        )
    asked = Question(frozenset({CLINIC}), frozenset({"TREAT"}), frozenset({Action.VIEW}), facts())
    assert isinstance(decide(ledger, asked, at=NOW), Deny)
    assert isinstance(decide(a_ledger(GRANT), asked, at=NOW), Permit)


def statement(sequence: int, previous: str | None, **members: Any) -> str:
    built = build_statement(
        a_ledger(GRANT),
        audience_actor=CLINIC,
        audience_id="ura:00000123",
        subject=KEY.public.text,
        reply_key="reply",
        sequence=sequence,
        previous=previous,
        at=members.pop("at", NOW),
    )
    return sign_statement(replace(built, **members), KEY)


FIRST = statement(1, None)
SECOND = statement(2, statement_hash(FIRST))


def respelled(**members: Any) -> str:
    """SECOND with other members, signed all the same."""
    value = json.loads(peek_jws(SECOND).payload) | members
    return sign_jws(canonical_bytes(value), KEY, typ="pgo-statement+jws")


@pytest.mark.parametrize(
    ("token", "error", "reason"),
    [
        (statement(1, None), RolledBack, "sequence"),
        (statement(3, statement_hash(SECOND)), NotTrusted, "gap"),
        (statement(2, statement_hash(SECOND)), Forked, "previous"),
        (statement(2, statement_hash(FIRST), audience="ura:00000999"), NotTrusted, "audience"),
        (statement(2, statement_hash(FIRST), at=NOW - timedelta(days=40)), ExpiredDocument, "next_update"),
        (statement(2, statement_hash(FIRST), at=NOW + timedelta(days=2)), NotTrusted, "from_the_future"),
        (respelled(version=3), InvalidDocument, "version"),
        (respelled(version=1), InvalidDocument, "unknown_member"),
        (statement(2, statement_hash(FIRST), engine_min=9), InvalidDocument, "engine"),
        (SECOND[:-4] + "AAAA", NotTrusted, "signature"),
        (SECOND[:40], NotTrusted, "signature"),
        (jws(NEXT), NotTrusted, "signature"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)
def test_a_bad_statement_is_refused(token: str, error: type[ConsentError], reason: str) -> None:
    tally["tried"] += 1
    with pytest.raises(ConsentError) as caught:
        verify_statement(
            token,
            KEY.public,
            audience="ura:00000123",
            at=NOW,
            highest_seen=1,
            previous_hash=statement_hash(FIRST),
        )
    assert type(caught.value) is error
    assert caught.value.reason == reason


def test_a_withdrawal_of_another_patient_ends_nothing() -> None:
    foreign = replace(a_withdrawal(Target("all")), subject="somebody-else")
    token = sign_record(foreign, KEY, position=2, previous=LOG[-1].hash).token
    with pytest.raises(NotTrusted):
        log_with(token)


def test_figures_of_this_file() -> None:
    print(f"\nhostile records and statements: tried {tally['tried']}, accepted {tally['accepted']}")
    assert tally["accepted"] == 0
