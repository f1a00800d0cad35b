"""Records decoded for showing, kept for the patients who were looked at lately.

Promises:
1. what is kept belongs to one revision of a holding; after any change it is read anew, what has the same
   bytes excepted;
2. a record that several people open at once is decoded once: the others wait for it, and for no other record;
3. it is bounded in patients, and forgets whoever shares no more at the next list.

Nothing here decides and nothing here is a promise to a patient: what is shown is checked against the store
once more when it is written down (``recipient.reading``).

Lock order: a patient's lock here, then the store. So ``parsed`` and ``permitted`` are never called inside a
transaction; ``afresh`` waits for nobody and may be.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from consent.facts import ResourceFacts
from recipient.holdings import Holding, held
from recipient.look import Permitted, permitted_of
from recipient.parsed import Parsed, parse_held
from recipient.store import Store

MAX_PATIENTS = 32


@dataclass(slots=True)
class _Known:
    """One patient: all that is held, and the permitted part as it was shown last."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    revision: int | None = None
    parsed: tuple[Parsed, ...] = ()
    permitted: Permitted | None = None


class Memory:
    """Shared by the threads that answer; one for each purpose that is looked for."""

    def __init__(self, store: Store, *, most: int = MAX_PATIENTS) -> None:
        self._store = store
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def parsed(self, holding: Holding) -> tuple[Parsed, ...]:
        """Return all that is held of a patient, decoded. Never inside a transaction."""
        known = self._of(holding.sub)
        with known.lock:
            return self._read(known, holding)

    def permitted(self, holding: Holding, permits: Callable[[ResourceFacts], bool]) -> Permitted:
        """Return what may be shown of a patient, ready. Never inside a transaction."""
        known = self._of(holding.sub)
        with known.lock:
            parsed = self._read(known, holding)
            known.permitted = permitted_of(parsed, permits, before=known.permitted)
            return known.permitted

    def afresh(self, holding: Holding) -> tuple[Parsed, ...]:
        """Return all that is held of a patient as the running transaction sees it, and keep nothing."""
        with self._lock:
            known = self._known.get(holding.sub)
        before = known.parsed if known else ()  # replaced whole, so read without its lock
        return parse_held(held(self._store, holding.sub), before=before)

    def keep_only(self, live: Iterable[str]) -> None:
        """Forget everybody else."""
        with self._lock:
            for sub in self._known.keys() - set(live):
                del self._known[sub]

    def _of(self, sub: str) -> _Known:
        with self._lock:
            known = self._known.setdefault(sub, _Known())
            self._known.move_to_end(sub)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
            return known

    def _read(self, known: _Known, holding: Holding) -> tuple[Parsed, ...]:
        if known.revision != holding.revision:
            known.parsed = parse_held(held(self._store, holding.sub), before=known.parsed)
            known.permitted, known.revision = None, holding.revision
        return known.parsed
