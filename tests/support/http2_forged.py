"""One request over HTTP/2 that no honest client sends: `h2` with its own checks switched off.

A server may answer such a request, refuse its stream, or hang up; the last two are answers without a status.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)

Field = tuple[bytes, bytes]
_UNCHECKED = H2Configuration(
    client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
)
_THE_END = (StreamEnded, StreamReset, ConnectionTerminated)


@dataclass
class Answered:
    """What came back on the one stream."""

    status: int | None = None
    body: bytes = b""

    def take(self, event: Event) -> None:
        """Note what an event says."""
        if isinstance(event, ResponseReceived):
            self.status = int(dict(event.headers)[b":status"])
        elif isinstance(event, DataReceived):
            self.body += event.data


def exchange(
    line: socket.socket, *, host: str, path: str, more: Sequence[Field] = (), body: bytes | None = None
) -> Answered:
    """Send one request and read until its stream or the connection ends.

    Args:
        line: TLS with ``h2`` agreed on.
        host: authority.
        path: POST to it with a ``body``, GET without.
        more: header fields, sent as they are.
        body: sent whole, whatever ``more`` says of its length.
    """
    connection, answered = H2Connection(_UNCHECKED), Answered()
    connection.initiate_connection()
    method = b"GET" if body is None else b"POST"
    pseudo = [(b":method", method), (b":scheme", b"https"), (b":path", path.encode())]
    connection.send_headers(1, [*pseudo, (b":authority", host.encode()), *more], end_stream=body is None)
    if body is not None:
        connection.send_data(1, body, end_stream=True)
    line.sendall(connection.data_to_send())
    while chunk := line.recv(65_536):
        events = connection.receive_data(chunk)
        line.sendall(connection.data_to_send())
        for event in events:
            answered.take(event)
        if any(isinstance(event, _THE_END) for event in events):
            break
    return answered
