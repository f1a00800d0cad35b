"""Make a record of a document or an image: its bytes as they came, in a DocumentReference, never looked into.

Rules:

1. Only the first bytes are checked (``pgo.health.record.forms``). Nothing here draws or opens a document.
2. The record says what is known for certain: the bytes, their kind, size and hash, and the name the person
   gave the file. Who wrote it, when, and about whom stays unsaid.

Source: https://hl7.org/fhir/R4/documentreference.html, https://hl7.org/fhir/R4/datatypes.html#Attachment.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

from pgo.health.record.forms import document_type
from pgo.health.record.resource import Refused, Resource
from pgo.health.record.safe import obj, objs, text
from pgo.health.record.writer import write_exact

MAX_DOCUMENT_BYTES = 20_000_000


def read_document(data: bytes, *, title: str) -> Resource:
    """Make the record of a file that ``document_type`` knows.

    Args:
        data: The file, untrusted.
        title: Name of the file as the person picked it, empty for none.

    Raises:
        Refused: ``too_large``.
    """
    body = {
        "resourceType": "DocumentReference",
        "status": "current",
        **({"description": title} if title else {}),
        "content": [{"attachment": attachment(data, document_type(data), title=title)}],
    }
    return Resource(write_exact(body), body, "DocumentReference", None, None)


def attachment(data: bytes, content_type: str, *, title: str = "") -> dict[str, Any]:
    """Write bytes as a FHIR Attachment, with their size and hash.

    Raises:
        Refused: ``too_large``.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise Refused("too_large", f"more than {MAX_DOCUMENT_BYTES} bytes")
    # Attachment.hash is SHA-1 by the standard; it tells a damaged copy, it protects against nobody.
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    return {
        "contentType": content_type,
        "data": base64.b64encode(data).decode("ascii"),
        "size": len(data),
        "hash": base64.b64encode(digest).decode("ascii"),
        **({"title": title} if title else {}),
    }


def document_bytes(body: Mapping[str, Any]) -> tuple[bytes, str] | None:
    """Give the bytes that a record itself carries, and their media type; ``None`` when it carries none.

    Args:
        body: A DocumentReference, Binary, Media or any resource with an attachment in ``content``.
    """
    holders = [body, *(obj(item, "attachment") for item in objs(body, "content")), *objs(body, "content")]
    for holder in holders:
        packed = text(holder, "data")
        if not packed:
            continue
        try:
            return base64.b64decode(packed, validate=True), text(holder, "contentType")
        except (binascii.Error, ValueError):
            return None
    return None
