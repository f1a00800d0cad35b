"""Take the records out again as FHIR Bundles with the exact bytes that came in.

A resource is spliced into the Bundle as it lies in the store; nothing is written anew. The full url of an
entry is the one it came with, else one that carries its origin, so that importing the export gives the same
records. When the records name more than one Patient, a note says which of them are this person.

Source: FHIR R4 bundle.html#collection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from pgo.health.record.resource import Resource
from pgo.store.journal import Event
from pgo.usecases.content import ORIGIN_URN, exported_url, stored_resource
from pgo.usecases.persons import Verdict, sort_by_person
from pgo.usecases.same_person_link import PERSON_REFERENCES, build_link
from pgo.usecases.session import Session

_HEAD = b'{"resourceType":"Bundle","type":"collection","entry":['
_TAIL = b"]}\n"


def export_records(session: Session) -> bytes:
    """A collection Bundle of all records outside the trash, each resource byte for byte as kept."""
    store, at = session.store, session.now()
    pieces, resources = [], []
    for row, raw in store.records.everything():
        url = exported_url(row.type, row.resource_id, origin=row.origin, full_url=row.full_url)
        pieces.append(entry(raw, url))
        resources.append(stored_resource(raw, url))
    with store.write(at):
        store.journal.add(Event.EXPORTED, at=at, form="records", records=len(resources))
    return bundle([*pieces, *person_note(session, resources)])


def entry(raw: bytes, url: str) -> bytes:
    """An entry of a Bundle around the bytes of a resource."""
    address = b'"fullUrl":' + json.dumps(url).encode("ascii") + b"," if url else b""
    return b"{" + address + b'"resource":' + raw + b"}"


def bundle(entries: Iterable[bytes]) -> bytes:
    """A collection Bundle of entries."""
    return _HEAD + b",\n".join(entries) + _TAIL


def person_note(session: Session, resources: list[Resource]) -> list[bytes]:
    """The entry that says which Patients are this person; empty when an empty vault would know by itself."""
    found = sort_by_person(resources, person=None, known=frozenset(), accept=False)
    if found.verdict is Verdict.TAKE and not found.others:
        return []
    known = session.store.settings.get(PERSON_REFERENCES) or ()
    note = build_link(name for name in known if not name.startswith(ORIGIN_URN))
    return [b'{"resource":' + note + b"}"]
