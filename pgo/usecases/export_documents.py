"""Documents out of records, as files a person can open: letters, results, pictures.

The record keeps the bytes as well; these files are for people. Names are made here from the title and
number of the record: nothing a provider wrote can lead a file to another place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from pgo.health.record.documents import document_bytes
from pgo.health.record.resource import Resource
from pgo.health.record.safe import text

MAX_FILES = 500
MAX_TOTAL_BYTES = 100_000_000
_ENDINGS = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
    "application/dicom": "dcm",
    "text/plain": "txt",
    "text/html": "html.txt",
    "application/xhtml+xml": "html.txt",
    "application/xml": "xml.txt",
    "text/xml": "xml.txt",
}
"""Media type to the ending; markup gets ``.txt``, so that opening it shows text and runs nothing."""
_OTHER = "bin"
_UNFIT = re.compile(r"[^\w]+")
_MAX_NAME = 60


def document_of(number: int, resource: Resource) -> tuple[str, bytes] | None:
    """Name and bytes of the document a record carries; None when it carries none."""
    found = document_bytes(resource.body)
    if found is None:
        return None
    data, media_type = found
    ending = _ENDINGS.get(media_type.partition(";")[0].strip().lower(), _OTHER)
    return f"documents/{number:06d}-{_title(resource)}.{ending}", data


def within_limits(documents: Iterator[tuple[str, bytes]]) -> tuple[dict[str, bytes], int]:
    """The documents that fit, and how many were left out because there are too many or too large ones."""
    taken: dict[str, bytes] = {}
    total = left = 0
    for name, data in documents:
        if len(taken) >= MAX_FILES or total + len(data) > MAX_TOTAL_BYTES:
            left += 1
            continue
        taken[name] = data
        total += len(data)
    return taken, left


def _title(resource: Resource) -> str:
    words = text(resource.body, "description") or text(resource.body, "title") or resource.type
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode("ascii")
    return _UNFIT.sub("-", plain).strip("-_")[:_MAX_NAME].strip("-_").lower() or resource.type.lower()
