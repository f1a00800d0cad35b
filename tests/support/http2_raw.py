"""HTTP/2 by hand, for what no library sends: one request on one connection, well-formed or not.

Header fields go as literals without Huffman code or table (RFC 7541 section 6.2.2), which every server must
take. Of an answer the status is read, and the body; a refusal of the stream or of the connection is an answer
without a status.

Sources: RFC 9113 (frames, sections 4, 6; malformed requests, section 8.1.1), RFC 7541 appendix A and B (the
static table and the Huffman code of digits).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
_STATUS_OF_INDEX = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}
_STATUS_NAMES = range(8, 15)  # of these entries of the static table the name is `:status`

Field = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back on the one stream."""

    status: int | None
    body: bytes


def request(*, host: str, path: str = "/v1/card", method: str = "GET", more: Sequence[Field] = ()) -> bytes:
    """Return the header block of a request; ``more`` comes as it is."""
    pseudo = [(":method", method), (":scheme", "https"), (":path", path), (":authority", host)]
    fields = [*((name.encode(), value.encode()) for name, value in pseudo), *more]
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def exchange(line: socket.socket, block: bytes, body: bytes | None = None) -> Answered:
    """Open the connection, send one request and read what comes back.

    Args:
        line: TLS with ``h2`` agreed on.
        block: from ``request``.
        body: sent as one frame; None for none.
    """
    line.sendall(PREFACE + _frame(SETTINGS, 0, 0, b""))
    line.sendall(_frame(HEADERS, END_HEADERS | (END_STREAM if body is None else 0), 1, block))
    if body is not None:
        line.sendall(_frame(DATA, END_STREAM, 1, body))
    return _receive(line)


def _receive(line: socket.socket) -> Answered:
    """Read until the stream or the connection ends."""
    status, body = None, bytearray()
    for kind, flags, stream, payload in _frames(line):
        if kind == SETTINGS and not flags & ACK:
            line.sendall(_frame(SETTINGS, ACK, 0, b""))
        elif kind == PING and not flags & ACK:
            line.sendall(_frame(PING, ACK, 0, payload))
        elif kind in (RST_STREAM, GOAWAY):
            break
        elif kind == HEADERS and stream == 1:
            status = _status(payload)
        elif kind == DATA and stream == 1:
            body += payload
        if stream == 1 and kind in (DATA, HEADERS) and flags & END_STREAM:
            break
    return Answered(status, bytes(body))


def _text(text: bytes) -> bytes:
    return _whole(len(text)) + text


def _whole(number: int) -> bytes:
    """A number with a prefix of seven bits; RFC 7541 section 5.1."""
    if number < 127:
        return bytes([number])
    number -= 127
    rest = bytearray([127])
    while number >= 128:
        rest.append(number % 128 + 128)
        number //= 128
    return bytes([*rest, number])


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _frames(line: socket.socket) -> Iterator[tuple[int, int, int, bytes]]:
    with line.makefile("rb") as reader:
        while len(head := reader.read(9)) == 9:
            size = int.from_bytes(head[:3], "big")
            yield head[3], head[4], int.from_bytes(head[5:], "big") & 0x7FFFFFFF, reader.read(size)


def _status(block: bytes) -> int:
    """The first field of an answer is its status (RFC 9113 section 8.3), after changes of the table size."""
    while block[0] & 0xE0 == 0x20:
        block = block[1:]
    if block[0] & 0x80:
        return _STATUS_OF_INDEX[block[0] & 0x7F]
    assert block[0] & (0x3F if block[0] & 0x40 else 0x0F) in _STATUS_NAMES, (
        "the first field is not the status"
    )
    size, text = block[1] & 0x7F, block[2:]
    if not block[1] & 0x80:
        return int(text[:size])
    return int(_digits(text[:size]))


def _digits(coded: bytes) -> str:
    """Undo the Huffman code of digits: 0 to 2 are 00000 to 00010, 3 to 9 are 011001 to 011111."""
    bits = "".join(f"{byte:08b}" for byte in coded)
    found = ""
    while len(bits) >= 5 and not set(bits) == {"1"}:
        short = int(bits[:5], 2)
        found += str(short) if short <= 2 else str(int(bits[:6], 2) - 0b011001 + 3)
        bits = bits[5:] if short <= 2 else bits[6:]
    return found
