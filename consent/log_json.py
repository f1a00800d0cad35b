"""Read a consent log from JSON: the keys that may sign, the records, the subject.

1. Signed: every record is a token, verified in the steps of `consent.ledger`.
2. Plain (`signed=False`): records as they are written, each with a `hash` given, for studying rules
   and for comparing programs. Nothing is verified, so such a ledger is never acted on. What says who
   signed and what was shown may be left out; what decides may not.

The format is described in docs/consent-format.md; this module is its only reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from consent.document import SignedRecord
from consent.errors import ConsentError, InvalidDocument, NotTrusted
from consent.ledger import Ledger
from consent.record_json import VERSION, read_object, record_from_json
from consent.records import Cosignature, RecordHash
from crypto.chain import GENESIS
from crypto.errors import CryptoError
from crypto.public_keys import EDDSA, PublicKey, key_from_jwk, key_from_text

MAX_LOG_BYTES: Final = 64 * 1024 * 1024
MAX_RECORDS: Final = 100_000
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MEMBERS: Final = frozenset({"keys", "records", "subject"})
_PLACE: Final = frozenset({"hash", "position"})
_STAND_IN: Final = "sha256:"
NOBODY: Final = {"kid": "unsigned", "role": "self"}
NOT_SHOWN: Final = {"lang": "und", "text_hash": "sha256:" + "0" * 64}


def parse_log(data: bytes, *, signed: bool = True) -> Ledger:
    """Read a log file, untrusted.

    Args:
        data: the file.
        signed: whether records are tokens to be verified; False reads the plain form.

    Raises:
        InvalidDocument: not strict JSON, or not of this shape; `position` names the record.
        NotTrusted: as `Ledger.of`.
    """
    value = read_object(data, max_bytes=MAX_LOG_BYTES)
    if not value.keys() <= _MEMBERS:
        raise InvalidDocument("unknown_member_log")
    subject, records = value.get("subject"), value.get("records")
    if not isinstance(subject, str) or not subject:
        raise InvalidDocument("without_subject")
    if not isinstance(records, list) or len(records) > MAX_RECORDS:
        raise InvalidDocument("not_a_list_records")
    if not signed:
        return Ledger.of_plain(_plain_records(records, subject), subject=subject)
    tokens: list[str] = []
    for place, token in enumerate(records):
        if not isinstance(token, str):
            raise InvalidDocument("not_a_token", position=place)
        tokens.append(token)
    return Ledger.of(tokens, keys=_keys(value.get("keys")), subject=subject)


def _keys(value: object) -> list[PublicKey]:
    if not isinstance(value, list):
        raise InvalidDocument("keys")
    try:
        return [_key(item) for item in value]
    except CryptoError as exc:
        raise NotTrusted("weak_key") from exc


def _key(value: object) -> PublicKey:
    """Read a key of the person: the text of an Ed25519 key, or a public JWK of either algorithm."""
    if isinstance(value, str):
        return key_from_text(value, algorithm=EDDSA)
    if not isinstance(value, Mapping):
        raise InvalidDocument("keys")
    return key_from_jwk(value)


def _plain_records(values: list[object], subject: str) -> list[SignedRecord]:
    found: list[SignedRecord] = []
    positions: dict[str, int] = {}
    for place, value in enumerate(values):
        try:
            record = _plain_record(value, subject, positions)
        except ConsentError as exc:
            raise type(exc)(exc.reason, position=place) from exc
        found.append(record)
    return found


def _plain_record(value: object, subject: str, positions: dict[str, int]) -> SignedRecord:
    """Read one record with its hash; positions count per key where none is given."""
    if not isinstance(value, Mapping):
        raise InvalidDocument("not_an_object")
    seen = value.get("seen", [])
    hash_ = _text(value.get("hash"), "hash")
    if not isinstance(seen, list):
        raise InvalidDocument("seen")
    names = frozenset(RecordHash(_text(one, "seen")) for one in seen)
    filled = _filled({name: item for name, item in value.items() if name not in _PLACE}, subject)
    # Hashes are free texts here; the reader of records knows only real ones, so it sees stand-ins.
    filled["seen"] = [f"{_STAND_IN}{name}" for name in names]
    if value.get("kind") == "cosignature":
        filled["target"] = f"{_STAND_IN}{_text(value.get('target'), 'target')}"
    record = record_from_json(filled)
    if isinstance(record, Cosignature):
        target = RecordHash(record.target.removeprefix(_STAND_IN))
        record = replace(record, seen=names, target=target)
    else:
        record = replace(record, seen=names)
    position = value.get("position", positions.get(record.by.kid, 0))
    if not isinstance(position, int) or isinstance(position, bool) or position < 0:
        raise InvalidDocument("position")
    positions[record.by.kid] = position + 1
    return SignedRecord("", RecordHash(hash_), record.by.kid, position, GENESIS, record)


def _filled(value: dict[str, object], subject: str) -> dict[str, object]:
    """Add what only a signature would need, and read a plain day as its first instant."""
    filled: dict[str, object] = {"version": VERSION, "subject": subject, "by": NOBODY}
    kind = value.get("kind")
    if kind == "grant":
        filled["shown"] = NOT_SHOWN
    elif kind == "withdrawal":
        filled["erase"] = "none"
    filled |= value
    for name in ("at", "review_by"):
        if name in filled:
            filled[name] = _moment(filled[name])
    period = filled.get("period")
    if isinstance(period, list):
        filled["period"] = [_moment(side) for side in period]
    return filled


def _moment(value: object) -> object:
    return f"{value}T00:00:00Z" if isinstance(value, str) and _DAY.fullmatch(value) else value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value or len(value) > 200:
        raise InvalidDocument(name)
    return value
