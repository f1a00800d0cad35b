"""Instants as text and back: one form in the store, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime


def instant_text(at: datetime) -> str:
    """Write an aware instant as UTC with microseconds, for example ``2026-01-31T08:00:00.000000Z``.

    Raises:
        ValueError: for a naive time: nobody can say which instant it means.
    """
    if at.tzinfo is None:
        raise ValueError("naive datetime")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_instant(text: str) -> datetime:
    """Read back what ``instant_text`` wrote."""
    return datetime.fromisoformat(text)
