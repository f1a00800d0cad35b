"""The recipient's signed proof of what it did with a message; nothing else counts as delivered.

For a push it says what was stored and what was refused and why; for a statement whether the recipient
stopped, erased, or cannot erase; when it erased, of which messages the content is gone (security.md 3.8).
The app keeps the token as evidence.

`verify_receipt` goes in this order, and tests carry the same numbers:

1. signature of the pinned recipient, type `pgo-receipt+jws`;
2. exactly the members of version 1; `messages` only beside `erased`, where an older recipient leaves it out;
3. it is about our message: same message id, subject and kind;
4. it is about our content: same hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crypto.canonical import JsonValue, canonical_bytes
from crypto.errors import CryptoError
from crypto.keys import SigningKey, VerifyKey
from crypto.signing import sign_jws, verify_jws
from sync.errors import LocalRuleError, RemoteRuleError
from sync.reading import as_instant, as_list, as_object, as_text, as_whole, instant, malformed, read_object
from sync.wire import VERSION, Kind

RECEIPT_TYPE = "pgo-receipt+jws"
MAX_RECEIPT_BYTES = 2 * 1024 * 1024
_MEMBERS = frozenset(
    {
        "v",
        "message_id",
        "subject",
        "kind",
        "payload_hash",
        "statement_sequence",
        "stored_at",
        "stored",
        "refused",
        "state",
        "reason",
    }
)
_OF_ERASED = frozenset({"messages"})
_REFUSED = frozenset({"reference", "reason"})
MAX_MESSAGES_NAMED = 50_000
"""So that they fit in a receipt; the newest are named. A first sync of a large record takes dozens."""


class ReceiptState(StrEnum):
    """What the recipient did."""

    STORED = "stored"
    STOPPED = "stopped"
    ERASED = "erased"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a recipient says that it did.

    Attributes:
        subject: Pairwise key of the patient towards this recipient, base64url.
        payload_hash: Hash of the content as opened.
        statement_sequence: Number of the statement in force there after this message.
        stored: How many resources were stored.
        refused: Pairs (reference, reason) of resources that the recipient's own check kept out.
        state: `stored` after a push; `stored`, `stopped`, `erased` or `cannot` after a statement.
        reason: Why it cannot erase (a code such as `legal_retention`), empty otherwise.
        messages: Ids of the pushes whose content is gone, oldest first; only when `state` is `erased`.
    """

    message_id: str
    subject: str
    kind: Kind
    payload_hash: str
    statement_sequence: int
    stored_at: datetime
    stored: int = 0
    refused: tuple[tuple[str, str], ...] = ()
    state: ReceiptState = ReceiptState.STORED
    reason: str = ""
    messages: tuple[str, ...] = ()


def sign_receipt(receipt: Receipt, key: SigningKey) -> str:
    """Sign a receipt with the key of the recipient's card.

    Raises:
        LocalRuleError: `bad_receipt`, our own reader would refuse it.
    """
    refused = [{"reference": reference, "reason": reason} for reference, reason in receipt.refused]
    erased = {"messages": list(receipt.messages)} if receipt.state is ReceiptState.ERASED else {}
    payload = canonical_bytes(
        {
            **erased,
            "v": VERSION,
            "message_id": receipt.message_id,
            "subject": receipt.subject,
            "kind": Kind(receipt.kind).value,
            "payload_hash": receipt.payload_hash,
            "statement_sequence": receipt.statement_sequence,
            "stored_at": instant(receipt.stored_at),
            "stored": receipt.stored,
            "refused": refused,
            "state": ReceiptState(receipt.state).value,
            "reason": receipt.reason,
        }
    )
    try:
        _parse(payload)
    except RemoteRuleError as exc:
        raise LocalRuleError("bad_receipt") from exc
    return sign_jws(payload, key, typ=RECEIPT_TYPE)


def verify_receipt(
    token: str, key: VerifyKey, *, message_id: str, subject: str, kind: Kind, payload_hash: str
) -> Receipt:
    """Check a receipt by the steps of this module.

    Args:
        token: Untrusted, from the opened reply.
        key: Verify key of the pinned card.
        message_id: Of the message that was sent.
        subject: Our pairwise key there.
        kind: What was sent.
        payload_hash: Hash of the content that was sent.

    Raises:
        RemoteRuleError: `bad_receipt` (steps 1, 2), `receipt_mismatch` (steps 3, 4).
    """
    try:
        payload = verify_jws(token, key, typ=RECEIPT_TYPE, max_bytes=MAX_RECEIPT_BYTES)  # step 1
        receipt = _parse(payload)  # step 2
    except (CryptoError, RemoteRuleError) as exc:
        raise RemoteRuleError("bad_receipt") from exc
    if (receipt.message_id, receipt.subject, receipt.kind) != (message_id, subject, kind):  # step 3
        raise RemoteRuleError("receipt_mismatch")
    if receipt.payload_hash != payload_hash:  # step 4
        raise RemoteRuleError("receipt_mismatch")
    return receipt


def _parse(payload: bytes) -> Receipt:
    members = read_object(payload, _MEMBERS, max_bytes=MAX_RECEIPT_BYTES, optional=_OF_ERASED)
    state = _state(members)
    if as_whole(members["v"]) != VERSION or ("messages" in members and state is not ReceiptState.ERASED):
        raise malformed()
    return Receipt(
        message_id=as_text(members["message_id"]),
        subject=as_text(members["subject"]),
        kind=_kind(members),
        payload_hash=as_text(members["payload_hash"]),
        statement_sequence=as_whole(members["statement_sequence"]),
        stored_at=as_instant(members["stored_at"]),
        stored=as_whole(members["stored"]),
        refused=tuple(_refused(item) for item in as_list(members["refused"])),
        state=state,
        reason="" if members["reason"] == "" else as_text(members["reason"]),
        messages=tuple(as_text(item) for item in as_list(members.get("messages", []))),
    )


def _refused(value: JsonValue) -> tuple[str, str]:
    members = as_object(value, _REFUSED)
    return as_text(members["reference"]), as_text(members["reason"])


def _kind(members: Mapping[str, JsonValue]) -> Kind:
    try:
        return Kind(as_text(members["kind"]))
    except ValueError as exc:
        raise malformed() from exc


def _state(members: Mapping[str, JsonValue]) -> ReceiptState:
    try:
        return ReceiptState(as_text(members["state"]))
    except ValueError as exc:
        raise malformed() from exc
