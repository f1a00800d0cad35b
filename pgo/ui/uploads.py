"""Picked files come in here: streamed into memory, counted while they come, never on disk.

Flet offers two ways for files: over the WebSocket (above its message limit it hangs without a word) and
into an upload folder (plain text on disk, and a refused file leaves a part behind). Both are wrong for a
patient's file.

1. A screen opens a `Slot`; its secret name is good for one PUT.
2. Bytes beyond the limit stop the transfer: the slot fails with `TooLarge` and what came is dropped.
3. A slot nobody fills is forgotten with the session.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from pgo.errors import InputRefused
from pgo.ui.gate import TAKE_PATH

MAX_FILE_BYTES: Final = 50 * 1024 * 1024  # guide security 3.13: JSON up to 50 MB
TRANSFER_LIMIT_BYTES: Final = 60 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Slot:
    """One expected file.

    Attributes:
        url: Where the browser puts it, relative to our origin.
        data: Its bytes once it has come; fails with `InputRefused` ("too_large") when it is too big.
    """

    url: str
    data: asyncio.Future[bytes]


class Uploads:
    """All expected files of one run.

    Args:
        prefix: Secret path of this run.
        limit: Most bytes taken for one file.
    """

    def __init__(self, prefix: str, *, limit: int = TRANSFER_LIMIT_BYTES) -> None:
        self._prefix, self._limit = prefix, limit
        self._slots: dict[str, Slot] = {}

    def expect(self) -> Slot:
        """Open a slot for one file; call it on the event loop."""
        token = secrets.token_urlsafe(24)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        slot = Slot(url=f"{self._prefix}{TAKE_PATH}?to={token}", data=future)
        self._slots[token] = slot
        return slot

    def forget(self) -> None:
        """Drop all slots: the session ended."""
        for slot in self._slots.values():
            slot.data.cancel()
        self._slots.clear()

    async def take(self, query: str, stream: AsyncIterator[bytes]) -> int:
        """Take one file.

        Args:
            query: Raw query string, untrusted.
            stream: The body.

        Returns:
            HTTP status: 204 taken, 404 no such slot (or used before), 413 too large.
        """
        slot = self._slots.pop(query.removeprefix("to="), None)
        if slot is None or slot.data.done():
            return 404
        data = bytearray()
        async for chunk in stream:
            data += chunk
            if len(data) > self._limit:
                slot.data.set_exception(InputRefused("too_large"))
                return 413
        if not slot.data.done():
            slot.data.set_result(bytes(data))
        return 204
