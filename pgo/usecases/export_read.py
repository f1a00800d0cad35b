"""Read an export archive, untrusted: members by the names we give, checked against the manifest.

Steps, in this order; the first that fails is ``InputRefused("archive_damaged")`` with the member's name:

1. the file is a zip we could have written: at most ``MAX_MEMBERS``, deflated or stored, not encrypted;
2. ``manifest.json`` is strict JSON of our schema;
3. exactly the members it names are there, each with its size and SHA-256, read by counted bytes;
4. the lines about records, sources and set-aside entries have the form we write.

What the FHIR Bundles hold is read by the same reader as any other file.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import parse_strict, sha256_id
from crypto.errors import CryptoError
from pgo.errors import InputRefused
from pgo.usecases.export_archive import MANIFEST, SCHEMA
from pgo.usecases.export_consents import SIGNED
from pgo.usecases.export_lines import (
    NAME,
    AsideLine,
    RecordLine,
    SourceLine,
    aside_line,
    damaged,
    pair_line,
    record_line,
    source_line,
)
from pgo.usecases.export_looked import ENDS, LOOKS, KeptEndLine, end_line, look_line
from sync.access import AccessEntry

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
_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, ValueError, OSError)


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
            yield from (record_line(value) for value in self._lines(name))

    def sources(self) -> tuple[SourceLine, ...]:
        """A line per source."""
        return tuple(source_line(value) for value in self._lines("sources.ndjson"))

    def set_aside(self) -> tuple[AsideLine, ...]:
        """A line per entry that was set aside."""
        return tuple(aside_line(value) for value in self._lines("set-aside.ndjson"))

    def apart(self) -> tuple[tuple[tuple[str, str, str], tuple[str, str, str]], ...]:
        """Pairs of records that the patient keeps apart, each as type, id and origin."""
        return tuple(pair_line(value) for value in self._lines("not-the-same.ndjson"))

    def looks(self) -> Iterator[tuple[str, AccessEntry]]:
        """A line per look: whose list, and the look."""
        return (look_line(value) for value in self._lines(LOOKS))

    def ends(self) -> Iterator[KeptEndLine]:
        """A line per recipient that was asked who looked; none in an archive of before they were kept."""
        return (end_line(value) for value in self._lines(ENDS))

    def tokens(self) -> Iterator[str]:
        """The signed records of consent."""
        for value in self._lines(SIGNED):
            if not isinstance(value, dict) or not isinstance(value.get("token"), str):
                raise damaged(SIGNED)
            yield value["token"]

    def _numbered(self, pattern: str) -> list[str]:
        found = [(re.fullmatch(pattern, name), name) for name in self.members]
        return [name for _, name in sorted((int(match.group(1)), name) for match, name in found if match)]

    def _lines(self, name: str) -> Iterator[Any]:
        for line in self.members.get(name, b"").splitlines():
            try:
                yield parse_strict(line, max_bytes=MAX_MEMBER_BYTES, max_depth=6)
            except CryptoError as exc:
                raise damaged(name) from exc


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
                raise damaged(MANIFEST)
            manifest = _manifest(_counted(archive, infos.pop(MANIFEST), _MAX_MANIFEST_BYTES))  # 2
            limit = min(MAX_TOTAL_BYTES, max(_RATIO_FROM_BYTES, MAX_RATIO * len(data)))
            return Opened(manifest["holdings"], _members(archive, infos, manifest["members"], limit=limit))
    except _UNREADABLE as exc:
        raise damaged("zip") from exc


def _members(
    archive: zipfile.ZipFile, infos: Mapping[str, zipfile.ZipInfo], named: list[Any], *, limit: int
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    total = 0
    for one in named:  # 3
        name = one["name"]
        if name not in infos or name in found or NAME.fullmatch(name) is None:
            raise damaged(name)
        found[name] = _counted(archive, infos[name], min(MAX_MEMBER_BYTES, limit - total))
        total += len(found[name])
        if len(found[name]) != one["bytes"] or sha256_id(found[name]) != one["sha256"]:
            raise damaged(name)
    for name in infos.keys() - found.keys():
        raise damaged(name)
    return found


def _counted(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """Unpack one member; its own claims about its size are not believed."""
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        raise damaged(info.filename)
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
        raise damaged(MANIFEST) from exc
    members = {"name": str, "bytes": int, "sha256": str}
    good = (
        isinstance(value, dict)
        and value.get("schema") == SCHEMA
        and isinstance(value.get("holdings"), str)
        and isinstance(value.get("members"), list)
        and all(_types(one) == members for one in value["members"])
    )
    if not good:
        raise damaged(MANIFEST)
    return dict(value)


def _types(value: Any) -> dict[str, type]:
    return {name: type(member) for name, member in value.items()} if isinstance(value, dict) else {}
