"""Drafts: what was typed and not yet saved. Every change commits by itself: a kill loses nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine, Row


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """One draft: ``kind`` (``questionnaire`` or ``form``) and ``subject`` are unique together."""

    id: str
    kind: str
    subject: str
    body: Mapping[str, Any]
    started_at: datetime


class Drafts:
    """The table of drafts; changes run inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, draft: StoredDraft) -> None:
        """Save a draft, replacing the one of the same kind and subject."""
        self._engine.run(
            "INSERT INTO draft (id, kind, subject, body, started_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, subject) DO UPDATE SET id = excluded.id, body = excluded.body",
            (draft.id, draft.kind, draft.subject, json.dumps(dict(draft.body)), to_text(draft.started_at)),
        )

    def get(self, draft_id: str) -> StoredDraft | None:
        """One draft by its id."""
        row = self._engine.row(
            "SELECT id, kind, subject, body, started_at FROM draft WHERE id = ?", (draft_id,)
        )
        return None if row is None else _stored(row)

    def about(self, kind: str, subject: str) -> StoredDraft | None:
        """The draft of that kind and subject."""
        row = self._engine.row(
            "SELECT id, kind, subject, body, started_at FROM draft WHERE kind = ? AND subject = ?",
            (kind, subject),
        )
        return None if row is None else _stored(row)

    def drop(self, draft_id: str) -> None:
        """Throw a draft away; unknown ids are no error."""
        self._engine.run("DELETE FROM draft WHERE id = ?", (draft_id,))


def _stored(row: Row) -> StoredDraft:
    return StoredDraft(row[0], row[1], row[2], json.loads(row[3]), from_text(row[4]))
