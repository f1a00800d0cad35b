"""Write or verify documents.json: signed consent documents and what a verifier must say of each.

`python -m tests.vectors.consent.generate` writes, with `--verify` it compares. Keys are fixed and
both algorithms sign deterministically (ES256 by RFC 6979), so the same bytes come out on every machine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from consent.document import record_hash, sign_record
from consent.model import Target
from consent.record_json import record_to_json
from consent.statement import build_statement, sign_statement
from crypto.canonical import b64url, b64url_decode, canonical_bytes
from crypto.chain import GENESIS
from crypto.signing import sign_jws
from tests.support.consent_builders import (
    CLINIC,
    KEY,
    NOW,
    SECOND_KEY,
    a_grant,
    a_ledger,
    a_withdrawal,
    instant,
)
from tests.support.es256 import Es256Key, other_of

FILE = Path(__file__).with_name("documents.json")
HARDWARE = Es256Key(2**200 + 7)


def vectors() -> dict[str, Any]:
    """Build all vectors."""
    grant = a_grant()
    first = sign_record(grant, KEY, position=0, previous=GENESIS)
    stop = a_withdrawal(Target("grant", ("g1",)), seen=frozenset({first.hash}), at=instant(2026, 2))
    second = sign_record(stop, KEY, position=1, previous=first.hash)
    body = {"position": 0, "previous": GENESIS, "record": record_to_json(grant)}
    hardware = HARDWARE.record(grant, position=0, previous=GENESIS)
    newer = body | {"record": record_to_json(grant) | {"version": 2}}
    statement = build_statement(
        a_ledger(grant),
        audience_actor=CLINIC,
        audience_id="ura:00000123",
        subject=KEY.public.text,
        reply_key="reply",
        sequence=1,
        previous=None,
        at=NOW,
    )
    return {
        "key": KEY.public.text,
        "documents": [
            {"name": "grant", "token": first.token, "hash": first.hash, "expect": "ok"},
            {"name": "withdrawal", "token": second.token, "hash": second.hash, "expect": "ok"},
            {"name": "changed signature", "token": first.token[:-8] + "AAAAAAAA", "expect": "signature"},
            {"name": "other key", "token": _jws(body, SECOND_KEY), "expect": "signature"},
            {"name": "foreign type", "token": _jws(body, KEY, "JWT"), "expect": "typ"},
            {"name": "type of another kind", "token": _jws(body, KEY, "pgo-key+jws"), "expect": "typ"},
            {"name": "newer version", "token": _jws(newer, KEY), "expect": "version"},
            {"name": "statement as record", "token": sign_statement(statement, KEY), "expect": "typ"},
            {"name": "ES256 under our key", "token": hardware, "expect": "algorithm"},
        ],
        "es256": {"jwk": HARDWARE.jwk, "kid": HARDWARE.public.id},
        "es256_documents": [
            {"name": "grant", "token": hardware, "hash": record_hash(hardware), "expect": "ok"},
            {"name": "the other s", "token": _other(hardware), "hash": record_hash(hardware), "expect": "ok"},
            {"name": "zeros", "token": _with_signature(hardware, bytes(64)), "expect": "signature"},
            {"name": "EdDSA under this key", "token": first.token, "expect": "algorithm"},
            {"name": "ASN.1", "token": _asn1(hardware), "expect": "signature"},
        ],
    }


def _with_signature(token: str, signature: bytes) -> str:
    return f"{token.rpartition('.')[0]}.{b64url(signature)}"


def _other(token: str) -> str:
    return _with_signature(token, other_of(b64url_decode(token.rpartition(".")[2])))


def _asn1(token: str) -> str:
    return _with_signature(token, HARDWARE.asn1(token.rpartition(".")[0].encode()))


def _jws(body: dict[str, Any], key: Any, typ: str = "pgo-grant+jws") -> str:
    return sign_jws(canonical_bytes(body), key, typ=typ)


def text() -> str:
    """Render the file."""
    return json.dumps(vectors(), indent=1) + "\n"


if __name__ == "__main__":
    if "--verify" in sys.argv:
        sys.exit(0 if FILE.read_text(encoding="utf-8") == text() else "documents.json is not current")
    FILE.write_text(text(), encoding="utf-8")
