"""Small typed readers for JSON that came from the other side: exact members, exact types.

A document with a member that we do not know is refused, not read around: it may mean "only if".
Every failure is a `RemoteRuleError("malformed")`; which field it was stays out of the message, because
field values may be personal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from crypto.canonical import JsonValue, parse_strict
from crypto.errors import Malformed
from sync.errors import RemoteRuleError

MAX_WHOLE = 2**53 - 1  # RFC 8785 section 3.2.2.3: what every JSON reader keeps exactly
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"


def malformed() -> RemoteRuleError:
    """Build the one error of this module."""
    return RemoteRuleError("malformed")


def read_object(
    data: bytes, names: frozenset[str], *, max_bytes: int, optional: frozenset[str] = frozenset()
) -> Mapping[str, JsonValue]:
    """Read bytes as an object with exactly these members, the optional ones there or not."""
    try:
        value = parse_strict(data, max_bytes=max_bytes)
    except Malformed as exc:
        raise malformed() from exc
    return as_object(value, names, optional)


def as_object(
    value: JsonValue, names: frozenset[str], optional: frozenset[str] = frozenset()
) -> Mapping[str, JsonValue]:
    """Take a value as an object with exactly these members, the optional ones there or not."""
    if not isinstance(value, Mapping) or value.keys() - optional != names:
        raise malformed()
    return value


def as_list(value: JsonValue) -> Sequence[JsonValue]:
    """Take a value as a list."""
    if not isinstance(value, list):
        raise malformed()
    return value


def as_text(value: JsonValue, *, max_length: int = 1_000) -> str:
    """Take a value as non-empty printable text of bounded length."""
    if not isinstance(value, str) or not 1 <= len(value) <= max_length or not value.isprintable():
        raise malformed()
    return value


def as_whole(value: JsonValue, *, minimum: int = 0) -> int:
    """Take a value as a whole number; true and false are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= MAX_WHOLE:
        raise malformed()
    return value


def as_instant(value: JsonValue) -> datetime:
    """Take a value as an instant in the one form that `instant` writes."""
    text = as_text(value, max_length=20)
    try:
        at = datetime.strptime(text, _INSTANT).replace(tzinfo=UTC)
    except ValueError as exc:
        raise malformed() from exc
    if instant(at) != text:
        raise malformed()
    return at


def instant(at: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC, whole seconds (a fraction is cut off).

    Raises:
        ValueError: the instant has no time zone.
    """
    return utc(at).strftime(_INSTANT)


def utc(at: datetime) -> datetime:
    """Bring an aware instant to UTC.

    Raises:
        ValueError: the instant has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)


def whole_seconds(at: datetime) -> datetime:
    """Cut an aware instant to whole seconds in UTC, as it will read after a round trip."""
    return utc(at).replace(microsecond=0)
