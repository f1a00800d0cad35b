"""A recipient's former keys and other numbers: the tables of ``recipient.rotation``."""

from __future__ import annotations

ROTATION: tuple[str, ...] = (
    # recipient.rotation: signed by the key that went, naming the one that came; that key itself is destroyed
    """CREATE TABLE succession (
      id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL, former_key TEXT NOT NULL, at TEXT NOT NULL
    ) STRICT""",
    # recipient.rotation: numbers on the card beside the one that is its id
    "CREATE TABLE own_number (system TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
)
