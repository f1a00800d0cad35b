"""A body may be slow, as long as it comes: the deadline grows with what came, and a trickle stays cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from starlette.requests import Request
from starlette.types import Message

from recipient.errors import Refused
from recipient.ingress import SLOWEST, read_body

PIECE = bytes(SLOWEST)


async def in_pieces(pieces: int, pause: float) -> AsyncIterator[bytes]:
    for number in range(pieces):
        if number:
            await asyncio.sleep(pause)
        yield PIECE


async def trickle() -> AsyncIterator[bytes]:
    while True:
        yield b"."
        await asyncio.sleep(0.01)


def read(body: Callable[[], AsyncIterator[bytes]], *, deadline: float, most: int = 1_000_000) -> bytes:
    async def run() -> bytes:
        source = body()

        async def receive() -> Message:
            piece = await anext(source, b"")
            return {"type": "http.request", "body": piece, "more_body": bool(piece)}

        request = Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)
        return await read_body(request, max_bytes=most, deadline_seconds=deadline)

    return asyncio.run(run())


def test_a_body_that_keeps_coming_is_waited_for() -> None:
    assert len(read(lambda: in_pieces(4, pause=0.5), deadline=1.0)) == 4 * SLOWEST


def test_a_trickle_is_cut_off_however_long_it_goes_on() -> None:
    with pytest.raises(Refused) as refused:
        read(trickle, deadline=0.3)
    assert refused.value.code == "too_slow"


def test_slow_or_not_one_byte_too_many_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        read(lambda: in_pieces(3, pause=0), deadline=60, most=2 * SLOWEST)
    assert refused.value.code == "too_large"
