"""Requests and exemptions: what a recipient signs. Neither has any authority over the log.

1. A request says what a recipient would like, for which study, in plain words, and until when an
   answer is welcome. No answer is no; a narrower answer is a normal grant.
2. `request_delta` shows only what is not granted yet.
3. `reconsent_request` turns a DENY-ASK into the smallest request that would make it a permit.
4. An exemption names a legal ground for acting without consent. The engine never makes one and never
   reads one; it is shown to the patient as what it is.
5. Both travel as JWS signed by the recipient's card key, each with its own `typ`.

Source: guide consent.md sections 2.2, 2.3 (DENY-ASK) and 2.8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from consent.codes import Effect
from consent.dates import as_utc, instant_text, parse_instant
from consent.errors import ExpiredDocument, InvalidDocument, NotTrusted, UnknownCode
from consent.record_json import read_object
from consent.research import Study
from consent.rule_json import MAX_ITEMS, rule_from_json, rule_to_json
from consent.rules import ActorRef, Rule, check_rule
from consent.study_json import study_from_json, study_to_json
from crypto.canonical import canonical_bytes
from crypto.errors import CryptoError
from crypto.keys import SigningKey, VerifyKey
from crypto.signing import sign_jws, verify_jws

TYP_REQUEST: Final = "pgo-request+jws"
TYP_EXEMPTION: Final = "pgo-exemption+jws"
MAX_TOKEN_BYTES: Final = 64 * 1024
MAX_WORDS: Final = 4000
VERSION: Final = 1
_REQUEST: Final = frozenset(
    {"kind", "version", "id", "recipient", "subject", "at", "answer_by", "wanted", "study_name"}
    | {"study", "words", "ethics"}
)
_EXEMPTION: Final = frozenset({"kind", "version", "id", "recipient", "subject", "at", "ground", "scope"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a recipient asks for.

    Attributes:
        recipient: who asks; every wanted rule names it and nobody else.
        subject: whom it asks, None for everybody who gets it.
        answer_by: later answers are not expected.
        wanted: the permits it would like, complete as in a grant.
        words: per language the purpose in plain words.
        ethics: reference of the ethics approval.
    """

    id: str
    recipient: ActorRef
    at: datetime
    answer_by: datetime
    wanted: tuple[Rule, ...]
    words: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None
    study_name: str | None = None
    study: Study | None = None
    ethics: str | None = None

    def __post_init__(self) -> None:
        if not self.id or not self.wanted:
            raise InvalidDocument("request")
        if as_utc(self.at) >= as_utc(self.answer_by):
            raise InvalidDocument("request_times")
        if any(not lang or not text or len(text) > MAX_WORDS for lang, text in self.words.items()):
            raise InvalidDocument("request_words")
        for rule in self.wanted:
            if rule.effect is not Effect.PERMIT or rule.unknown:
                raise InvalidDocument("request_rule")
            if rule.actor != frozenset({self.recipient}):
                raise InvalidDocument("request_for_another")
            check_rule(rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A recipient's claim that a law lets it act without consent; `scope` says on what."""

    id: str
    recipient: ActorRef
    at: datetime
    ground: str
    scope: tuple[Rule, ...]
    subject: str | None = None

    def __post_init__(self) -> None:
        as_utc(self.at)
        if not self.id or not self.ground or not self.scope:
            raise InvalidDocument("exemption")
        for rule in self.scope:
            check_rule(rule)


def request_to_json(request: Request) -> dict[str, Any]:
    """Give the JSON value of a request; absent members are left out."""
    value: dict[str, Any] = {
        "kind": "request",
        "version": VERSION,
        "id": request.id,
        "recipient": [request.recipient.kind, request.recipient.value],
        "subject": request.subject,
        "at": instant_text(request.at),
        "answer_by": instant_text(request.answer_by),
        "wanted": [rule_to_json(rule) for rule in request.wanted],
        "study_name": request.study_name,
        "study": None if request.study is None else study_to_json(request.study),
        "words": dict(request.words) or None,
        "ethics": request.ethics,
    }
    return {name: item for name, item in value.items() if item is not None}


def request_from_json(value: Mapping[str, object]) -> Request:
    """Read a request.

    Raises:
        InvalidDocument: another version, a member of the wrong shape, an unknown member.
    """
    _check_kind(value, "request", _REQUEST)
    words = value.get("words", {})
    if not isinstance(words, Mapping) or not all(isinstance(text, str) for text in words.values()):
        raise InvalidDocument("request_words")
    study = value.get("study")
    return Request(
        id=_text(value, "id"),
        recipient=_actor(value),
        subject=_optional(value, "subject"),
        at=parse_instant(value.get("at")),
        answer_by=parse_instant(value.get("answer_by")),
        wanted=_rules(value, "wanted"),
        study_name=_optional(value, "study_name"),
        study=None if study is None else study_from_json(study),
        words={str(lang): str(text) for lang, text in words.items()},
        ethics=_optional(value, "ethics"),
    )


def sign_request(request: Request, key: SigningKey) -> str:
    """Sign a request with the key of the recipient's card."""
    return sign_jws(canonical_bytes(request_to_json(request)), key, typ=TYP_REQUEST)


def verify_request(token: str, key: VerifyKey, *, at: datetime) -> Request:
    """Read a request that has arrived.

    Args:
        token: untrusted.
        key: from the recipient's card that the patient added.
        at: now.

    Raises:
        NotTrusted: the signature does not hold.
        InvalidDocument: signed, but no request.
        ExpiredDocument: the time to answer is over.
    """
    request = request_from_json(_open(token, key, TYP_REQUEST))
    if as_utc(at) >= request.answer_by:
        raise ExpiredDocument("answer_by")
    return request


def sign_exemption(exemption: Exemption, key: SigningKey) -> str:
    """Sign an exemption with the key of the recipient's card."""
    value: dict[str, Any] = {
        "kind": "exemption",
        "version": VERSION,
        "id": exemption.id,
        "recipient": [exemption.recipient.kind, exemption.recipient.value],
        "at": instant_text(exemption.at),
        "ground": exemption.ground,
        "scope": [rule_to_json(rule) for rule in exemption.scope],
    }
    if exemption.subject is not None:
        value["subject"] = exemption.subject
    return sign_jws(canonical_bytes(value), key, typ=TYP_EXEMPTION)


def verify_exemption(token: str, key: VerifyKey) -> Exemption:
    """Read an exemption; raises as `verify_request`."""
    value = _open(token, key, TYP_EXEMPTION)
    _check_kind(value, "exemption", _EXEMPTION)
    return Exemption(
        id=_text(value, "id"),
        recipient=_actor(value),
        subject=_optional(value, "subject"),
        at=parse_instant(value.get("at")),
        ground=_text(value, "ground"),
        scope=_rules(value, "scope"),
    )


def _open(token: str, key: VerifyKey, typ: str) -> Mapping[str, object]:
    try:
        payload = verify_jws(token, key, typ=typ, max_bytes=MAX_TOKEN_BYTES)
    except CryptoError as exc:
        raise NotTrusted("signature") from exc
    return read_object(payload, max_bytes=MAX_TOKEN_BYTES)


def _check_kind(value: Mapping[str, object], kind: str, members: frozenset[str]) -> None:
    if value.get("kind") != kind:
        raise UnknownCode("kind")
    if value.get("version") != VERSION or isinstance(value.get("version"), bool):
        raise InvalidDocument("version")
    if not value.keys() <= members:
        raise InvalidDocument("unknown_member")


def _actor(value: Mapping[str, object]) -> ActorRef:
    pair = value.get("recipient")
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(x, str) for x in pair):
        raise InvalidDocument("recipient")
    return ActorRef(pair[0], pair[1])


def _rules(value: Mapping[str, object], name: str) -> tuple[Rule, ...]:
    items = value.get(name)
    if not isinstance(items, list) or len(items) > MAX_ITEMS:
        raise InvalidDocument(f"not_a_list_{name}")
    return tuple(rule_from_json(item) for item in items)


def _text(value: Mapping[str, object], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise InvalidDocument(f"without_{name}")
    return found


def _optional(value: Mapping[str, object], name: str) -> str | None:
    return _text(value, name) if name in value else None
