"""A vault opened in the real frame without a browser, for tests of screens.

async with open_frame(folder, route="/collect") as frame:
    await frame.app.click("pick")
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgo.ui.live import Windows
from pgo.ui.state import AppState
from pgo.ui.uploads import Uploads
from pgo.usecases.session import Application, Session
from pgo.usecases.unlock import create_vault
from tests.support.applications import PASSPHRASE, an_application
from tests.support.headless import Headless


@dataclass(frozen=True, slots=True)
class Frame:
    """The parts of a running frame."""

    app: Headless
    state: AppState
    session: Session
    uploads: Uploads


@asynccontextmanager
async def locked_frame(
    application: Application, *, width: float = 1000, results: dict[str, Any] | None = None
) -> AsyncIterator[tuple[Headless, AppState, Windows]]:
    """The start screen of an application."""
    windows = Windows(application, Uploads("/prefix"), time.monotonic)
    async with Headless(windows.open, width=width, results=results) as app:
        state: AppState = app.page.data[0]
        try:
            yield app, state, windows
        finally:
            await windows.end()


@asynccontextmanager
async def open_frame(
    folder: Path, *, route: str = "/", width: float = 1000, results: dict[str, Any] | None = None
) -> AsyncIterator[Frame]:
    """A new, empty vault in the frame, at a route."""
    application = an_application(folder)
    made = create_vault(application, folder / "Proef", PASSPHRASE)
    async with locked_frame(application, width=width, results=results) as (app, state, _):
        assert state.uploads is not None
        state.opened(made.session)
        await app.settle(40)
        if route != "/":
            app.page.navigate(route)
            await app.settle(40)
        yield Frame(app, state, made.session, state.uploads)
