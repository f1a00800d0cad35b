"""What remembers which messages never came: see ``recipient.gaps``; a step of ``recipient.migrations``."""

from __future__ import annotations

UNKNOWN = -1
"""In ``sender.heard``: messages were taken in before anybody counted; counting begins with the next one."""

GAPS: tuple[str, ...] = (
    f"ALTER TABLE sender ADD COLUMN heard INTEGER NOT NULL DEFAULT {UNKNOWN}",
    """CREATE TABLE message_gap (
      sub TEXT NOT NULL REFERENCES sender(sub), first INTEGER NOT NULL, last INTEGER NOT NULL,
      since TEXT NOT NULL, PRIMARY KEY (sub, first)
    ) STRICT, WITHOUT ROWID""",
)
"""``heard``: the highest number of a message of this sender that was taken in."""
