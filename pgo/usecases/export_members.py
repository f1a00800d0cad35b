"""The members of an archive that hold records: Bundles, what Bundles cannot say, what was set aside.

Form, beside the FHIR Bundles ``records-<n>.json`` and ``trash-<n>.json`` (newest contents, byte for byte):

1. ``versions-<n>.ndjson``: a line per record, in the order of the vault: what it is known by, whether the
   patient wrote it, when it went to the trash, and each of its contents with source, moment, and in base64
   what no Bundle holds: older contents, and originals from before conversion.
2. ``sources.ndjson``: a line per source, with the number the lines above use.
3. ``set-aside.ndjson``: a line per entry that was not taken, with its bytes.
4. ``not-the-same.ndjson``: a line per pair of records that the patient keeps apart.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from consent.dates import instant_text
from crypto.canonical import JsonValue, canonical_bytes
from pgo.health.record.resource import Resource
from pgo.store.holdings import HeldRecord, HeldVersion
from pgo.usecases.content import exported_url, stored_resource
from pgo.usecases.export import bundle, entry, person_note
from pgo.usecases.export_documents import document_of
from pgo.usecases.session import Session

PART_BYTES = 8_000_000
"""A part is closed when it holds this much, so that any reader can take it."""

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Parts:
    """Pieces collected into numbered members of limited size."""

    name: str
    join: Callable[[list[bytes]], bytes]
    done: dict[str, bytes] = field(default_factory=dict)
    _pieces: list[bytes] = field(default_factory=list)
    _size: int = 0

    def add(self, piece: bytes) -> None:
        if self._pieces and self._size + len(piece) > PART_BYTES:
            self.close()
        self._pieces.append(piece)
        self._size += len(piece)

    def close(self) -> None:
        if self._pieces:
            self.done[self.name.format(len(self.done) + 1)] = self.join(self._pieces)
            self._pieces, self._size = [], 0


@dataclass(frozen=True, slots=True)
class RecordMembers:
    """Members with records, and what came of them.

    Attributes:
        members: name to content.
        documents: name and bytes of each document found.
        present: records outside the trash.
        trashed: records in the trash.
    """

    members: dict[str, bytes]
    documents: list[tuple[str, bytes]]
    present: int
    trashed: int


def record_members(session: Session, *, on_progress: Progress) -> RecordMembers:
    """Everything of the records, in one pass over the store."""
    holdings = session.store.holdings
    records, trash = _Parts("records-{}.json", bundle), _Parts("trash-{}.json", bundle)
    versions = _Parts("versions-{}.ndjson", b"".join)
    documents: list[tuple[str, bytes]] = []
    resources: list[Resource] = []
    total, trashed = holdings.count(), 0
    for done, held in enumerate(holdings.records(), start=1):
        newest = held.versions[-1].raw
        url = exported_url(held.type, held.resource_id, origin=held.origin, full_url=held.full_url)
        resource = stored_resource(newest, url)
        (records if held.trashed_at is None else trash).add(entry(newest, url))
        versions.add(_line(_record_json(held)))
        if held.trashed_at is None:
            resources.append(resource)
            documents += filter(None, [document_of(held.id, resource)])
        trashed += held.trashed_at is not None
        on_progress(done, total)
    for note in person_note(session, resources):
        records.add(note)
    for parts in (records, trash, versions):
        parts.close()
    members = {**records.done, **trash.done, **versions.done, **_beside(session)}
    return RecordMembers(members, documents, total - trashed, trashed)


def _record_json(held: HeldRecord) -> dict[str, JsonValue]:
    last = len(held.versions) - 1
    return {
        "type": held.type,
        "id": held.resource_id,
        "origin": held.origin,
        "full_url": held.full_url,
        "own": held.self_authored,
        "trashed_at": None if held.trashed_at is None else instant_text(held.trashed_at),
        "versions": [_version_json(one, newest=place == last) for place, one in enumerate(held.versions)],
    }


def _version_json(version: HeldVersion, *, newest: bool) -> dict[str, JsonValue]:
    value: dict[str, JsonValue] = {
        "source": version.source_id,
        "stored_at": instant_text(version.stored_at),
        "format": version.original_format,
    }
    if not newest:
        value["raw"] = _b64(version.raw)
    if version.original is not None:
        value["original"] = _b64(version.original)
    return value


def _beside(session: Session) -> dict[str, bytes]:
    """Members about all records together; what is empty is left out."""
    return {**_sources(session), **_set_aside(session), **_apart(session)}


def _apart(session: Session) -> dict[str, bytes]:
    pairs = session.store.holdings.apart()
    lines = [_line([list(one), list(other)]) for one, other in pairs]
    return {"not-the-same.ndjson": b"".join(lines)} if lines else {}


def _sources(session: Session) -> dict[str, bytes]:
    sources = session.store.holdings.sources()
    if not sources:
        return {}
    lines = [
        _line(
            {
                "source": one.id,
                "name": one.name,
                "sha256": one.sha256,
                "kind": one.kind,
                "bytes": one.size_bytes,
                "collected_at": instant_text(one.collected_at),
            }
        )
        for one in sources
    ]
    return {"sources.ndjson": b"".join(lines)}


def _set_aside(session: Session) -> dict[str, bytes]:
    aside = session.store.holdings.set_aside()
    if not aside:
        return {}
    lines = [
        _line(
            {
                "source": one.source_id,
                "entry": one.entry,
                "type": one.type,
                "id": one.resource_id,
                "code": one.code,
                "detail": one.detail,
                "full_url": one.full_url,
                "reader": one.reader,
                "raw": None if one.raw is None else _b64(one.raw),
            }
        )
        for one in aside
    ]
    return {"set-aside.ndjson": b"".join(lines)}


def _line(value: JsonValue) -> bytes:
    return canonical_bytes(value) + b"\n"


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
