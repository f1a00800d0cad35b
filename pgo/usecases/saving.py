"""Compare new contents with the vault and store what is new; used by every use case that writes records.

Rules:
1. Equal content is unchanged; other content of a known record is a new version. Bytes that the record had
   before are nothing new either: an old file that is read again does not undo a newer one.
2. What lies in the trash stays there, whatever comes in.
3. ``save`` runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crypto.canonical import sha256_id
from pgo.health.record.kinds import RecordKind
from pgo.health.record.person import mention
from pgo.health.record.resource import PersonMention, Resource
from pgo.store.protocols import VaultStore
from pgo.usecases.content import Prepared, content_hash, identity_of, prepare, stored_resource

SELF_SOURCE = "self"
"""Name of the source of everything the patient typed or answered; shown in the words of the screen."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What of a file is new, and how much was there already (``in_trash`` is part of ``unchanged``)."""

    new: tuple[Resource, ...]
    unchanged: int
    in_trash: int


def compare(store: VaultStore, resources: Sequence[Resource]) -> Changes:
    """Find what the vault does not have yet, in file order."""
    new: list[Resource] = []
    seen: dict[tuple[str, str, str], str] = {}
    unchanged = in_trash = 0
    for resource in resources:
        canonical = content_hash(resource.body)
        identity = identity_of(resource, canonical)
        known = store.records.known(*identity)
        if known is not None and known.in_trash:
            in_trash += 1
            unchanged += 1
            continue
        present = seen.get(identity, known.canonical if known is not None else "")
        had = known is not None and store.records.had(known.id, sha256_id(resource.raw))
        if present == canonical or had:
            unchanged += 1
            continue
        seen[identity] = canonical
        new.append(resource)
    return Changes(tuple(new), unchanged, in_trash)


def save(store: VaultStore, prepared: Prepared, *, source_id: int, at: datetime) -> list[int]:
    """Store new contents. Returns the record numbers in order."""
    ids = []
    for new in prepared.versions:
        known = store.records.known(new.type, new.resource_id, new.origin)
        if known is None:
            ids.append(store.records.insert(new, source_id=source_id, at=at))
        else:
            store.records.replace(known.id, new, source_id=source_id, at=at)
            ids.append(known.id)
    store.records.set_facts(prepared.neighbours)
    return ids


def save_own(store: VaultStore, resources: Sequence[Resource], *, at: datetime) -> list[int]:
    """Store contents made by the patient here; one source stands for all of them of one moment."""
    source_id = store.records.add_source(SELF_SOURCE, sha256="", kind="self", size_bytes=0, at=at)
    return save(store, prepare(store, resources, self_authored=True), source_id=source_id, at=at)


def vault_patient(store: VaultStore) -> Resource | None:
    """The Patient resource of this vault, the newest one when there are several."""
    rows = store.records.of_kinds((RecordKind.PERSON.value,))
    newest = max((row.id for row in rows if row.type == "Patient"), default=None)
    content = None if newest is None else store.records.content(newest)
    return None if content is None else stored_resource(content.raw, content.full_url)


def vault_person(store: VaultStore) -> PersonMention | None:
    """Whom this vault is about, None while unknown."""
    patient = vault_patient(store)
    return None if patient is None else mention(patient)


def patient_reference(store: VaultStore) -> str:
    """Reference for what the patient authors: the known Patient, else this vault's own name for its owner."""
    patient = vault_patient(store)
    return (patient.reference if patient is not None else None) or f"Patient/{store.vault_id}"
