"""The recipient's card: who it is, where it listens, which keys are its own.

A card is signed by the key that it carries. So it proves one thing only: that whoever made it holds
that key. That the key belongs to this clinic is for the patient to see, by the fingerprint and by where
the card came from (on paper at the desk, on the clinic's own site). Once accepted it is pinned.

`parse_card` goes in this order, and tests carry the same numbers:

1. size and form: a compact JWS, white space between lines and a first line `PGO-CARD 1` allowed;
2. exactly the members of version 1, each of its type;
3. keys fit for use (canonical, not of low order), address fit for use (`sync/endpoint.py`), numbers well
   formed (`sync/identifiers.py`);
4. the signature holds under the key in the card;
5. the card is valid now (a card made a moment ago by a clock that runs ahead is accepted).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent.rules import ActorRef
from crypto.canonical import JsonValue, canonical_bytes
from crypto.errors import CryptoError
from crypto.keys import SealingKey, SigningKey, VerifyKey
from crypto.signing import peek_jws, sign_jws, verify_jws
from sync.endpoint import parse_endpoint
from sync.errors import LocalRuleError, RemoteRuleError
from sync.identifiers import check_identifiers
from sync.reading import as_instant, as_list, as_object, as_text, as_whole, instant, read_object
from sync.wire import CLOCK_SKEW_SECONDS

CARD_VERSION = 1
FILE_HEAD = "PGO-CARD 1"
KINDS = frozenset({"clinic", "registry"})
MAX_CARD_BYTES = 16 * 1024
SUCCESSION_HEAD = "PGO-SUCCESSION 1"
MAX_FILE_BYTES = 64 * 1024
"""A card with its successions (`sync.succession`)."""
_TYPE = "pgo-card+jws"
_MEMBERS = frozenset(
    {
        "v",
        "id",
        "kind",
        "name",
        "identifier",
        "endpoint",
        "verify_key",
        "sealing_key",
        "issued_at",
        "expires_at",
    }
)
_IDENTIFIER = frozenset({"system", "value"})
_ID = re.compile(r"[a-z][a-z0-9-]{1,15}:[A-Za-z0-9._-]{1,64}\Z")
_LINE_LENGTH = 76
_SKEW = timedelta(seconds=CLOCK_SKEW_SECONDS)


@dataclass(frozen=True, slots=True)
class RecipientCard:
    """What a recipient says about itself.

    Attributes:
        id: Scheme and value, for instance `ura:00000123`; pairwise keys derive from it.
        kind: `clinic` or `registry`.
        identifiers: Pairs (system, value) as in FHIR `Identifier`.
        endpoint: Address below which `/v1/inbox` lies.
        verify_key: Signs cards, receipts and access logs.
        sealing_key: What we seal to; a later card may bring a newer one.
    """

    version: int
    id: str
    kind: str
    name: str
    identifiers: tuple[tuple[str, str], ...]
    endpoint: str
    verify_key: VerifyKey
    sealing_key: SealingKey
    issued_at: datetime
    expires_at: datetime

    @property
    def fingerprint(self) -> str:
        """What a person compares with what stands on paper."""
        return self.verify_key.fingerprint()

    @property
    def actor(self) -> ActorRef:
        """The recipient as consent names it."""
        return ActorRef("registry" if self.kind == "registry" else "org", self.id)


def sign_card(card: RecipientCard, key: SigningKey) -> str:
    """Sign a card with the key that it carries.

    Raises:
        LocalRuleError: `card_key`, the card carries another key; `bad_card`, `bad_endpoint` or
            `bad_identifier`, our own `parse_card` would refuse it.
    """
    if key.public != card.verify_key:
        raise LocalRuleError("card_key")
    parse_endpoint(card.endpoint)
    check_identifiers(card.id, card.identifiers)
    body: dict[str, JsonValue] = {
        "v": card.version,
        "id": card.id,
        "kind": card.kind,
        "name": card.name,
        "identifier": [{"system": system, "value": value} for system, value in card.identifiers],
        "endpoint": card.endpoint,
        "verify_key": card.verify_key.text,
        "sealing_key": card.sealing_key.text,
        "issued_at": instant(card.issued_at),
        "expires_at": instant(card.expires_at),
    }
    payload = canonical_bytes(body)
    try:
        _parse_members(payload)
    except RemoteRuleError as exc:
        raise LocalRuleError("bad_card") from exc
    return sign_jws(payload, key, typ=_TYPE)


def card_file(token: str, successions: Sequence[str] = ()) -> str:
    """Write a signed card as a text file that survives mail and printing.

    Args:
        token: the signed card.
        successions: from `sync.succession`, for those who pinned an older key.
    """
    parts = [(FILE_HEAD, token), *((SUCCESSION_HEAD, one) for one in successions)]
    return "\n".join(line for head, text in parts for line in (head, *_wrapped(text))) + "\n"


def card_token(untrusted: str | bytes) -> str:
    """Take the token of the card out of pasted text or of a card file; nothing is verified here.

    Raises:
        RemoteRuleError: `bad_card`, too large or no ASCII text.
    """
    return card_parts(untrusted)[0]


def card_parts(untrusted: str | bytes) -> tuple[str, tuple[str, ...]]:
    """Take the token of the card and those of the successions out; nothing is verified here.

    Raises:
        RemoteRuleError: `bad_card`, too large or no ASCII text.
    """
    if len(untrusted) > MAX_FILE_BYTES:
        raise RemoteRuleError("bad_card")
    try:
        text = untrusted.decode("ascii") if isinstance(untrusted, bytes) else untrusted
    except UnicodeDecodeError as exc:
        raise RemoteRuleError("bad_card") from exc
    card, *rest = text.split(SUCCESSION_HEAD)
    token = "".join(card.strip().removeprefix(FILE_HEAD).split())
    if len(token) > MAX_CARD_BYTES:
        raise RemoteRuleError("bad_card")
    return token, tuple("".join(one.split()) for one in rest)


def parse_card(untrusted: str | bytes, *, at: datetime) -> RecipientCard:
    """Check a card by the steps of this module.

    Args:
        untrusted: Token, pasted text or the bytes of a card file.
        at: Now.

    Raises:
        RemoteRuleError: `bad_card` (steps 1 to 4), `card_not_yet_valid` or `card_expired` (step 5).
    """
    card = read_card(untrusted)
    if at < card.issued_at - _SKEW:  # step 5
        raise RemoteRuleError("card_not_yet_valid")
    if at >= card.expires_at:
        raise RemoteRuleError("card_expired")
    return card


def read_card(untrusted: str | bytes) -> RecipientCard:
    """Check a card by steps 1 to 4: who said so with which key, whether or not it is valid now.

    For proofs that are older than the card's end; whoever sends something asks `parse_card`.

    Raises:
        RemoteRuleError: `bad_card`.
    """
    token = card_token(untrusted)  # step 1
    try:
        payload = peek_jws(token, max_bytes=MAX_CARD_BYTES).payload
        card = _parse_members(payload)  # steps 2, 3
        verify_jws(token, card.verify_key, typ=_TYPE, max_bytes=MAX_CARD_BYTES)  # step 4
    except (CryptoError, LocalRuleError, RemoteRuleError) as exc:
        raise RemoteRuleError("bad_card") from exc
    return card


def _wrapped(token: str) -> list[str]:
    return [token[start : start + _LINE_LENGTH] for start in range(0, len(token), _LINE_LENGTH)]


def _parse_members(payload: bytes) -> RecipientCard:
    members = read_object(payload, _MEMBERS, max_bytes=MAX_CARD_BYTES)
    card = RecipientCard(
        version=as_whole(members["v"]),
        id=as_text(members["id"]),
        kind=as_text(members["kind"]),
        name=as_text(members["name"], max_length=200),
        identifiers=tuple(_parse_identifier(item) for item in as_list(members["identifier"])),
        endpoint=as_text(members["endpoint"]),
        verify_key=VerifyKey.from_text(as_text(members["verify_key"])),
        sealing_key=SealingKey.from_text(as_text(members["sealing_key"])),
        issued_at=as_instant(members["issued_at"]),
        expires_at=as_instant(members["expires_at"]),
    )
    parse_endpoint(card.endpoint)
    check_identifiers(card.id, card.identifiers)
    if card.version != CARD_VERSION or card.kind not in KINDS or not _ID.match(card.id):
        raise RemoteRuleError("bad_card")
    return card


def _parse_identifier(value: JsonValue) -> tuple[str, str]:
    members = as_object(value, _IDENTIFIER)
    return as_text(members["system"]), as_text(members["value"])
