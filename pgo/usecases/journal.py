"""The journal for people: what the app did with the data, in rows a screen can say; as a file; checked.

Rules:
1. A page reads only its own lines; a search reads the lines of the chosen kind and period, because the words
   people search for are those of the screen.
2. Writing the journal to a file is itself in the journal, and in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pgo.health.record.words import folded
from pgo.store.journal import Event, JournalFilter
from pgo.usecases.consenting import device_key
from pgo.usecases.journal_file import Verified, build_journal_file, is_link, verify_journal_file
from pgo.usecases.journal_kinds import KIND_OF, JournalKind
from pgo.usecases.journal_rows import JournalRow, journal_rows
from pgo.usecases.journal_verify import Claim, Head, verify_lines
from pgo.usecases.session import Session

MAX_PAGE = 500


@dataclass(frozen=True, slots=True)
class JournalQuery:
    """What to look for: a kind, days from and until (both included), words; the default is everything."""

    kind: JournalKind | None = None
    first: date | None = None
    last: date | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class JournalPage:
    """A window on the lines found, newest first: ``total`` of all found, ``offset`` of the first row."""

    total: int
    offset: int
    rows: tuple[JournalRow, ...]


def journal_page(
    session: Session,
    query: JournalQuery,
    *,
    say: Callable[[JournalRow], str],
    offset: int = 0,
    limit: int = 50,
) -> JournalPage:
    """A window on the lines of a query.

    Args:
        session: the open vault.
        query: what to look for.
        say: gives the words of a row as the screen shows them; searched in.
        offset: rows to skip.
        limit: rows at most, 1..500.
    """
    journal, wanted = session.store.journal, _filter(session, query)
    offset, limit = max(offset, 0), min(max(limit, 1), MAX_PAGE)
    words = folded(query.words).split()
    if not words:
        lines = journal.newest(wanted, offset=offset, limit=limit)
        return JournalPage(journal.count(wanted), offset, journal_rows(session, lines))
    found = [row for row in journal_rows(session, journal.newest(wanted)) if _holds(folded(say(row)), words)]
    return JournalPage(len(found), offset, tuple(found[offset : offset + limit]))


def export_journal(session: Session) -> bytes:
    """The whole journal as a signed file (``pgo.usecases.journal_file``)."""
    store, at = session.store, session.now()
    with store.write(at):
        store.journal.add(Event.JOURNAL_EXPORTED, at=at, lines=store.journal.head()[0] + 1)
        data = signed_journal(session, at=at)
    session.changed()
    return data


def signed_journal(session: Session, *, at: datetime) -> bytes:
    """The journal as it stands, signed now; writes nothing."""
    store = session.store
    return build_journal_file(store.journal.rows(), journal=store.vault_id, key=device_key(store), at=at)


def check_journal(session: Session) -> Verified:
    """Check the journal of the open vault line by line, and its end against the header of the vault.

    Raises:
        StoreDamaged: the vault as a whole does not hold; ``journal`` when lines at the end are gone.
    """
    store = session.store
    claims = [
        Claim(position + 1, store.vault_id, position, chained, body if is_link(chained) else None)
        for position, body, chained in store.journal.rows()
    ]
    count, head = store.journal.head()
    findings = verify_lines(claims, journal=store.vault_id, head=Head(count, head))
    if not findings:
        store.check()
    return Verified(count, device_key(store).public.fingerprint(), None, findings)


def check_journal_file(session: Session, data: bytes) -> Verified:
    """Check a file that should have come from this vault.

    Raises:
        InputRefused: as ``pgo.usecases.journal_file.verify_journal_file``.
    """
    key = device_key(session.store).public
    return verify_journal_file(data, key=key, journal=session.store.vault_id)


def _filter(session: Session, query: JournalQuery) -> JournalFilter:
    events = None if query.kind is None else frozenset(e for e, kind in KIND_OF.items() if kind is query.kind)
    return JournalFilter(
        events=events,
        from_at=None if query.first is None else session.day_start(query.first),
        until_at=None if query.last is None else session.day_start(query.last + timedelta(days=1)),
    )


def _holds(text: str, words: Iterable[str]) -> bool:
    return all(word in text for word in words)
