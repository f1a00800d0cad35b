"""Faults planted in either end of the line on purpose: a harness that does not report them proves nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crypto.canonical import sha256_id
from recipient.instants import instant_text
from recipient.store import Store
from sync import runner
from sync.errors import RemoteRuleError, Unreachable
from sync.receipt import Receipt, ReceiptState


def _never_seen(_inbox: Any, _opened: Any) -> None:
    """Take every message for a new one."""


def _answer_anew(
    store: Store,
    sub: str,
    message_id: str,
    *,
    kind: str,
    payload_hash: str,
    receipt: str,
    at: datetime,
    **_more: Any,
) -> None:
    store.run("DELETE FROM message WHERE sub = ? AND mid = ?", (sub, message_id))
    store.run(
        "INSERT INTO message (sub, mid, kind, payload_hash, received_at, receipt) VALUES (?, ?, ?, ?, ?, ?)",
        (sub, message_id, kind, payload_hash, instant_text(at), receipt),
    )


_REAL_DELIVER = runner._deliver


def _trusting(transport: Any, prepared: Any, *more: Any, at: datetime) -> tuple[Receipt, str]:
    """Take "200 OK" for delivered, whoever said it."""
    try:
        return _REAL_DELIVER(transport, prepared, *more, at=at)
    except (Unreachable, RemoteRuleError) as exc:
        if exc.code != "no_proof":
            raise
    entry = prepared.entry
    receipt = Receipt(
        message_id=entry.message_id,
        subject=prepared.to.signing.public.text,
        kind=entry.kind,
        payload_hash=sha256_id(prepared.content),
        statement_sequence=1,
        stored_at=at,
        stored=len(entry.manifest),
        state=ReceiptState.STORED,
    )
    return receipt, "believed"


PLANTED: dict[str, dict[str, Any]] = {
    "every message is new": {
        "recipient.inbox.Inbox._answered": _never_seen,
        "recipient.holdings.save_answer": _answer_anew,
    },
    "200 is believed": {"sync.runner._deliver": _trusting},
}
"""Name to what is patched in the process, and with what."""
