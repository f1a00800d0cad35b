"""The sealed answer to a message: only the patient opens it, only the recipient can have written it.

Wire form: sealed bytes alone. Inside, padded: JWS of the recipient, line feed, content. The seal is bound to
the message id and to the reply key, and the signature names both, so an answer fits one question only.

`open_reply` goes in this order:

1. size;
2. opening with our reply key in the context of our message, and padding;
3. signature of the pinned recipient, naming this message and this reply key;
4. hash of the content.

Anything that fails is `no_proof`: a proxy's page, a cut answer and a forged one look alike from here and
all mean the same, that nothing was proved.
"""

from __future__ import annotations

from crypto.canonical import canonical_bytes, sha256_id
from crypto.errors import CryptoError
from crypto.keys import OpeningKey, SealingKey, SigningKey, VerifyKey
from crypto.sealing import SUITE, pad, seal, unpad, unseal
from crypto.signing import sign_jws, verify_jws
from sync.errors import LocalRuleError, RemoteRuleError
from sync.wire import MAX_BODY_BYTES, MAX_CONTENT_BYTES, MAX_HEADER_BYTES, VERSION

_TYPE = "pgo-reply+jws"
_SEPARATOR = b"\n"


def seal_reply(content: bytes, *, to: SealingKey, signer: SigningKey, message_id: str) -> bytes:
    """Sign and seal the answer to one message.

    Args:
        content: At most `MAX_CONTENT_BYTES`.
        to: Reply key from the patient's statement.
        signer: Key of the recipient's card.
        message_id: The message that is answered.

    Raises:
        LocalRuleError: `too_large`.
    """
    if len(content) > MAX_CONTENT_BYTES:
        raise LocalRuleError("too_large")
    inner = sign_jws(_signed(to, message_id, sha256_id(content)), signer, typ=_TYPE)
    return seal(pad(inner.encode("ascii") + _SEPARATOR + content), to, info=_context(to, message_id))


def open_reply(body: bytes, *, key: OpeningKey, signer: VerifyKey, message_id: str) -> bytes:
    """Open the answer by the steps of this module and return its content.

    Raises:
        RemoteRuleError: `no_proof`.
    """
    if len(body) > MAX_BODY_BYTES:  # step 1
        raise RemoteRuleError("no_proof")
    try:
        plain = unpad(unseal(body, key, info=_context(key.public, message_id)))  # step 2
        line, _, content = plain.partition(_SEPARATOR)
        signed = verify_jws(line.decode("ascii"), signer, typ=_TYPE, max_bytes=MAX_HEADER_BYTES)  # step 3
    except (CryptoError, UnicodeDecodeError) as exc:
        raise RemoteRuleError("no_proof") from exc
    if signed != _signed(key.public, message_id, sha256_id(content)):  # steps 3, 4
        raise RemoteRuleError("no_proof")
    return content


def _context(to: SealingKey, message_id: str) -> bytes:
    return canonical_bytes({"v": VERSION, "suite": SUITE, "use": "reply", "kid": to.id, "mid": message_id})


def _signed(to: SealingKey, message_id: str, content_hash: str) -> bytes:
    return canonical_bytes({"v": VERSION, "kid": to.id, "mid": message_id, "content_hash": content_hash})
