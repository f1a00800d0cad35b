"""Where a program gets its access token, and where it reads how (SMART Backend Services).

Promises: one grant, one way to log in: client credentials with a signed assertion; every refusal is one word
of RFC 6749 and tells nothing else; log-in, use of the assertion's id and token are one transaction.

Sources: RFC 6749 sections 4.4 and 5; RFC 7523; SMART App Launch 2.2.0 backend-services, conformance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from recipient.config import Limits
from recipient.errors import Refused, Throttled
from recipient.fhir_api.assertion import ASSERTION_TYPE, verify_assertion
from recipient.fhir_api.clients import ALGORITHMS
from recipient.fhir_api.pace import Pace
from recipient.fhir_api.scopes import Scopes, covered, scopes_text
from recipient.fhir_api.tokens import GOOD_FOR, issue_token
from recipient.ingress import read_body
from recipient.login.sealed import LOGIN_ROWS
from recipient.store import Store

TOKEN_PATH = "/oauth/token"  # noqa: S105  (an address)
CONFIGURATION = "/.well-known/smart-configuration"
_FORM = "application/x-www-form-urlencoded"


def log_in_routes(
    store: Store, *, address: str, clock: Callable[[], datetime], limits: Limits
) -> list[BaseRoute]:
    """Return the token endpoint and the description of it; see ``recipient.fhir_api.routes``."""
    pace = Pace(limits.api_log_ins_per_minute)
    audience = address + TOKEN_PATH
    described = _configuration(audience)

    async def show_configuration(_request: Request) -> Response:
        return JSONResponse(described)

    async def give_token(request: Request) -> Response:
        try:
            form = await _form(request, limits)
            place = request.client.host if request.client else ""
            pace.take(f"address:{place}", at=clock())
            return await run_in_threadpool(_log_in, store, form, audience, clock())
        except Refused as exc:
            return _refusal(exc)

    return [
        Route(TOKEN_PATH, give_token, methods=["POST"]),
        Route(CONFIGURATION, show_configuration, methods=["GET"]),
        # SMART puts it under the address of the API, RFC 8414 at the root; it is the same document
        Route("/fhir" + CONFIGURATION, show_configuration, methods=["GET"]),
    ]


def _log_in(store: Store, form: Mapping[str, str], audience: str, at: datetime) -> Response:
    if form.get("grant_type") != "client_credentials":
        raise Refused("unsupported_grant_type")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise Refused("invalid_client", status=401)
    with store.transaction(about=LOGIN_ROWS):
        asserted = verify_assertion(store, form.get("client_assertion", ""), audience=audience, at=at)
        scopes = _scopes(form, asserted.client.scopes)
        token = issue_token(store, asserted, scopes, at=at)
    return JSONResponse(
        {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": int(GOOD_FOR.total_seconds()),
            "scope": scopes_text(scopes),
        },
        headers={"pragma": "no-cache"},  # RFC 6749 section 5.1
    )


def _scopes(form: Mapping[str, str], registered: Scopes) -> Scopes:
    scopes = covered(form.get("scope", ""), registered)
    if not scopes:
        raise Refused("invalid_scope")
    return scopes


async def _form(request: Request, limits: Limits) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Refused("invalid_request")
    body = await read_body(
        request, max_bytes=limits.max_form_bytes, deadline_seconds=limits.body_deadline_seconds
    )
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as exc:
        raise Refused("invalid_request") from exc
    if any(len(values) != 1 for values in fields.values()):  # RFC 6749 section 3.2
        raise Refused("invalid_request")
    return {name: values[0] for name, values in fields.items()}


def _refusal(error: Refused) -> Response:
    headers = {"retry-after": str(error.retry_after_seconds)} if isinstance(error, Throttled) else {}
    return JSONResponse({"error": error.code}, status_code=error.status, headers=headers)


def _configuration(audience: str) -> dict[str, object]:
    return {
        "token_endpoint": audience,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": sorted(ALGORITHMS),
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": ["system/*.rs"],
        "capabilities": ["client-confidential-asymmetric", "permission-v2"],
    }
