"""What a database keeps about itself: whose it is, how many commits, the newest instant, the seed."""

from __future__ import annotations

from datetime import UTC, datetime

from pgo.errors import StoreDamaged
from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine, Value

SEED_BYTES = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Meta:
    """The table of these facts; changes run inside a transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def found(self, vault_id: str, *, seed: bytes, at: datetime) -> None:
        """Write the facts of a new database."""
        self._put(("vault_id", vault_id), ("commits", 0), ("newest_at", to_text(at)), ("identity_seed", seed))

    def vault_id(self) -> object:
        """The vault this database belongs to."""
        return self._value("vault_id")

    def commits(self) -> int:
        """How many commits this database has seen."""
        return int(str(self._value("commits") or 0))

    def newest_at(self) -> datetime:
        """The newest instant this database has recorded."""
        text = self._value("newest_at")
        return from_text(str(text)) if text else _EPOCH

    def identity_seed(self) -> bytes:
        """The bytes all signing keys of the patient derive from.

        Raises:
            StoreDamaged: ``schema``, they are not there.
        """
        seed = self._value("identity_seed")
        if not isinstance(seed, bytes) or len(seed) != SEED_BYTES:
            raise StoreDamaged("schema")
        return seed

    def count_commit(self, at: datetime) -> int:
        """Count one commit more and return the number."""
        commits = self.commits() + 1
        self._put(("commits", commits), ("newest_at", to_text(max(at, self.newest_at()))))
        return commits

    def _put(self, *facts: tuple[str, Value]) -> None:
        self._engine.run_many("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", facts)

    def _value(self, key: str) -> object:
        row = self._engine.row("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None
