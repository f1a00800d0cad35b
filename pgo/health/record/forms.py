"""Say what a file is by its first bytes; its name is never asked.

Sources of the marks: PKZIP APPNOTE 4.3.7; RFC 1952 (gzip); ISO 32000-1 7.5.2 (PDF); ISO/IEC 15948 (PNG);
ITU-T T.81 (JPEG); GIF89a; TIFF 6.0; RFC 9649 (WebP); ISO/IEC 23008-12 (HEIF); DICOM PS3.10 section 7.1.
"""

from __future__ import annotations

from enum import Enum

_SPACE = b" \t\r\n"
# No text begins with a control character below the tab; leftovers of file systems in a zip do.
_FIRST_TEXT_BYTE = 0x09
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Form(Enum):
    """What a file can be. ``DOCUMENT`` values are kept as bytes and never looked into."""

    EMPTY = "empty"
    JSON = "json"
    XML = "xml"
    ZIP = "zip"
    GZIP = "gzip"
    UTF16 = "utf16"
    MARKED_TEXT = "marked_text"
    DOCUMENT = "document"
    UNKNOWN = "unknown"


_DOCUMENTS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (128, b"DICM", "application/dicom"),
)


def document_type(data: bytes) -> str:
    """Give the media type of a document or image, or an empty text for anything else."""
    return next((kind for at, mark, kind in _DOCUMENTS if data[at : at + len(mark)] == mark), "")


def form_of(data: bytes) -> Form:
    """Recognise a file by its content."""
    if data.startswith(b"PK\x03\x04"):
        return Form.ZIP
    if data.startswith(b"\x1f\x8b"):
        return Form.GZIP
    if document_type(data):
        return Form.DOCUMENT
    if data[:1] and data[0] < _FIRST_TEXT_BYTE:
        return Form.UNKNOWN
    if data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return Form.UTF16
    text = data.removeprefix(BYTE_ORDER_MARK).lstrip(_SPACE)
    if text.startswith(b"<"):
        return Form.XML
    if not text:
        return Form.EMPTY
    return Form.MARKED_TEXT if data.startswith(BYTE_ORDER_MARK) else Form.JSON
