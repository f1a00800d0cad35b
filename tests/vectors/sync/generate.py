"""Makes and checks the pinned messages: `python -m tests.vectors.sync.generate [--verify]`.

Sealing is random, so the file is made once and kept; `--verify` opens every message again and says
whether each still gives what it gave. A new version of the wire format gets a new file beside this one.
"""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crypto.keys import OpeningKey, SigningKey
from sync.card import RecipientCard, parse_card, sign_card
from sync.envelope import open_message, open_reply, seal_message, seal_reply
from sync.errors import RemoteRuleError
from sync.wire import Kind

FILE = Path(__file__).with_name("messages.json")
AT = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
CLINIC_SIGNING, CLINIC_OPENING = SigningKey.from_seed(b"c" * 32), OpeningKey.from_seed(b"o" * 32)
PATIENT_SIGNING, PATIENT_REPLY = SigningKey.from_seed(b"p" * 32), OpeningKey.from_seed(b"r" * 32)
MESSAGE_ID = "AAECAwQFBgcICQoLDA0ODw"
CARD = RecipientCard(
    version=1,
    id="ura:00000123",
    kind="clinic",
    name="Praktijk De Test (fictief)",
    identifiers=(("http://fhir.nl/fhir/NamingSystem/ura", "00000123"),),
    endpoint="https://clinic.example",
    verify_key=CLINIC_SIGNING.public,
    sealing_key=CLINIC_OPENING.public,
    issued_at=datetime(2026, 1, 1, tzinfo=UTC),
    expires_at=datetime(2027, 1, 1, tzinfo=UTC),
)


def outcome(case: dict[str, Any]) -> str:
    """Open one message the way a receiver does and name what came of it."""
    body, at = base64.b64decode(case["body_b64"]), datetime.fromisoformat(case["at"])
    try:
        if case["form"] == "card":
            return f"ok {parse_card(body, at=at).id}"
        if case["form"] == "reply":
            found = open_reply(body, key=PATIENT_REPLY, signer=CLINIC_SIGNING.public, message_id=MESSAGE_ID)
            return f"ok {found.decode()}"
        keys = {CLINIC_OPENING.public.id: CLINIC_OPENING}
        opened = open_message(body, opening_keys=keys, audience=case["audience"], at=at)
        return f"ok {opened.kind} {opened.sequence} {opened.content.decode()}"
    except RemoteRuleError as refusal:
        return refusal.code


def build() -> dict[str, Any]:
    """Make all cases; `expect` is what this version says about each.

    The messages in the file before "a packed push" are older than packing.
    """
    good = seal_message(
        kind=Kind.PUSH,
        content=b'{"hello":"clinic"}',
        sender=PATIENT_SIGNING,
        to=CARD,
        message_id=MESSAGE_ID,
        sequence=1,
        at=AT,
    )
    token, _, sealed = good.partition(b"\n")
    reply = seal_reply(b"receipt", to=PATIENT_REPLY.public, signer=CLINIC_SIGNING, message_id=MESSAGE_ID)
    card = sign_card(CARD, CLINIC_SIGNING).encode()
    late, other = "2026-06-01T12:05:01+00:00", "ura:00000124"
    cases = [
        _case("a push", "message", good),
        _case("the same push to another recipient", "message", good, audience=other),
        _case("the same push 301 seconds late", "message", good, at=late),
        _case("one sealed byte changed", "message", token + b"\n" + sealed[:-1] + bytes([sealed[-1] ^ 1])),
        _case("one signature byte changed", "message", token[:-3] + b"AAA\n" + sealed),
        _case("header only", "message", token),
        _case("an answer", "reply", reply),
        _case("a cut answer", "reply", reply[:-1]),
        _case("a card", "card", card),
        _case("an expired card", "card", card, at="2027-01-01T00:00:00+00:00"),
        _case("a changed card", "card", card[:-3] + b"AAA"),
        _case("a packed push", "message", good),
    ]
    return {"about": "seeds: clinic c*32 and o*32, patient p*32 and r*32", "cases": cases}


def _case(
    name: str, form: str, body: bytes, *, at: str = AT.isoformat(), audience: str = CARD.id
) -> dict[str, Any]:
    case = {"name": name, "form": form, "at": at, "audience": audience}
    case["body_b64"] = base64.b64encode(body).decode()
    return {**case, "expect": outcome(case)}


def main(arguments: list[str]) -> int:
    """Write the file, or check it."""
    if arguments != ["--verify"]:
        FILE.write_text(json.dumps(build(), indent=1) + "\n", encoding="utf-8")
        return 0
    wrong = [
        case["name"] for case in json.loads(FILE.read_text())["cases"] if outcome(case) != case["expect"]
    ]
    print("\n".join(wrong) or "all messages give what they gave")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
