"""A message on its way: signed inside, sealed to one recipient, signed outside.

Wire form of a message: outer JWS, line feed, sealed bytes. The outer JWS signs the open header and the
hash of the sealed bytes. Inside the seal lies, padded: inner JWS, line feed, content. The inner JWS signs
who wrote to whom under which message id, and the hash of the content. The suite says whether the content is
packed (`sync.packing`); we always pack, and open both. The hash is that of the content itself. So:

- nobody on the way learns more than the pairwise key of the sender, a size class and a counter;
- the recipient cannot pass the content on as if it had been written to somebody else (inner signature
  names the recipient), and nobody can put his own header around a stranger's seal (`info` binds it);
- no hash of the content stands in the open, because a short content can be guessed from its hash.

`open_message` goes in this order; code comments and test names carry the same numbers:

 1. size;
 2. form: header line, exact members, exact types;
 3. version, suite;
 4. audience: it is for us;
 5. sender: a fit key, and known to us when we ask for that;
 6. outer signature by that sender, over header and sealed bytes;
 7. time: within 300 s of our clock and not expired; skipped for a message that we have already, so that
    a repeated message gets its stored receipt, however late;
 8. our key: we have (still) the key it was sealed to;
 9. opening, padding and unpacking;
10. inner signature: same sender, recipient, message, kind and number as outside, and the hash of the content.

After that the recipient goes on: 11 same message id with other content is a conflict
(`refuse_conflict`), 12 statement and scope (`consent.statement`), 13 message, effect and receipt in one
transaction.

Each attempt to send makes a fresh envelope around the same content under the same message id.

Sources: RFC 9180 section 8.1 on `info`; D. Davis, "Defective Sign & Encrypt in S/MIME, PKCS#7, MOSS, PEM,
PGP, and XML", USENIX 2001, for naming both parties under the inner signature.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from crypto.canonical import JsonValue, canonical_bytes, sha256_id
from crypto.errors import CryptoError, WeakParameters
from crypto.keys import KeyId, OpeningKey, SigningKey, VerifyKey
from crypto.sealing import SUITE, pad, seal, unpad, unseal
from crypto.signing import peek_jws, sign_jws, verify_jws
from sync.card import RecipientCard
from sync.errors import LocalRuleError, RemoteRuleError
from sync.packing import pack, unpack
from sync.reading import as_text, as_whole, malformed, read_object, utc
from sync.reply import open_reply, seal_reply
from sync.wire import (
    CLOCK_SKEW_SECONDS,
    LIFETIME_SECONDS,
    MAX_BODY_BYTES,
    MAX_CONTENT_BYTES,
    MAX_HEADER_BYTES,
    VERSION,
    Kind,
    parse_message_id,
)

__all__ = [
    "Header",
    "OpenedMessage",
    "open_message",
    "open_reply",
    "peek_message_id",
    "refuse_conflict",
    "seal_message",
    "seal_reply",
]

_OUTER_TYPE = "pgo-envelope+jws"
_INNER_TYPE = "pgo-content+jws"
_SEPARATOR = b"\n"
PACKED_SUITE = f"{SUITE}+zstd"
SUITES = frozenset({SUITE, PACKED_SUITE})
_OUTER_MEMBERS = frozenset(
    {"v", "suite", "aud", "kid", "sub", "mid", "seq", "kind", "iat", "exp", "sealed_hash"}
)


@dataclass(frozen=True, slots=True)
class Header:
    """The open header of a message.

    Attributes:
        suite: Algorithms, one of `SUITES`.
        audience: Id of the recipient.
        key_id: Which of the recipient's keys it is sealed to.
        sender: Pairwise verify key of the patient, base64url.
        sequence: Counter of messages from this sender to this recipient; a gap shows a lost message.
        issued_at, expires_at: Seconds since 1970 (RFC 7519 NumericDate).
        sealed_hash: SHA-256 of the sealed bytes.
    """

    suite: str
    audience: str
    key_id: KeyId
    sender: str
    message_id: str
    sequence: int
    kind: Kind
    issued_at: int
    expires_at: int
    sealed_hash: str

    def context(self) -> bytes:
        """Return what the seal is bound to: everything but the hash of the seal itself."""
        members = dict(self._members())
        del members["sealed_hash"]
        return canonical_bytes(members)

    def payload(self) -> bytes:
        """Return the bytes that the outer signature covers."""
        return canonical_bytes(self._members())

    def _members(self) -> Mapping[str, JsonValue]:
        return {
            "v": VERSION,
            "suite": self.suite,
            "aud": self.audience,
            "kid": self.key_id,
            "sub": self.sender,
            "mid": self.message_id,
            "seq": self.sequence,
            "kind": self.kind.value,
            "iat": self.issued_at,
            "exp": self.expires_at,
            "sealed_hash": self.sealed_hash,
        }


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """A message that passed all ten steps.

    Attributes:
        sender: Pairwise key of the patient; `sender.text` is the subject id towards this recipient.
        payload_hash: Hash of the content, for step 11 and for the receipt.
    """

    kind: Kind
    sender: VerifyKey
    message_id: str
    sequence: int
    issued_at: datetime
    content: bytes = field(repr=False)
    payload_hash: str = field(repr=False)


def seal_message(
    *,
    kind: Kind,
    content: bytes,
    sender: SigningKey,
    to: RecipientCard,
    message_id: str,
    sequence: int,
    at: datetime,
) -> bytes:
    """Sign, seal and sign again.

    Args:
        kind: What the content is.
        content: At most `MAX_CONTENT_BYTES`.
        sender: The pairwise key for this recipient, never another one.
        to: The pinned card.
        message_id: From `new_message_id`, the same at every attempt.
        sequence: Counter of messages to this recipient.
        at: Now, as well as we know it.

    Raises:
        LocalRuleError: `too_large`.
    """
    if len(content) > MAX_CONTENT_BYTES:
        raise LocalRuleError("too_large")
    bare = _bare_header(kind, sender, to, message_id=message_id, sequence=sequence, at=at)
    inner = sign_jws(_inner_payload(bare, sha256_id(content)), sender, typ=_INNER_TYPE)
    plain = inner.encode("ascii") + _SEPARATOR + pack(content)
    sealed = seal(pad(plain), to.sealing_key, info=bare.context())
    header = replace(bare, sealed_hash=sha256_id(sealed))
    return sign_jws(header.payload(), sender, typ=_OUTER_TYPE).encode("ascii") + _SEPARATOR + sealed


def open_message(
    body: bytes,
    *,
    opening_keys: Mapping[KeyId, OpeningKey],
    audience: str,
    at: datetime,
    known_sender: Callable[[str], VerifyKey | None] | None = None,
    already_received: Callable[[str, str], bool] | None = None,
) -> OpenedMessage:
    """Open a message by steps 1 to 10 of this module.

    Args:
        body: Untrusted request body.
        opening_keys: Our keys, old ones included, by id.
        audience: Our own id.
        at: Now.
        known_sender: Gives the enrolled key for a sender text, None when there is none. Without it
            every fit key passes: trust on first use is the caller's decision.
        already_received: Says whether (sender, message id) was stored before.

    Raises:
        RemoteRuleError: with a code of `wire.REFUSALS`.
    """
    header, token, sealed = _read(body, audience)  # steps 1 to 4
    sender = _sender_key(header, known_sender)  # step 5
    _check_outer(header, token, sender, sealed)  # step 6
    if already_received is None or not already_received(header.sender, header.message_id):
        _check_time(header, at)  # step 7
    key = opening_keys.get(header.key_id)  # step 8
    if key is None:
        raise RemoteRuleError("unknown_key")
    inner, content = _open(sealed, key, header)  # step 9
    payload_hash = sha256_id(content)
    _check_inner(inner, header, sender, payload_hash)  # step 10
    return _opened(header, sender, content, payload_hash)


def peek_message_id(body: bytes) -> str:
    """Read the message id of a body without any check but its form, to answer a refusal about it.

    Raises:
        RemoteRuleError: `malformed`.
    """
    payload = _split(body)[1]
    members = read_object(payload, _OUTER_MEMBERS, max_bytes=MAX_HEADER_BYTES)
    return parse_message_id(as_text(members["mid"]))


def refuse_conflict(opened: OpenedMessage, *, stored_payload_hash: str) -> None:
    """Step 11: the message id was used before; the content must be the same.

    Raises:
        RemoteRuleError: `conflict`.
    """
    if opened.payload_hash != stored_payload_hash:
        raise RemoteRuleError("conflict")


def _bare_header(
    kind: Kind, sender: SigningKey, to: RecipientCard, *, message_id: str, sequence: int, at: datetime
) -> Header:
    issued_at = int(utc(at).timestamp())
    return Header(
        suite=PACKED_SUITE,
        audience=to.id,
        key_id=to.sealing_key.id,
        sender=sender.public.text,
        message_id=parse_message_id(message_id),
        sequence=sequence,
        kind=kind,
        issued_at=issued_at,
        expires_at=issued_at + LIFETIME_SECONDS,
        sealed_hash="",  # filled in when the seal exists
    )


def _opened(header: Header, sender: VerifyKey, content: bytes, payload_hash: str) -> OpenedMessage:
    return OpenedMessage(
        kind=header.kind,
        sender=sender,
        message_id=header.message_id,
        sequence=header.sequence,
        issued_at=datetime.fromtimestamp(header.issued_at, UTC),
        content=content,
        payload_hash=payload_hash,
    )


def _read(body: bytes, audience: str) -> tuple[Header, str, bytes]:
    if len(body) > MAX_BODY_BYTES:  # step 1
        raise RemoteRuleError("too_large")
    token, payload, sealed = _split(body)  # step 2
    members = read_object(payload, _OUTER_MEMBERS, max_bytes=MAX_HEADER_BYTES)
    version = as_whole(members["v"])
    header = Header(
        suite=as_text(members["suite"]),
        audience=as_text(members["aud"]),
        key_id=KeyId(as_text(members["kid"])),
        sender=as_text(members["sub"]),
        message_id=parse_message_id(as_text(members["mid"])),
        sequence=as_whole(members["seq"]),
        kind=_kind(as_text(members["kind"])),
        issued_at=as_whole(members["iat"]),
        expires_at=as_whole(members["exp"]),
        sealed_hash=as_text(members["sealed_hash"]),
    )
    if version != VERSION or header.suite not in SUITES:  # step 3
        raise RemoteRuleError("unsupported_version")
    if header.audience != audience:  # step 4
        raise RemoteRuleError("wrong_audience")
    return header, token, sealed


def _split(body: bytes) -> tuple[str, bytes, bytes]:
    line, separator, rest = body[: MAX_HEADER_BYTES + 1].partition(_SEPARATOR)
    if not separator:
        raise malformed()
    rest = body[len(line) + 1 :]
    try:
        token = line.decode("ascii")
        return token, peek_jws(token, max_bytes=MAX_HEADER_BYTES).payload, rest
    except (UnicodeDecodeError, CryptoError) as exc:
        raise malformed() from exc


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError as exc:
        raise malformed() from exc


def _sender_key(header: Header, known_sender: Callable[[str], VerifyKey | None] | None) -> VerifyKey:
    try:
        key = VerifyKey.from_text(header.sender)
    except WeakParameters as exc:
        raise RemoteRuleError("weak_key") from exc
    except CryptoError as exc:
        raise malformed() from exc
    if known_sender is not None and known_sender(header.sender) != key:
        raise RemoteRuleError("unknown_sender")
    return key


def _check_outer(header: Header, token: str, sender: VerifyKey, sealed: bytes) -> None:
    try:
        verify_jws(token, sender, typ=_OUTER_TYPE, max_bytes=MAX_HEADER_BYTES)
    except CryptoError as exc:
        raise RemoteRuleError("bad_signature") from exc
    if sha256_id(sealed) != header.sealed_hash:
        raise RemoteRuleError("bad_signature")


def _check_time(header: Header, at: datetime) -> None:
    now = utc(at).timestamp()
    lifetime = header.expires_at - header.issued_at
    if not 0 < lifetime <= LIFETIME_SECONDS:
        raise RemoteRuleError("clock")
    if abs(now - header.issued_at) > CLOCK_SKEW_SECONDS or now >= header.expires_at:
        raise RemoteRuleError("clock")


def _open(sealed: bytes, key: OpeningKey, header: Header) -> tuple[str, bytes]:
    try:
        plain = unpad(unseal(sealed, key, info=header.context()))
        line, _, rest = plain.partition(_SEPARATOR)
        inner = line.decode("ascii")
    except (CryptoError, UnicodeDecodeError) as exc:
        raise RemoteRuleError("cannot_open") from exc
    return inner, unpack(rest, max_bytes=MAX_CONTENT_BYTES) if header.suite == PACKED_SUITE else rest


def _check_inner(inner: str, header: Header, sender: VerifyKey, payload_hash: str) -> None:
    try:
        signed = verify_jws(inner, sender, typ=_INNER_TYPE, max_bytes=MAX_HEADER_BYTES)
    except CryptoError as exc:
        raise RemoteRuleError("bad_signature") from exc
    # Both sides write the canonical form, so equal bytes is the whole comparison.
    if signed != _inner_payload(header, payload_hash):
        raise RemoteRuleError("bad_signature")


def _inner_payload(header: Header, content_hash: str) -> bytes:
    return canonical_bytes(
        {
            "v": VERSION,
            "aud": header.audience,
            "kid": header.key_id,
            "sub": header.sender,
            "mid": header.message_id,
            "seq": header.sequence,
            "kind": header.kind.value,
            "content_hash": content_hash,
        }
    )
