"""The socket a recipient listens at: small answers leave at once, a taken port is an error."""

from __future__ import annotations

import asyncio
import socket

import pytest

from recipient.listener import bound


def test_answers_do_not_wait_for_an_acknowledgement() -> None:
    async def accepted() -> int:
        seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = writer.get_extra_info("socket")
            seen.set_result(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()
            await writer.wait_closed()

        listener = bound("127.0.0.1", 0)
        async with await asyncio.start_server(serve, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            found = await asyncio.wait_for(seen, 60)
            writer.close()
            await writer.wait_closed()
        return found

    assert asyncio.run(accepted()) != 0


def test_a_taken_port_is_an_error() -> None:
    with bound("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(OSError, match="in use"):
            bound("127.0.0.1", first.getsockname()[1])
