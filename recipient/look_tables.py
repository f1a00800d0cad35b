"""What ``recipient.looks`` adds to the tables: a step of ``recipient.migrations``."""

from __future__ import annotations

LOOKS = (
    "ALTER TABLE last_look ADD COLUMN since TEXT",
    # Counting what is new must not read the records themselves.
    "CREATE INDEX resource_arrival ON resource (sub, received_at)",
)
