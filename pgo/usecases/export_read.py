"""Read an export archive, untrusted: members by the names we give, checked against the manifest.

Steps, in this order; the first that fails is ``InputRefused("archive_damaged")`` with the member's name:

1. the file is a zip we could have written: at most ``MAX_MEMBERS``, deflated or stored, not encrypted;
2. ``manifest.json`` is strict JSON of our schema;
3. exactly the members it names are there, each with its size and SHA-256, read by counted bytes;
4. the lines about records, sources and set-aside entries have the form we write.

What the FHIR Bundles hold is read by the same reader as any other file.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crypto.canonical import parse_strict, sha256_id
from crypto.errors import CryptoError
from pgo.errors import InputRefused
from pgo.usecases.export_archive import MANIFEST, SCHEMA

MAX_MEMBERS = 1_000
MAX_MEMBER_BYTES = 64_000_000
MAX_TOTAL_BYTES = 400_000_000
MAX_RATIO = 200
"""Unpacked to packed; lines of equal measurements pack to a fortieth, a bomb to a thousandth."""
_RATIO_FROM_BYTES = 20_000_000
_MAX_MANIFEST_BYTES = 1_000_000
_PIECE = 256 * 1024
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,119}")
_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, ValueError, OSError)


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


@dataclass(frozen=True, slots=True)
class Opened:
    """An archive that holds: every member is what the manifest says.

    Attributes:
        holdings: hash over the records of the vault it came from.
        members: name to content.
    """

    holdings: str
    members: Mapping[str, bytes]

    def bundles(self, kind: str) -> Iterator[bytes]:
        """The Bundles ``records`` or ``trash``, in order."""
        return (self.members[name] for name in self._numbered(rf"{kind}-([0-9]+)\.json"))

    def records(self) -> Iterator[RecordLine]:
        """A line per record."""
        for name in self._numbered(r"versions-([0-9]+)\.ndjson"):
            yield from (_record(value) for value in self._lines(name))

    def sources(self) -> tuple[SourceLine, ...]:
        """A line per source."""
        return tuple(_source(value) for value in self._lines("sources.ndjson"))

    def set_aside(self) -> tuple[AsideLine, ...]:
        """A line per entry that was set aside."""
        return tuple(_aside(value) for value in self._lines("set-aside.ndjson"))

    def apart(self) -> tuple[tuple[tuple[str, str, str], tuple[str, str, str]], ...]:
        """Pairs of records that the patient keeps apart, each as type, id and origin."""
        return tuple(_pair(value) for value in self._lines("not-the-same.ndjson"))

    def _numbered(self, pattern: str) -> list[str]:
        found = [(re.fullmatch(pattern, name), name) for name in self.members]
        return [name for _, name in sorted((int(match.group(1)), name) for match, name in found if match)]

    def _lines(self, name: str) -> Iterator[Any]:
        for line in self.members.get(name, b"").splitlines():
            try:
                yield parse_strict(line, max_bytes=MAX_MEMBER_BYTES, max_depth=6)
            except CryptoError as exc:
                raise _damaged(name) from exc


def is_archive(data: bytes) -> bool:
    """Whether a file says it is an export archive of ours; damaged ones as well."""
    if not data.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            head = _counted(archive, archive.getinfo(MANIFEST), _MAX_MANIFEST_BYTES)
    except (*_UNREADABLE, KeyError, InputRefused):
        return False
    return SCHEMA.encode("ascii") in head


def open_archive(data: bytes) -> Opened:
    """Read an archive in the steps of this module.

    Raises:
        InputRefused: ``archive_damaged``, ``too_large``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:  # 1
            infos = {info.filename: info for info in archive.infolist()}
            if len(infos) != len(archive.infolist()) or len(infos) > MAX_MEMBERS or MANIFEST not in infos:
                raise _damaged(MANIFEST)
            manifest = _manifest(_counted(archive, infos.pop(MANIFEST), _MAX_MANIFEST_BYTES))  # 2
            limit = min(MAX_TOTAL_BYTES, max(_RATIO_FROM_BYTES, MAX_RATIO * len(data)))
            return Opened(manifest["holdings"], _members(archive, infos, manifest["members"], limit=limit))
    except _UNREADABLE as exc:
        raise _damaged("zip") from exc


def _members(
    archive: zipfile.ZipFile, infos: Mapping[str, zipfile.ZipInfo], named: list[Any], *, limit: int
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    total = 0
    for one in named:  # 3
        name = one["name"]
        if name not in infos or name in found or _NAME.fullmatch(name) is None:
            raise _damaged(name)
        found[name] = _counted(archive, infos[name], min(MAX_MEMBER_BYTES, limit - total))
        total += len(found[name])
        if len(found[name]) != one["bytes"] or sha256_id(found[name]) != one["sha256"]:
            raise _damaged(name)
    for name in infos.keys() - found.keys():
        raise _damaged(name)
    return found


def _counted(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """Unpack one member; its own claims about its size are not believed."""
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        raise _damaged(info.filename)
    content = bytearray()
    with archive.open(info) as packed:
        while piece := packed.read(_PIECE):
            content += piece
            if len(content) > limit:
                raise InputRefused("too_large")
    return bytes(content)


def _manifest(data: bytes) -> dict[str, Any]:
    try:
        value: Any = parse_strict(data, max_bytes=_MAX_MANIFEST_BYTES, max_depth=4)
    except CryptoError as exc:
        raise _damaged(MANIFEST) from exc
    members = {"name": str, "bytes": int, "sha256": str}
    good = (
        isinstance(value, dict)
        and value.get("schema") == SCHEMA
        and isinstance(value.get("holdings"), str)
        and isinstance(value.get("members"), list)
        and all(_types(one) == members for one in value["members"])
    )
    if not good:
        raise _damaged(MANIFEST)
    return dict(value)


def _record(value: Any) -> RecordLine:
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
        raise _damaged("versions") from exc


def _version(value: Any) -> VersionLine:
    return VersionLine(
        source=_number(value["source"]),
        stored_at=datetime.fromisoformat(value["stored_at"]),
        format=_text(value["format"]),
        raw=_bytes(value.get("raw")),
        original=_bytes(value.get("original")),
    )


def _source(value: Any) -> SourceLine:
    try:
        kind = _text(value["kind"])
        if kind not in ("file", "self"):
            raise _damaged("sources.ndjson")
        return SourceLine(
            source=_number(value["source"]),
            name=_text(value["name"]),
            sha256=_text(value["sha256"]),
            kind=kind,
            bytes=_number(value["bytes"]),
            collected_at=datetime.fromisoformat(value["collected_at"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise _damaged("sources.ndjson") from exc


def _aside(value: Any) -> AsideLine:
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
        raise _damaged("set-aside.ndjson") from exc


def _named(value: Any) -> tuple[str, str, str]:
    type_, id_, origin = value
    return _text(type_), _text(id_), _text(origin)


def _pair(value: Any) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    try:
        one, other = value
        return _named(one), _named(other)
    except (TypeError, ValueError) as exc:
        raise _damaged("not-the-same.ndjson") from exc


def _types(value: Any) -> dict[str, type]:
    return {name: type(member) for name, member in value.items()} if isinstance(value, dict) else {}


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


def _damaged(name: str) -> InputRefused:
    """The member is named when its name is one of the kind we write."""
    return InputRefused("archive_damaged", name if _NAME.fullmatch(name) else "")
