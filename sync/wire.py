"""What goes over the wire: version, kinds, limits, refusals. Both ends import this and nothing is said twice.

`POST {endpoint}/v1/inbox` takes a sealed push, statement or removal, `POST {endpoint}/v1/access` a sealed
question "who looked?", `POST {endpoint}/v1/head` the sealed question "what do you know of me?" of an app
that was put back from a backup. The answer to both is a sealed reply (`sync/envelope.py`). A refusal is JSON
`{"code": ...}` with the status of `REFUSALS`; for code `clock` a signed time stands beside it.

Source: docs/wire-format.md describes the same for other implementers.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from crypto.canonical import b64url, b64url_decode, canonical_bytes
from crypto.errors import CryptoError, Malformed
from crypto.keys import SigningKey, VerifyKey
from crypto.sealing import MAX_PADDED_CONTENT, PAD_SIZES
from crypto.signing import sign_jws, verify_jws
from sync.errors import RemoteRuleError
from sync.reading import as_instant, as_text, as_whole, instant, read_object

VERSION = 1
MEDIA_TYPE = "application/pgo-envelope"

MAX_HEADER_BYTES = 8 * 1024
"""Signed header of an envelope, inside or outside the seal."""

MAX_BODY_BYTES = PAD_SIZES[-1] + 16 * 1024
"""Largest request or reply: the largest padded content, its seal and its header."""

MAX_CONTENT_BYTES = MAX_PADDED_CONTENT - MAX_HEADER_BYTES
"""Largest content of one message; more is split into several (`bundle.split`)."""

MAX_RESOURCE_DEPTH = 64
CLOCK_SKEW_SECONDS = 300
LIFETIME_SECONDS = 600

MESSAGE_ID_BYTES = 16

KEPT_BY_RECIPIENTS = frozenset(
    {"AUDIT", "DELAU", "ENCRYPT", "ENCRYPTR", "ENCRYPTT", "NODSCLCD", "NODSCLCDS", "NOINTEGRATE"}
    | {"NORDSCLCD", "NORDSCLCDS", "NORDSCLW", "NORELINK", "NOREUSE", "PERSISTLABEL"}
)
"""Duties every recipient's program keeps by what it is, so data under them may be sent: every look is logged
(AUDIT), transport and store are encrypted (ENCRYPT*), bytes and so labels stay as sent (PERSISTLABEL), there
is no onward sending, linking or reuse (NORDSCLCD, NODSCLCD, NOREUSE, NORELINK ...), and it erases on the
patient's word and on the day named (DELAU). A statement with another duty is refused as a whole.
Codes: HL7 v3-ActCode, https://terminology.hl7.org/CodeSystem-v3-ActCode.html"""

_TIME_TYPE = "pgo-time+jws"
_TIME_MEMBERS = frozenset({"v", "message_id", "now"})


class Kind(StrEnum):
    """What a message is."""

    PUSH = "push"
    STATEMENT = "statement"
    ACCESS = "access"
    HEAD = "head"
    REMOVAL = "removal"


PATHS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.PUSH: "/v1/inbox",
        Kind.STATEMENT: "/v1/inbox",
        Kind.ACCESS: "/v1/access",
        Kind.HEAD: "/v1/head",
        Kind.REMOVAL: "/v1/inbox",
    }
)

REFUSALS: Mapping[str, int] = MappingProxyType(
    {
        "malformed": 400,
        "unsupported_version": 400,
        "wrong_audience": 403,
        "unknown_sender": 403,
        "weak_key": 403,
        "bad_signature": 403,
        "clock": 403,
        "unknown_key": 403,
        "cannot_open": 403,
        "bad_content": 400,
        "statement_refused": 403,
        "statement_rolled_back": 409,
        "conflict": 409,
        "late": 409,
        "too_large": 413,
    }
)
"""Refusals that are final for the message as it is, with the HTTP status that carries each of them.

Anything else (another code, another status, no JSON) proves nothing and is treated as unreachable.
"""

MAY_BE_DAMAGE = frozenset(
    {"malformed", "unsupported_version", "wrong_audience", "unknown_sender"}
    | {"weak_key", "bad_signature", "unknown_key", "cannot_open"}
)
"""What a recipient answers too when a byte was changed on the way (steps 2 to 10 of `sync.envelope`).

Nobody signs a refusal, so these are believed when one message has met `SURE_AFTER_REFUSALS` of them: a
withdrawal must not be given up because a middle box spoilt a message now and then. Attempts that met no
answer say nothing and do not count.
"""

SURE_AFTER_REFUSALS = 5


def new_message_id() -> str:
    """Make a random 128-bit message id, base64url."""
    return b64url(secrets.token_bytes(MESSAGE_ID_BYTES))


def parse_message_id(text: str) -> str:
    """Check the form of a message id and return it.

    Raises:
        RemoteRuleError: `malformed`.
    """
    try:
        raw = b64url_decode(text)
    except Malformed as exc:
        raise RemoteRuleError("malformed") from exc
    if len(raw) != MESSAGE_ID_BYTES:
        raise RemoteRuleError("malformed")
    return text


def sign_time(key: SigningKey, *, message_id: str, at: datetime) -> str:
    """Say what time it is here, in answer to one message; goes with the refusal `clock`."""
    body = canonical_bytes({"v": VERSION, "message_id": message_id, "now": instant(at)})
    return sign_jws(body, key, typ=_TIME_TYPE)


def verify_time(token: str, key: VerifyKey, *, message_id: str) -> datetime:
    """Check a signed time; bound to our message, so an old one cannot be played again.

    Raises:
        RemoteRuleError: `clock`, it does not hold.
    """
    try:
        members = read_object(
            verify_jws(token, key, typ=_TIME_TYPE, max_bytes=MAX_HEADER_BYTES),
            _TIME_MEMBERS,
            max_bytes=MAX_HEADER_BYTES,
        )
        named = as_text(members["message_id"])
        now = as_instant(members["now"])
        version = as_whole(members["v"])
    except (CryptoError, RemoteRuleError) as exc:
        raise RemoteRuleError("clock") from exc
    if named != message_id or version != VERSION:
        raise RemoteRuleError("clock")
    return now
