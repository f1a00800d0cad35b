"""Settings and small facts of the vault, as key and JSON value."""

from __future__ import annotations

import json
from typing import Any

from pgo.store.protocols import Engine


class SettingsTable:
    """The table of settings; ``put`` runs inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, key: str) -> Any:
        """The value kept under a key, None when there is none."""
        row = self._engine.row("SELECT value FROM setting WHERE key = ?", (key,))
        return None if row is None else json.loads(row[0])

    def put(self, key: str, value: Any) -> None:
        """Keep a value that JSON can hold."""
        self._engine.run(
            "INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)", (key, json.dumps(value))
        )
