"""Type in medication and allergies; throw away and put back.

Rules:
1. An edit is a new version; the older one is kept.
2. Removing moves to the trash; nothing is destroyed here, and a recipient that has it is asked to erase it
   (``removals``).
3. Only what the patient typed can be edited; a record from a file can be removed, not rewritten.
4. A half-typed form is kept as it is typed and survives lock and kill.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date

from pgo.errors import InputRefused, NotFound
from pgo.health.medication.entry import (
    AllergyForm,
    MedicationForm,
    build_allergy,
    build_medication_statement,
    form_from,
    stop,
    validate,
)
from pgo.store.drafts import StoredDraft
from pgo.store.journal import Event
from pgo.usecases.content import stored_resource
from pgo.usecases.queue import records_changed
from pgo.usecases.read import RecordRow, record_row
from pgo.usecases.removals import records_removed
from pgo.usecases.saving import patient_reference, save_own
from pgo.usecases.session import Session

_MEDICATION = "MedicationStatement"
_ALLERGY = "AllergyIntolerance"
_FORM = "form"


def save_medication(session: Session, form: MedicationForm, *, record_id: int | None = None) -> int:
    """Add a medication, or save a new version of ``record_id``. Returns the record's number.

    Raises:
        InputRefused: ``form_invalid`` with ``fields``, or ``not_editable`` (the record came from a file).
        NotFound: no such record.
    """
    resource_id = _editable_id(session, record_id, _MEDICATION)
    _refuse_invalid(form)
    at = session.now()
    raw = build_medication_statement(form, id=resource_id, subject=patient_reference(session.store), at=at)
    return _save(session, raw)


def stop_medication(session: Session, record_id: int, on: date) -> None:
    """Say that a medication typed here was stopped on that day.

    Raises:
        InputRefused: ``form_invalid`` (stopped before it started) or ``not_editable``.
        NotFound: no such medication.
    """
    save_medication(session, stop(medication_form(session, record_id), on), record_id=record_id)


def save_allergy(session: Session, form: AllergyForm, *, record_id: int | None = None) -> int:
    """Add an allergy, or save a new version of ``record_id``. Raises as ``save_medication``."""
    resource_id = _editable_id(session, record_id, _ALLERGY)
    _refuse_invalid(form)
    at = session.now()
    raw = build_allergy(form, id=resource_id, subject=patient_reference(session.store), at=at)
    return _save(session, raw)


def medication_form(session: Session, record_id: int) -> MedicationForm:
    """The form filled with a medication typed here.

    Raises:
        InputRefused: ``not_editable``.
        NotFound: no such medication.
    """
    form = _form(session, record_id, _MEDICATION)
    if not isinstance(form, MedicationForm):
        raise NotFound("record")
    return form


def allergy_form(session: Session, record_id: int) -> AllergyForm:
    """The form filled with an allergy typed here. Raises as ``medication_form``."""
    form = _form(session, record_id, _ALLERGY)
    if not isinstance(form, AllergyForm):
        raise NotFound("record")
    return form


def remove(session: Session, record_id: int) -> bool:
    """Move a record to the trash. It is not sent any more; who has it is asked to erase it (rule 2).

    Returns:
        Whether somebody is asked.

    Raises:
        NotFound: no such record, or already in the trash.
    """
    store, at = session.store, session.now()
    with store.write(at):
        if not store.records.move_to_trash(record_id, at=at):
            raise NotFound("record")
        store.journal.add(Event.RECORD_REMOVED, at=at, record=record_id)
        asked = records_removed(store, at=at)
    session.changed()
    return asked


def trash(session: Session) -> tuple[RecordRow, ...]:
    """Records in the trash, last removed first."""
    today = session.today()
    return tuple(record_row(row, today=today) for row in session.store.records.trash())


def restore(session: Session, record_id: int) -> None:
    """Take a record out of the trash.

    Raises:
        NotFound: it is not in the trash.
    """
    store, at = session.store, session.now()
    with store.write(at):
        if not store.records.restore(record_id):
            raise NotFound("record")
        store.journal.add(Event.RECORD_RESTORED, at=at, record=record_id)
        records_changed(store, at=at)
    session.changed()


def keep_form(session: Session, form_key: str, fields: Mapping[str, str]) -> None:
    """Keep a half-typed form under a name such as ``medication:new``, in the place of the one before."""
    store, at = session.store, session.now()
    with store.write(at):
        store.drafts.keep(StoredDraft(f"{_FORM}:{form_key}", _FORM, form_key, dict(fields), at))


def kept_form(session: Session, form_key: str) -> Mapping[str, str] | None:
    """The half-typed form under that name, None when there is none."""
    draft = session.store.drafts.about(_FORM, form_key)
    return None if draft is None else {str(name): str(value) for name, value in draft.body.items()}


def drop_form(session: Session, form_key: str) -> None:
    """Forget a half-typed form; unknown names are no error."""
    store = session.store
    if store.drafts.about(_FORM, form_key) is not None:
        with store.write(session.now()):
            store.drafts.drop(f"{_FORM}:{form_key}")


def _refuse_invalid(form: MedicationForm | AllergyForm) -> None:
    faults = validate(form)
    if faults:
        raise InputRefused("form_invalid", fields=faults)


def _editable_id(session: Session, record_id: int | None, type_: str) -> str:
    """Resource id to write under: a new one, or that of a record the patient typed."""
    if record_id is None:
        return str(uuid.uuid4())
    row = session.store.records.row(record_id)
    if row is None or row.in_trash or row.type != type_:
        raise NotFound("record")
    if not row.self_authored:
        raise InputRefused("not_editable")
    return row.resource_id


def _form(session: Session, record_id: int, type_: str) -> MedicationForm | AllergyForm:
    _editable_id(session, record_id, type_)
    content = session.store.records.content(record_id)
    if content is None:
        raise NotFound("record")
    return form_from(stored_resource(content.raw, content.full_url))


def _save(session: Session, raw: bytes) -> int:
    store, at = session.store, session.now()
    with store.write(at):
        (record_id,) = save_own(store, [stored_resource(raw, "")], at=at)
        store.journal.add(Event.RECORD_SAVED, at=at, record=record_id)
        records_changed(store, at=at)
    session.changed()
    return record_id
