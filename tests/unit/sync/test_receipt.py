from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from crypto.canonical import b64url_decode
from crypto.keys import SigningKey
from crypto.signing import sign_jws
from sync.errors import LocalRuleError, RemoteRuleError
from sync.receipt import Receipt, ReceiptState, sign_receipt, verify_receipt
from sync.wire import Kind
from tests.support.sync_world import AT, CLINIC_SIGNING, MESSAGE_ID, PATIENT

RECEIPT = Receipt(
    message_id=MESSAGE_ID,
    subject=PATIENT.signing.public.text,
    kind=Kind.PUSH,
    payload_hash="sha256:" + "ab" * 32,
    statement_sequence=4,
    stored_at=AT,
    stored=2,
    refused=(("Observation/9", "category"), ("Condition/1", "sensitive-not-opted-in")),
)
MEMBERS: dict[str, Any] = json.loads(b64url_decode(sign_receipt(RECEIPT, CLINIC_SIGNING).split(".")[1]))


def _verified(token: str, **changes: Any) -> Receipt:
    expected: dict[str, Any] = {
        "message_id": MESSAGE_ID,
        "subject": RECEIPT.subject,
        "kind": Kind.PUSH,
        "payload_hash": RECEIPT.payload_hash,
    }
    return verify_receipt(token, CLINIC_SIGNING.public, **{**expected, **changes})


def _refusal(token: str, **changes: Any) -> str:
    with pytest.raises(RemoteRuleError) as refusal:
        _verified(token, **changes)
    return refusal.value.code


def _signed(members: Any, **changes: Any) -> str:
    return sign_jws(json.dumps(members).encode(), CLINIC_SIGNING, **{"typ": "pgo-receipt+jws", **changes})


@pytest.mark.parametrize(
    "receipt",
    [
        RECEIPT,
        replace(RECEIPT, refused=(), stored=0),
        replace(RECEIPT, state=ReceiptState.CANNOT, reason="legal_retention"),
        replace(RECEIPT, state=ReceiptState.ERASED),
        replace(RECEIPT, state=ReceiptState.ERASED, messages=("one", "two")),
    ],
)
def test_a_receipt_reads_back(receipt: Receipt) -> None:
    assert _verified(sign_receipt(receipt, CLINIC_SIGNING)) == receipt


def test_a_long_list_of_refusals_fits() -> None:
    many = tuple((f"Observation/{number}", "sensitive-not-opted-in") for number in range(10_000))
    assert len(_verified(sign_receipt(replace(RECEIPT, refused=many), CLINIC_SIGNING)).refused) == 10_000


def test_step_1_another_signer_or_kind_of_document() -> None:
    assert _refusal(sign_receipt(RECEIPT, SigningKey.generate())) == "bad_receipt"
    assert _refusal(_signed(MEMBERS, typ="pgo-access+jws")) == "bad_receipt"
    assert _refusal("not a token") == "bad_receipt"


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_step_2_every_member_is_needed(name: str) -> None:
    assert _refusal(_signed({key: value for key, value in MEMBERS.items() if key != name})) == "bad_receipt"


@pytest.mark.parametrize(
    "change",
    [
        {"extra": None},
        {"v": 2},
        {"kind": "order"},
        {"state": "done"},
        {"stored": -1},
        {"stored": True},
        {"refused": {}},
        {"refused": [{"reference": "a"}]},
        {"stored_at": "now"},
        {"reason": None},
    ],
    ids=str,
)
def test_step_2_members_have_their_types(change: dict[str, Any]) -> None:
    assert _refusal(_signed({**MEMBERS, **change})) == "bad_receipt"


@pytest.mark.parametrize(
    "expected",
    [{"message_id": "B" + MESSAGE_ID[1:]}, {"subject": "other"}, {"kind": Kind.STATEMENT}],
    ids=str,
)
def test_step_3_a_receipt_for_another_message(expected: dict[str, Any]) -> None:
    assert _refusal(sign_receipt(RECEIPT, CLINIC_SIGNING), **expected) == "receipt_mismatch"


def test_step_4_a_receipt_for_other_content() -> None:
    assert (
        _refusal(sign_receipt(RECEIPT, CLINIC_SIGNING), payload_hash="sha256:" + "00" * 32)
        == "receipt_mismatch"
    )


@pytest.mark.parametrize("change", [{"subject": ""}, {"stored": -1}, {"refused": (("", "x"),)}])
def test_a_receipt_nobody_would_accept_is_not_signed(change: dict[str, Any]) -> None:
    with pytest.raises(LocalRuleError) as refusal:
        sign_receipt(replace(RECEIPT, **change), CLINIC_SIGNING)
    assert refusal.value.code == "bad_receipt"


def test_an_older_recipient_names_no_messages() -> None:
    erased = json.loads(
        b64url_decode(sign_receipt(replace(RECEIPT, state=ReceiptState.ERASED), CLINIC_SIGNING).split(".")[1])
    )
    assert erased.pop("messages") == []
    assert _verified(_signed(erased)).messages == ()


@pytest.mark.parametrize("said", [[1], [""], "one", None, [["one"]]])
def test_messages_are_ids(said: Any) -> None:
    assert _refusal(_signed({**MEMBERS, "state": "erased", "messages": said})) == "bad_receipt"


def test_messages_are_named_only_where_something_was_erased() -> None:
    assert _refusal(_signed({**MEMBERS, "messages": []})) == "bad_receipt"
