"""Write or verify documents.json: signed consent documents and what a verifier must say of each.

`python -m tests.vectors.consent.generate` writes, with `--verify` it compares. Keys are fixed and
Ed25519 is deterministic, so the same bytes come out on every machine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from consent.document import sign_record
from consent.model import Target
from consent.record_json import record_to_json
from consent.statement import build_statement, sign_statement
from crypto.canonical import canonical_bytes
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

FILE = Path(__file__).with_name("documents.json")


def vectors() -> dict[str, Any]:
    """Build all vectors."""
    grant = a_grant()
    first = sign_record(grant, KEY, position=0, previous=GENESIS)
    stop = a_withdrawal(Target("grant", ("g1",)), seen=frozenset({first.hash}), at=instant(2026, 2))
    second = sign_record(stop, KEY, position=1, previous=first.hash)
    body = {"position": 0, "previous": GENESIS, "record": record_to_json(grant)}
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
        ],
    }


def _jws(body: dict[str, Any], key: Any, typ: str = "pgo-grant+jws") -> str:
    return sign_jws(canonical_bytes(body), key, typ=typ)


def text() -> str:
    """Render the file."""
    return json.dumps(vectors(), indent=1) + "\n"


if __name__ == "__main__":
    if "--verify" in sys.argv:
        sys.exit(0 if FILE.read_text(encoding="utf-8") == text() else "documents.json is not current")
    FILE.write_text(text(), encoding="utf-8")
