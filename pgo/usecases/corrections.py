"""What the patient says about a record of a provider: a remark, a request to correct it, "nobody sees this".

Rules:
1. The provider's record stays as it came, word for word; nothing here writes into it.
2. A remark is a record of the patient with versions; a request is two (words and task). Both are in search,
   in the export and, thrown away, in the trash.
3. Hiding is an objection, signed like any other (``objections``), for the record and for every other record
   about the same thing when the patient says so: one transaction, one way back.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgo.errors import InputRefused, NotFound
from pgo.health.record.authored import checked
from pgo.health.record.remarks import (
    Asked,
    Target,
    author_of,
    build_remark,
    build_request,
    is_remark,
    is_request,
    name_of_target,
    recipient_of,
    remark_faults,
    request_faults,
    words_of,
)
from pgo.health.record.safe import text
from pgo.store.journal import Event
from pgo.usecases import objections
from pgo.usecases.content import exported_url, stored_resource
from pgo.usecases.objections import ObjectionChoice
from pgo.usecases.queue import records_changed
from pgo.usecases.saving import patient_reference, save_own, vault_patient
from pgo.usecases.session import Session

_MESSAGE = "Communication"


@dataclass(frozen=True, slots=True)
class Remark:
    """The patient's own words about a record.

    Attributes:
        id: number of the record that holds it.
        words: what was written.
        written_at: when this version was stored.
        versions: how often it was written anew.
        editable: written in this app; one that came in with a file can only be removed.
    """

    id: int
    words: str
    written_at: datetime
    versions: int
    editable: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A correction request: what was typed, and when."""

    id: int
    asked: Asked
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """Everything the patient said about one record.

    Attributes:
        remarks: own words, newest first.
        requests: correction requests, newest first.
        hidden_by: ids of the objections that keep this record from everybody.
    """

    remarks: tuple[Remark, ...]
    requests: tuple[Request, ...]
    hidden_by: tuple[str, ...]


def said_about(session: Session, record_id: int) -> Said:
    """Find remarks, requests and objections about a record.

    Raises:
        NotFound: no such record.
    """
    target = _target(session, record_id)
    store = session.store
    remarks: list[Remark] = []
    requests: list[Request] = []
    for number in _about(session).get(target.name, ()):
        content, row = store.records.content(number), store.records.row(number)
        if content is None or row is None:
            continue
        body = stored_resource(content.raw, content.full_url).body
        words = words_of(body)
        if is_remark(body):
            remarks.append(
                Remark(number, "\n\n".join(words), content.stored_at, content.versions, row.self_authored)
            )
        else:
            asked = Asked(words[0] if words else "", "\n\n".join(words[1:]), recipient_of(body))
            requests.append(Request(number, asked, content.stored_at))
    return Said(
        tuple(sorted(remarks, key=lambda one: one.written_at, reverse=True)),
        tuple(sorted(requests, key=lambda one: one.written_at, reverse=True)),
        _hidden_by(session, record_id),
    )


def remark(session: Session, record_id: int, words: str, *, remark_id: int | None = None) -> int:
    """Write a remark about a record, or a new version of one. Returns its number.

    Raises:
        InputRefused: ``form_invalid`` with ``fields`` (empty or too long), or ``not_editable``.
        NotFound: no such record or remark.
    """
    _refuse_bad(remark_faults(words))
    target, at = _target(session, record_id), session.now()
    resource_id = str(uuid.uuid4()) if remark_id is None else _own_remark(session, remark_id)
    subject = patient_reference(session.store)
    raw = build_remark(words, target, id=resource_id, subject=subject, at=at)
    (number,) = _save(session, [checked(raw, _MESSAGE)], at=at, event=Event.ANNOTATED, about=record_id)
    return number


def remark_words(session: Session, remark_id: int) -> str:
    """The words of a remark written here, for changing them.

    Raises:
        InputRefused: ``not_editable``.
        NotFound: no such remark.
    """
    _own_remark(session, remark_id)
    content = session.store.records.content(remark_id)
    if content is None:
        raise NotFound("record")
    return "\n\n".join(words_of(stored_resource(content.raw, content.full_url).body))


def suggested_recipient(session: Session, record_id: int) -> str:
    """Whom a correction of this record should probably go to, in the words of the record; '' when unknown."""
    content = session.store.records.content(record_id)
    return "" if content is None else author_of(stored_resource(content.raw, content.full_url).body)


def ask_correction(session: Session, record_id: int, asked: Asked) -> int:
    """Keep a request to correct a record. Returns the number of its words.

    Nothing is sent: the patient takes the file or the letter along (``request_file``).

    Raises:
        InputRefused: ``form_invalid`` with ``fields``.
        NotFound: no such record.
    """
    _refuse_bad(request_faults(asked))
    target, at = _target(session, record_id), session.now()
    ids = (str(uuid.uuid4()), str(uuid.uuid4()))
    message, task = build_request(asked, target, ids=ids, subject=patient_reference(session.store), at=at)
    found = [checked(message, _MESSAGE), checked(task, "Task")]
    return _save(session, found, at=at, event=Event.CORRECTION_ASKED, about=record_id)[0]


def request_file(session: Session, request_id: int) -> bytes:
    """A request as a FHIR Bundle: its words, its task, the patient, and the record it is about as it came.

    Raises:
        NotFound: no such request.
    """
    store, at = session.store, session.now()
    content = store.records.content(request_id)
    if content is None:
        raise NotFound("record")
    body = stored_resource(content.raw, content.full_url).body
    if not is_request(body):
        raise NotFound("record")
    tasks = store.records.raws(store.records.linking_to([f"{_MESSAGE}/{body['id']}"]))
    parts = [content.raw, *(raw for _, _, raw in tasks)]
    patient = vault_patient(store)
    parts += [patient.raw] if patient is not None else []
    entries = [b'{"resource":' + part + b"}" for part in parts]
    meant = _record_meant(session, body)
    about = None if meant is None else store.records.content(meant)
    if about is not None:
        name = name_of_target(body)
        url = b"" if name.startswith("~") else b'"fullUrl":' + json.dumps(name).encode("ascii") + b","
        entries.append(b"{" + url + b'"resource":' + about.raw + b"}")
    with store.write(at):
        store.journal.add(Event.EXPORTED, at=at, records=len(entries))
    return b'{"resourceType":"Bundle","type":"collection","entry":[' + b",\n".join(entries) + b"]}\n"


def letter_saved(session: Session) -> None:
    """Write down that the letter of a request left the vault as a readable file."""
    store, at = session.store, session.now()
    with store.write(at):
        store.journal.add(Event.EXPORTED, at=at, records=1)


def hide(session: Session, record_ids: Sequence[int], *, lang: str, shown_text: str) -> tuple[str, ...]:
    """Say that nobody may see these records; holds at once. Returns the ids for ``show_again``.

    Raises:
        InputRefused: ``objection_invalid`` for a record that cannot be named.
        NotFound: unknown record.
    """
    with session.store.write(session.now()):
        return tuple(
            objections.object_to(session, ObjectionChoice(record_id=number), lang=lang, shown_text=shown_text)
            for number in record_ids
        )


def show_again(session: Session, objection_ids: Sequence[str]) -> None:
    """Take ``hide`` back; what was granted works again."""
    with session.store.write(session.now()):
        for objection_id in objection_ids:
            objections.lift(session, objection_id)


def _hidden_by(session: Session, record_id: int) -> tuple[str, ...]:
    return tuple(
        row.id
        for row in objections.objections(session)
        if row.lifted_at is None and row.recipient is None and record_id in {one.id for one in row.records}
    )


def _refuse_bad(faults: Mapping[str, str]) -> None:
    if faults:
        raise InputRefused("form_invalid", fields=faults)


def _target(session: Session, record_id: int) -> Target:
    records = session.store.records
    row, identity = records.row(record_id), records.reading.identity(record_id)
    if row is None or identity is None:
        raise NotFound("record")
    url = exported_url(
        identity.type, identity.resource_id, origin=identity.origin, full_url=identity.full_url
    )
    return Target(url or identity.resource_id, row.type, row.columns.title)


def _about(session: Session) -> dict[str, tuple[int, ...]]:
    """Name of a record to the remarks and requests about it; read once per change of the vault."""
    store = session.store

    def find() -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        for number, full_url, raw in store.records.raws(store.records.present_ids(_MESSAGE)):
            body = stored_resource(raw, full_url).body
            if is_remark(body) or is_request(body):
                name = name_of_target(body)
                found[name] = (*found.get(name, ()), number)
        return found

    return session.remembered("remarks", store.records.stamp(), find)


def _record_meant(session: Session, body: Mapping[str, Any]) -> int | None:
    """The record a request is about, None when it is not here any more."""
    name, type_ = name_of_target(body), text(body, "about", "type")
    found = session.store.records.reading.named(type_, name)
    return next((one.id for one in found if _target(session, one.id).name == name), None)


def _own_remark(session: Session, remark_id: int) -> str:
    records = session.store.records
    row, content = records.row(remark_id), records.content(remark_id)
    if row is None or content is None or row.in_trash:
        raise NotFound("record")
    if not is_remark(stored_resource(content.raw, content.full_url).body):
        raise NotFound("record")
    if not row.self_authored:
        raise InputRefused("not_editable")
    return row.resource_id


def _save(session: Session, raws: Sequence[bytes], *, at: datetime, event: Event, about: int) -> list[int]:
    store = session.store
    with store.write(at):
        numbers = save_own(store, [stored_resource(raw, "") for raw in raws], at=at)
        store.journal.add(event, at=at, record=numbers[0], about=about)
        records_changed(store, at=at)
    session.changed()
    return numbers
