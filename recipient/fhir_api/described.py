"""How the API and its log-in are described in OpenAPI, from the one table of types and parameters."""

from __future__ import annotations

from typing import Any

from recipient.fhir_api.parameters import DATE, TYPES
from recipient.openapi_parts import FHIR, JSON, Described, answers, form_body, query_parameter

_ID = "[A-Za-z0-9.-]{1,64}"
_DATE = "(eq|ne|gt|lt|ge|le|sa|eb|ap)?[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?"
_REFUSALS = ["400", "401", "403", "404", "406", "408", "410", "413", "415", "429", "503"]
_TEXT = {"type": "string", "maxLength": 400}
_PATH = {
    "type": {"type": "string", "enum": sorted(TYPES)},
    "id": {"type": "string", "pattern": f"^{_ID}$"},
}


def describe_fhir(method: str, path: str) -> Described:
    """Describe one address under ``/fhir``."""
    if path.endswith(("/metadata", "/smart-configuration")):
        kind = FHIR if path.endswith("metadata") else JSON
        return Described("What this server can.", None, answers(["200"], kind))
    if path.endswith("$everything"):
        found = _read("Everything that a patient shares and the token covers.", ["200"])
        found.parameters.extend((_count(), _types(), query_parameter("_since", _TEXT), _page()))
        return found
    if path.endswith("/{id}"):
        return _read("One resource.", ["200", "304"])
    if method == "POST":
        found = _read("A search with its parameters in a form.", ["200"])
        fields = {one["name"]: one["schema"] for one in _search_parameters()}
        return Described(found.summary, found.security, found.answers, body=form_body(fields), path=_PATH)
    found = _read("A search of one type.", ["200"])
    found.parameters.extend(_search_parameters())
    return found


def describe_log_in(method: str, path: str) -> Described:
    """Describe the token endpoint and what SMART reads first."""
    if method == "GET":
        return Described("How programs log in.", None, answers(["200"], JSON))
    fields: dict[str, Any] = {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "scope": {"type": "string"},
        "client_assertion_type": {"type": "string"},
        "client_assertion": {"type": "string"},
    }
    statuses = ["200", "400", "401", "408", "413", "429", "503"]
    return Described(f"An access token ({path}).", None, answers(statuses, JSON), body=form_body(fields))


def _read(summary: str, statuses: list[str]) -> Described:
    return Described(summary, "program", answers([*statuses, *_REFUSALS], FHIR), path=_PATH)


def _search_parameters() -> list[dict[str, Any]]:
    """Give every parameter of every type once; which type knows which is in ``metadata``."""
    kinds = {one.name: one.kind for parameters in TYPES.values() for one in parameters.values()}
    patient = {"type": "string", "pattern": f"^{_ID}$"}
    return [
        *(query_parameter(name, patient, "Whose share.") for name in ("patient", "subject")),
        query_parameter("_id", {"type": "string", "pattern": f"^{_ID}$"}),
        query_parameter("_lastUpdated", _date()),
        query_parameter(
            "_sort", {"type": "string", "enum": ["date", "-date", "_lastUpdated", "-_lastUpdated"]}
        ),
        _count(),
        _page(),
        *(query_parameter(name, _date() if kind == DATE else _TEXT) for name, kind in sorted(kinds.items())),
    ]


def _date() -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{_DATE}$"}


def _count() -> dict[str, Any]:
    return query_parameter("_count", {"type": "integer", "minimum": 0, "maximum": 500})


def _types() -> dict[str, Any]:
    return query_parameter("_type", {"type": "string", "enum": sorted(TYPES)})


def _page() -> dict[str, Any]:
    return query_parameter("_page", {"type": "string"}, "From the next link; alone.")
