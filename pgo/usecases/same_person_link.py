"""The note in an export that says which Patient resources are one person.

A vault can hold records of several providers that each have their own Patient resource for the same person,
because the person said so when the files came in. An empty vault that reads the export cannot know that, and
guessing would mix people. So the export carries the answer, as a FHIR ``Person`` with a link to each.

1. The note is written only when the records name more than one person.
2. It is read only by a vault that has no person yet, and it is not stored as a record.
3. Only our own note counts (a tag says so); a ``Person`` of a provider is an ordinary record.

Source: FHIR R4 person.html, "links to a resource concerning the same actual person".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from pgo.health.record.resource import Resource
from pgo.health.record.safe import obj, objs, text

PERSON_REFERENCES = "person_references"
"""Setting of a vault: every reference that means its person."""

_TAG = {"system": "urn:pgo:codes:export", "code": "same-person"}


def build_link(references: Iterable[str]) -> bytes:
    """Write the note; references as the records use them (``Patient/1``, ``urn:uuid:...``)."""
    body = {
        "resourceType": "Person",
        "meta": {"tag": [_TAG]},
        "link": [{"target": {"reference": reference}} for reference in sorted(references)],
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def linked_references(resources: Sequence[Resource]) -> frozenset[str]:
    """The references that a note in this file says are one person; empty without a note."""
    return frozenset(
        reference
        for resource in resources
        if is_link(resource)
        for link in objs(resource.body, "link")
        if (reference := text(obj(link, "target"), "reference"))
    )


def is_link(resource: Resource) -> bool:
    """Whether this is our note, and no record."""
    return resource.type == "Person" and any(
        text(tag, "system") == _TAG["system"] and text(tag, "code") == _TAG["code"]
        for tag in objs(obj(resource.body, "meta"), "tag")
    )
