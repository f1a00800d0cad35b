"""Errors of the API, each an OperationOutcome with a stable code and nothing about a person.

Promises: what was asked is never repeated in an answer; not existing and not being shared look the same;
a grant that ended says so (410), as the portal does.

Sources: FHIR R4 http.html#Status-Codes, operationoutcome.html, valueset-issue-type.html; RFC 6750 section 3
(WWW-Authenticate).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from recipient.errors import NotShared, Purged, RecipientError, Refused, Throttled

MEDIA_TYPE = "application/fhir+json; fhirVersion=4.0"
REALM = 'Bearer realm="fhir"'

# code: FHIR issue type, words for the developer at the other end
_ISSUES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "not_found": ("not-found", "Nothing under this address is available under consent."),
        "no_longer_shared": ("deleted", "The patient stopped sharing, or the agreed period is over."),
        "reason_needed": ("business-rule", "Reading outside the treating relationship needs a reason first."),
        "login": ("login", "A valid access token is needed."),
        "scope": ("forbidden", "The access token does not cover this."),
        "no_such_interaction": ("not-supported", "There is no such type or interaction here."),
        "read_only": ("not-supported", "This interface only reads."),
        "not_acceptable": ("not-supported", "Answers are application/fhir+json of FHIR 4.0 only."),
        "patient_needed": ("required", "Name one patient: patient=<id>."),
        "unknown_parameter": ("not-supported", "A search parameter is not supported here."),
        "unknown_modifier": ("not-supported", "A modifier of a search parameter is not supported here."),
        "bad_value": ("value", "The value of a search parameter cannot be read."),
        "too_many_values": ("too-costly", "There are more parameters or values than are looked at."),
        "bad_page": ("value", "This page belongs to nobody or to somebody else; start the search again."),
        "stale_page": ("conflict", "What is shared changed since the first page; start the search again."),
        "not_a_form": ("invalid", "A search by POST is application/x-www-form-urlencoded."),
        "too_large": ("too-long", "The request is too large."),
        "too_slow": ("timeout", "The request came in too slowly."),
        "too_many_tries": ("throttled", "Too many requests; wait as long as Retry-After says."),
        "busy": ("throttled", "Too many requests at a time; wait as long as Retry-After says."),
    }
)
_OTHER = ("processing", "The request could not be answered.")


class Unanswerable(Refused):
    """A request of the API that breaks a rule; `parameter` is a known name, never a value."""

    def __init__(self, code: str, *, status: int = 400, parameter: str | None = None) -> None:
        super().__init__(code, status=status)
        self.parameter = parameter


def status_of(error: RecipientError) -> int:
    """Return the HTTP status of an error: 404 for what there is not, 410 for what ended."""
    if isinstance(error, Purged):
        return 410
    if isinstance(error, NotShared):
        return 404
    if isinstance(error, Refused):
        return error.status
    return 403 if error.code == "reason_needed" else 500


def headers_of(error: RecipientError) -> dict[str, str]:
    """Return the headers that go with an error."""
    if isinstance(error, Throttled):
        return {"retry-after": str(error.retry_after_seconds)}
    if error.code == "busy":
        return {"retry-after": "1"}
    if error.code == "login":
        return {"www-authenticate": f'{REALM}, error="invalid_token"'}
    if error.code == "scope":
        return {"www-authenticate": f'{REALM}, error="insufficient_scope"'}
    return {"allow": "GET, HEAD"} if error.code == "read_only" else {}


def outcome(code: str, *, severity: str = "error", parameter: str | None = None) -> bytes:
    """Write an OperationOutcome.

    Args:
        code: a code of this package.
        severity: `error` or `warning`.
        parameter: name of the search parameter that it is about, from our own table.
    """
    kind, words = _ISSUES.get(code, _OTHER)
    issue: dict[str, object] = {
        "severity": severity,
        "code": kind,
        "details": {"coding": [{"system": "urn:pgo:api-error", "code": code}], "text": words},
    }
    if parameter is not None:
        issue["expression"] = [f"http.{parameter}"]  # R4: "http.name" for a query parameter
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}, separators=(",", ":")).encode()
