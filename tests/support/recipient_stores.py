"""Both kinds of store for tests that must hold on either."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recipient.store import Store, create_store, open_store
from tests.support.postgres import Cluster

SQLCIPHER, POSTGRES = "sqlcipher", "postgres"
KINDS = (SQLCIPHER, POSTGRES)


@dataclass(frozen=True)
class Place:
    """Where one recipient keeps its things."""

    kind: str
    folder: Path
    database: str | None

    @classmethod
    def of(cls, kind: str, folder: Path, cluster: Cluster | None) -> Place:
        return cls(kind, folder, cluster.database() if cluster else None)

    def create(self) -> Store:
        return create_store(self.folder, database=self.database)

    def open(self) -> Store:
        return open_store(self.folder)
