"""A line from the patient's app straight into a recipient's inbox: no network, both ends real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recipient.identity import load_identity
from recipient.inbox import Inbox
from recipient.store import Store
from sync.card import RecipientCard
from sync.errors import RemoteRuleError
from sync.wire import PATHS, Kind


class OldInbox(Inbox):
    """A recipient of before the full form of the access log: it refuses what it does not know."""

    def _full_log(self, *_args: Any, **_more: Any) -> str:
        raise RemoteRuleError("malformed")


@dataclass
class Line:
    """Carries messages to a store; `old` makes it the recipient of before the full access log."""

    store: Store
    old: bool = False
    asked: int = 0

    def send(self, card: RecipientCard, path: str, body: bytes, **_more: Any) -> bytes:
        """Hand a body to the inbox."""
        inbox = (OldInbox if self.old else Inbox)(self.store, load_identity(self.store))
        work: dict[str, Callable[..., bytes]] = {
            PATHS[Kind.PUSH]: inbox.receive,
            PATHS[Kind.ACCESS]: inbox.access,
            PATHS[Kind.HEAD]: inbox.head,
        }
        self.asked += 1
        return work[path](body, at=datetime.now(UTC))

    def close(self) -> None:
        """Nothing is open."""
