"""Unpack gzip and zip by counted bytes: what they claim about themselves is not believed.

Rules:

1. Names, paths, links and comments of a zip are ignored: members are numbered, nothing is ever written
   anywhere.
2. A member is read in pieces and stops at 20 MB, the whole at 200 MB, or at 100 times the packed size.
3. At most 1,000 members. A zip inside a zip is not opened, a gzip inside a zip is.
4. An encrypted or damaged member is set aside; the others are read.

Sources: PKZIP APPNOTE 6.3; RFC 1952; limits of the threat model (import, decompression bombs).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Protocol

from pgo.health.record.resource import Refused

MAX_MEMBER_BYTES = 20_000_000
MAX_TOTAL_BYTES = 200_000_000
MAX_MEMBERS = 1_000
MAX_RATIO = 100
_PIECE = 64 * 1024
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others may claim gigabytes before the first byte
# A small file packs well without being a bomb: the ratio counts from here on.
_RATIO_FROM_BYTES = 1_000_000


class _Readable(Protocol):
    def read(self, n: int, /) -> bytes: ...


def gunzip(data: bytes, *, max_bytes: int = MAX_MEMBER_BYTES) -> bytes:
    """Unpack a gzip file of one or more members.

    Raises:
        Refused: ``too_large`` beyond the limits, ``damaged`` when it cannot be unpacked.
    """
    limit = _limit(len(data), max_bytes)
    unpacked = bytearray()
    rest = data
    while rest:
        packed = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            unpacked += packed.decompress(rest, limit + 1 - len(unpacked))
        except zlib.error as exc:
            raise Refused("damaged", "gzip") from exc
        if len(unpacked) > limit:
            raise Refused("too_large", "unpacks to far more than its size")
        if not packed.eof:
            raise Refused("damaged", "gzip ends too early")
        rest = packed.unused_data.lstrip(b"\0")
    return bytes(unpacked)


def zip_members(data: bytes) -> Iterator[bytes | Refused]:
    """Give the content of each member in the order of the directory, or the reason it has none.

    Raises:
        Refused: ``damaged`` when it is no readable zip, ``too_large`` with too many or too big members.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as exc:
        raise Refused("damaged", "zip") from exc
    with archive:
        members = [member for member in archive.infolist() if not member.filename.endswith("/")]
        if len(members) > MAX_MEMBERS:
            raise Refused("too_large", f"more than {MAX_MEMBERS} files")
        total = 0
        for member in members:
            content = _member(archive, member)
            total += len(content) if isinstance(content, bytes) else 0
            if total > _limit(len(data), MAX_TOTAL_BYTES):
                raise Refused("too_large", "unpacks to far more than its size")
            yield content


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | Refused:
    if member.flag_bits & _ENCRYPTED:
        return Refused("encrypted", "zip")
    if member.compress_type not in _METHODS:
        return Refused("damaged", "packed in an unusual way")
    try:
        with archive.open(member) as packed:
            return _counted(packed, _limit(member.compress_size, MAX_MEMBER_BYTES))
    except Refused as exc:
        return exc
    except (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, ValueError, OSError) as exc:
        return Refused("damaged", type(exc).__name__)


def _counted(packed: _Readable, limit: int) -> bytes:
    content = bytearray()
    while piece := packed.read(_PIECE):
        content += piece
        if len(content) > limit:
            raise Refused("too_large", "unpacks to far more than its size")
    return bytes(content)


def _limit(packed_bytes: int, max_bytes: int) -> int:
    return min(max_bytes, max(_RATIO_FROM_BYTES, MAX_RATIO * packed_bytes))
