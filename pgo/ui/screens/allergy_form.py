"""Type in an allergy, or change one typed before. Only the substance is needed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import flet as ft

from pgo.health.medication.forms import CATEGORIES, CRITICALITIES, SEVERITIES, AllergyForm, validate
from pgo.ui.hooks import use_app, use_query
from pgo.ui.records.forms import YES, Field, Form, Plan, Values, form_query, iso_or_typed
from pgo.ui.records.frame import answered
from pgo.ui.records.say import typed_date
from pgo.ui.safety import component
from pgo.ui.widgets import page_body
from pgo.usecases import medicate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pgo.usecases.session import Session

# "" last: "I do not know" is the way out, not the suggestion.
FIELDS = (
    Field("substance", helped=True),
    Field("category", "choice", options=(*CATEGORIES[1:], "")),
    Field("reaction", helped=True),
    Field("severity", "choice", options=(*SEVERITIES[1:], "")),
    Field("criticality", "choice", options=(*CRITICALITIES[1:], "")),
    Field("start", "date", helped=True),
    Field("note", "text"),
    Field("past", "switch"),
)


@component
def Screen() -> ft.Control:
    """Draw the form, empty or filled with the allergy the address names."""
    app = use_app()
    number = ft.use_route_params().get("id", "")
    record_id = int(number) if number.isdecimal() else None
    plan = plan_for(record_id)
    found = use_query(form_query(partial(load, record_id=record_id), plan.draft), record_id)
    return page_body(
        app.t("allergy_form.new" if record_id is None else "allergy_form.edit"),
        answered(app, found, lambda pair: Form(plan, pair[0] or {}, pair[1])),
        lead=app.t("allergy_form.lead"),
        back=("/profile", app.t("records.tab.profile")),
    )


def plan_for(record_id: int | None) -> Plan:
    """Return the plan of the form for a new allergy (None) or an own one."""
    return Plan(
        key=lambda name: f"allergy_form.{name}",
        draft=f"allergy:{'new' if record_id is None else record_id}",
        fields=FIELDS,
        check=check,
        save=lambda values: _saving(values, record_id),
        title=lambda values: values["substance"].strip(),
        back="/profile",
    )


def to_form(values: Values) -> AllergyForm:
    """Return the values as typed as the form of ``pgo.health``."""
    return AllergyForm(
        substance=values.get("substance", ""),
        category=values.get("category", ""),
        reaction=values.get("reaction", ""),
        severity=values.get("severity", ""),
        criticality=values.get("criticality", ""),
        start=iso_or_typed(values.get("start", "")),
        note=values.get("note", ""),
        past=values.get("past") == YES,
    )


def to_values(form: AllergyForm) -> dict[str, str]:
    """Return a form as the texts its fields show."""
    return {
        "substance": form.substance,
        "category": form.category,
        "reaction": form.reaction,
        "severity": form.severity,
        "criticality": form.criticality,
        "start": typed_date(form.start),
        "note": form.note,
        "past": YES if form.past else "",
    }


def check(values: Values) -> Mapping[str, str]:
    """Return what is wrong, field to message key."""
    return validate(to_form(values))


def load(session: Session, *, record_id: int | None) -> Values | None:
    """Read the values of an own allergy; None for a new one."""
    return None if record_id is None else to_values(medicate.allergy_form(session, record_id))


def _saving(values: Values, record_id: int | None) -> Callable[..., int]:
    form = to_form(values)

    def save(session: Any) -> int:
        return medicate.save_allergy(session, form, record_id=record_id)

    return save
