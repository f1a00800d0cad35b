"""One medicine: what its records say together, and every record behind it.

What differs for certain is said first; the dosage is always in the words of whoever wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.hooks import use_app, use_query
from pgo.ui.records.frame import answered, stacked
from pgo.ui.records.medicine_words import differences_of, period_of, rows_of, step_detail, step_line
from pgo.ui.records.rows import line, open_record
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.widgets import body, key_values, list_section, muted, note, page_body, section_card, strong
from pgo.usecases import medicines
from pgo.usecases.medicines import Medicine

if TYPE_CHECKING:
    from pgo.health.medication.steps import Step
    from pgo.usecases.session import Session


@dataclass(frozen=True, slots=True)
class Opened:
    """A medicine with what each of its records says."""

    medicine: Medicine
    steps: tuple[Step, ...]


@component
def Screen() -> ft.Control:
    """Draw the medicine the address names."""
    app = use_app()
    number = ft.use_route_params().get("id", "")
    record_id = int(number) if number.isdecimal() else -1
    found = use_query(lambda session: _open(session, record_id), record_id)
    return page_body(
        found.value.medicine.title if found.value is not None else app.t("medicine.title"),
        answered(app, found, lambda opened: _medicine(app, opened)),
        back=("/medication", app.t("records.tab.medication")),
    )


def _open(session: Session, record_id: int) -> Opened:
    found = medicines.medicine(session, record_id)
    return Opened(found, medicines.steps_of(session, found))


def _medicine(app: AppState, opened: Opened) -> ft.Control:
    found = opened.medicine
    said = differences_of(app.lang, found.line)
    warnings = [note(" ".join((*said, app.t("medicine.differs.ask"))), "attention")] if said else []
    rows = [(app.t("record.when"), period_of(app.lang, found.line)), *rows_of(app.lang, found.line)]
    return stacked(
        *warnings,
        section_card(app.t("medicine.summary"), key_values(rows)),
        _sources(app, opened),
    )


def _sources(app: AppState, opened: Opened) -> ft.Control:
    many = len(opened.steps) > 1
    reason = app.t(f"merge.rule.{opened.medicine.rule}") if opened.medicine.rule else ""
    lead = app.t("medicine.sources.lead", reason=reason) if many else app.t("medicine.sources.one")
    lines = [_step(app, step) for step in opened.steps]
    return section_card(app.t("medicine.sources"), muted(lead), list_section(lines))


def _step(app: AppState, step: Step) -> ft.Control:
    detail = step_detail(app.lang, step)
    words = [strong(step.medicine), body(step_line(app.lang, step))]
    return line(
        [*words, *([muted(detail, small=True)] if detail else [])],
        key=f"step-{step.record_id}",
        on_click=open_record(step.record_id),
    )
