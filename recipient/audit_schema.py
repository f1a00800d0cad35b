"""Tables of the access log in full form, and of who treats whom; a step of ``recipient.migrations``."""

from __future__ import annotations

from recipient.schema import AppendOnly

AUDIT: tuple[str | AppendOnly, ...] = (
    # recipient.audit: the line of a look as the patient gets it, its place in the full chain, and beside it
    # what the line only commits to: the address of the device
    """CREATE TABLE access_line (
      sub TEXT NOT NULL REFERENCES sender(sub), sequence INTEGER NOT NULL, line TEXT NOT NULL,
      seal TEXT NOT NULL, place TEXT NOT NULL, place_salt TEXT NOT NULL,
      PRIMARY KEY (sub, sequence)
    ) STRICT, WITHOUT ROWID""",
    AppendOnly("access_line"),
    # recipient.treating: for whom an account works; no row: everybody who shares with this place
    """CREATE TABLE care_setting (
      account INTEGER PRIMARY KEY REFERENCES account(id),
      patients TEXT NOT NULL CHECK (patients IN ('all', 'own')), team TEXT NOT NULL
    ) STRICT""",
    # recipient.treating: party is account:<id> or team:<name>
    """CREATE TABLE treating (
      sub TEXT NOT NULL REFERENCES sender(sub), party TEXT NOT NULL, from_at TEXT NOT NULL,
      until_at TEXT NOT NULL, PRIMARY KEY (sub, party)
    ) STRICT, WITHOUT ROWID""",
    # recipient.treating: the reason for looking from outside, while it holds
    """CREATE TABLE look_reason (
      account INTEGER NOT NULL REFERENCES account(id), sub TEXT NOT NULL REFERENCES sender(sub),
      reason TEXT NOT NULL, note TEXT NOT NULL, purpose TEXT NOT NULL, until_at TEXT NOT NULL,
      PRIMARY KEY (account, sub)
    ) STRICT, WITHOUT ROWID""",
    # recipient.audit_answers: what an incident asks for
    "CREATE INDEX access_event_time ON access_event (at)",
)
