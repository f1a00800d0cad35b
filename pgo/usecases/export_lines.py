"""The lines of an export archive that say what FHIR Bundles cannot, read strictly from untrusted JSON.

A line without one of its members, or with one of another kind, is ``InputRefused("archive_damaged")``.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgo.errors import InputRefused

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,119}")
"""Names of members we write; only such a name is ever repeated in an error."""


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
            type=_text(value["type"]),
            id=_text(value["id"]),
            origin=_text(value["origin"]),
            full_url=_text(value["full_url"]),
            own=value["own"] is True,
            trashed_at=None if trashed is None else datetime.fromisoformat(trashed),
            versions=tuple(_version(one) for one in value["versions"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise damaged("versions") from exc


def _version(value: Any) -> VersionLine:
    return VersionLine(
        source=_number(value["source"]),
        stored_at=datetime.fromisoformat(value["stored_at"]),
        format=_text(value["format"]),
        raw=_bytes(value.get("raw")),
        original=_bytes(value.get("original")),
    )


def source_line(value: Any) -> SourceLine:
    """Read a line about a source.

    Raises:
        InputRefused: ``archive_damaged``.
    """
    try:
        kind = _text(value["kind"])
        if kind not in ("file", "self"):
            raise damaged("sources.ndjson")
        return SourceLine(
            source=_number(value["source"]),
            name=_text(value["name"]),
            sha256=_text(value["sha256"]),
            kind=kind,
            bytes=_number(value["bytes"]),
            collected_at=datetime.fromisoformat(value["collected_at"]),
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
            source=_number(value["source"]),
            entry=_text(value["entry"]),
            type=None if value["type"] is None else _text(value["type"]),
            id=None if value["id"] is None else _text(value["id"]),
            code=_text(value["code"]),
            detail=_text(value["detail"]),
            raw=_bytes(value["raw"]),
            full_url=_text(value["full_url"]),
            reader=_number(value["reader"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise damaged("set-aside.ndjson") from exc


def _named(value: Any) -> tuple[str, str, str]:
    type_, id_, origin = value
    return _text(type_), _text(id_), _text(origin)


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


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("not a number")
    return value


def _bytes(value: Any) -> bytes | None:
    if value is None:
        return None
    try:
        return base64.b64decode(_text(value), validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64") from exc


def damaged(name: str) -> InputRefused:
    """The member is named when its name is one of the kind we write."""
    return InputRefused("archive_damaged", name if NAME.fullmatch(name) else "")
