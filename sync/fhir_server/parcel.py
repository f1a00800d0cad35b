"""What one message to a FHIR server carries, as bytes that the outbox keeps and a retry sends again.

1. `controls` go first and by themselves: the anchor Patient, the Consents, the Provenance. Without them
   nothing else goes.
2. `records` follow, what is referred to first.
3. `gone` is what the server may no longer have.
4. `known` says where things lie at a server that gives out its own ids.

The bytes are ours and come back from our own store; they are checked all the same when they are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crypto.canonical import JsonValue, parse_strict
from crypto.errors import Malformed
from sync.errors import LocalRuleError
from sync.fhir_server.exact import exact_bytes

VERSION: Final = 1
MAX_BYTES: Final = 64 * 1024 * 1024
_DEPTH: Final = 100
_MEMBERS: Final = frozenset({"v", "statement", "controls", "records", "gone", "known"})

Body = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message.

    Attributes:
        statement: the signed statement in force; also inside the Consents.
        controls: bodies, in sending order.
        records: bodies, in sending order.
        gone: names.
        known: name to `Type/id` there, where that differs.
    """

    statement: str = field(repr=False)
    controls: tuple[Body, ...] = field(default=(), repr=False)
    records: tuple[Body, ...] = field(default=(), repr=False)
    gone: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)


def parcel_bytes(parcel: Parcel) -> bytes:
    """Write a parcel; equal parcels give equal bytes."""
    return exact_bytes(
        {
            "v": VERSION,
            "statement": parcel.statement,
            "controls": list(parcel.controls),
            "records": list(parcel.records),
            "gone": list(parcel.gone),
            "known": dict(sorted(parcel.known.items())),
        }
    )


def read_parcel(content: bytes) -> Parcel:
    """Read a parcel that was kept.

    Raises:
        LocalRuleError: `bad_content`; it is our own, so a bug or a damaged store.
    """
    try:
        body = parse_strict(content, max_bytes=MAX_BYTES, max_depth=_DEPTH)
    except Malformed as exc:
        raise LocalRuleError("bad_content") from exc
    if not isinstance(body, Mapping) or body.keys() != _MEMBERS or body["v"] != VERSION:
        raise LocalRuleError("bad_content")
    known, statement = body["known"], body["statement"]
    if not isinstance(known, Mapping) or not isinstance(statement, str):
        raise LocalRuleError("bad_content")
    return Parcel(
        statement=statement,
        controls=tuple(_bodies(body["controls"])),
        records=tuple(_bodies(body["records"])),
        gone=tuple(str(name) for name in _list(body["gone"])),
        known={name: str(there) for name, there in known.items()},
    )


def _bodies(value: JsonValue) -> list[Any]:
    found = _list(value)
    if not all(isinstance(one, Mapping) for one in found):
        raise LocalRuleError("bad_content")
    return list(found)


def _list(value: JsonValue) -> Sequence[JsonValue]:
    if not isinstance(value, list):
        raise LocalRuleError("bad_content")
    return value
