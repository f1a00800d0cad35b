"""The journal for people: what the app did with the data, in rows a screen can say; as a file; checked.

Rules:
1. A line of the journal holds numbers and ids only; names are looked up when it is shown. A recipient or
   record that is not there any more shows without a name.
2. A page reads only its own lines; a search reads the lines of the chosen kind and period, because the words
   people search for are those of the screen.
3. Writing the journal to a file is itself in the journal, and in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from pgo.health.record.words import folded
from pgo.store.journal import Event, JournalFilter, JournalLine
from pgo.usecases.consenting import device_key
from pgo.usecases.journal_file import Verified, build_journal_file, is_link, verify_journal_file
from pgo.usecases.journal_verify import Claim, Head, verify_lines
from pgo.usecases.session import Session

MAX_PAGE = 500


class JournalKind(StrEnum):
    """What a line is about; the filters of the screen."""

    ACCESS = "access"
    RECORD = "record"
    SHARING = "sharing"
    LOOKED = "looked"
    COPIES = "copies"


KIND_OF: Mapping[Event, JournalKind] = {
    **dict.fromkeys(
        (
            Event.VAULT_CREATED,
            Event.UNLOCKED,
            Event.PASSPHRASE_CHANGED,
            Event.RECOVERY_CONFIRMED,
            Event.RECOVERY_RENEWED,
            Event.RECOVERY_USED,
            Event.VAULT_KEY_RENEWED,
            Event.KEYRING_ON,
            Event.KEYRING_OFF,
            Event.SETTINGS_CHANGED,
            Event.OTHER,
        ),
        JournalKind.ACCESS,
    ),
    **dict.fromkeys(
        (
            Event.FILE_COLLECTED,
            Event.QUARANTINE_RETRIED,
            Event.QUARANTINE_DISCARDED,
            Event.RECORD_SAVED,
            Event.RECORD_REMOVED,
            Event.RECORD_RESTORED,
            Event.QUESTIONNAIRE_FINISHED,
            Event.ANNOTATED,
            Event.SAID_DIFFERENT,
            Event.SAID_DIFFERENT_UNDONE,
            Event.CORRECTION_ASKED,
        ),
        JournalKind.RECORD,
    ),
    **dict.fromkeys(
        (
            Event.RECIPIENT_ADDED,
            Event.RECIPIENT_REMOVED,
            Event.GRANT_SIGNED,
            Event.GRANT_WITHDRAWN,
            Event.OBJECTION_SIGNED,
            Event.OBJECTION_LIFTED,
            Event.REQUEST_RECEIVED,
            Event.REQUEST_ANSWERED,
            Event.SENT,
            Event.RECEIPT,
            Event.REFUSED,
            Event.RECIPIENT_ASKED,
        ),
        JournalKind.SHARING,
    ),
    **dict.fromkeys((Event.ACCESS_FETCHED, Event.ACCESS_DOUBTED), JournalKind.LOOKED),
    **dict.fromkeys(
        (
            Event.EXPORTED,
            Event.JOURNAL_EXPORTED,
            Event.BACKUP_MADE,
            Event.BACKUP_PROVED,
            Event.BACKUP_RESTORED,
            Event.BACKUP_REMOVED,
            Event.BACKUP_PLANNED,
        ),
        JournalKind.COPIES,
    ),
}
"""Every event has a kind; a test compares."""


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One line, ready to be said.

    Attributes:
        position: number of the line, from 0.
        at: when.
        event: what happened, the key of its words.
        kind: what it is about.
        name: who or what it is about, '' when it is about nothing with a name or that is gone.
        count: records, entries or looks; 0 where that says nothing.
        details: the line's own counts and ids.
        looked_by: for a fetched access log, who looked, each once.
        record_id: the record it is about, None for none.
    """

    position: int
    at: datetime
    event: str
    kind: JournalKind
    name: str
    count: int
    details: Mapping[str, str | int]
    looked_by: tuple[str, ...]
    record_id: int | None


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
        return JournalPage(journal.count(wanted), offset, _rows(session, lines))
    found = [row for row in _rows(session, journal.newest(wanted)) if _holds(folded(say(row)), words)]
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


def _rows(session: Session, lines: Sequence[JournalLine]) -> tuple[JournalRow, ...]:
    names = _Names(session, lines)
    return tuple(
        JournalRow(
            position=line.position,
            at=line.at,
            event=line.event.value,
            kind=KIND_OF[line.event],
            name=names.of(line),
            count=_count(line),
            details=line.details,
            looked_by=names.looked_by(line),
            record_id=names.record(line),
        )
        for line in lines
    )


def _count(line: JournalLine) -> int:
    for name in ("imported", "records", "entries", "stored", "lines"):
        if isinstance(value := line.details.get(name), int):
            return value
    return 0


class _Names:
    """What the numbers of some lines are called now; read once for all of them."""

    def __init__(self, session: Session, lines: Sequence[JournalLine]) -> None:
        store = session.store
        self._store = store
        self._recipients = {one.id: one.name for one in store.recipients.all()}
        numbers = {line.details["record"] for line in lines if "record" in line.details}
        self._records = store.records.rows(int(number) for number in numbers)
        self._sources = store.records.source_names()
        self._looks: dict[str, dict[int, str]] = {}

    def of(self, line: JournalLine) -> str:
        """Name of what a line is about."""
        details = line.details
        if "recipient" in details:
            return self._recipients.get(str(details["recipient"]), str(details["recipient"]))
        if "source" in details:
            return self._sources.get(int(details["source"]), "")
        record = self._records.get(int(details["record"])) if "record" in details else None
        return "" if record is None else record.columns.title

    def record(self, line: JournalLine) -> int | None:
        """The record a line is about, while it is there."""
        number = line.details.get("record")
        return int(number) if number is not None and int(number) in self._records else None

    def looked_by(self, line: JournalLine) -> tuple[str, ...]:
        """Who looked, for a fetched access log that said where it begins."""
        if line.event is not Event.ACCESS_FETCHED or "first" not in line.details:
            return ()
        recipient = str(line.details["recipient"])
        if recipient not in self._looks:
            looks = self._store.access.looks(recipient)
            self._looks[recipient] = {look.sequence: look.user for look in looks}
        first = int(line.details["first"])
        numbers = range(first, first + int(line.details["entries"]))
        users = (self._looks[recipient].get(number, "") for number in numbers)
        return tuple(dict.fromkeys(filter(None, users)))
