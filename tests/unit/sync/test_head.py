"""What a recipient knows of us is believed only when our own signature is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consent.ledger import Ledger
from consent.statement import build_statement, sign_statement, statement_hash
from crypto.canonical import b64url_decode, canonical_bytes
from crypto.keys import OpeningKey, SigningKey, derive_pairwise
from crypto.signing import sign_jws
from sync.errors import RemoteRuleError
from sync.head import HEAD_TYPE, Head, build_head_request, parse_head_request, sign_head, verify_head
from tests.support.sync_world import AT, CLINIC_ID, CLINIC_SIGNING, PATIENT, a_card

OWN = PATIENT.signing
SUBJECT = OWN.public.text


def a_statement(sequence: int = 3, *, key: SigningKey = OWN, audience: str = CLINIC_ID) -> str:
    statement = build_statement(
        Ledger.of([], keys=[key.public], subject="synthetic-person"),
        audience_actor=a_card().actor,
        audience_id=audience,
        subject=key.public.text,
        reply_key=PATIENT.opening.public.text,
        sequence=sequence,
        previous=None if sequence == 1 else "sha256:" + "0" * 64,
        at=AT,
    )
    return sign_statement(statement, key)


def answer(token: str = "", *, sequence: int = 3, subject: str = SUBJECT) -> str:
    return sign_head(subject=subject, sequence=sequence, token=token, key=CLINIC_SIGNING, at=AT)


def verified(token: str, *, acknowledged: int = 0) -> Head:
    return verify_head(
        token, CLINIC_SIGNING.public, own=OWN.public, audience=CLINIC_ID, acknowledged=acknowledged
    )


def refused(token: str, *, acknowledged: int = 0) -> str:
    with pytest.raises(RemoteRuleError) as caught:
        verified(token, acknowledged=acknowledged)
    return caught.value.code


def changed(token: str, **members: Any) -> str:
    """The same answer with other members, signed by the recipient again."""
    body = json.loads(b64url_decode(token.split(".")[1]))
    body = {name: value for name, value in (body | members).items() if value != "drop"}
    return sign_jws(canonical_bytes(body), CLINIC_SIGNING, typ=HEAD_TYPE)


def test_the_newest_statement_comes_back_with_its_number_and_hash() -> None:
    token = a_statement(3)
    head = verified(answer(token), acknowledged=3)
    assert (head.sequence, head.token, head.hash) == (3, token, statement_hash(token))
    assert head.statement is not None
    assert head.statement.scope == ()
    assert head.issued_at == AT


def test_a_recipient_that_knows_nothing_says_so() -> None:
    head = verified(answer(sequence=0))
    assert (head.sequence, head.token, head.statement) == (0, "", None)


def test_step_1_another_signer_is_not_believed() -> None:
    token = sign_head(subject=SUBJECT, sequence=0, token="", key=SigningKey.from_seed(b"x" * 32), at=AT)
    assert refused(token) == "bad_head"


def test_step_1_another_kind_of_document_is_not_believed() -> None:
    body = b64url_decode(answer(sequence=0).split(".")[1])
    assert refused(sign_jws(body, CLINIC_SIGNING, typ="pgo-receipt+jws")) == "bad_head"


@pytest.mark.parametrize(
    "members",
    [{"v": 2}, {"extra": 1}, {"issued_at": "drop"}, {"sequence": "3"}, {"sequence": True}, {"statement": ""}],
    ids=str,
)
def test_step_2_other_members_are_refused(members: dict[str, Any]) -> None:
    assert refused(changed(answer(sequence=0), **members)) == "bad_head"


def test_step_3_an_answer_about_somebody_else_is_refused() -> None:
    assert refused(answer(sequence=0, subject=derive_pairwise(b"q" * 32, CLINIC_ID).signing.public.text)) == (
        "bad_head"
    )


def test_step_4_a_statement_we_did_not_sign_is_refused() -> None:
    stranger = derive_pairwise(b"q" * 32, CLINIC_ID).signing
    assert refused(answer(a_statement(3, key=stranger))) == "bad_head"


def test_step_4_a_statement_for_another_recipient_is_refused() -> None:
    assert refused(answer(a_statement(3, audience="ura:00000999"))) == "bad_head"


@pytest.mark.parametrize("claimed", [0, 2, 4])
def test_step_4_the_number_is_the_one_in_the_statement(claimed: int) -> None:
    assert refused(answer(a_statement(3), sequence=claimed)) == "bad_head"


def test_step_4_no_statement_has_no_number() -> None:
    assert refused(answer(sequence=2)) == "bad_head"


@pytest.mark.parametrize(("token", "sequence"), [("", 0), (a_statement(2), 2)])
def test_step_5_less_than_we_have_a_receipt_for_is_a_rollback(token: str, sequence: int) -> None:
    assert refused(answer(token, sequence=sequence), acknowledged=3) == "head_rolled_back"


def test_the_question_names_the_key_to_answer_to() -> None:
    key = OpeningKey.from_seed(b"r" * 32).public
    assert parse_head_request(build_head_request(key)) == key


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"v":1}', b'{"v":2,"reply_key":"AA"}', b'{"v":1,"reply_key":"AA"}']
)
def test_a_question_in_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(RemoteRuleError, match="malformed"):
        parse_head_request(content)
