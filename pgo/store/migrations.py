"""The tables of a vault, and the steps from an older to the present form.

Rules:
1. A step is never edited after release; a change is a new step. ``user_version`` counts the steps done.
2. A database from a newer program is refused, not guessed at.
3. Each step runs in the transaction of its version number: after a crash it is done or not.
"""

from __future__ import annotations

from pgo.errors import VaultTooNew
from pgo.store.protocols import Engine

_FIRST = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE source (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, kind TEXT NOT NULL,
        size_bytes INTEGER NOT NULL, collected_at TEXT NOT NULL)""",
    # One row per record; bytes live in the version table so that lists and searches read small rows only.
    """CREATE TABLE record (
        id INTEGER PRIMARY KEY, type TEXT NOT NULL, resource_id TEXT NOT NULL, origin TEXT NOT NULL,
        full_url TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, detail TEXT NOT NULL,
        start_on TEXT NOT NULL, end_on TEXT NOT NULL, status TEXT NOT NULL, code TEXT NOT NULL, unit TEXT
        NOT NULL, value TEXT NOT NULL, value_text TEXT NOT NULL, search TEXT NOT NULL, self_authored INTEGER
        NOT NULL, version_id INTEGER NOT NULL, versions INTEGER NOT NULL, raw_sha256 TEXT NOT NULL,
        canonical TEXT NOT NULL, facts TEXT NOT NULL, source_id INTEGER NOT NULL REFERENCES source (id),
        stored_at TEXT NOT NULL, deleted_at TEXT, UNIQUE (type, resource_id, origin))""",
    "CREATE INDEX record_timeline ON record (start_on DESC, id DESC, kind) WHERE deleted_at IS NULL",
    "CREATE INDEX record_kind ON record (kind, start_on DESC, id DESC) WHERE deleted_at IS NULL",
    "CREATE INDEX record_url ON record (full_url)",
    """CREATE TABLE version (
        id INTEGER PRIMARY KEY, record_id INTEGER NOT NULL REFERENCES record (id) DEFERRABLE INITIALLY
        DEFERRED, number INTEGER NOT NULL, raw BLOB NOT NULL, raw_sha256 TEXT NOT NULL, original BLOB,
        original_format TEXT NOT NULL, source_id INTEGER NOT NULL REFERENCES source (id), stored_at TEXT NOT
        NULL, UNIQUE (record_id, number))""",
    """CREATE TABLE link (
        record_id INTEGER NOT NULL REFERENCES record (id), target TEXT NOT NULL,
        PRIMARY KEY (record_id, target)) WITHOUT ROWID""",
    "CREATE INDEX link_target ON link (target)",
    # Numbers out of Observations, sorted into lines by their key; several per record (blood pressure).
    """CREATE TABLE measure (
        record_id INTEGER NOT NULL REFERENCES record (id), key TEXT NOT NULL, title TEXT NOT NULL,
        code TEXT NOT NULL, unit TEXT NOT NULL, at TEXT NOT NULL, value TEXT NOT NULL, shown TEXT NOT
        NULL)""",
    "CREATE INDEX measure_line ON measure (key, at)",
    "CREATE INDEX measure_record ON measure (record_id)",
    """CREATE TABLE quarantine (
        id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL REFERENCES source (id), entry TEXT NOT NULL, type
        TEXT, resource_id TEXT, code TEXT NOT NULL, detail TEXT NOT NULL, raw BLOB)""",
    """CREATE TABLE ledger (
        position INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, token TEXT NOT NULL, grant_id TEXT,
        recipient_id TEXT, choice TEXT, signed_at TEXT NOT NULL)""",
    """CREATE TABLE journal (
        position INTEGER PRIMARY KEY, link TEXT NOT NULL, body BLOB NOT NULL)""",
    """CREATE TABLE recipient (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, card TEXT NOT NULL, checked_at TEXT NOT NULL, added_at TEXT
        NOT NULL, sequence INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
    # Several statements may share a sequence: until one is acknowledged, a later one takes its place.
    """CREATE TABLE statement (
        id INTEGER PRIMARY KEY, recipient_id TEXT NOT NULL REFERENCES recipient (id), sequence INTEGER NOT
        NULL, hash TEXT NOT NULL, token TEXT NOT NULL, ledger_length INTEGER NOT NULL, refresh_at TEXT NOT
        NULL, state TEXT NOT NULL)""",
    "CREATE INDEX statement_line ON statement (recipient_id, sequence)",
    """CREATE TABLE outbox (
        id INTEGER PRIMARY KEY, recipient_id TEXT NOT NULL REFERENCES recipient (id), kind TEXT NOT NULL,
        state TEXT NOT NULL, message_id TEXT NOT NULL UNIQUE, attempts INTEGER NOT NULL, next_at TEXT NOT
        NULL, created_at TEXT NOT NULL, last_error TEXT, payload BLOB, manifest TEXT NOT NULL,
        sequence INTEGER NOT NULL)""",
    "CREATE INDEX outbox_open ON outbox (state, recipient_id)",
    """CREATE TABLE delivered (
        recipient_id TEXT NOT NULL REFERENCES recipient (id), record_id INTEGER NOT NULL REFERENCES record
        (id), sha256 TEXT NOT NULL, message_id TEXT NOT NULL, refused TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (recipient_id, record_id)) WITHOUT ROWID""",
    """CREATE TABLE receipt (
        message_id TEXT PRIMARY KEY, recipient_id TEXT NOT NULL REFERENCES recipient (id), kind TEXT NOT NULL,
        state TEXT NOT NULL, stored INTEGER NOT NULL, refused INTEGER NOT NULL, stored_at TEXT NOT NULL,
        statement_sequence INTEGER NOT NULL, reason TEXT NOT NULL, token TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE access_log (
        recipient_id TEXT PRIMARY KEY REFERENCES recipient (id), fetched_at TEXT NOT NULL, problem TEXT NOT
        NULL) WITHOUT ROWID""",
    """CREATE TABLE access_entry (
        recipient_id TEXT NOT NULL REFERENCES recipient (id), sequence INTEGER NOT NULL, at TEXT NOT NULL,
        user TEXT NOT NULL, role TEXT NOT NULL, action TEXT NOT NULL, categories TEXT NOT NULL,
        purpose TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (recipient_id,
        sequence)) WITHOUT ROWID""",
    """CREATE TABLE draft (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, started_at TEXT
        NOT NULL, UNIQUE (kind, subject)) WITHOUT ROWID""",
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)

# What a plan of consent joins with (`pgo.store.consent_keys`).
_CONSENT_KEYS: tuple[str, ...] = (
    "CREATE TABLE consent_kind (id INTEGER PRIMARY KEY, facts TEXT NOT NULL UNIQUE)",
    "ALTER TABLE record ADD COLUMN consent_kind INTEGER REFERENCES consent_kind (id)",
    "ALTER TABLE record ADD COLUMN first_day TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE record ADD COLUMN last_day TEXT NOT NULL DEFAULT ''",
    # `deleted_at` is empty throughout; its place here lets a query that asks for it stay inside the index.
    "CREATE INDEX record_consent ON record (consent_kind, first_day, last_day, deleted_at)"
    " WHERE deleted_at IS NULL",
)

# The journal is only ever added to, in order; what lists and filters need is computed from the line itself.
_JOURNAL_APPEND_ONLY: tuple[str, ...] = (
    "ALTER TABLE journal ADD COLUMN event TEXT GENERATED ALWAYS AS"
    " (json_extract(CAST(body AS TEXT), '$.event')) VIRTUAL",
    "ALTER TABLE journal ADD COLUMN at TEXT GENERATED ALWAYS AS"
    " (json_extract(CAST(body AS TEXT), '$.at')) VIRTUAL",
    "CREATE INDEX journal_event ON journal (event, position)",
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    # Without this, INSERT OR REPLACE would take the place of a line without asking the trigger above.
    "CREATE TRIGGER journal_next_only BEFORE INSERT ON journal"
    " WHEN NEW.position IS NOT (SELECT ifnull(max(position) + 1, 0) FROM journal)"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
)

# Backups made, restores, and who was asked since the last of them (`pgo.store.backups`). Records made after a
# restore get numbers no recipient has ever seen.
_BACKUPS: tuple[str, ...] = (
    """CREATE TABLE backup (
        id INTEGER PRIMARY KEY, folder TEXT NOT NULL, name TEXT NOT NULL, made_at TEXT NOT NULL, proved_at
        TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, commits INTEGER NOT NULL, settled
        INTEGER NOT NULL, records INTEGER NOT NULL, scheduled INTEGER NOT NULL, keys TEXT NOT NULL)""",
    """CREATE TABLE restore (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, made_at TEXT NOT NULL, first_record INTEGER NOT
        NULL)""",
    """CREATE TABLE asked (
        recipient_id TEXT PRIMARY KEY, at TEXT NOT NULL, outcome TEXT NOT NULL, done INTEGER NOT NULL,
        withdrawn INTEGER NOT NULL) WITHOUT ROWID""",
)

# What the patient said about reading: records that are not the same (`pgo.store.apart`), and the exact unit
# of a number, without which nothing is converted (`pgo.health.record.units`).
_READING: tuple[str, ...] = (
    """CREATE TABLE apart (
        one INTEGER NOT NULL REFERENCES record (id), other INTEGER NOT NULL REFERENCES record (id),
        said_at TEXT NOT NULL, PRIMARY KEY (one, other), CHECK (one < other)) WITHOUT ROWID""",
    "ALTER TABLE measure ADD COLUMN ucum TEXT NOT NULL DEFAULT ''",
)

# What a set-aside entry needs to be read again, and which reader tried it last.
_QUARANTINE_RETRY: tuple[str, ...] = (
    "ALTER TABLE quarantine ADD COLUMN full_url TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE quarantine ADD COLUMN reader INTEGER NOT NULL DEFAULT 1",
)

# The timeline and a search over everything stay inside one index: with the words in it no wide row is read
# and decrypted to look at it (docs/performance.md). `deleted_at` is empty throughout, as above.
_SEARCH: tuple[str, ...] = (
    "DROP INDEX record_timeline",
    "CREATE INDEX record_timeline ON record (start_on DESC, id DESC, kind, deleted_at, search)"
    " WHERE deleted_at IS NULL",
    "DROP INDEX record_kind",
    "CREATE INDEX record_kind ON record (kind, start_on DESC, id DESC, deleted_at) WHERE deleted_at IS NULL",
)

# What a recipient confirmed to have erased because it was thrown away here (`pgo.usecases.removals`), how
# much there is to send to it in all, and a card of it that a person has to look at (`pgo.usecases.renewals`).
_LINES: tuple[str, ...] = (
    """CREATE TABLE removed_there (
        recipient_id TEXT NOT NULL REFERENCES recipient (id), record_id INTEGER NOT NULL REFERENCES record
        (id), at TEXT NOT NULL, PRIMARY KEY (recipient_id, record_id)) WITHOUT ROWID""",
    "ALTER TABLE recipient ADD COLUMN to_send INTEGER NOT NULL DEFAULT 0",
    """CREATE TABLE card_offer (
        recipient_id TEXT PRIMARY KEY REFERENCES recipient (id), card TEXT NOT NULL, seen_at TEXT NOT NULL)
        WITHOUT ROWID""",
    "ALTER TABLE recipient ADD COLUMN card_asked_at TEXT",
)

# The full form of a look, and the signed end of the log it is from (`pgo.store.access`).
_LOOKED_IN_FULL: tuple[str, ...] = (
    "ALTER TABLE access_entry ADD COLUMN line TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE access_log ADD COLUMN head TEXT NOT NULL DEFAULT ''",
)

# Plain FHIR servers: login, what they said they can, and what may lie there (`pgo.store.fhir_servers`).
_FHIR_SERVERS: tuple[str, ...] = (
    """CREATE TABLE fhir_server (
        recipient_id TEXT PRIMARY KEY REFERENCES recipient (id), login TEXT NOT NULL, said TEXT NOT NULL,
        said_at TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE fhir_item (
        id INTEGER PRIMARY KEY, recipient_id TEXT NOT NULL REFERENCES recipient (id), name TEXT NOT NULL,
        there TEXT NOT NULL, record_id INTEGER, kept TEXT NOT NULL, UNIQUE (recipient_id, name))""",
)

# What is in the trash is asked for at every look (`Records.stamp`); there is little of it, and much of the
# rest.
_TRASH: tuple[str, ...] = (
    "CREATE INDEX record_in_trash ON record (deleted_at) WHERE deleted_at IS NOT NULL",
)

# Counted, not concluded from something else: refusals that damage on the way causes too (`sync.outbox`), not
# attempts; signed records that came back with a backup (`pgo.usecases.reconcile_answer`), not their time.
_COUNTED: tuple[str, ...] = (
    "ALTER TABLE outbox ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE restore ADD COLUMN ledger_length INTEGER",
)

# Under which card the signed end of a list of looks held: a recipient may have another key by now.
_LOOKED_CARD: tuple[str, ...] = ("ALTER TABLE access_log ADD COLUMN card TEXT NOT NULL DEFAULT ''",)

# One named tuple per step, one per line here; a new one goes to the end.
STEPS: tuple[tuple[str, ...], ...] = (
    _FIRST,
    _CONSENT_KEYS,
    _JOURNAL_APPEND_ONLY,
    _BACKUPS,
    _READING,
    _QUARANTINE_RETRY,
    _SEARCH,
    _LINES,
    _LOOKED_IN_FULL,
    _FHIR_SERVERS,
    _TRASH,
    _COUNTED,
    _LOOKED_CARD,
)
"""Statements per version; step N brings a database from version N to N + 1."""


def schema_version(engine: Engine) -> int:
    """How many steps this database has seen."""
    row = engine.row("PRAGMA user_version")
    return int(row[0]) if row else 0


def migrate(engine: Engine, *, to: int = len(STEPS)) -> None:
    """Bring the database from an older form to that of version ``to``; the caller holds the transaction.

    Raises:
        VaultTooNew: a later program brought it to a form we do not know.
    """
    version = schema_version(engine)
    if version > len(STEPS):
        raise VaultTooNew
    for number in range(version + 1, to + 1):
        for statement in STEPS[number - 1]:
            engine.run(statement)
        engine.run(f"PRAGMA user_version = {number}")
