"""One window at a time: which browser session holds the open vault, and when it must let go.

Rules:

1. At most one window is live. A new one starts locked and ends the earlier one: its vault is locked, its
   screen is emptied, it offers nothing any more.
2. Idle longer than the person chose: the vault is locked and the screen emptied.
3. A window that is closed, or a program that stops, locks the vault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import flet as ft

from pgo.ui.app import start
from pgo.ui.autolock import CHECK_EVERY_SECONDS, IdleWatch
from pgo.ui.state import AppState
from pgo.usecases.settings import lock_screen_prefs

if TYPE_CHECKING:
    from pgo.ui.uploads import Uploads
    from pgo.usecases.session import Application

REVISION_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Window:
    """One browser session."""

    page: ft.Page
    state: AppState


class Windows:
    """Keeps the one live window.

    Args:
        application: What exists before a vault is open.
        uploads: Where picked files come in.
        ticks: Seconds of a clock that only goes forward.
    """

    def __init__(self, application: Application, uploads: Uploads, ticks: Callable[[], float]) -> None:
        self._application, self._uploads = application, uploads
        self._watch = IdleWatch(ticks, application.clock)
        self._live: Window | None = None

    def touch(self) -> None:
        """Somebody moved, typed or tapped in the live window."""
        self._watch.touch()

    def open(self, page: ft.Page) -> None:
        """Take a new browser session in; this is Flet's ``main(page)``."""
        state = AppState()
        state.attach(self._application, uploads=self._uploads)
        kept = lock_screen_prefs(self._application)
        state.prefs.lang, state.prefs.theme = kept.language, kept.theme
        earlier, window = self._live, Window(page, state)
        self._live = window
        self.touch()
        if earlier is not None:
            _in_window(earlier, earlier.state.end)
        page.on_close = lambda _e: self._gone(window)
        state.follow(lambda work: page.run_task(work))
        start(page, state)

    def _gone(self, window: Window) -> None:
        if self._live is window:
            self._live = None
        session = window.state.forget()
        if session is not None:
            session.lock()

    async def keep_watch(self) -> None:
        """Lock when nobody is there; runs as long as the program."""
        while True:
            await asyncio.sleep(CHECK_EVERY_SECONDS)
            window = self._live
            if window is None or not window.state.unlocked:
                self.touch()
                continue
            if self._watch.is_over(timedelta(minutes=window.state.prefs.auto_lock_minutes)):
                _in_window(window, window.state.lock_idle)

    async def end(self) -> None:
        """The program stops: lock the vault."""
        window, self._live = self._live, None
        self._uploads.forget()
        session = window.state.forget() if window is not None else None
        if session is not None:
            await asyncio.to_thread(session.lock)


def _in_window(window: Window, work: Callable[[], Any]) -> None:
    """Run a coroutine function with that window's page as Flet's current page; from any thread."""

    async def task() -> None:
        await work()

    window.page.run_task(task)
