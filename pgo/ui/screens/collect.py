"""Collect: pick a file, see it come in, see what came and what was set aside, in plain words."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

import flet as ft

from pgo.errors import AppError
from pgo.ui import text
from pgo.ui.files import Picked, pick_file
from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.records.intake_words import as_sentence, place_words, reason_words
from pgo.ui.safety import component
from pgo.ui.state import AppState, Failed
from pgo.ui.text import fmt_date, fmt_number
from pgo.ui.theme import GAP
from pgo.ui.widgets import (
    body,
    card,
    counts,
    heading,
    key_values,
    list_row,
    list_section,
    live,
    muted,
    note,
    page_body,
    primary_button,
    progress,
    secondary_button,
    section_card,
    text_button,
    toolbar,
)
from pgo.usecases.collect import CollectResult, PersonQuestion, collect
from pgo.usecases.intake_retry import waiting

if TYPE_CHECKING:
    from pgo.health.record.resource import PersonMention, SetAside

_LOOK_SECONDS = 0.1
MOST_SET_ASIDE_SHOWN = 40


@dataclass(slots=True)
class Count:
    """How far the reading thread is; written there, looked at from here ten times a second."""

    done: int = 0
    total: int = 0
    stop: bool = False

    def tell(self, done: int, total: int) -> None:
        """Take the next count."""
        self.done, self.total = done, total

    def stopped(self) -> bool:
        """Say whether the person wants to stop; asked by the reader."""
        return self.stop

    def halt(self) -> None:
        """Ask the reader to stop."""
        self.stop = True


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing picked yet, or picked and refused."""

    error: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A file is being read."""

    name: str
    done: int = 0
    total: int = 0
    halt: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A file was read; `picked` is kept only while a question about it is open."""

    result: CollectResult
    picked: Picked | None = field(default=None, repr=False)


State = Idle | Running | Finished


@component
def Screen() -> ft.Control:
    """Draw the state the collecting is in."""
    app = use_app()
    picker: ft.FilePicker = ft.use_memo(ft.FilePicker, [])
    first: State = Idle()
    hook: tuple[State, Any] = ft.use_state(first)
    state, set_state = hook
    aside = use_query(lambda session: len(waiting(session)))
    ft.use_effect(lambda: _get_ready(app), dependencies=[])

    def to(new: State) -> None:
        set_state(lambda _old: new)

    async def choose() -> None:
        try:
            picked = await pick_file(picker, app)
        except AppError as error:
            to(Idle(app.explain(error).text))
            return
        if picked is not None:
            await take(picked, accept=False)

    async def take(picked: Picked, *, accept: bool) -> None:
        app.failure = ""
        to(Running(picked.name))
        outcome = await _collect(app, picked, accept=accept, show=to)
        if isinstance(outcome, Failed):
            to(Idle("" if outcome.code == "cancelled" else refusal(app, picked.name, outcome)))
            return
        result = outcome
        to(Finished(result, picked if result.person_question is not None else None))
        if result.imported:
            app.changed()

    content = _draw(app, state, choose, take, lambda: to(Idle()))
    if aside.value and not isinstance(state, Running):
        content.append(_aside_card(app, aside.value))
    return page_body(
        app.t("collect.title"), *content, lead=app.t("collect.lead"), back=("/", app.t("nav.overview"))
    )


def _get_ready(app: AppState) -> None:
    """Let the reading process start while the person looks for the file."""
    app.session.reader.warm()


async def _collect(
    app: AppState, picked: Picked, *, accept: bool, show: Callable[[State], None]
) -> CollectResult | Failed:
    """Collect in a thread, showing the count meanwhile."""
    count = Count()
    work = asyncio.ensure_future(
        app.attempt(
            collect,
            app.session,
            picked.data,
            name=picked.name,
            on_progress=count.tell,
            accept_person=accept,
            cancelled=count.stopped,
        )
    )
    while not work.done():
        # The second half of the count is the storing: one transaction, that is not stopped half-way.
        halt = count.halt if 2 * count.done <= count.total and not count.stop else None
        show(Running(picked.name, count.done, count.total, halt))
        await asyncio.wait({work}, timeout=_LOOK_SECONDS)
    outcome = work.result()
    return outcome if isinstance(outcome, Failed) else outcome.value


def refusal(app: AppState, name: str, failed: Failed) -> str:
    """One sentence: which file, what is wrong, where if that is known, and that nothing changed."""
    reason = f"collect.reason.{failed.code}"
    if not text.has(app.lang, reason):
        return failed.text
    return app.t("collect.refused", file=name, reason=app.t(reason))


def _draw(
    app: AppState,
    state: State,
    choose: Callable[[], Awaitable[None]],
    take: Callable[..., Awaitable[None]],
    clear: Callable[[], None],
) -> list[ft.Control]:
    match state:
        case Running():
            return [_running(app, state)]
        case Finished(result, Picked() as picked) if result.person_question is not None:

            async def accept() -> None:
                await take(picked, accept=True)

            return [PersonCard(result.person_question, result.file, accept, clear)]
        case Finished(result):
            return [ResultCards(result), _pick_card(app, choose, again=True)]
        case Idle(error):
            trouble = [note(error, "bad"), live(error)] if error else []
            return [*trouble, _pick_card(app, choose, again=False), _help_card(app)]
        case _:
            assert_never(state)


def _pick_card(app: AppState, choose: Callable[[], Awaitable[None]], *, again: bool) -> ft.Control:
    if again:
        done = secondary_button(app.t("collect.to_timeline"), lambda: go("/timeline"), key="to-timeline")
        more = primary_button(
            app.t("collect.another"), choose, key="pick", icon=ft.Icons.FOLDER_OPEN_OUTLINED
        )
        return toolbar(more, done)
    return card(
        heading(app.t("collect.pick.title"), 2),
        body(app.t("collect.pick.text")),
        toolbar(
            primary_button(app.t("collect.pick"), choose, key="pick", icon=ft.Icons.FOLDER_OPEN_OUTLINED)
        ),
        muted(app.t("collect.pick.safe"), small=True),
    )


def _help_card(app: AppState) -> ft.Control:
    return section_card(
        app.t("collect.help.title"),
        *[body(app.t(f"collect.help.{n}")) for n in (1, 2, 3)],
    )


def _aside_card(app: AppState, count: int) -> ft.Control:
    return card(
        body(app.t("collect.waiting", n=count)),
        toolbar(
            text_button(
                app.t("collect.waiting.show"),
                lambda: go("/set-aside"),
                key="set-aside",
                icon=ft.Icons.INBOX_OUTLINED,
            )
        ),
    )


def _running(app: AppState, state: Running) -> ft.Control:
    done, total = state.done, state.total
    share = done / total if total else None
    numbers = {"done": fmt_number(app.lang, done), "total": fmt_number(app.lang, total)}
    detail = app.t("collect.progress", **numbers) if total else app.t("collect.reading")
    stop = [] if state.halt is None else [toolbar(text_button(app.t("collect.stop"), state.halt, key="stop"))]
    return card(progress(app.t("collect.running", file=state.name), share, detail), *stop)


@component
def ResultCards(result: CollectResult) -> ft.Control:
    """What came in, per kind; what was set aside, with the reason."""
    app = use_app()
    taken = bool(result.imported or result.unchanged)
    said = summary(app, result)
    cards: list[ft.Control] = [note(said, "good" if taken else "attention"), live(said)]
    if result.by_kind:
        rows = [
            (app.t(f"records.kinds.{name}"), fmt_number(app.lang, n))
            for name, n in sorted(result.by_kind.items(), key=lambda item: -item[1])
        ]
        cards.append(section_card(app.t("collect.came"), counts(rows)))
    if result.set_aside:
        cards.append(SetAsideCard(result.set_aside))
    return ft.Column(cards, spacing=GAP, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def summary(app: AppState, result: CollectResult) -> str:
    """Say in one or two sentences what a file brought."""
    parts: list[str] = []
    if result.imported:
        parts.append(app.t("collect.imported", n=result.imported, file=result.file))
    elif result.unchanged:
        parts.append(app.t("collect.nothing_new", file=result.file))
    else:
        parts.append(app.t("collect.nothing", file=result.file))
    if result.unchanged and result.imported:
        parts.append(app.t("collect.unchanged", n=result.unchanged))
    if result.in_trash:
        parts.append(app.t("collect.in_trash", n=result.in_trash))
    return " ".join(parts)


def reasons(app: AppState, set_aside: tuple[SetAside, ...]) -> list[tuple[str, int]]:
    """Count what was set aside per reason in plain words, most frequent first."""
    counted = Counter(item.code for item in set_aside)
    return [(reason_words(app, code), n) for code, n in counted.most_common()]


@component
def SetAsideCard(set_aside: tuple[SetAside, ...]) -> ft.Control:
    """Entries not taken: how many per reason, and where they are in the file."""
    app = use_app()
    shown, set_shown = ft.use_state(False)
    counts = [body(app.t("collect.aside.line", n=n, reason=reason)) for reason, n in reasons(app, set_aside)]
    toggle = text_button(
        app.t("collect.aside.hide" if shown else "collect.aside.show"),
        lambda: set_shown(not shown),
        key="aside-toggle",
        icon=ft.Icons.EXPAND_LESS_ROUNDED if shown else ft.Icons.EXPAND_MORE_ROUNDED,
    )
    rows: list[ft.Control] = []
    if shown:
        rows.append(
            list_section(
                [_aside_row(app, n, item) for n, item in enumerate(set_aside[:MOST_SET_ASIDE_SHOWN])]
            )
        )
        if len(set_aside) > MOST_SET_ASIDE_SHOWN:
            rows.append(muted(app.t("collect.aside.more", n=len(set_aside) - MOST_SET_ASIDE_SHOWN)))
    return section_card(
        app.t("collect.aside", n=len(set_aside)),
        *counts,
        toolbar(toggle),
        *rows,
        lead=app.t("collect.aside.lead"),
    )


def _aside_row(app: AppState, number: int, item: SetAside) -> ft.Control:
    place = place_words(app, item.entry)
    where = " · ".join(part for part in (place, item.type or "", item.id or "") if part)
    return list_row(as_sentence(reason_words(app, item.code)), key=f"aside-{number}", detail=where)


@component
def PersonCard(
    question: PersonQuestion, file: str, accept: Callable[[], Awaitable[Any]], refuse: Callable[[], None]
) -> ft.Control:
    """The file may be about somebody else: show both persons, ask, never mix by itself."""
    app = use_app()
    kind = "collect.person.different" if question.certain else "collect.person.unclear"
    return card(
        heading(app.t("collect.person.title"), 2),
        body(app.t(kind, file=file)),
        _person(app, "collect.person.vault", question.vault_person),
        _person(app, "collect.person.file", question.file_person),
        note(app.t("collect.person.nothing"), "info"),
        toolbar(
            primary_button(app.t("collect.person.no"), refuse, key="person-no"),
            secondary_button(app.t("collect.person.yes"), accept, key="person-yes"),
        ),
    )


def _person(app: AppState, title: str, person: PersonMention) -> ft.Control:
    born = fmt_date(app.lang, person.birth_date) or app.t("common.unknown")
    rows = [
        (app.t("collect.person.name"), person.name or app.t("common.unknown")),
        (app.t("collect.person.born"), born),
        (app.t("collect.person.number"), ", ".join(sorted(value for _, value in person.identifiers)[:3])),
    ]
    return ft.Column([heading(app.t(title), 3), key_values(rows)], spacing=4, tight=True)
