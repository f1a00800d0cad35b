"""Talking to one FHIR server: every status is one of ours, every body is bounded and read strictly.

What an answer means:

1. A status the caller expects is handed over with its body.
2. 401 once: a fresh token is asked for and the request goes again; then, and for 403, `fhir_not_allowed`.
3. 408, 429, 5xx and redirects: not now. The wait the server names counts (`Retry-After`, or the body of an
   OperationOutcome with the time in milliseconds, as Medplum writes it).
4. 413 is `fhir_too_large`, 412 `fhir_several` (a condition met several resources), any other 4xx
   `fhir_refused`. None of these is retried by itself.
5. A body that is no strict JSON object where one is needed proves nothing: `no_proof`, later.
6. What is taken back while it is being sent is broken off: asked before the request and before each piece of
   its body. A Bundle of which the end never comes is no JSON, so the server does nothing with it.

Sources: FHIR R4 http.html (status codes), operationoutcome.html; RFC 9110 section 10.2.3 (Retry-After);
RFC 6585 section 4 (429).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from crypto.canonical import JsonValue, parse_strict
from crypto.errors import Malformed
from sync.endpoint import parse_endpoint
from sync.errors import RemoteRuleError, Unreachable
from sync.fhir_server.capability import MAX_BYTES as MAX_CAPABILITY_BYTES
from sync.fhir_server.capability import Capability, parse_capability
from sync.fhir_server.login import HttpCaller, Login, Tokens
from sync.fhir_server.server import FhirServer
from sync.transport import Answer, always, retry_after

FHIR_JSON: Final = "application/fhir+json"
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
"""A server may give back every resource it stored, with what it added."""

_DEPTH: Final = 100
_MAX_WAIT_MS: Final = 24 * 3_600_000
_LATER: Final = frozenset({408, 425, 429})
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reply:
    """An expected answer; `body` is empty where none came."""

    status: int
    body: Mapping[str, JsonValue] = field(repr=False)


class FhirClient:
    """One server, as one login."""

    def __init__(
        self, caller: HttpCaller, server: FhirServer, login: Login, *, clock: Callable[[], datetime]
    ) -> None:
        self._caller = caller
        self._endpoint = parse_endpoint(server.endpoint)
        self._tokens = Tokens(caller, self._endpoint, login)
        self._clock = clock

    def capability(self) -> Capability:
        """Read what the server says it can; asked without logging in, as the standard has it.

        Raises:
            Unreachable, RemoteRuleError: as `ask`, and as `parse_capability`.
        """
        headers = {"accept": FHIR_JSON}
        answer = self._caller.call(
            "GET", self._endpoint, "/metadata", headers=headers, max_answer_bytes=MAX_CAPABILITY_BYTES
        )
        if answer.status in (401, 403):  # some ask for it all the same
            answer = self._call("GET", "/metadata", limit=MAX_CAPABILITY_BYTES)
        if answer.status in (404, 406, 410):
            raise RemoteRuleError("fhir_no_statement", status=answer.status)
        _judge(answer, {200})
        return parse_capability(answer.body)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        expect: Collection[int] = (200,),
        headers: Mapping[str, str] = _NO_HEADERS,
        going: Callable[[], bool] = always,
    ) -> Reply:
        """Ask one thing.

        Args:
            method: HTTP method.
            path: below the service base, with its query.
            body: FHIR JSON.
            expect: statuses that are an answer (rule 1).
            headers: beside those of every request.
            going: whether it may still go (rule 6); asked from the thread that sends.

        Raises:
            Unreachable: `taken_back` as well.
            RemoteRuleError, LocalRuleError: rules 2 to 5.
        """
        answer = self._call(method, path, limit=MAX_ANSWER_BYTES, body=body, extra=headers, going=going)
        _judge(answer, expect)
        return Reply(answer.status, _object(answer))

    def _call(
        self,
        method: str,
        path: str,
        *,
        limit: int,
        body: bytes = b"",
        extra: Mapping[str, str] = _NO_HEADERS,
        going: Callable[[], bool] = always,
    ) -> Answer:
        sent = {"accept": FHIR_JSON, **({"content-type": FHIR_JSON} if body else {}), **extra}
        for _ in range(2):
            headers = {**sent, **self._tokens.header(at=self._clock())}
            answer = self._caller.call(
                method,
                self._endpoint,
                path,
                headers=headers,
                body=body,
                max_answer_bytes=limit,
                going=going,
            )
            if answer.status != 401 or not self._tokens.refused():
                break
        return answer


def wait_seconds(headers: Mapping[str, str], body: bytes) -> int | None:
    """How long the server asks us to wait (rule 3); None when it does not say."""
    asked = retry_after(headers)
    if asked is not None:
        return asked
    try:
        outcome = parse_strict(body, max_bytes=MAX_CAPABILITY_BYTES)
    except Malformed:
        return None
    return wait_of_outcome(outcome)


def wait_of_outcome(outcome: JsonValue) -> int | None:
    """The wait in an OperationOutcome: `diagnostics` with `_msBeforeNext`, as Medplum writes it."""
    issues = outcome.get("issue") if isinstance(outcome, Mapping) else None
    for issue in issues if isinstance(issues, list) else ():
        text = issue.get("diagnostics") if isinstance(issue, Mapping) else None
        if not isinstance(text, str) or len(text) > 1_000:
            continue
        try:
            said = json.loads(text)
        except ValueError:
            continue
        wait = said.get("_msBeforeNext") if isinstance(said, dict) else None
        if isinstance(wait, int) and not isinstance(wait, bool) and 0 <= wait <= _MAX_WAIT_MS:
            return -(-wait // 1000)
    return None


def _judge(answer: Answer, expect: Collection[int]) -> None:
    status = answer.status
    if status in expect:
        return
    if status in _LATER or status >= 500:
        code = "busy" if status in (429, 503) else "fhir_failing"
        raise Unreachable(code, retry_after_seconds=wait_seconds(answer.headers, answer.body))
    if status < 400:
        raise Unreachable("no_proof")
    raise RemoteRuleError(_REFUSALS.get(status, "fhir_refused"), status=status)


_REFUSALS: Final[Mapping[int, str]] = {
    401: "fhir_not_allowed",
    403: "fhir_not_allowed",
    412: "fhir_several",
    413: "fhir_too_large",
}


def _object(answer: Answer) -> Mapping[str, JsonValue]:
    if not answer.body:
        return {}
    try:
        body = parse_strict(answer.body, max_bytes=MAX_ANSWER_BYTES, max_depth=_DEPTH)
    except Malformed as exc:
        if answer.status >= 400:  # the status says enough: a page of HTML under a 404 is still a 404
            return {}
        raise Unreachable("no_proof") from exc
    if not isinstance(body, Mapping):
        raise Unreachable("no_proof")
    return body
