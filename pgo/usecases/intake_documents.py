"""Hand out the document behind a record: the bytes as they came, under a name that fits their kind.

A DocumentReference may carry its bytes or point to a Binary beside it (the Dutch PDF/A set, IHE MHD); both
give the same answer. Nothing is opened or drawn here; what is asked about is checked by its first bytes only,
because the media type is the sender's word.

Source: https://hl7.org/fhir/R4/documentreference.html, /binary.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pgo.errors import NotFound
from pgo.health.record.documents import document_bytes
from pgo.health.record.forms import document_type
from pgo.health.record.narrative import Line, narrative_lines
from pgo.health.record.safe import obj, objs, text
from pgo.usecases.content import stored_resource, vault_resolver
from pgo.usecases.session import Session

_ENDINGS = {
    "application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif",
    "image/tiff": "tif", "image/heif": "heic",
    "image/webp": "webp", "image/heic": "heic", "application/dicom": "dcm", "text/xml": "xml",
    "application/xml": "xml", "text/plain": "txt", "application/hl7-v3+xml": "xml",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """One document.

    Attributes:
        name: file name to save under; says the kind and the record, nothing about the person.
        kind: ending of such a file, ``bin`` for an unknown kind.
        media_type: by its first bytes where they tell, else as the source says, '' for unknown.
        data: the bytes as they came.
        lines: its words, where the record carries them (a CDA document); text only.
    """

    name: str
    kind: str
    media_type: str
    data: bytes = field(repr=False)
    lines: tuple[Line, ...] = ()


def document_file(session: Session, record_id: int) -> DocumentFile | None:
    """Give the document of a record, None when it has none here (a link to elsewhere is not followed).

    Raises:
        NotFound: no such record.
    """
    content = session.store.records.content(record_id)
    if content is None:
        raise NotFound("record")
    body = stored_resource(content.raw, content.full_url).body
    for holder in (body, *_elsewhere(session, body)):
        found = document_bytes(holder)
        if found is not None:
            data, said = found
            media_type = document_type(data) or said.partition(";")[0].strip().lower()
            kind = _ENDINGS.get(media_type, "bin")
            lines = narrative_lines(text(body, "text", "div"))
            return DocumentFile(f"document-{record_id}.{kind}", kind, media_type, data, lines)
    return None


def _elsewhere(session: Session, body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give the Binary resources of this vault that an attachment points to."""
    resolve = vault_resolver(session.store)
    for content in (*objs(body, "content"), *objs(body, "media"), *objs(body, "presentedForm")):
        address = text(obj(content, "attachment") or content, "url")
        target = resolve(address) if address else None
        if target is not None and target.type == "Binary":
            yield target.body
