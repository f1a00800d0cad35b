"""What keeps messages in their order: see ``recipient.removals``; a step of ``recipient.migrations``."""

from __future__ import annotations

ORDER: tuple[str, ...] = ("ALTER TABLE sender ADD COLUMN taken INTEGER NOT NULL DEFAULT 0",)
"""``taken``: the highest number of a push or removal of this sender that had its effect."""
