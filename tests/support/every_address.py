"""Requests that schemathesis makes up from the OpenAPI document, sent by each role, and what each may see.

Every resource carries a canary word of its own, so an answer shows what it holds without being understood.
The slow second opinion on consent says which words a role may ever see.
"""

from __future__ import annotations

import asyncio
import copy
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from unittest import SkipTest
from urllib.parse import unquote

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from recipient.fhir_api.described import describe_fhir

CANARY = re.compile(r"kanarie-[a-z]+-\d+")
TYPES = ["Patient", "Observation", "Condition", "AllergyIntolerance"]
_KEPT = frozenset({"patient", "_count", "_type"})
_NARROW = frozenset(one["name"] for one in describe_fhir("GET", "/fhir/{type}").parameters) - _KEPT
Document = dict[str, Any]


@dataclass(frozen=True)
class Role:
    """Who asks: credentials, the words it may see, and whether forms carry the right token."""

    name: str
    headers: Mapping[str, str]
    may_see: frozenset[str]
    form_token: str = ""


@dataclass
class Books:
    """What was tried and what came back."""

    requests: int = 0
    by_role: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    undocumented: Counter[str] = field(default_factory=Counter)
    seen: dict[str, set[str]] = field(default_factory=dict)

    def note(self, role: Role, operation: str, answer: httpx.Response, documented: Mapping[str, Any]) -> None:
        self.requests += 1
        self.by_role[role.name] += 1
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500:
            self.broken.append(f"{role.name} {operation} {answer.status_code}")
        if str(answer.status_code) not in documented:
            self.undocumented[f"{operation} {answer.status_code}"] += 1
        found = set(CANARY.findall(answer.text))
        self.seen.setdefault(role.name, set()).update(found)
        if found - role.may_see:
            self.leaked.append(f"{role.name} {operation} {sorted(found - role.may_see)}")

    def line(self) -> str:
        roles = ", ".join(f"{name} {count}" for name, count in sorted(self.by_role.items()))
        codes = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.requests} requests ({roles}), {len(self.broken)} answers of 5xx, "
            f"{len(self.leaked)} to a wrong role; {codes}"
        )


def with_real_ids(document: Document, *, handles: list[str], patients: list[str], ids: list[str]) -> Document:
    """Narrow a description to what is there, and to few parameters, so that much is found."""
    found = copy.deepcopy(document)
    real = {"handle": handles, "id": [*patients, *ids], "patient": patients, "type": TYPES}
    for path, operations in found["paths"].items():
        for operation in operations.values():
            operation["parameters"] = [one for one in operation["parameters"] if _is_kept(one)]
            for parameter in operation["parameters"]:
                if parameter["name"] in real and parameter["schema"].get("type") == "string":
                    known = patients if path.endswith("$everything") else real[parameter["name"]]
                    parameter["schema"] = {"type": "string", "enum": known}
            for form in operation.get("requestBody", {}).get("content", {}).values():
                if "patient" in form["schema"].get("properties", {}):
                    form["schema"]["properties"] = {"patient": {"type": "string", "enum": patients}}
                    form["schema"] |= {"required": ["patient"], "additionalProperties": False}
    return found


def _is_kept(parameter: Document) -> bool:
    return parameter["in"] == "path" or parameter["name"] not in _NARROW


Asked = tuple[str, Mapping[str, Any], dict[str, Any]]


def made_up(document: Document, real: Document, *, cases: int) -> Iterator[Asked]:
    """Give requests for every operation: about who is there, as described, and against the description."""
    described = [
        (real, GenerationMode.POSITIVE, cases),
        (document, GenerationMode.POSITIVE, cases // 2),
        (document, GenerationMode.NEGATIVE, cases // 2),
    ]
    for text, mode, count in described:
        for result in schemathesis.openapi.from_dict(_without_log_in(text)).get_all_operations():
            operation = result.ok()
            responses = document["paths"][operation.path][operation.method]["responses"]
            for request in _requests(operation, mode, count):
                yield f"{operation.method} {operation.path}", responses, request


def _without_log_in(document: Document) -> Document:
    """Leave out who may ask: that is ours to say."""
    found = copy.deepcopy(document)
    for operations in found["paths"].values():
        for operation in operations.values():
            del operation["security"]
    return found


def _requests(operation: Any, mode: GenerationMode, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def draw(case: Any) -> None:
        found.append(case.as_transport_kwargs(base_url="http://recipient.test"))

    with suppress(Unsatisfiable, SkipTest):  # an address without parameters cannot be asked wrongly
        draw()
    return found


class InProcess(httpx.BaseTransport):
    """Calls an ASGI application in this thread: thousands of requests without a socket between."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        return self._loop.run_until_complete(self._call(request, body))

    async def _call(self, request: httpx.Request, body: bytes) -> httpx.Response:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": unquote(request.url.raw_path.partition(b"?")[0].decode("ascii")),
            "raw_path": request.url.raw_path.partition(b"?")[0],
            "query_string": request.url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("127.0.0.1", 1),
            "server": (request.url.host, request.url.port),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=content)

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


def ask(web: httpx.Client, request: dict[str, Any], role: Role, *, operation: str) -> httpx.Response | None:
    """Send one made-up request as a role; None when no client can send it."""
    headers = {name: value for name, value in (request.get("headers") or {}).items()
               if name.lower() not in _OURS}  # fmt: skip
    data = request.get("data")
    if isinstance(data, dict) and role.form_token and not operation.endswith("/logout"):
        data = {**data, "token": role.form_token}
    try:
        built = web.build_request(
            request["method"],
            request["url"].replace("http://recipient.test", str(web.base_url).rstrip("/")),
            params=request.get("params") or None,
            headers={**headers, **role.headers},
            data=data if isinstance(data, dict) else None,
            content=data if isinstance(data, str | bytes) else None,
            json=request.get("json"),
        )
        built.headers.pop("cookie", None)
        if "cookie" in role.headers:
            built.headers["cookie"] = role.headers["cookie"]
        return web.send(built)
    except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError, TypeError, ValueError):
        return None


_OURS = frozenset(
    {"host", "cookie", "authorization", "connection", "content-length", "transfer-encoding", "user-agent"}
    | {"accept-encoding"}
)
