"""Ask for a correction: what is wrong, what it should be, and who should correct it.

Nothing is sent from here. The request is kept with the record; its letter and its file are taken along.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import flet as ft

from pgo.health.record.remarks import Asked, request_faults
from pgo.ui.hooks import use_app, use_query
from pgo.ui.records.forms import Field, Form, Plan, Values, form_query
from pgo.ui.records.frame import answered
from pgo.ui.safety import component
from pgo.ui.screens.remark import number_of
from pgo.ui.widgets import page_body
from pgo.usecases import corrections

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgo.usecases.session import Session

FIELDS = (
    Field("wrong", "text", helped=True),
    Field("right", "text", helped=True),
    Field("recipient", helped=True),
)


@component
def Screen() -> ft.Control:
    """Draw the form for the record the address names."""
    app = use_app()
    record_id = number_of(ft.use_route_params().get("id", "")) or -1
    plan = plan_for(record_id)
    found = use_query(form_query(partial(load, record_id=record_id), plan.draft), record_id)
    return page_body(
        app.t("correction_form.title"),
        answered(app, found, lambda pair: Form(plan, pair[0] or {}, pair[1])),
        lead=app.t("correction_form.lead"),
        back=(f"/record/{record_id}", app.t("record.title")),
    )


def plan_for(record_id: int) -> Plan:
    """Return the plan of the form."""
    return Plan(
        key=lambda name: f"correction_form.{name}",
        draft=f"correction:{record_id}",
        fields=FIELDS,
        check=lambda values: request_faults(to_asked(values)),
        save=lambda values: _saving(values, record_id),
        title=lambda _values: "",
        back=f"/record/{record_id}",
    )


def to_asked(values: Values) -> Asked:
    """Return the values as typed as a request."""
    return Asked(values.get("wrong", ""), values.get("right", ""), values.get("recipient", ""))


def load(session: Session, *, record_id: int) -> Values | None:
    """Suggest who should correct it: whom the record itself names."""
    return {"recipient": corrections.suggested_recipient(session, record_id)}


def _saving(values: Values, record_id: int) -> Callable[..., int]:
    asked = to_asked(values)

    def save(session: Any) -> int:
        return corrections.ask_correction(session, record_id, asked)

    return save
