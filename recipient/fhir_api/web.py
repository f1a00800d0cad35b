"""How a program talks to the API over HTTP: token, pace, form, accepted formats, and errors as outcomes.

Promises:
1. a handler runs only for a live token of an open client, within its pace, a few at a time;
2. every answer is FHIR JSON, every error an OperationOutcome with a stable code and no personal data;
3. what nobody foresaw is a 500 without a word of its text (``recipient.service`` logs class and place).

Sources: RFC 6750 (bearer tokens; in the header only, never in an address), FHIR R4 http.html.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from recipient.config import Limits
from recipient.errors import RecipientError, Refused
from recipient.fhir_api.answers import Answers, Question
from recipient.fhir_api.outcome import MEDIA_TYPE, REALM, Unanswerable, headers_of, outcome, status_of
from recipient.fhir_api.pace import Pace
from recipient.fhir_api.query import MAX_PARAMETERS
from recipient.fhir_api.tokens import Caller, caller_of
from recipient.ingress import read_body
from recipient.store import Store

_FORM = "application/x-www-form-urlencoded"
_JSON_WORDS = frozenset(
    {"json", "application/json", "application/fhir+json", "*/*", "application/*", "text/json"}
)
_VERSIONS = frozenset({"4.0", "4.0.1"})


@dataclass(slots=True)
class Desk:
    """What all requests of the API share for as long as the service runs."""

    store: Store
    answers: Answers
    clock: Callable[[], datetime]
    limits: Limits
    pace: Pace
    waiting: int = 0
    work: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.work = asyncio.Semaphore(self.limits.max_api_work)


Handler = Callable[[Desk, Request, Question], Response]


def endpoint(desk: Desk, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler of a route: parse, check, run it in a worker thread, turn errors into outcomes."""

    async def run(request: Request) -> Response:
        if desk.waiting >= desk.limits.max_api_waiting:
            return error_answer(Refused("busy", status=503))
        desk.waiting += 1
        try:
            form = await _form(request, desk.limits) if request.method == "POST" else b""
            async with desk.work:
                return await run_in_threadpool(_answer, desk, handler, request, form)
        except RecipientError as exc:
            return error_answer(exc)
        finally:
            desk.waiting -= 1

    return run


def fhir_answer(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return FHIR JSON."""
    return Response(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def error_answer(error: RecipientError) -> Response:
    """Return an error as an OperationOutcome."""
    parameter = error.parameter if isinstance(error, Unanswerable) else None
    body = outcome(error.code, parameter=parameter)
    return fhir_answer(body, status=status_of(error), headers=headers_of(error))


def broken_answer() -> Response:
    """Return what is said when something failed that nobody foresaw."""
    return fhir_answer(outcome("internal"), status=500)


def _answer(desk: Desk, handler: Handler, request: Request, form: bytes) -> Response:
    at = desk.clock()
    caller = _caller(desk, request, at)
    if caller is None:
        error = Unanswerable("login", status=401)
        answer = error_answer(error)
        if "authorization" not in request.headers:  # RFC 6750 section 3.1: then no error code
            answer.headers["www-authenticate"] = REALM
        return answer
    desk.pace.take(f"client:{caller.client.id}", at=at)
    pairs = (*_pairs(request.scope["query_string"]), *_pairs(form))
    _check_format(request, pairs)
    return handler(desk, request, Question(caller, pairs, _is_lenient(request), at))


def _caller(desk: Desk, request: Request, at: datetime) -> Caller | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    return caller_of(desk.store, token.strip(), at=at)


async def _form(request: Request, limits: Limits) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Unanswerable("not_a_form", status=415)
    return await read_body(
        request, max_bytes=limits.max_form_bytes, deadline_seconds=limits.body_deadline_seconds
    )


def _pairs(query: bytes) -> tuple[tuple[str, str], ...]:
    try:
        text = query.decode("ascii")
        found = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=4 * MAX_PARAMETERS)
    except ValueError as exc:  # UnicodeDecodeError is one
        raise Unanswerable("bad_value") from exc
    return tuple(found)


def _is_lenient(request: Request) -> bool:
    wishes = ",".join(request.headers.getlist("prefer")).lower().split(",")
    return "handling=lenient" in {wish.strip() for wish in wishes}


def _check_format(request: Request, pairs: tuple[tuple[str, str], ...]) -> None:
    """Refuse who accepts no FHIR JSON; ``_format`` goes before the header (R4 http.html#parameters)."""
    wished = [value for name, value in pairs if name == "_format"] or request.headers.getlist("accept")
    ranges = [part for text in wished for part in text.split(",") if part.strip()]
    if ranges and not any(_is_ours(one) for one in ranges):
        raise Unanswerable("not_acceptable", status=406)


def _is_ours(text: str) -> bool:
    # "+" of application/fhir+json becomes a space where somebody did not escape it
    kind, *parts = (part.strip().lower() for part in text.replace("fhir json", "fhir+json").split(";"))
    said = dict(part.partition("=")[::2] for part in parts)
    return (
        kind in _JSON_WORDS
        and said.get("fhirversion", "4.0") in _VERSIONS
        and said.get("q") not in ("0", "0.0")
    )
