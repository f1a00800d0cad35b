"""Say fast that a resource is certainly fine; never that it is not.

Nearly all resources have no issue, and for those a list of issues is work for nothing. So the facts of R4
become msgspec structures (``pgo.health.fhir_r4.structures``), and one decoding in C decides. A refusal
proves nothing (``_status`` may stand in for ``status``, and other rare things): then
``pgo.health.fhir_r4.walk`` goes through the resource and alone says what is wrong. What this module accepts
the walk accepts: a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pgo.health.fhir_r4.facts import resource_types
from pgo.health.fhir_r4.structures import CONTAINED, structure

# Tab and line ends stand in JSON as escapes only. Two spaces in their place are as wrong as they are wherever
# white space is forbidden, also in a code of several words, which may hold single spaces. (Behind an escaped
# backslash this breaks the text: the decoder then refuses, and the walk decides.)
_WHITE_ESCAPE = re.compile(rb"\\(?:[tnr]|u00[0-9a-fA-F]{2})")
_EMPTY_OBJECT = re.compile(rb"\{[ \t\r\n]*+\}")
# Resources inside these stand at more places than ``contained``; the walk opens them one by one.
_NESTING = frozenset({"Bundle", "Parameters"})
_FAILS = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


class _Head(msgspec.Struct):
    resourceType: str


_head = msgspec.json.Decoder(_Head)
_ready: dict[str, Callable[[bytes], Any]] = {}
_encoder = msgspec.json.Encoder(decimal_format="number")


def certainly_fine(kind: str, raw: bytes) -> bool:
    """Say whether a resource surely has no issue.

    Args:
        kind: Its ``resourceType``.
        raw: Its JSON.

    Returns:
        ``False`` when it has an issue or when it takes a closer look to know.
    """
    decode = _ready.get(kind) or _prepared(kind)
    try:
        resource = decode(_WHITE_ESCAPE.sub(b"  ", raw) if b"\\" in raw else raw)
        contained = getattr(resource, CONTAINED, None)
        if contained and not all(map(_fine_inside, contained)):
            return False
    except _FAILS:
        return False
    return _EMPTY_OBJECT.search(raw) is None


def written(resource: Mapping[str, Any]) -> bytes | None:
    """Write a resource as JSON, to be decoded here; ``None`` when that cannot be done."""
    try:
        return _encoder.encode(resource)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None


def _fine_inside(part: msgspec.Raw) -> bool:
    raw = bytes(part)
    return b'"contained"' not in raw and certainly_fine(_head.decode(raw).resourceType, raw)


def _prepared(kind: str) -> Callable[[bytes], Any]:
    if kind in _NESTING or kind not in resource_types():
        return _cannot_tell
    _ready[kind] = msgspec.json.Decoder(structure(kind)).decode
    return _ready[kind]


def _cannot_tell(_raw: bytes) -> Any:
    raise msgspec.ValidationError
