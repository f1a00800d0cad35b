"""Take everything out again: one FHIR Bundle with the exact bytes that came in.

A resource is spliced into the Bundle as it lies in the store; nothing is written anew. The full url of an
entry is the one it came with, else one that carries its origin, so that importing the export gives the same
records. When the records name more than one Patient, a note says which of them are this person.

Source: FHIR R4 bundle.html#collection.
"""

from __future__ import annotations

import json

from pgo.store.journal import Event
from pgo.usecases.content import ORIGIN_URN, exported_url, stored_resource
from pgo.usecases.persons import Verdict, sort_by_person
from pgo.usecases.same_person_link import PERSON_REFERENCES, build_link
from pgo.usecases.session import Session

_HEAD = b'{"resourceType":"Bundle","type":"collection","entry":['


def export_records(session: Session) -> bytes:
    """A collection Bundle of all records outside the trash, each resource byte for byte as kept."""
    store, at = session.store, session.now()
    pieces, resources = [], []
    for row, raw in store.records.everything():
        url = exported_url(row.type, row.resource_id, origin=row.origin, full_url=row.full_url)
        address = b'"fullUrl":' + json.dumps(url).encode("ascii") + b"," if url else b""
        pieces.append(b"{" + address + b'"resource":' + raw + b"}")
        resources.append(stored_resource(raw, url))
    if sort_by_person(resources, person=None, known=frozenset(), accept=False).verdict is Verdict.SEVERAL:
        known = store.settings.get(PERSON_REFERENCES) or ()
        note = build_link(name for name in known if not name.startswith(ORIGIN_URN))
        pieces.append(b'{"resource":' + note + b"}")
    with store.write(at):
        store.journal.add(Event.EXPORTED, at=at, records=len(resources))
    return _HEAD + b",\n".join(pieces) + b"]}\n"
