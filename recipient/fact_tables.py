"""What a record says by itself, kept beside it (``recipient.holdings``): a step of the migrations."""

from __future__ import annotations

FACTS: tuple[str, ...] = ("ALTER TABLE resource ADD COLUMN facts BLOB",)
"""Sealed under the sender's key; nothing for what came before this step."""
