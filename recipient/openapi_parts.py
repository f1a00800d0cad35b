"""Pieces that descriptions of addresses are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

HTML, JSON, FHIR = "text/html", "application/json", "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
_WORDS = {
    "200": "Done.",
    "303": "Elsewhere.",
    "304": "Not changed.",
    "400": "The request breaks a rule.",
    "401": "Log in first.",
    "403": "Not for this caller.",
    "404": "Not there, or not shared.",
    "405": "No such method.",
    "406": "Only FHIR JSON.",
    "408": "Too slow.",
    "409": "Conflicts with what is known.",
    "410": "No longer shared.",
    "413": "Too large.",
    "415": "Another type of content is needed.",
    "422": "Cannot be taken in.",
    "429": "Too many tries.",
    "503": "Busy; later.",
}


@dataclass(frozen=True, slots=True)
class Described:
    """What is said of one method of one address; ``path`` holds schemas of parts of it."""

    summary: str
    security: str | None
    answers: dict[str, Any]
    parameters: list[dict[str, Any]] = field(default_factory=list)
    body: dict[str, Any] | None = None
    path: dict[str, Any] = field(default_factory=dict)


def answers(statuses: Iterable[str], media_type: str) -> dict[str, Any]:
    """Describe answers of one type of content."""
    return {
        status: {"description": _WORDS.get(status, status), "content": {media_type: {}}}
        for status in statuses
    }


def refused() -> dict[str, Any]:
    """Describe the refusals of the inbox."""
    return answers(["400", "403", "404", "408", "409", "410", "413", "415", "422", "429", "503"], JSON)


def path_parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a part of the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


def query_parameter(name: str, schema: dict[str, Any], words: str = "") -> dict[str, Any]:
    """Describe a query parameter that may be left out."""
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": words}


def form_body(fields: dict[str, Any]) -> dict[str, Any]:
    """Describe a form; other fields may be there, all text."""
    schema = {"type": "object", "properties": fields, "additionalProperties": {"type": "string"}}
    return {"required": True, "content": {FORM: {"schema": schema}}}


def binary_body() -> dict[str, Any]:
    """Describe a sealed message."""
    schema = {"type": "string", "format": "binary"}
    return {"required": True, "content": {"application/octet-stream": {"schema": schema}}}
