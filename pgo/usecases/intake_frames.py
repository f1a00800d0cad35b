"""What the reading process and the app say to each other: length, then one message of a closed set of types.

The app believes nothing of what comes back beyond its form: every frame is decoded into one of these types
or refused, and the bytes of every resource pass the strict JSON reader once more in the app.
"""

from __future__ import annotations

from typing import BinaryIO, TypeAlias

import msgspec

MAX_FRAME_BYTES = 210_000_000
"""A record with a document in it and the bytes it came from; the limits of the reader lie below."""

_HEAD_BYTES = 4


class BrokenFrame(Exception):
    """The other side said something that is no message, or stopped in the middle of one."""


class Task(msgspec.Struct, frozen=True, tag_field="message", tag="task"):
    """The one thing a reading process is asked: to read this file."""

    name: str
    data: bytes


class Counted(msgspec.Struct, frozen=True, tag_field="message", tag="counted"):
    """How far the reading is."""

    done: int
    total: int


class Taken(msgspec.Struct, frozen=True, tag_field="message", tag="taken"):
    """A resource; see ``pgo.health.record.resource.Resource``."""

    raw: bytes
    type: str
    id: str | None
    full_url: str | None
    original: bytes | None
    original_format: str


class Aside(msgspec.Struct, frozen=True, tag_field="message", tag="aside"):
    """A piece that was not taken; see ``pgo.health.record.resource.SetAside``."""

    entry: str
    type: str | None
    id: str | None
    code: str
    detail: str
    raw: bytes | None
    full_url: str


class Refusal(msgspec.Struct, frozen=True, tag_field="message", tag="refusal"):
    """Nothing of the file can be used. The last message."""

    code: str
    detail: str


class Finished(msgspec.Struct, frozen=True, tag_field="message", tag="finished"):
    """The file has been read to its end. The last message."""

    form: str


Answer: TypeAlias = Counted | Taken | Aside | Refusal | Finished

_encoder = msgspec.msgpack.Encoder()
_tasks = msgspec.msgpack.Decoder(Task)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def write_frame(stream: BinaryIO, message: Task | Answer) -> None:
    """Write one message; the caller flushes."""
    body = _encoder.encode(message)
    stream.write(len(body).to_bytes(_HEAD_BYTES, "big"))
    stream.write(body)


def read_task(stream: BinaryIO) -> Task | None:
    """Read the task; ``None`` when the app went away without giving one."""
    body = _body(stream)
    return None if body is None else _tasks.decode(body)


def read_answer(stream: BinaryIO) -> Answer:
    """Read the next answer.

    Raises:
        BrokenFrame: The process ended early, or said something else.
    """
    body = _body(stream)
    if body is None:
        raise BrokenFrame
    try:
        return _answers.decode(body)
    except msgspec.MsgspecError as exc:
        raise BrokenFrame from exc


def _body(stream: BinaryIO) -> bytes | None:
    head = stream.read(_HEAD_BYTES)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    if len(head) < _HEAD_BYTES or size > MAX_FRAME_BYTES:
        raise BrokenFrame
    body = stream.read(size)
    if len(body) < size:
        raise BrokenFrame
    return body
