"""Type in medication and allergies; throw away and put back.

Rules:
1. An edit is a new version; the older one is kept.
2. Removing moves to the trash; nothing is destroyed here.
3. Only what the patient typed can be edited; a record from a file can be removed, not rewritten.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pgo.usecases.read import RecordRow
from pgo.usecases.session import Session

if TYPE_CHECKING:
    from pgo.health.medication.entry import AllergyForm, MedicationForm


def save_medication(session: Session, form: MedicationForm, *, record_id: int | None = None) -> int:
    """Add a medication, or save a new version of ``record_id``. Returns the record's number.

    Raises:
        InputRefused: ``form_invalid`` with ``fields``, or ``not_editable`` (the record came from a file).
        NotFound: no such record.
    """
    raise NotImplementedError


def stop_medication(session: Session, record_id: int, on: date) -> None:
    """Say that a medication typed here was stopped on that day.

    Raises:
        InputRefused: ``form_invalid`` (stopped before it started) or ``not_editable``.
        NotFound: no such medication.
    """
    raise NotImplementedError


def save_allergy(session: Session, form: AllergyForm, *, record_id: int | None = None) -> int:
    """Add an allergy, or save a new version of ``record_id``. Raises as ``save_medication``."""
    raise NotImplementedError


def medication_form(session: Session, record_id: int) -> MedicationForm:
    """The form filled with a medication typed here.

    Raises:
        InputRefused: ``not_editable``.
        NotFound: no such medication.
    """
    raise NotImplementedError


def allergy_form(session: Session, record_id: int) -> AllergyForm:
    """The form filled with an allergy typed here. Raises as ``medication_form``."""
    raise NotImplementedError


def remove(session: Session, record_id: int) -> None:
    """Move a record to the trash; recipients in force hear of it at the next delivery.

    Raises:
        NotFound: no such record, or already in the trash.
    """
    raise NotImplementedError


def trash(session: Session) -> tuple[RecordRow, ...]:
    """Records in the trash, last removed first."""
    raise NotImplementedError


def restore(session: Session, record_id: int) -> None:
    """Take a record out of the trash.

    Raises:
        NotFound: it is not in the trash.
    """
    raise NotImplementedError
