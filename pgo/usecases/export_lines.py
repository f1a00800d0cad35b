"""The lines of an export archive that say what FHIR Bundles cannot, read strictly from untrusted JSON.

A line without one of its members, or with one of another kind, is ``InputRefused("archive_damaged")``.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pgo.errors import InputRefused

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,119}")
"""Names of members we write; only such a name is ever repeated in an error."""
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One content of a record; ``raw`` None for the newest, which is in a Bundle."""

    source: int
    stored_at: datetime
    format: str
    raw: bytes | None
    original: bytes | None


@dataclass(frozen=True, slots=True)
class RecordLine:
    """What a Bundle cannot say about a record."""

    type: str
    id: str
    origin: str
    full_url: str
    own: bool
    trashed_at: datetime | None
    versions: tuple[VersionLine, ...]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """Where records came from."""

    source: int
    name: str
    sha256: str
    kind: str
    bytes: int
    collected_at: datetime


@dataclass(frozen=True, slots=True)
class AsideLine:
    """One entry that was set aside."""

    source: int
    entry: str
    type: str | None
    id: str | None
    code: str
    detail: str
    raw: bytes | None
    full_url: str
    reader: int


def record_line(value: Any) -> RecordLine:
    """Read a line about a record.

    Raises:
        InputRefused: ``archive_damaged``.
    """
    try:
        trashed = value["trashed_at"]
        return RecordLine(
            type=as_text(value["type"]),
            id=as_text(value["id"]),
            origin=as_text(value["origin"]),
            full_url=as_text(value["full_url"]),
            own=value["own"] is True,
            trashed_at=None if trashed is None else as_moment(trashed),
            versions=tuple(_version(one) for one in value["versions"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise damaged("versions") from exc


def _version(value: Any) -> VersionLine:
    return VersionLine(
        source=as_number(value["source"]),
        stored_at=as_moment(value["stored_at"]),
        format=as_text(value["format"]),
        raw=_bytes(value.get("raw")),
        original=_bytes(value.get("original")),
    )


def source_line(value: Any) -> SourceLine:
    """Read a line about a source.

    Raises:
        InputRefused: ``archive_damaged``.
    """
    try:
        kind = as_text(value["kind"])
        if kind not in ("file", "self"):
            raise damaged("sources.ndjson")
        return SourceLine(
            source=as_number(value["source"]),
            name=as_text(value["name"]),
            sha256=as_text(value["sha256"]),
            kind=kind,
            bytes=as_number(value["bytes"]),
            collected_at=as_moment(value["collected_at"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise damaged("sources.ndjson") from exc


def aside_line(value: Any) -> AsideLine:
    """Read a line about an entry that was set aside.

    Raises:
        InputRefused: ``archive_damaged``.
    """
    try:
        return AsideLine(
            source=as_number(value["source"]),
            entry=as_text(value["entry"]),
            type=None if value["type"] is None else as_text(value["type"]),
            id=None if value["id"] is None else as_text(value["id"]),
            code=as_text(value["code"]),
            detail=as_text(value["detail"]),
            raw=_bytes(value["raw"]),
            full_url=as_text(value["full_url"]),
            reader=as_number(value["reader"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise damaged("set-aside.ndjson") from exc


def _named(value: Any) -> tuple[str, str, str]:
    type_, id_, origin = value
    return as_text(type_), as_text(id_), as_text(origin)


def pair_line(value: Any) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Read a line about two records that the patient keeps apart.

    Raises:
        InputRefused: ``archive_damaged``.
    """
    try:
        one, other = value
        return _named(one), _named(other)
    except (TypeError, ValueError) as exc:
        raise damaged("not-the-same.ndjson") from exc


def as_text(value: Any) -> str:
    """Take a value as text; else ``TypeError``."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def as_name(value: Any) -> str:
    """Take a value as text that may be printed on a terminal; else ``TypeError`` or ``ValueError``."""
    name = as_text(value)
    if len(name) > _MAX_NAME or not name.isprintable():
        raise ValueError("not a name")
    return name


def as_number(value: Any) -> int:
    """Take a value as a whole number from 0; else ``TypeError``."""
    if type(value) is not int or value < 0:
        raise TypeError("not a number")
    return value


def as_moment(value: Any) -> datetime:
    """Take a value as an instant; else ``TypeError`` or ``ValueError``."""
    at = datetime.fromisoformat(as_text(value))
    if at.tzinfo is None:
        raise ValueError("not an instant: no time zone")
    try:
        return at.astimezone(UTC)
    except OverflowError as exc:  # a day before the first or after the last there is
        raise ValueError("not an instant") from exc


def _bytes(value: Any) -> bytes | None:
    if value is None:
        return None
    try:
        return base64.b64decode(as_text(value), validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64") from exc


def damaged(name: str) -> InputRefused:
    """The member is named when its name is one of the kind we write."""
    return InputRefused("archive_damaged", name if NAME.fullmatch(name) else "")
