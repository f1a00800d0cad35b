"""What a vault knows of its backups and of being put back from one.

Three tables: the backups made (where, how large, proved when), the times this vault was put back, and for the
last of those which recipients were asked since. A vault that was never put back has asked everybody.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from pgo.store.instants import from_text, to_text
from pgo.store.journal import Event
from pgo.store.protocols import Engine, Row

_NO_CHANGE = tuple(
    event.value
    for event in (
        Event.UNLOCKED,
        Event.BACKUP_MADE,
        Event.BACKUP_PROVED,
        Event.BACKUP_REMOVED,
        Event.BACKUP_PLANNED,
    )
)

_LOST_AT_MOST, _APART_BITS = 2**32, 48
"""After a restore the numbers of records go on far above those in the backup, from a random place.

Recipients know records by their number, and those given out after the backup was made must never come to
mean another record, however often the same backup is put back and whatever the clock says. No vault takes
in 2**32 records after a backup; two restores of the same one begin, all but surely, a million apart."""


@dataclass(frozen=True, slots=True)
class BackupRow:
    """A backup this vault made.

    Attributes:
        id: number in the store, 0 before it is stored.
        folder, name: where it was put.
        made_at, proved_at: when it was written, and last read back and found whole.
        size_bytes, sha256: of the file.
        commits: changes the vault had seen in it.
        settled: events of the journal that are surely in it (``Backups.events``); more is something new.
        records: records in it.
        scheduled: made by itself, so it may also go by itself when there are enough newer ones.
        keys: the key slots in it, as one hash: other slots today mean that today's passphrase may not open
            it.
    """

    id: int
    folder: str
    name: str
    made_at: datetime
    proved_at: datetime
    size_bytes: int
    sha256: str
    commits: int
    settled: int
    records: int
    scheduled: bool
    keys: str


@dataclass(frozen=True, slots=True)
class RestoreRow:
    """One time this vault was put back.

    Attributes:
        number: from 1.
        at: when; a clock that stands still or goes back gives several things one time.
        made_at: when the backup was made.
        ledger_length: signed records that came with the backup; None where it was not written down.
    """

    number: int
    at: datetime
    made_at: datetime
    ledger_length: int | None = None


@dataclass(frozen=True, slots=True)
class AskedRow:
    """What a recipient answered after the last restore, or why it could not be asked.

    Attributes:
        outcome: ``same``, ``kept``, ``withdrawn``, ``new`` when it answered; another code is a problem, and
            the recipient goes on waiting.
        done: whether sending may go on.
        withdrawn: grants that were taken back because of the answer.
    """

    recipient_id: str
    at: datetime
    outcome: str
    done: bool
    withdrawn: int


_COLUMNS = (
    "id, folder, name, made_at, proved_at, size_bytes, sha256, commits, settled, records, scheduled, keys"
)


class Backups:
    """The tables of backups; changes run inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, row: BackupRow) -> int:
        """Write down a backup that was made and proved; returns its number."""
        return self._engine.insert(
            f"INSERT INTO backup ({_COLUMNS.removeprefix('id, ')}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
            (
                row.folder,
                row.name,
                to_text(row.made_at),
                to_text(row.proved_at),
                row.size_bytes,
                row.sha256,
                row.commits,
                row.settled,
                row.records,
                int(row.scheduled),
                row.keys,
            ),
        )

    def all(self) -> tuple[BackupRow, ...]:
        """All backups that were made and not removed since, newest first."""
        sql = f"SELECT {_COLUMNS} FROM backup ORDER BY made_at DESC, id DESC"  # noqa: S608 - constant
        return tuple(_backup(row) for row in self._engine.rows(sql))

    def proved(self, backup_id: int, *, at: datetime) -> None:
        """A backup was read again and found whole."""
        self._engine.run("UPDATE backup SET proved_at = ? WHERE id = ?", (to_text(at), backup_id))

    def remove(self, backup_id: int) -> None:
        """Forget a backup whose file was removed."""
        self._engine.run("DELETE FROM backup WHERE id = ?", (backup_id,))

    def events(self) -> int:
        """Count journal lines that say something changed; opening and looking after backups do not."""
        marks = ", ".join("?" * len(_NO_CHANGE))
        row = self._engine.row(
            f"SELECT count(*) FROM journal WHERE event NOT IN ({marks})",  # noqa: S608 - marks only
            _NO_CHANGE,
        )
        return int(row[0]) if row else 0

    def oldest_record_at(self) -> datetime | None:
        """When the first record came in, None for an empty vault."""
        row = self._engine.row("SELECT stored_at FROM record ORDER BY id LIMIT 1")
        return None if row is None else from_text(row[0])

    def add_restore(self, row: RestoreRow) -> None:
        """Write down that the vault was put back: from now on every recipient has to be asked first.

        The backup may come from a vault that was put back before: its restores stay, this one is the newest.
        """
        apart = _LOST_AT_MOST + secrets.randbits(_APART_BITS)
        before = self.last_restore()
        number = row.number if before is None else max(row.number, before.number + 1)
        self._engine.insert(
            "INSERT INTO restore (number, at, made_at, first_record, ledger_length)"
            " VALUES (?, ?, ?, max(ifnull((SELECT max(id) FROM record), 0),"
            " ifnull((SELECT max(first_record) FROM restore), 0)) + ?, (SELECT count(*) FROM ledger))",
            (number, to_text(row.at), to_text(row.made_at), apart),
        )
        self._engine.run("DELETE FROM asked")

    def last_restore(self) -> RestoreRow | None:
        """The last time this vault was put back, None for never."""
        row = self._engine.row(
            "SELECT number, at, made_at, ledger_length FROM restore ORDER BY number DESC LIMIT 1"
        )
        return None if row is None else RestoreRow(row[0], from_text(row[1]), from_text(row[2]), row[3])

    def remember_asked(self, row: AskedRow) -> None:
        """Write down what came of asking a recipient."""
        self._engine.run(
            "INSERT OR REPLACE INTO asked (recipient_id, at, outcome, done, withdrawn)"
            " VALUES (?, ?, ?, ?, ?)",
            (row.recipient_id, to_text(row.at), row.outcome, int(row.done), row.withdrawn),
        )

    def asked(self) -> dict[str, AskedRow]:
        """What came of asking since the last restore, by recipient."""
        rows = self._engine.rows("SELECT recipient_id, at, outcome, done, withdrawn FROM asked")
        return {row[0]: AskedRow(row[0], from_text(row[1]), row[2], bool(row[3]), row[4]) for row in rows}

    def may_send(self, recipient_id: str) -> bool:
        """Whether anything may go to this recipient: never put back, or asked since. Absent means no."""
        row = self._engine.row(
            "SELECT NOT EXISTS (SELECT 1 FROM restore)"
            " OR EXISTS (SELECT 1 FROM asked WHERE recipient_id = ? AND done = 1)",
            (recipient_id,),
        )
        return row is not None and bool(row[0])


def _backup(row: Row) -> BackupRow:
    return BackupRow(
        id=row[0],
        folder=row[1],
        name=row[2],
        made_at=from_text(row[3]),
        proved_at=from_text(row[4]),
        size_bytes=row[5],
        sha256=row[6],
        commits=row[7],
        settled=row[8],
        records=row[9],
        scheduled=bool(row[10]),
        keys=row[11],
    )
