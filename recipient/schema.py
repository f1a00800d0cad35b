"""The first tables of the recipient's store, each named with the module that gives it meaning.

Step 1 of ``recipient.migrations``; what came later stands there. Instants are text in the one form of
``recipient.instants``, so that text order is time order.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AppendOnly:
    """A table whose rows the database itself refuses to change or delete."""

    table: str


FIRST: tuple[str | AppendOnly, ...] = (
    # recipient.identity: this installation; at most one row
    """CREATE TABLE identity (
      "only" INTEGER PRIMARY KEY CHECK ("only" = 1),
      recipient_id TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, url TEXT, port INTEGER,
      signing_seed BLOB NOT NULL, created_at TEXT NOT NULL
    ) STRICT""",
    # recipient.identity: the newest is on the card, all of them open mail
    """CREATE TABLE opening_key (
      id INTEGER PRIMARY KEY AUTOINCREMENT, seed BLOB NOT NULL, created_at TEXT NOT NULL
    ) STRICT""",
    # recipient.accounts
    """CREATE TABLE account (
      id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, display TEXT NOT NULL,
      role TEXT NOT NULL, phc TEXT NOT NULL, active INTEGER NOT NULL DEFAULT 1, created_at TEXT NOT NULL
    ) STRICT""",
    # recipient.holdings: one row per patient; stays after withdrawal as guard against rollback
    """CREATE TABLE sender (
      sub TEXT PRIMARY KEY, handle TEXT NOT NULL UNIQUE, first_at TEXT NOT NULL, changed_at TEXT NOT NULL,
      sequence INTEGER NOT NULL, statement_hash TEXT NOT NULL, statement TEXT NOT NULL, state TEXT NOT NULL,
      revision INTEGER NOT NULL
    ) STRICT""",
    # recipient.holdings: what was answered to a message, for ever the same answer
    """CREATE TABLE message (
      sub TEXT NOT NULL REFERENCES sender(sub), mid TEXT NOT NULL, kind TEXT NOT NULL,
      payload_hash TEXT NOT NULL, received_at TEXT NOT NULL, receipt TEXT NOT NULL,
      PRIMARY KEY (sub, mid)
    ) STRICT, WITHOUT ROWID""",
    # recipient.holdings: what was sent
    """CREATE TABLE resource (
      id INTEGER PRIMARY KEY AUTOINCREMENT, sub TEXT NOT NULL REFERENCES sender(sub), reference TEXT NOT NULL,
      full_url TEXT, raw BLOB NOT NULL, received_at TEXT NOT NULL,
      UNIQUE (sub, reference)
    ) STRICT""",
    # recipient.audit: NEN 7513, hash-chained per patient, only ever added to
    """CREATE TABLE access_event (
      sub TEXT NOT NULL REFERENCES sender(sub), sequence INTEGER NOT NULL,
      account INTEGER NOT NULL REFERENCES account(id), at TEXT NOT NULL, "user" TEXT NOT NULL,
      role TEXT NOT NULL, action TEXT NOT NULL, categories TEXT NOT NULL, purpose TEXT NOT NULL,
      previous TEXT NOT NULL, hash TEXT NOT NULL,
      PRIMARY KEY (sub, sequence)
    ) STRICT, WITHOUT ROWID""",
    AppendOnly("access_event"),
    # recipient.audit: what is new for whom
    """CREATE TABLE last_look (
      account INTEGER NOT NULL REFERENCES account(id), sub TEXT NOT NULL REFERENCES sender(sub),
      at TEXT NOT NULL, PRIMARY KEY (account, sub)
    ) STRICT, WITHOUT ROWID""",
)
