"""Long work on a backup with its bar and its stop button: the hook every screen of it uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import flet as ft

from pgo.errors import BackupRefused
from pgo.ui.backup.words import step
from pgo.ui.hooks import use_app
from pgo.ui.state import AppState, Failed
from pgo.ui.widgets import card, progress, text_button, toolbar

T = TypeVar("T")
_LOOK_SECONDS = 0.1
OnProgress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Watch:
    """How far the working thread is; written there, looked at from here, told from here to stop."""

    phase: str = ""
    done: int = 0
    total: int = 0
    stopped: bool = False

    def tell(self, phase: str, done: int, total: int) -> None:
        """Take the next count.

        Raises:
            BackupRefused: ``backup_stopped``, the person wants no more of it.
        """
        if self.stopped:
            raise BackupRefused("backup_stopped")
        self.phase, self.done, self.total = phase, done, total


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What came of it: a value, or why not."""

    value: T | None = None
    failed: Failed | None = None


@dataclass(frozen=True, slots=True)
class Long(Generic[T]):
    """Long work as a screen sees it.

    Attributes:
        start: does it, with the function to call and its arguments; does nothing while it runs.
        busy: it runs.
        bar: the card to show meanwhile.
        outcome: of the last run, None before the first.
        clear: forget the last outcome.
    """

    start: Callable[..., Coroutine[Any, Any, Outcome[T]]]
    busy: bool
    bar: list[ft.Control]
    outcome: Outcome[T] | None
    clear: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _State:
    watch: Watch | None = None
    shown: tuple[str, int, int] = ("", 0, 0)
    outcome: Outcome[Any] | None = field(default=None)


def use_long() -> Long[Any]:
    """Hook: run one use case that takes ``on_progress``, in a thread, with a bar and a way to stop."""
    app = use_app()
    hook: tuple[_State, Any] = ft.use_state(_State())
    state, set_state = hook

    def to(change: Callable[[_State], _State]) -> None:
        set_state(change)

    async def start(work: Callable[..., Any], *args: Any, **more: Any) -> Outcome[Any]:
        watch = Watch()
        to(lambda old: replace(old, watch=watch, shown=("", 0, 0), outcome=None))
        running = asyncio.ensure_future(app.attempt(work, *args, on_progress=watch.tell, **more))
        while not running.done():
            to(_showing((watch.phase, watch.done, watch.total)))
            await asyncio.wait({running}, timeout=_LOOK_SECONDS)
        ended = running.result()
        outcome = Outcome(failed=ended) if isinstance(ended, Failed) else Outcome(value=ended.value)
        to(lambda old: replace(old, watch=None, outcome=outcome))
        return outcome

    def stop() -> None:
        if state.watch is not None:
            state.watch.stopped = True

    return Long(
        start=start,
        busy=state.watch is not None,
        bar=[_bar(app, state, stop)] if state.watch is not None else [],
        outcome=state.outcome,
        clear=lambda: to(lambda old: replace(old, outcome=None)),
    )


def _showing(now: tuple[str, int, int]) -> Callable[[_State], _State]:
    return lambda old: replace(old, shown=now)


def _bar(app: AppState, state: _State, stop: Callable[[], None]) -> ft.Control:
    label, share, detail = step(app.lang, *state.shown)
    return card(
        progress(label, share, detail),
        toolbar(text_button(app.t("backup.stop"), stop, key="backup-stop")),
    )
