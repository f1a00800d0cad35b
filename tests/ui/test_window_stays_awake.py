"""The window's event loop never waits for the store: not for a file, not for a search, on no screen.

Told by threads and not by a clock: whatever the encrypted store is asked, it is asked in another thread than
the one that draws. (How long the window is silent meanwhile is measured in ``benchmarks/screens_bench.py``.)
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pgo.store.database import EncryptedDatabase
from pgo.usecases.collect import collect
from tests.support.headless import run
from tests.support.screens import open_frame
from tests.ui.test_collect_screen import Browser, bundle, patient, weight
from tests.ui.test_collect_screen import collect as pick

SCREENS = ("/", "/timeline", "/measurements", "/medication", "/profile", "/share", "/check", "/settings")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often each thread asked the store for something."""
    found: Counter[int] = Counter()
    ready = EncryptedDatabase._ready

    @contextmanager
    def counted(self: EncryptedDatabase) -> Iterator[None]:
        found[threading.get_ident()] += 1
        with ready(self):
            yield

    monkeypatch.setattr(EncryptedDatabase, "_ready", counted)
    return found


def many(count: int) -> bytes:
    return bundle(patient("1"), *(weight("1", str(number)) for number in range(count)))


def test_screens_and_a_search_ask_the_store_in_another_thread(tmp_path: Path, asked: Counter[int]) -> None:
    async def go() -> None:
        async with open_frame(tmp_path) as frame:
            collect(frame.session, many(300), name="many.json")
            asked.clear()
            for route in SCREENS:
                frame.app.page.navigate(route)
                await frame.app.settle(40)
            frame.app.page.navigate("/timeline")
            await frame.app.wait_text("gegevens, nieuwste eerst")
            await frame.app.type("timeline-search", "299 kg")
            await frame.app.wait_text("1 gevonden")
            assert asked.total() > len(SCREENS)
            assert threading.get_ident() not in asked

    run(go())


def test_a_file_is_taken_in_in_another_thread(tmp_path: Path, asked: Counter[int]) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/collect") as frame:
            asked.clear()
            await pick(frame, Browser("many.json", many(300)))
            await frame.app.wait_text("gegevens uit many.json staan nu in uw kluis", 60)
            assert asked.total() >= 300
            assert threading.get_ident() not in asked

    run(go())
