"""Sleep is noticed on every kind of clock; a busy machine and a corrected clock are no sleep."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pgo.ui import live
from pgo.ui.autolock import SleepWatch
from pgo.ui.live import Windows
from pgo.ui.uploads import Uploads
from pgo.usecases.unlock import create_vault
from tests.support.applications import PASSPHRASE
from tests.support.headless import Headless, run
from tests.support.vaults import FixedClock, Home


class Clocks:
    """Two clocks the test moves."""

    def __init__(self) -> None:
        self.tick, self.wall = 0.0, datetime(2026, 1, 1, tzinfo=UTC)

    def move(self, ticks: float, wall: float) -> None:
        self.tick += ticks
        self.wall += timedelta(seconds=wall)


@pytest.mark.parametrize(
    ("ticks", "wall", "slept"),
    [
        (1, 1, False),
        (1, 1800, True),  # Linux, macOS: the monotonic clock stood still
        (1800, 1800, True),  # Windows: it went on, but nobody asked
        (8, 8, False),  # a busy machine
        (1, 3, False),  # a correction over the network
        (1, -3600, False),  # set back
        (1, 25, True),  # set forward: in doubt it locks
    ],
)
def test_sleep_is_told_from_a_busy_machine(ticks: float, wall: float, slept: bool) -> None:
    clocks = Clocks()
    watch = SleepWatch(lambda: clocks.tick, lambda: clocks.wall)
    clocks.move(ticks, wall)
    assert watch.slept() is slept
    clocks.move(1, 1)
    assert not watch.slept(), "one sleep is told once"


def test_a_vault_is_locked_when_the_computer_slept_less_than_the_idle_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CHECK_EVERY_SECONDS", 0.01)
    clock = FixedClock()
    application = Home(tmp_path, clock).app
    session = create_vault(application, tmp_path / "Proef", PASSPHRASE).session

    async def go() -> None:
        windows = Windows(application, Uploads("/prefix"), lambda: 0.0)
        async with Headless(windows.open) as app:
            app.page.data[0].opened(session)
            watching = asyncio.ensure_future(windows.keep_watch())
            await app.wait(lambda: app.has_key("lock"), "it never opened")
            await asyncio.sleep(0.05)
            assert not session.closed
            clock.forward(seconds=40)
            await app.wait(lambda: session.closed, "the vault stayed open after sleep")
            await app.wait_text("omdat de computer sliep")
            watching.cancel()
            await windows.end()

    run(go())
