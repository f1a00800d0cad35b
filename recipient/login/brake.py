"""The brake on guessing: how often somebody may try, counted in the store.

Promises:
1. per key (an account, an address) at most ``tries`` failures a minute are looked at, then waiting doubles
   up to 15 minutes; nobody is ever locked out for good, so nobody can lock out a colleague (OWASP ASVS 5.0
   6.3.1);
2. a try is counted before the secret is looked at, so that parallel guesses do not slip through;
3. the count is one for all processes of an installation and survives a restart;
4. the store holds hashes of the keys only: people type passwords into the field for names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from recipient.errors import Throttled
from recipient.instants import instant_text, parse_instant
from recipient.login.sealed import LOGIN_ROWS, keyed_hash
from recipient.store import Store

WINDOW = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
FORGIVEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Tries:
    failures: int
    recent: tuple[datetime, ...]
    last_at: datetime
    closed_until: datetime | None

    def counted(self, *, tries: int, at: datetime) -> _Tries:
        """One more try; closes when it is the last one for now."""
        failures = 0 if at - self.last_at > FORGIVEN_AFTER else self.failures
        recent = (*(moment for moment in self.recent if at - moment < WINDOW), at)
        failures += 1
        closed_until = None
        if len(recent) >= tries:
            doubled = WINDOW * 2 ** min(max(0, failures // tries - 1), 10)
            closed_until = at + min(doubled, LONGEST_WAIT)
        return _Tries(failures, recent, at, closed_until)

    def given_back(self) -> _Tries:
        """Without the last try."""
        return _Tries(max(0, self.failures - 1), self.recent[:-1], self.last_at, None)


class Brake:
    """Counts tries per key; after ``tries`` within a minute the key waits, each time twice as long."""

    def __init__(self, store: Store, *, tries: int) -> None:
        self._store = store
        self._tries = tries

    def take(self, keys: tuple[str, ...], *, at: datetime) -> None:
        """Count one try for every key.

        Args:
            keys: what the try is counted under, for instance ``account:jansen`` and ``address:192.0.2.1``.
            at: now.

        Raises:
            Throttled: one of the keys has to wait; nothing is counted then.
        """
        hashed = self._hashed(keys)
        with self._store.transaction(about=LOGIN_ROWS):
            known = {key: self._hold(key, at=at) for key in hashed}
            waits = [tries.closed_until - at for tries in known.values() if tries.closed_until]
            if any(wait > timedelta(0) for wait in waits):
                raise Throttled(int(max(waits).total_seconds()) + 1)
            for key, tries in known.items():
                self._save(key, tries.counted(tries=self._tries, at=at))

    def give_back(self, keys: tuple[str, ...], *, at: datetime) -> None:
        """Forget the last try of every key: it was a right one. The failures before it still count."""
        with self._store.transaction(about=LOGIN_ROWS):
            for key in self._hashed(keys):
                self._save(key, self._hold(key, at=at).given_back())

    def _hashed(self, keys: tuple[str, ...]) -> list[str]:
        # in one order everywhere, so that two processes never wait for each other's rows
        return sorted({keyed_hash(self._store, key, use="brake") for key in keys})

    def _hold(self, key: str, *, at: datetime) -> _Tries:
        """Read a row and keep it for this transaction: writing it, even unchanged, locks it for others."""
        failures, recent, last_at, closed_until = self._store.rows(
            "INSERT INTO login_try (key, failures, recent, last_at, closed_until) VALUES (?, 0, '[]', ?, '') "
            "ON CONFLICT (key) DO UPDATE SET key = excluded.key "
            "RETURNING failures, recent, last_at, closed_until",
            (key, instant_text(at)),
        )[0]
        return _Tries(
            failures,
            tuple(parse_instant(moment) for moment in json.loads(recent)),
            parse_instant(last_at),
            parse_instant(closed_until) if closed_until else None,
        )

    def _save(self, key: str, tries: _Tries) -> None:
        self._store.run(
            "UPDATE login_try SET failures = ?, recent = ?, last_at = ?, closed_until = ? WHERE key = ?",
            (
                tries.failures,
                json.dumps([instant_text(moment) for moment in tries.recent]),
                instant_text(tries.last_at),
                instant_text(tries.closed_until) if tries.closed_until else "",
                key,
            ),
        )


def forget_old_tries(store: Store, *, at: datetime) -> None:
    """Remove what counts for nobody any more."""
    store.run("DELETE FROM login_try WHERE last_at < ?", (instant_text(at - FORGIVEN_AFTER - LONGEST_WAIT),))
