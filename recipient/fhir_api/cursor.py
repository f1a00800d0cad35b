"""The place where the next page starts: sealed, so that it tells nothing and cannot be changed.

Promises:
1. a cursor works for the client that got it, for 15 minutes, and for exactly the list it was made from: when
   what is shared, permitted or readable changed since, the page is refused rather than a record left out;
2. it holds the whole question, so that no clinical code stands in an address (RFC 9110 section 17.9);
3. its key follows from the store's, so that it survives a restart and works in every process.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crypto.canonical import b64url, b64url_decode
from crypto.errors import CryptoError
from recipient.errors import Unusable
from recipient.fhir_api.outcome import Unanswerable
from recipient.fhir_api.results import Page
from recipient.store import Store

LABEL = "fhir-page"
GOOD_FOR = timedelta(minutes=15)
MAX_CURSOR_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """The question of the first page and where to go on.

    Attributes:
        client: who got it.
        path: which search.
        used: its parameters.
        start: how many were shown before.
        revision: of the patient's share; 0 for a list of patients.
        digest: of the whole list that was found.
        expires_at: not good from then on.
    """

    client: int
    path: str
    used: tuple[tuple[str, str], ...]
    start: int
    revision: int
    digest: str
    expires_at: datetime

    def check(self, page: Page, *, revision: int) -> None:
        """Refuse when the list is not the one of the first page any more.

        Raises:
            Unanswerable: ``stale_page`` (410).
        """
        if revision != self.revision or page.digest != self.digest:
            raise Unanswerable("stale_page", status=410)


def seal_cursor(store: Store, cursor: Cursor) -> str:
    """Write a cursor for an address."""
    members = [
        cursor.client,
        cursor.path,
        [list(pair) for pair in cursor.used],
        cursor.start,
        cursor.revision,
        cursor.digest,
        int(cursor.expires_at.timestamp()),
    ]
    return b64url(store.secrets.seal(LABEL, json.dumps(members).encode()))


def open_cursor(store: Store, untrusted: str, *, client: int, path: str, at: datetime) -> Cursor:
    """Read a cursor back.

    Raises:
        Unanswerable: ``bad_page`` for one that is not ours, of another client or search, or too old.
    """
    if len(untrusted) > MAX_CURSOR_CHARACTERS:
        raise Unanswerable("bad_page")
    try:
        members = json.loads(store.secrets.open(LABEL, b64url_decode(untrusted)))
    except (CryptoError, Unusable) as exc:
        raise Unanswerable("bad_page") from exc
    cursor = Cursor(
        client=members[0],
        path=members[1],
        used=tuple((name, value) for name, value in members[2]),
        start=members[3],
        revision=members[4],
        digest=members[5],
        expires_at=datetime.fromtimestamp(members[6], UTC),
    )
    if cursor.client != client or cursor.path != path or at >= cursor.expires_at:
        raise Unanswerable("bad_page")
    return cursor
