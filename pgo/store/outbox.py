"""Outbox table (being built)."""

from __future__ import annotations

from pgo.store.protocols import Engine


class OutboxTable:
    """The outbox."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
