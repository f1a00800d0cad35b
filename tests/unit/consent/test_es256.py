"""Records signed with ES256: enrolled by a key record, verified under that key's algorithm alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consent.decision import Deny, Permit, Question, decide
from consent.document import verify_record
from consent.errors import ConsentError, InvalidDocument, NotTrusted, UnknownCode
from consent.ledger import Ledger
from consent.log_json import parse_log
from consent.model import Action, By, KeyRecord, parse_record, record_payload
from crypto.canonical import b64url, b64url_decode
from crypto.chain import GENESIS
from crypto.keys import SigningKey
from crypto.public_keys import PublicKey
from crypto.signing import peek_jws
from tests.support.consent_builders import CLINIC, KEY, NOW, SUBJECT, a_grant, chained, facts, instant
from tests.support.es256 import Es256Key, other_of

HARDWARE = Es256Key(2**200 + 7)
GRANT = a_grant()
ASKED = Question(frozenset({CLINIC}), frozenset({"TREAT"}), frozenset({Action.VIEW}), facts())


def enrolment(of: PublicKey = HARDWARE.public, /, **members: Any) -> KeyRecord:
    said: dict[str, Any] = {"kid": of.id, "key": of.text, "algorithm": of.algorithm}
    said |= {"action": "add", "subject": SUBJECT, "by": By(KEY.public.id), "at": instant(2026)}
    return KeyRecord(**(said | members))


def log_with(record: KeyRecord, *tokens: str) -> Ledger:
    (enrolled,) = chained(record)
    return Ledger.of([*tokens, enrolled.token], keys=[KEY.public], subject=SUBJECT, at=NOW)


TOKEN = HARDWARE.record(GRANT, position=0, previous=GENESIS)


def test_a_grant_of_an_enrolled_hardware_key_permits() -> None:
    assert isinstance(decide(log_with(enrolment(), TOKEN), ASKED, at=NOW), Permit)
    revoked = enrolment(action="revoke", key=None, algorithm="EdDSA", from_position=0)
    both = [s.token for s in chained(enrolment(), revoked)]
    ledger = Ledger.of([*both, TOKEN], keys=[KEY.public], subject=SUBJECT)
    assert isinstance(decide(ledger, ASKED, at=NOW), Deny)


def test_a_key_record_says_the_algorithm_and_reads_back() -> None:
    record = enrolment()
    assert json.loads(record_payload(record))["algorithm"] == "ES256"
    assert parse_record(record_payload(record)) == record
    ours = enrolment(SigningKey.generate().public)
    assert "algorithm" not in json.loads(record_payload(ours))
    assert parse_record(record_payload(ours)) == ours


@pytest.mark.parametrize("algorithm", ["ES384", "HS256", "none", "es256"])
def test_an_algorithm_outside_the_list_is_no_key_record(algorithm: str) -> None:
    with pytest.raises(UnknownCode, match="key_algorithm"):
        enrolment(algorithm=algorithm)


def test_a_record_that_certifies_nothing_names_no_algorithm() -> None:
    with pytest.raises(ConsentError, match="key_record"):
        enrolment(action="revoke", key=None, from_position=0)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"algorithm": "EdDSA"}, "weak_key"),  # a P-256 point is no Ed25519 key
        ({"key": KEY.public.text}, "weak_key"),  # nor the other way round
        ({"key": b64url(b"\x04" + bytes(64))}, "weak_key"),
        ({"key": b64url(b"\x02" + HARDWARE.public.raw[1:33])}, "weak_key"),
        ({"key": b64url(b"\0")}, "weak_key"),
        ({"key": Es256Key(9).public.text}, "key_id"),
    ],
)
def test_a_key_that_is_no_point_or_not_the_one_named_is_not_enrolled(
    members: dict[str, Any], reason: str
) -> None:
    with pytest.raises(NotTrusted) as refusal:
        log_with(enrolment(**members))
    assert refusal.value.reason == reason


def _signed_as(algorithm: str, kid: str) -> str:
    payload = peek_jws(TOKEN).payload
    return HARDWARE.token(payload, typ="pgo-grant+jws", alg=algorithm, kid=kid)


@pytest.mark.parametrize(
    ("token", "key"),
    [
        (_signed_as("EdDSA", HARDWARE.public.id), HARDWARE.public),
        (_signed_as("ES256", KEY.public.id), KEY.public),
        (chained(GRANT)[0].token.replace("e", "f", 1), KEY.public),
        (_signed_as("HS256", HARDWARE.public.id), HARDWARE.public),
        (_signed_as("none", HARDWARE.public.id), HARDWARE.public),
    ],
    ids=["ES256 as EdDSA", "our key as ES256", "damaged", "HS256", "none"],
)
def test_no_token_talks_a_key_into_another_algorithm(token: str, key: PublicKey) -> None:
    with pytest.raises(NotTrusted):
        verify_record(token, key)


def test_a_record_signed_a_second_time_is_the_same_record() -> None:
    head, _, signature = TOKEN.rpartition(".")
    twin = f"{head}.{b64url(other_of(b64url_decode(signature)))}"
    assert verify_record(twin, HARDWARE.public).hash == verify_record(TOKEN, HARDWARE.public).hash
    one, two = log_with(enrolment(), TOKEN, twin), log_with(enrolment(), twin, TOKEN)
    assert one == two == log_with(enrolment(), min(TOKEN, twin))
    assert len(one.records) == 2
    assert one.splits == {}


def test_a_log_file_may_trust_a_hardware_key_from_the_start() -> None:
    value = {"keys": [HARDWARE.jwk], "records": [TOKEN], "subject": SUBJECT}
    ledger = parse_log(json.dumps(value).encode())
    assert isinstance(decide(ledger, ASKED, at=NOW), Permit)
    stranger = value | {"keys": [Es256Key(9).jwk]}
    with pytest.raises(NotTrusted, match="unknown_key"):
        parse_log(json.dumps(stranger).encode())


def test_a_hardware_key_signs_no_record_of_another_key() -> None:
    body = peek_jws(TOKEN).payload.replace(HARDWARE.public.id.encode(), b"someone-else")
    token = HARDWARE.token(body, typ="pgo-grant+jws")
    with pytest.raises(NotTrusted, match="kid"):
        verify_record(token, HARDWARE.public)


def log_file(**members: Any) -> bytes:
    return json.dumps(members).encode()


def test_a_trusted_key_may_be_a_jwk_of_either_algorithm() -> None:
    (signed,) = chained(a_grant())
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": KEY.public.text}
    said: dict[str, Any] = {"subject": SUBJECT, "records": [signed.token]}
    assert parse_log(log_file(keys=[jwk], **said)) == parse_log(log_file(keys=[KEY.public.text], **said))
    for broken in ({**jwk, "d": "x"}, {**jwk, "use": "sig"}, {**jwk, "crv": "X25519"}, {"kty": "RSA"}):
        with pytest.raises(NotTrusted, match="weak_key"):
            parse_log(log_file(keys=[broken], **said))
    with pytest.raises(InvalidDocument, match="keys"):
        parse_log(log_file(keys=[1], **said))
