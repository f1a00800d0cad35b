"""JSON out, with every number written as it came: `7.50` stays `7.50` (FHIR R4 json.html, decimal)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from crypto.canonical import JsonValue

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def exact_bytes(value: Mapping[str, JsonValue]) -> bytes:
    """Write a decoded object; members stay in their order."""
    return _ENCODER.encode(value)
