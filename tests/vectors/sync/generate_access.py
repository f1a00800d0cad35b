"""Makes and checks the pinned access logs: `python -m tests.vectors.sync.generate_access [--verify]`.

Two answers about the same looks, one in each form, as an older and a newer app get them. Signing is
deterministic, so making them again gives the same bytes; `--verify` says whether both still read as they did.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from crypto.chain import link
from sync.access import (
    NO_HEAD,
    AccessDetails,
    AccessEntry,
    AccessHead,
    next_entry,
    short_body,
    sign_access_log,
    verify_access_log,
)
from sync.access_full import check_short_chain, full_line, sign_full_log, verify_full_log
from tests.vectors.sync.generate import AT, CLINIC_SIGNING, PATIENT_SIGNING

FILE = Path(__file__).with_name("access_logs.json")
SUBJECT = PATIENT_SIGNING.public.text
OLD_LOOKS, LOOKS = 2, 4  # the first ones are from before the full form


def outcome(answers: dict[str, str]) -> dict[str, Any]:
    """Read both answers the way an app of each kind does, and tell what it takes from them."""
    key = CLINIC_SIGNING.public
    short = verify_access_log(answers["short"], key, subject=SUBJECT)
    full = verify_full_log(answers["full"], key, subject=SUBJECT)
    check_short_chain(full.entries, short.head)
    return {
        "short_head": [short.head.sequence, short.head.hash],
        "full_head": [full.head.sequence, full.head.hash],
        "users": [entry.user for entry in full.entries],
        "reasons": [entry.details.reason if entry.details else None for entry in full.entries],
    }


def build() -> dict[str, Any]:
    """Make both answers and what they say."""
    entries, head = [], NO_HEAD
    for number in range(LOOKS):
        entries.append(_look(head, number))
        head = AccessHead(entries[-1].sequence, entries[-1].hash)
    lines = [_line(entry) for entry in entries]
    seal = NO_HEAD.hash
    for line in lines:
        seal = link(seal, line.encode())
    end = AccessHead(LOOKS, seal)
    answers = {
        "short": sign_access_log(entries, subject=SUBJECT, total=LOOKS, key=CLINIC_SIGNING, at=AT),
        "full": sign_full_log(lines, after=0, head=end, subject=SUBJECT, key=CLINIC_SIGNING, at=AT),
    }
    return {"answers": answers, "expect": outcome(answers)}


def _look(head: AccessHead, number: int) -> AccessEntry:
    return next_entry(
        head,
        at=AT + timedelta(minutes=number),
        user="dr. Test (fictief)",
        role="huisarts",
        action="open",
        categories=["labs", "medications"],
        purpose="TREAT",
    )


def _line(entry: AccessEntry) -> str:
    if entry.sequence <= OLD_LOOKS:
        return short_body(entry).decode()
    details = AccessDetails(
        user_id="staff:1",
        organisation="Praktijk De Test (fictief)",
        organisation_id="ura:00000123",
        on_behalf_of="",
        outcome="permitted",
        reason="covering" if entry.sequence == LOOKS else "",
        note="",
        origin="portal",
        place="",
        statement=1,
        short="",
    )
    return full_line(entry, details)


def main() -> int:
    """Write the file, or check it."""
    if "--verify" not in sys.argv[1:]:
        FILE.write_text(json.dumps(build(), indent=1, sort_keys=True) + "\n", "utf-8")
        return 0
    kept = json.loads(FILE.read_text("utf-8"))
    return 0 if outcome(kept["answers"]) == kept["expect"] else 1


if __name__ == "__main__":
    sys.exit(main())
