"""One window at a time: which browser session holds the open vault, and when it must let go.

Rules:

1. At most one window is live. A new one starts locked and ends the earlier one: its vault is locked, its
   screen is emptied, it offers nothing any more.
2. Idle longer than the person chose, or asleep: the vault is locked and the screen emptied.
3. A window that is closed, or a program that stops, locks the vault.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import flet as ft
from flet.components.component import Component
from flet.controls.context import _context_page

from pgo.ui import safety
from pgo.ui.app import start
from pgo.ui.autolock import CHECK_EVERY_SECONDS, IdleWatch, SleepWatch
from pgo.ui.state import AppState, close_vault
from pgo.usecases.settings import lock_screen_prefs

if TYPE_CHECKING:
    from pgo.ui.uploads import Uploads
    from pgo.usecases.session import Application


@dataclass(frozen=True, slots=True)
class Window:
    """One browser session."""

    page: ft.Page
    state: AppState
    loop: asyncio.AbstractEventLoop

    def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine function with this page as Flet's current one; from any thread.

        Not ``page.run_task``: that needs a connection, and a window that lost its browser must still lock.
        """

        async def task() -> None:
            _context_page.set(self.page)  # type: ignore[arg-type]  # Flet types its own variable as None
            await safety.contain(work())
            self._draw_unconnected()

        # The future is held by the loop until it is done.
        asyncio.run_coroutine_threadsafe(task(), self.loop)

    def _draw_unconnected(self) -> None:
        """Draw now what Flet would skip: while a browser is away it drops every drawing.

        When the browser comes back it gets the tree as it stands, so a vault that was locked meanwhile would
        show its last screen once more.
        """
        root = self.page.views
        if self.page.session.connection is None and isinstance(root, Component):
            root.update()


class Windows:
    """Keeps the one live window.

    Args:
        application: What exists before a vault is open.
        uploads: Where picked files come in.
        ticks: Seconds of a clock that only goes forward.
        sleep: Notices that the computer slept; None for these clocks.
    """

    def __init__(
        self,
        application: Application,
        uploads: Uploads,
        ticks: Callable[[], float],
        sleep: SleepWatch | None = None,
    ) -> None:
        self.application, self._uploads = application, uploads
        self._watch = IdleWatch(ticks, application.clock)
        self._sleep = sleep or SleepWatch(ticks, application.clock)
        self._live: Window | None = None

    def touch(self) -> None:
        """Somebody moved, typed or tapped in the live window."""
        self._watch.touch()

    def open(self, page: ft.Page) -> None:
        """Take a new browser session in; this is Flet's ``main(page)``."""
        state = AppState()
        state.attach(self.application, uploads=self._uploads)
        kept = lock_screen_prefs(self.application)
        state.prefs.lang, state.prefs.theme = kept.language, kept.theme
        earlier, window = self._live, Window(page, state, asyncio.get_running_loop())
        self._live = window
        self.touch()
        page.on_connect = lambda _e: state.redraw()
        page.on_close = lambda _e: self._gone(window)
        state.follow(window.run)
        start(page, state)
        if earlier is not None:
            earlier.run(earlier.state.end)

    def _gone(self, window: Window) -> None:
        if self._live is window:
            self._live = None
        session = window.state.forget()
        if session is not None:
            close_vault(session)

    async def keep_watch(self) -> None:
        """Lock when nobody is there or the computer slept; runs as long as the program."""
        while True:
            await asyncio.sleep(CHECK_EVERY_SECONDS)
            slept, window = self._sleep.slept(), self._live
            if window is None or not window.state.holds_vault:
                self.touch()
                continue
            if slept:
                window.run(functools.partial(window.state.lock, "lock.suspended"))
            elif self._watch.is_over(timedelta(minutes=window.state.prefs.auto_lock_minutes)):
                window.run(window.state.lock_idle)

    async def end(self) -> None:
        """The program stops: lock the vault."""
        window, self._live = self._live, None
        self._uploads.forget()
        session = window.state.forget() if window is not None else None
        if session is not None:
            await asyncio.to_thread(close_vault, session)
