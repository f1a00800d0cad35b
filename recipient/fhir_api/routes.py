"""The addresses under ``/fhir``: reading one, searching a type, everything of a patient, what the server can.

Promises: nothing here writes; every other address or method under ``/fhir`` is answered as such, in FHIR.

Sources: FHIR R4 http.html#read, #search, #cread (conditional read), operation-patient-everything.html.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from recipient.config import Limits
from recipient.fhir_api.answers import Answers, One, Question
from recipient.fhir_api.bundles import http_date, version_tag
from recipient.fhir_api.capability import capability_statement
from recipient.fhir_api.log_in import TOKEN_PATH, log_in_routes
from recipient.fhir_api.outcome import Unanswerable
from recipient.fhir_api.pace import Pace
from recipient.fhir_api.web import Desk, endpoint, error_answer, fhir_answer
from recipient.identity import Identity
from recipient.store import Store

BASE = "/fhir"
_ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def fhir_routes(
    store: Store, identity: Identity, *, address: str, clock: Callable[[], datetime], limits: Limits
) -> list[BaseRoute]:
    """Return the routes of the API and of logging in to it.

    Args:
        store: open store.
        identity: who we are.
        address: public address of this service, without a slash at the end.
        clock: present instant.
        limits: what a stranger and a client may cost.
    """
    desk = Desk(
        store=store,
        answers=Answers(store, identity, base=address + BASE),
        clock=clock,
        limits=limits,
        pace=Pace(limits.api_requests_per_minute),
    )
    statement = capability_statement(
        base=address + BASE,
        tokens=address + TOKEN_PATH,
        name=identity.name,
        version=version("pgo"),
        since=clock(),
    )

    async def show_metadata(_request: Request) -> Response:
        return fhir_answer(statement)

    return [
        *log_in_routes(store, address=address, clock=clock, limits=limits),
        Route(f"{BASE}/metadata", show_metadata, methods=["GET"]),
        Route(BASE + "/Patient/{id}/$everything", endpoint(desk, show_everything), methods=["GET"]),
        Route(BASE + "/{type}/_search", endpoint(desk, find), methods=["POST"]),
        Route(BASE + "/{type}", endpoint(desk, find), methods=["GET"]),
        Route(BASE + "/{type}/{id}", endpoint(desk, show_one), methods=["GET"]),
        Route(BASE + "/{rest:path}", refuse_other, methods=_ALL_METHODS),
    ]


def show_one(desk: Desk, request: Request, question: Question) -> Response:
    """Show one resource, or say that it is still the same (304); either way it is a look."""
    one = desk.answers.read(question, request.path_params["type"], request.path_params["id"])
    headers = {"etag": version_tag(one.body), "last-modified": http_date(one.arrived_at)}
    if _is_known(request, one, headers["etag"]):
        return Response(status_code=304, headers=headers)
    return fhir_answer(one.body, headers=headers)


def find(desk: Desk, request: Request, question: Question) -> Response:
    """Search one type, with parameters in the address or in a form."""
    return fhir_answer(desk.answers.search(question, request.path_params["type"]))


def show_everything(desk: Desk, request: Request, question: Question) -> Response:
    """Show all that a patient shares and the token covers."""
    return fhir_answer(desk.answers.everything(question, request.path_params["id"]))


async def refuse_other(request: Request) -> Response:
    """Say that there is no such address, or that nothing is written here."""
    if request.method in ("GET", "HEAD"):
        return error_answer(Unanswerable("no_such_interaction", status=404))
    return error_answer(Unanswerable("read_only", status=405))


def _is_known(request: Request, one: One, tag: str) -> bool:
    """Whether the client has these bytes already (RFC 9110 section 13.1: the tag goes before the date)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        opaque = tag.removeprefix("W/")
        return any(part.strip().removeprefix("W/") in (opaque, "*") for part in tags.split(","))
    since = request.headers.get("if-modified-since")
    try:
        return since is not None and one.arrived_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):  # no date, or one without a zone: as if it were not there
        return False
