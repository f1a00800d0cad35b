"""Instants as text of one width, so that the order of the text is the order of time."""

from __future__ import annotations

from datetime import UTC, datetime

_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


def to_text(at: datetime) -> str:
    """Write an aware instant in UTC with microseconds.

    Raises:
        ValueError: the instant has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).strftime(_FORM)


def from_text(text: str) -> datetime:
    """Read what ``to_text`` wrote."""
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)
