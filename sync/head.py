"""What do you know of me? The newest statement a recipient holds, asked by an app that was put back.

An app restored from a backup may have forgotten that its patient withdrew. The recipient has not: it holds
the patient's own signed statement. So before anything is sent again the app asks for it, and believes the
answer because the statement inside carries the patient's own signature.

`verify_head` goes in this order, and tests carry the same numbers:

1. signature of the pinned recipient, type `pgo-head+jws`;
2. exactly the members of version 1;
3. it is about this patient;
4. the statement in it, if there is one, was signed by our own key, for this recipient, and has the number
   that the recipient says;
5. nothing that we know to have arrived is missing: the number is not below `acknowledged`.

The answer is fresh because it comes in a reply bound to our message id (`sync.reply`). What it cannot show
is a recipient that keeps the newest statement back on purpose; such a recipient has the data already.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consent.errors import ConsentError
from consent.statement import MAX_TOKEN_BYTES, Statement, open_statement, statement_hash
from crypto.canonical import JsonValue, canonical_bytes
from crypto.errors import CryptoError
from crypto.keys import SealingKey, SigningKey, VerifyKey
from crypto.signing import sign_jws, verify_jws
from sync.errors import RemoteRuleError
from sync.reading import as_instant, as_text, as_whole, instant, malformed, read_object
from sync.wire import VERSION

HEAD_TYPE = "pgo-head+jws"
MAX_HEAD_BYTES = 2 * MAX_TOKEN_BYTES
_MEMBERS = frozenset({"v", "subject", "sequence", "statement", "issued_at"})
_REQUEST = frozenset({"v", "reply_key"})


@dataclass(frozen=True, slots=True)
class Head:
    """What a recipient holds of one patient.

    Attributes:
        sequence: number of the newest statement, 0 when it knows nothing of this patient.
        token, hash: that statement as signed and its hash, empty for none.
        statement: what it says, None for none.
    """

    sequence: int
    token: str
    hash: str
    statement: Statement | None
    issued_at: datetime


def build_head_request(reply_key: SealingKey) -> bytes:
    """Write the content of a head message: the key to answer to, since the recipient may not know us."""
    return canonical_bytes({"v": VERSION, "reply_key": reply_key.text})


def parse_head_request(content: bytes) -> SealingKey:
    """Read the content of a head message: where to seal the answer to.

    Raises:
        RemoteRuleError: `malformed`.
    """
    members = read_object(content, _REQUEST, max_bytes=1_000)
    if as_whole(members["v"]) != VERSION:
        raise malformed()
    try:
        return SealingKey.from_text(as_text(members["reply_key"]))
    except CryptoError as exc:
        raise malformed() from exc


def sign_head(*, subject: str, sequence: int, token: str, key: SigningKey, at: datetime) -> str:
    """Say which statement is the newest here.

    Args:
        subject: pairwise key of the patient here, base64url.
        sequence: its number, 0 when nothing is known.
        token: the statement as the patient signed it, empty when nothing is known.
        key: key of the recipient's card.
        at: now.
    """
    body: JsonValue = {
        "v": VERSION,
        "subject": subject,
        "sequence": sequence,
        "statement": token or None,
        "issued_at": instant(at),
    }
    return sign_jws(canonical_bytes(body), key, typ=HEAD_TYPE)


def verify_head(token: str, key: VerifyKey, *, own: VerifyKey, audience: str, acknowledged: int) -> Head:
    """Check an answer by the steps of this module.

    Args:
        token: untrusted, from the opened reply.
        key: verify key of the pinned card.
        own: our pairwise key there.
        audience: id of the recipient.
        acknowledged: highest number of a statement that the recipient gave us a receipt for, 0 for none.

    Raises:
        RemoteRuleError: `bad_head` (steps 1 to 4), `head_rolled_back` (step 5).
    """
    try:
        payload = verify_jws(token, key, typ=HEAD_TYPE, max_bytes=MAX_HEAD_BYTES)  # step 1
        members = read_object(payload, _MEMBERS, max_bytes=MAX_HEAD_BYTES)  # step 2
        sequence, issued_at = as_whole(members["sequence"]), as_instant(members["issued_at"])
        if as_whole(members["v"]) != VERSION or as_text(members["subject"]) != own.text:  # steps 2, 3
            raise malformed()
        inner = members["statement"]
        held = None if inner is None else as_text(inner, max_length=MAX_TOKEN_BYTES)
        statement = None if held is None else _own_statement(held, own, audience, sequence)  # step 4
    except (CryptoError, ConsentError, RemoteRuleError) as exc:
        raise RemoteRuleError("bad_head") from exc
    if (statement is None) != (sequence == 0):
        raise RemoteRuleError("bad_head")
    if sequence < acknowledged:  # step 5
        raise RemoteRuleError("head_rolled_back")
    return Head(sequence, held or "", statement_hash(held) if held else "", statement, issued_at)


def _own_statement(token: str, own: VerifyKey, audience: str, sequence: int) -> Statement:
    statement = open_statement(token, own)
    if statement.audience != audience or statement.sequence != sequence:
        raise malformed()
    return statement
