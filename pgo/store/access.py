"""The recipients' signed access logs as last fetched, so that "who looked" opens without a network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine


@dataclass(frozen=True, slots=True)
class AccessCopy:
    """One fetched log: the signed token, its head (the next one must continue it) and when it was fetched."""

    token: str
    head: str
    fetched_at: datetime


class AccessCopies:
    """The table of fetched logs; ``keep`` runs inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, recipient_id: str, copy: AccessCopy) -> None:
        """Keep a verified log in the place of the one before."""
        self._engine.run(
            "INSERT OR REPLACE INTO access_log (recipient_id, token, head, fetched_at) VALUES (?, ?, ?, ?)",
            (recipient_id, copy.token, copy.head, to_text(copy.fetched_at)),
        )

    def get(self, recipient_id: str) -> AccessCopy | None:
        """The log of a recipient as last fetched."""
        row = self._engine.row(
            "SELECT token, head, fetched_at FROM access_log WHERE recipient_id = ?", (recipient_id,)
        )
        return None if row is None else AccessCopy(row[0], row[1], from_text(row[2]))
