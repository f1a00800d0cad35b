"""The files in a record (letters, pictures, reports): listed, handed out as a download, never drawn here.

Promises:
1. a file leaves with the media type its first bytes say, from a short list, and as unknown bytes otherwise;
   what the record claims about it decides nothing;
2. a browser is told to save it, not to open it, and that it may do nothing in our name if it does;
3. the name it gets here holds nothing about the patient: a folder of downloads is seen by others;
4. plain text is shown as text, everything else only as a download.

Sources: FHIR R4 Attachment; RFC 6266 (Content-Disposition); CSP Level 3 ``sandbox``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pgo.health.record.forms import document_type
from pgo.health.record.safe import obj, objs, text
from recipient.errors import NotShared
from recipient.look import Item, Look

_ENDINGS: Final = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/tiff": "tif",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/heif": "heif",
    "application/dicom": "dcm",
}
_WRITTEN_ENDINGS: Final = {"xml": "xml", "text": "txt"}
_UNKNOWN: Final = "application/octet-stream"
_MAX_TEXT: Final = 100_000
_BEGINNING: Final = 400  # base64 letters; the longest mark ends at byte 132 (DICOM)
DOWNLOAD_POLICY: Final = "sandbox; default-src 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Attached:
    """A file in a record.

    Attributes:
        number: its place in the record, from 1.
        title: as its source named it, may be empty.
        kind: ``pdf``, ``image``, ``text``, ``xml`` or ``file``.
        size_bytes: of the bytes that are here, as good as it can be told without unpacking them.
        packed: the bytes in base64, as they came; empty when the record only points elsewhere.
    """

    number: int
    title: str
    kind: str
    size_bytes: int
    packed: str

    def data(self) -> bytes:
        """Unpack the bytes; empty when they are no base64."""
        return _bytes(self.packed)


@dataclass(frozen=True, slots=True)
class Download:
    """A file ready to be handed out."""

    data: bytes
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A file with the record it was taken out of, which is what the log names."""

    items: tuple[Item, ...]
    file: Download


def attached(body: Mapping[str, Any]) -> tuple[Attached, ...]:
    """Give the files of a record, in its order; one that lies elsewhere has no bytes."""
    return tuple(_attached(number, found) for number, found in enumerate(_attachments(body), start=1))


def take(look: Look, record_id: int, number: int) -> Taken:
    """Take one file out of a record, for saving.

    Args:
        look: what may be shown.
        record_id: untrusted.
        number: of the file in the record, untrusted.

    Raises:
        NotShared: there is no such record, or no such file in it.
    """
    item = look.item(record_id)
    files = attached(item.resource.body)
    found = next((one for one in files if one.number == number), None)
    data = found.data() if found else b""
    if found is None or not data:
        raise NotShared
    media_type = document_type(data)
    ending = _ENDINGS.get(media_type) or _WRITTEN_ENDINGS.get(found.kind, "bin")
    name = f"record-{record_id}-{number}.{ending}"
    return Taken((item,), Download(data, media_type or _UNKNOWN, name))


def text_of(found: Attached) -> str:
    """Give the words of a plain text file, empty for any other."""
    return found.data().decode("utf-8", "replace")[:_MAX_TEXT] if found.kind == "text" else ""


def _attachments(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Walk to where R4 keeps attachments that are documents of a record (not a person's photograph)."""
    kind = text(body, "resourceType")
    if kind == "Binary":
        yield body
    elif kind == "Media":
        yield obj(body, "content")
    elif kind in ("DocumentReference", "DocumentManifest"):
        yield from (obj(row, "attachment") for row in objs(body, "content"))
    elif kind == "DiagnosticReport":
        yield from objs(body, "presentedForm")
    elif kind in ("Communication", "CommunicationRequest"):
        yield from (found for row in objs(body, "payload") if (found := obj(row, "contentAttachment")))
    elif kind == "Consent" and (source := obj(body, "sourceAttachment")):
        yield source


def _attached(number: int, attachment: Mapping[str, Any]) -> Attached:
    packed = text(attachment, "data")
    kind = _kind(_bytes(_beginning(packed)), attachment)
    return Attached(number, text(attachment, "title"), kind, len(packed) * 3 // 4, packed)


def _beginning(packed: str) -> str:
    """Give enough of the base64 to tell what it is: a list of letters is not unpacked to be listed."""
    letters = "".join(packed[: 2 * _BEGINNING].split())[:_BEGINNING]
    return letters[: len(letters) // 4 * 4]


def _bytes(packed: str) -> bytes:
    try:
        return base64.b64decode("".join(packed.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _kind(data: bytes, attachment: Mapping[str, Any]) -> str:
    found = document_type(data)
    if found:
        return "pdf" if found == "application/pdf" else "image"
    claimed = text(attachment, "contentType").partition(";")[0].strip().lower()
    if claimed in ("text/xml", "application/xml") or claimed.endswith("+xml"):
        return "xml"
    return "text" if claimed == "text/plain" and b"\x00" not in data else "file"
