"""Write a remark about a record, or change one written before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import flet as ft

from pgo.health.record.remarks import remark_faults
from pgo.ui.hooks import use_app, use_query
from pgo.ui.records.forms import Field, Form, Plan, Values, form_query
from pgo.ui.records.frame import answered
from pgo.ui.safety import component
from pgo.ui.widgets import page_body
from pgo.usecases import corrections

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgo.usecases.session import Session


@component
def Screen() -> ft.Control:
    """Draw the form for the record the address names."""
    app = use_app()
    params = ft.use_route_params()
    record_id, remark_id = number_of(params.get("id", "")), number_of(params.get("remark", ""))
    plan = plan_for(record_id or -1, remark_id)
    found = use_query(form_query(partial(load, remark_id=remark_id), plan.draft), record_id, remark_id)
    return page_body(
        app.t("remark_form.new" if remark_id is None else "remark_form.edit"),
        answered(app, found, lambda pair: Form(plan, pair[0] or {}, pair[1])),
        lead=app.t("remark_form.lead"),
        back=(f"/record/{record_id}", app.t("record.title")),
    )


def number_of(text: str) -> int | None:
    """Return the number in an address, None for anything else."""
    return int(text) if text.isdecimal() else None


def plan_for(record_id: int, remark_id: int | None) -> Plan:
    """Return the plan of the form for a new remark (None) or an own one."""
    return Plan(
        key=lambda name: f"remark_form.{name}",
        draft=f"remark:{record_id}:{'new' if remark_id is None else remark_id}",
        fields=(Field("words", "text", helped=True),),
        check=lambda values: remark_faults(values.get("words", "")),
        save=lambda values: _saving(values, record_id, remark_id),
        title=lambda _values: "",
        back=f"/record/{record_id}",
    )


def load(session: Session, *, remark_id: int | None) -> Values | None:
    """Read the words of an own remark; None for a new one."""
    return None if remark_id is None else {"words": corrections.remark_words(session, remark_id)}


def _saving(values: Values, record_id: int, remark_id: int | None) -> Callable[..., int]:
    def save(session: Any) -> int:
        return corrections.remark(session, record_id, values.get("words", ""), remark_id=remark_id)

    return save
