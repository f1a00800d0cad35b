"""Keeping what is being typed."""

from __future__ import annotations

import asyncio

from pgo.ui.records.keeper import Keeper
from tests.support.headless import run


def test_the_newest_value_is_written_last_and_skipped_ones_never() -> None:
    written: list[tuple[str, int]] = []
    gate = asyncio.Event()

    async def write(name: str, value: int) -> None:
        await gate.wait()
        written.append((name, value))

    async def go() -> None:
        keeper: Keeper[int] = Keeper(write)
        for value in range(5):
            keeper.put("a", value)
            await asyncio.sleep(0)
        keeper.put("b", 9)
        gate.set()
        await keeper.flush()

    run(go())
    assert written == [("a", 0), ("a", 4), ("b", 9)]


def test_values_of_different_things_never_replace_each_other() -> None:
    written: list[tuple[str, int]] = []

    async def write(name: str, value: int) -> None:
        await asyncio.sleep(0)
        written.append((name, value))

    async def go() -> None:
        keeper: Keeper[int] = Keeper(write)
        keeper.put("a", 1)
        keeper.put("b", 2)
        keeper.put("c", 3)
        await keeper.flush()
        keeper.put("a", 4)
        await keeper.flush()

    run(go())
    assert written == [("a", 1), ("b", 2), ("c", 3), ("a", 4)]


def test_forgetting_drops_what_waits() -> None:
    written: list[int] = []
    gate = asyncio.Event()

    async def write(_name: str, value: int) -> None:
        await gate.wait()
        written.append(value)

    async def go() -> None:
        keeper: Keeper[int] = Keeper(write)
        keeper.put("a", 1)
        await asyncio.sleep(0)
        keeper.put("a", 2)
        keeper.forget()
        gate.set()
        await keeper.flush()

    run(go())
    assert written == [1]
