"""The inbox over HTTP: counts bytes, bounds the work, words refusals as ``sync.wire`` says.

Promises: at most a handful of messages are in memory at a time, the rest is told to come back; a refusal has
exactly the status and code that the patient's app takes as final; anything temporary is 503 with
``Retry-After``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from recipient.config import Limits
from recipient.errors import Busy, Refused
from recipient.identity import Identity
from recipient.inbox import Inbox
from recipient.ingress import read_body
from recipient.operations import CODE
from recipient.store import Store
from sync.envelope import peek_message_id
from sync.errors import RemoteRuleError
from sync.wire import MAX_BODY_BYTES, MEDIA_TYPE, PATHS, REFUSALS, Kind, sign_time

_RETRY_SECONDS = 10
_BUSY_RETRY_SECONDS = 3600


def inbox_routes(
    store: Store, identity: Identity, *, clock: Callable[[], datetime], limits: Limits
) -> list[BaseRoute]:
    """Return the routes of the patient's app."""
    inbox = Inbox(store, identity)
    gate = _Gate(limits)

    def route(path: str, work: Callable[[bytes, datetime], bytes]) -> Route:
        async def take(request: Request) -> Response:
            return await gate.run(request, work, clock=clock, identity=identity)

        return Route(path, take, methods=["POST"])

    return [
        route(PATHS[Kind.PUSH], lambda body, at: inbox.receive(body, at=at)),
        route(PATHS[Kind.ACCESS], lambda body, at: inbox.access(body, at=at)),
        route(PATHS[Kind.HEAD], lambda body, at: inbox.head(body, at=at)),
    ]


class _Gate:
    """Lets few messages in at a time and turns errors into answers."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._inside = 0
        self._work = asyncio.Semaphore(limits.max_inbox_work)

    async def run(
        self,
        request: Request,
        work: Callable[[bytes, datetime], bytes],
        *,
        clock: Callable[[], datetime],
        identity: Identity,
    ) -> Response:
        if self._inside >= self._limits.max_inbox_waiting:
            return _later(request, "busy", _RETRY_SECONDS)
        self._inside += 1
        body = b""
        try:
            body = await read_body(
                request,
                max_bytes=MAX_BODY_BYTES,
                deadline_seconds=self._limits.body_deadline_seconds,
            )
            async with self._work:
                answer = await run_in_threadpool(work, body, clock())
            return Response(answer, media_type=MEDIA_TYPE)
        except RemoteRuleError as exc:
            request.scope[CODE] = exc.code
            return _refusal(exc.code, body, identity=identity, at=clock())
        except Busy as exc:
            return _later(request, exc.code, exc.retry_after_seconds)
        except Refused as exc:
            if exc.status == 503:
                return _later(request, exc.code, _BUSY_RETRY_SECONDS)
            request.scope[CODE] = exc.code
            # Whatever is left of a body we did not want must not be read as a next request.
            return JSONResponse({"code": exc.code}, status_code=exc.status, headers={"connection": "close"})
        finally:
            self._inside -= 1


def _refusal(code: str, body: bytes, *, identity: Identity, at: datetime) -> Response:
    answer = {"code": code}
    if code == "clock":
        answer["time"] = sign_time(identity.signing, message_id=peek_message_id(body), at=at)
    # A code outside the table would be a fault of ours, and must not look final to the app.
    return JSONResponse(answer, status_code=REFUSALS.get(code, 500))


def _later(request: Request, code: str, seconds: int) -> Response:
    request.scope[CODE] = code
    return JSONResponse(
        {"code": code},
        status_code=503,
        headers={"retry-after": str(seconds), "connection": "close"},
    )
