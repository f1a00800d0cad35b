"""One form for everything the patient types: fields from a table, errors in plain words, nothing lost.

Rules:

1. What is typed is kept in the vault at every letter (``medicate.keep_form``) and stands there again after a
   lock, a crash or a walk to another screen; saving or "start over" ends it.
2. Errors show after the first try to save, at their field and once more as one spoken sentence; from then on
   they follow the typing.
3. A date may be a day, a month or a year, typed the way people type it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import flet as ft

from pgo.ui.hooks import go, use_action, use_app
from pgo.ui.records.frame import stacked
from pgo.ui.records.keeper import Keeper
from pgo.ui.records.say import parse_typed_date
from pgo.ui.safety import component
from pgo.ui.state import AppState, Failed
from pgo.ui.widgets import (
    card,
    live,
    note,
    primary_button,
    radio_group,
    switch_row,
    text_button,
    text_field,
    toolbar,
)
from pgo.usecases import medicate

Values = Mapping[str, str]
YES = "yes"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its label is the text ``<name>``, its help ``<name>.help`` when ``helped``.

    Attributes:
        name: name of the field, as the form's checks use it.
        kind: how it is asked.
        options: values of a choice; the text of each is ``<name>.<value>`` ("" reads ``.none``).
        helped: there is a help text.
    """

    name: str
    kind: Literal["line", "text", "date", "choice", "switch"] = "line"
    options: tuple[str, ...] = ()
    helped: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What one form is.

    Attributes:
        key: text key of a name: a field, its help, one of its options, ``saved``.
        draft: under which key the vault keeps what is half typed.
        fields: in order; the first is the one that is needed.
        check: field name to message key, for values as typed.
        save: use case call that saves; the record's number comes back.
        title: what the saved thing is called, for the message.
        back: route after saving.
    """

    key: Callable[[str], str]
    draft: str
    fields: tuple[Field, ...]
    check: Callable[[Values], Mapping[str, str]]
    save: Callable[[Values], Callable[..., int]]
    title: Callable[[Values], str]
    back: str


def iso_or_typed(typed: str) -> str:
    """Return the ISO form of a typed date, or the text itself so that the check can refuse it."""
    iso = parse_typed_date(typed)
    return typed if iso is None else iso


@component
def Form(plan: Plan, initial: Values, kept: Values | None) -> ft.Control:
    """Show a form, starting from ``initial`` or from the half-typed values ``kept`` of an earlier time."""
    app = use_app()
    start = dict(initial if kept is None else {**initial, **kept})
    values, set_values = ft.use_state(start)
    newest: Any = ft.use_ref(start)
    resumed, set_resumed = ft.use_state(kept is not None)
    tried, set_tried = ft.use_state(False)
    keeper: Keeper[dict[str, str]] = ft.use_memo(lambda: Keeper(_writer(app)), [])
    errors = plan.check(values) if tried else {}

    def change(name: str, value: str) -> None:
        # From the ref, not from ``values``: two quick events may come before the next drawing.
        newest.current = {**newest.current, name: value}
        set_values(newest.current)
        keeper.put(plan.draft, newest.current)

    async def start_over() -> None:
        keeper.forget()
        await keeper.flush()
        newest.current = dict(initial)
        set_values(newest.current)
        set_resumed(False)
        set_tried(False)
        await app.run(medicate.drop_form, app.session, plan.draft)

    async def save() -> None:
        set_tried(True)
        await keeper.flush()
        await _save(app, plan, newest.current)

    action = use_action(save)
    return stacked(
        *([_resumed(app, start_over)] if resumed else []),
        card(*[_control(app, plan, field, values, errors, change) for field in plan.fields], spacing=20),
        _summary(app, plan, errors),
        toolbar(primary_button(app.t("form.save"), action.start, key="form-save", disabled=action.busy)),
    )


async def _save(app: AppState, plan: Plan, typed: Values) -> None:
    if plan.check(typed) or isinstance(await app.run(plan.save(typed), app.session), Failed):
        return
    await app.run(medicate.drop_form, app.session, plan.draft)
    app.changed(app.t(plan.key("saved"), title=plan.title(typed)))
    go(plan.back)


def _writer(app: AppState) -> Callable[[str, dict[str, str]], Any]:
    async def write(draft: str, values: dict[str, str]) -> None:
        if app.unlocked:
            await app.attempt(medicate.keep_form, app.session, draft, values)

    return write


def _resumed(app: AppState, start_over: Callable[[], Any]) -> ft.Control:
    return stacked(
        note(app.t("form.kept"), "info"),
        ft.Row([text_button(app.t("form.start_over"), start_over, key="form-start-over")]),
        spacing=4,
    )


def _summary(app: AppState, plan: Plan, errors: Mapping[str, str]) -> ft.Control:
    """Name the fields to look at in one spoken sentence: a field's own error may be off-screen."""
    if not errors:
        return live("")
    names = ", ".join(app.t(plan.key(field.name)) for field in plan.fields if field.name in errors)
    return stacked(note(app.t("form.errors", fields=names), "bad"), live(app.t("form.errors", fields=names)))


def _control(
    app: AppState,
    plan: Plan,
    field: Field,
    values: Values,
    errors: Mapping[str, str],
    change: Callable[[str, str], None],
) -> ft.Control:
    label = app.t(plan.key(field.name))
    value = values.get(field.name, "")
    error = app.t(errors[field.name]) if field.name in errors else ""
    key = f"field-{field.name}"

    def changed(new: str) -> None:
        change(field.name, new)

    if field.kind == "switch":
        return switch_row(label, value == YES, lambda on: changed(YES if on else ""), key=key)
    if field.kind == "choice":
        options = {option: app.t(plan.key(f"{field.name}.{option or 'none'}")) for option in field.options}
        return radio_group(label, value, options, changed, key=key, error=error)
    return text_field(
        label,
        value,
        changed,
        key=key,
        error=error,
        helper=app.t(plan.key(f"{field.name}.help")) if field.helped else "",
        multiline=field.kind == "text",
        autofocus=field is plan.fields[0] and not value,
    )


def form_query(
    load: Callable[[Any], Values | None], draft: str
) -> Callable[[Any], tuple[Values | None, Values | None]]:
    """Return the reading behind a form: the record's own values (None when new) and what was half typed."""
    return lambda session: (load(session), medicate.kept_form(session, draft))
