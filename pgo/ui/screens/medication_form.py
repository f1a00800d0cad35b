"""Type in a medication, or change one typed before. Only the name is needed; dates may be partial."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import flet as ft

from pgo.health.medication.forms import MedicationForm, validate
from pgo.ui.hooks import use_app, use_query
from pgo.ui.records.forms import Field, Form, Plan, Values, form_query, iso_or_typed
from pgo.ui.records.frame import answered
from pgo.ui.records.say import typed_date
from pgo.ui.safety import component
from pgo.ui.widgets import page_body
from pgo.usecases import medicate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pgo.usecases.session import Session

FIELDS = (
    Field("name", helped=True),
    Field("dosage", helped=True),
    Field("reason", helped=True),
    Field("start", "date", helped=True),
    Field("end", "date", helped=True),
    Field("note", "text"),
)


@component
def Screen() -> ft.Control:
    """Draw the form, empty or filled with the medication the address names."""
    app = use_app()
    number = ft.use_route_params().get("id", "")
    record_id = int(number) if number.isdecimal() else None
    plan = plan_for(record_id)
    found = use_query(form_query(partial(load, record_id=record_id), plan.draft), record_id)
    return page_body(
        app.t("medication_form.new" if record_id is None else "medication_form.edit"),
        answered(app, found, lambda pair: Form(plan, pair[0] or {}, pair[1])),
        lead=app.t("medication_form.lead"),
        back=("/medication", app.t("records.tab.medication")),
    )


def plan_for(record_id: int | None) -> Plan:
    """Return the plan of the form for a new medication (None) or an own one."""
    return Plan(
        key=lambda name: f"medication_form.{name}",
        draft=f"medication:{'new' if record_id is None else record_id}",
        fields=FIELDS,
        check=check,
        save=lambda values: _saving(values, record_id),
        title=lambda values: values["name"].strip(),
        back="/medication",
    )


def to_form(values: Values) -> MedicationForm:
    """Return the values as typed as the form of ``pgo.health``."""
    end = iso_or_typed(values.get("end", ""))
    return MedicationForm(
        name=values.get("name", ""),
        dosage=values.get("dosage", ""),
        reason=values.get("reason", ""),
        start=iso_or_typed(values.get("start", "")),
        end=end,
        note=values.get("note", ""),
        # "Stopped" was said with its last day; whoever takes the day away uses it again.
        stopped=bool(values.get("stopped")) and bool(end),
    )


def to_values(form: MedicationForm) -> dict[str, str]:
    """Return a form as the texts its fields show."""
    return {
        "name": form.name,
        "dosage": form.dosage,
        "reason": form.reason,
        "start": typed_date(form.start),
        "end": typed_date(form.end),
        "note": form.note,
        "stopped": "yes" if form.stopped else "",
    }


def check(values: Values) -> Mapping[str, str]:
    """Return what is wrong, field to message key."""
    return validate(to_form(values))


def load(session: Session, *, record_id: int | None) -> Values | None:
    """Read the values of an own medication; None for a new one."""
    return None if record_id is None else to_values(medicate.medication_form(session, record_id))


def _saving(values: Values, record_id: int | None) -> Callable[..., int]:
    form = to_form(values)

    def save(session: Any) -> int:
        return medicate.save_medication(session, form, record_id=record_id)

    return save
