"""Builders for the health tests: a resource from a plain dict, as the reader would give it."""

from __future__ import annotations

import json
from typing import Any

from pgo.health.record.reader import read_records
from pgo.health.record.resource import Resource


def resource(kind: str, /, **members: Any) -> Resource:
    """Pass a body through the reader, so that every test starts from what the reader really gives."""
    (found,) = read_records(json.dumps({"resourceType": kind, **members}).encode(), name="x.json").resources
    return found


def observation(**members: Any) -> Resource:
    return resource("Observation", **{"status": "final", "code": {"text": "Gewicht"}, **members})


def coded(system: str, code: str, **members: Any) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **members}]}
