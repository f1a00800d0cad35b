"""How a component uses what the screens share.

Rules:

1. A screen asks ``use_app()`` and is drawn again when something in it changes.
2. Reading goes through ``use_query``: runs in a thread, again when its dependencies or ``app.revision``
   change.
3. What a person does goes through ``use_action``: at most once at a time, and the button knows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import flet as ft

from pgo.ui.safety import contain
from pgo.ui.state import AppCtx, AppState, Failed, PrefsCtx

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pgo.usecases.session import Session

T = TypeVar("T")


def use_app() -> AppState:
    """Hook: the state of this session; the calling component follows it and its preferences.

    Raises:
        RuntimeError: Called outside the app's component tree (a programming error).
    """
    app = ft.use_context(AppCtx)
    ft.use_context(PrefsCtx)
    if app is None:
        raise RuntimeError("use_app() outside the app")
    return app


@dataclass(frozen=True, slots=True)
class Query(Generic[T]):
    """Result of reading: exactly one of loading, failed, done.

    Attributes:
        value: what was read; while it is read again the old value stays, so nothing flickers.
        failed: why not.
        loading: first read still running.
    """

    value: T | None
    failed: Failed | None
    loading: bool


def use_query(read: Callable[[Session], T], *deps: object) -> Query[T]:
    """Hook: read something from the vault in a thread.

    Args:
        read: Called with the open session, for example ``lambda s: profile(s)``.
        deps: Values the reading depends on; `app.revision` is always one.
    """
    app = use_app()
    hook: Any = ft.use_state(Query(None, None, loading=True))
    result: Query[T] = hook[0]
    newest: Any = ft.use_ref(0)

    def show(query: Query[T]) -> None:
        hook[1](lambda _old: query)

    async def load() -> None:
        newest.current += 1
        mine = newest.current
        if not app.unlocked:
            return
        outcome = await contain(app.attempt(read, app.session))
        if outcome is None:  # our bug: say so instead of waiting for ever
            outcome = Failed("unexpected", RuntimeError(), app.t("error.part"))
        if mine != newest.current:
            return
        if isinstance(outcome, Failed):
            show(Query(None, outcome, loading=False))
        else:
            show(Query(outcome.value, None, loading=False))

    ft.use_effect(load, dependencies=[app.revision, app.unlocked, *deps])
    return result


@dataclass(frozen=True, slots=True)
class Action:
    """An action of the person: `start` as click handler, `busy` while it runs (disable the button)."""

    start: Callable[[], Coroutine[Any, Any, None]]
    busy: bool


def use_action(work: Callable[[], Awaitable[None]]) -> Action:
    """Hook: run an async action at most once at a time."""
    busy, set_busy = ft.use_state(False)
    running: Any = ft.use_ref(False)

    async def start() -> None:
        if running.current:
            return
        running.current = True
        set_busy(True)
        try:
            await work()
        finally:
            running.current = False
            set_busy(False)

    return Action(start, busy)


def go(route: str) -> None:
    """Navigate to a route."""
    ft.context.page.navigate(route)
