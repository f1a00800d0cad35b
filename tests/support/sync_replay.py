"""Recorded messages played again: each has to get the receipt it got the first time, and to do nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from crypto.canonical import sha256_id
from crypto.keys import OpeningKey, VerifyKey
from recipient.identity import load_identity
from recipient.store import open_store
from sync.envelope import open_reply, peek_message_id
from sync.errors import RemoteRuleError
from sync.wire import MEDIA_TYPE
from tests.support.fault_proxy import Request

_TABLES = ("message", "resource", "sender")


@dataclass(frozen=True)
class Recorded:
    """One message as it was on the line, the receipt its patient holds, and the key that opens replies."""

    path: str
    body: bytes
    message_id: str
    receipt: str
    reply: OpeningKey


def recorded(requests: list[Request], said: dict[str, tuple[dict[str, Any], Any]]) -> list[Recorded]:
    """The requests whose message was delivered, repetitions included, in the order they were made."""
    known = {
        mid: (token, OpeningKey.from_seed(bytes.fromhex(one["reply"])))
        for one, _ in said.values()
        for mid, token in one["receipts"].items()
    }
    found = []
    for request in requests:
        try:
            mid = peek_message_id(request.body)
        except RemoteRuleError:
            continue
        if mid in known:
            found.append(Recorded(request.path, request.body, mid, *known[mid]))
    return found


def play_again(messages: list[Recorded], port: int, signer: VerifyKey) -> list[str]:
    """Send them all once more; what did not get its stored receipt, in words."""
    wrong = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        for one in messages:
            answer = client.post(one.path, content=one.body, headers={"content-type": MEDIA_TYPE})
            if answer.status_code != 200:
                wrong.append(f"{one.message_id}: {answer.status_code} {answer.text[:80]}")
                continue
            token = open_reply(answer.content, key=one.reply, signer=signer, message_id=one.message_id)
            if token.decode("ascii") != one.receipt:
                wrong.append(f"{one.message_id}: another receipt")
    return wrong


def signer_of(data: Path) -> VerifyKey:
    """The key that this recipient signs with."""
    store = open_store(data)
    try:
        return load_identity(store).signing.public
    finally:
        store.close()


def print_of(data: Path) -> str:
    """One hash over everything that a message can change at a recipient that does not run."""
    store = open_store(data)
    try:
        rows = [repr(sorted(map(repr, store.rows(f"SELECT * FROM {name}")))) for name in _TABLES]
    finally:
        store.close()
    return sha256_id("\n".join(rows).encode())
