"""Keep what is being typed: one write at a time, always ending with the newest value of each thing.

A person types faster than a vault writes. Writing every letter in parallel would let an older text win;
waiting for each write would make typing slow. So a value that arrives during a write waits, and replaces one
for the same thing that waited before it. Different things (two answers) never replace each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Keeper(Generic[T]):
    """Writes values in order of arrival, skipping those that were replaced before their turn."""

    def __init__(self, write: Callable[[str, T], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: dict[str, T] = {}
        self._task: asyncio.Task[None] | None = None

    def put(self, name: str, value: T) -> None:
        """Write this value of this thing as soon as possible; call from the event loop."""
        self._waiting.pop(name, None)
        self._waiting[name] = value
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())

    def forget(self) -> None:
        """Drop what still waits."""
        self._waiting.clear()

    async def flush(self) -> None:
        """Return when everything put so far is written."""
        if self._task is not None:
            await self._task

    async def _drain(self) -> None:
        while self._waiting:
            name = next(iter(self._waiting))
            await self._write(name, self._waiting.pop(name))
