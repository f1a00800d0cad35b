"""Whether everything in a store is whole and opens: for ``recipient verify``, after a restore or a scare.

Checked, in this order:

1. what the database itself finds wrong with its files (SQLCipher; PostgreSQL has tools of its own);
2. the secrets of the installation open with the store key;
3. every statement is signed by its sender and is the one whose hash is kept;
4. every data key opens, and every record under it; who has records has a key;
5. every chain of who looked follows from its first event to its last.

Counted too, but not out of order here: numbers of messages that never came (``recipient.gaps``).

Nothing is changed. What is found is told as counts: the names would be personal data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from consent.errors import ConsentError
from consent.statement import open_statement, statement_hash
from crypto.errors import CryptoError
from crypto.keys import VerifyKey
from recipient import holdings
from recipient.audit_check import verify_all
from recipient.errors import Unusable
from recipient.gaps import GapCount, count_gaps
from recipient.identity import load_identity
from recipient.parsed import decode_held
from recipient.store_protocol import Store

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """How much was looked at, and how much of it is not in order."""

    people: int
    resources: int
    events: int
    faults: int
    statements_wrong: int
    people_unreadable: int
    chains_broken: int
    gaps: GapCount

    @property
    def in_order(self) -> bool:
        """Whether nothing was found."""
        return not (self.faults or self.statements_wrong or self.people_unreadable or self.chains_broken)


def verify(store: Store, *, progress: Progress = lambda _done, _all: None) -> Report:
    """Look at everything.

    Args:
        store: open.
        progress: is told how many people of how many are done.

    Raises:
        Unusable: ``key_wrong``, the secrets of the installation do not open; nothing else was looked at then.
    """
    faults = store.faults()
    load_identity(store)
    senders = store.rows("SELECT sub, statement, statement_hash FROM sender ORDER BY sub")
    resources = wrong = unreadable = 0
    for done, (sub, token, digest) in enumerate(senders, 1):
        wrong += not _is_statement(sub, token, digest)
        found = _readable(store, sub)
        resources += found or 0
        unreadable += found is None
        progress(done, len(senders))
    looks = verify_all(store)
    broken = len({fault.handle for fault in looks.faults})
    return Report(len(senders), resources, looks.events, faults, wrong, unreadable, broken, count_gaps(store))


def _is_statement(sub: str, token: str, digest: str) -> bool:
    try:
        return (
            open_statement(token, VerifyKey.from_text(sub)).issuer == sub and statement_hash(token) == digest
        )
    except (ConsentError, CryptoError):
        return False


def _readable(store: Store, sub: str) -> int | None:
    """Return how many records of a sender open and read as FHIR, None when one does not."""
    try:
        return sum(decode_held(row).type != "" for row in holdings.held(store, sub))
    except (Unusable, CryptoError):
        return None
