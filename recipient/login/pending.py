"""What was begun and not finished: a visit to a log-in service, a password that waits for its second step.

Promises:
1. it is kept here and not in the browser; the browser holds a random name for it, the store a hash of that;
2. it is bound to the browser that began it, lasts ten minutes, and ``take`` gives it to one caller only, also
   when two processes ask at once;
3. at most ``MAX_PENDING`` are kept: who floods us with beginnings pushes out the oldest and fills no disk.

Sources: RFC 6749 section 10.12 and RFC 9700 section 4.7 (state bound to the browser, one use).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from recipient.instants import instant_text
from recipient.login.sealed import LOGIN_ROWS, keyed_hash, open_text, seal_text
from recipient.store import Store

LASTS = timedelta(minutes=10)
MAX_PENDING = 10_000
_USE = "pending"


class Pending:
    """Beginnings of one kind.

    Args:
        store: where they are kept.
        kind: what was begun; one kind never passes for another.
    """

    def __init__(self, store: Store, kind: str) -> None:
        self._store = store
        self._kind = kind

    def put(self, name: str, payload: Mapping[str, str], *, browser: str, at: datetime) -> None:
        """Keep a beginning; a second one under the same name takes the place of the first.

        Args:
            name: random, known to the browser (or to the log-in service) only.
            payload: what has to be known at the end; sealed.
            browser: value of the cookie of the browser that begins.
            at: now.
        """
        key = self._key(name)
        sealed = seal_text(self._store, json.dumps(dict(payload)), use=_USE, place=key)
        with self._store.transaction(about=LOGIN_ROWS):
            self._make_room(at)
            self._store.run(
                "INSERT INTO login_pending (key, kind, binding, payload, made_at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET binding = excluded.binding, payload = excluded.payload, "
                "made_at = excluded.made_at",
                (key, self._kind, self._binding(browser), sealed, instant_text(at)),
            )

    def look(self, name: str, *, browser: str, at: datetime) -> Mapping[str, str] | None:
        """Return what was kept, or None; it stays."""
        return self._found(
            self._store.row(
                "SELECT payload FROM login_pending "
                "WHERE key = ? AND kind = ? AND binding = ? AND made_at > ?",
                (self._key(name), self._kind, self._binding(browser), instant_text(at - LASTS)),
            ),
            name,
        )

    def take(self, name: str, *, browser: str, at: datetime) -> Mapping[str, str] | None:
        """Return what was kept and forget it, or None; of several callers one gets it."""
        rows = self._store.rows(
            "DELETE FROM login_pending WHERE key = ? AND kind = ? AND binding = ? AND made_at > ? "
            "RETURNING payload",
            (self._key(name), self._kind, self._binding(browser), instant_text(at - LASTS)),
        )
        return self._found(rows[0] if rows else None, name)

    def _found(self, row: tuple[str, ...] | None, name: str) -> Mapping[str, str] | None:
        if row is None:
            return None
        opened = json.loads(open_text(self._store, row[0], use=_USE, place=self._key(name)))
        return {str(key): str(value) for key, value in opened.items()}

    def _make_room(self, at: datetime) -> None:
        forget_old_beginnings(self._store, at=at)
        self._store.run(
            "DELETE FROM login_pending WHERE key IN "
            "(SELECT key FROM login_pending ORDER BY made_at DESC LIMIT 1000 OFFSET ?)",
            (MAX_PENDING - 1,),
        )

    def _key(self, name: str) -> str:
        return keyed_hash(self._store, f"{self._kind} {name}", use=_USE)

    def _binding(self, browser: str) -> str:
        return keyed_hash(self._store, f"browser {browser}", use=_USE)


def forget_old_beginnings(store: Store, *, at: datetime) -> None:
    """Remove what nobody finished in time."""
    store.run("DELETE FROM login_pending WHERE made_at <= ?", (instant_text(at - LASTS),))
