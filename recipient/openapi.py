"""The OpenAPI 3.1 description of every address of this service, made from the routes themselves.

Promises:
1. each route is described, with its methods and path parameters: a route that fits no description raises, so
   the document and the service cannot grow apart;
2. it says for each address who may ask and which answers to expect; it is printed by ``recipient openapi``
   and never served.

Source: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any

from starlette.routing import BaseRoute, Route

from recipient.fhir_api.described import describe_fhir, describe_log_in
from recipient.openapi_parts import (
    HTML,
    JSON,
    Described,
    answers,
    binary_body,
    form_body,
    path_parameter,
    refused,
)

_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_CATCH_ALL = re.compile(r"\{\w+:path\}")
SCHEMES: dict[str, Any] = {
    "session": {"type": "apiKey", "in": "cookie", "name": "pgo_recipient"},
    "program": {
        "type": "oauth2",
        "flows": {
            "clientCredentials": {
                "tokenUrl": "/oauth/token",
                "scopes": {"system/*.rs": "Read and search every type the client is registered for."},
            }
        },
    },
}


def document(routes: Iterable[BaseRoute]) -> dict[str, Any]:
    """Describe the routes of a service.

    Args:
        routes: as given to the application.

    Raises:
        ValueError, TypeError: a route that nothing here describes.
    """
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if not isinstance(route, Route):
            raise TypeError("a route of another kind")
        if _CATCH_ALL.search(route.path):
            continue
        path = _PARAMETER.sub(lambda found: "{" + found.group(1) + "}", route.path)
        for method in sorted((route.methods or set()) - {"HEAD"}):
            paths.setdefault(path, {})[method.lower()] = _operation(method, route.path)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Recipient of shared health data", "version": version("pgo")},
        "paths": paths,
        "components": {"securitySchemes": SCHEMES},
    }


def _operation(method: str, path: str) -> dict[str, Any]:
    for begins, describe in _DESCRIBERS:
        if path == begins or path.startswith(begins + "/"):
            found = describe(method, path)
            operation: dict[str, Any] = {
                "summary": found.summary,
                "security": [{found.security: []}] if found.security else [],
                "parameters": [
                    path_parameter(name, found.path.get(name) or _schema(kind))
                    for name, kind in _PARAMETER.findall(path)
                ],
                "responses": found.answers,
            }
            operation["parameters"] += found.parameters
            if found.body is not None:
                operation["requestBody"] = found.body
            return operation
    raise ValueError(f"nothing describes {method} {path}")


def _schema(kind: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0} if kind == "int" else {"type": "string"}


def _portal(method: str, path: str) -> Described:
    """Describe a page: it shows itself, leads elsewhere, or says in a sentence why not."""
    statuses = ["200", "303", "304", "400", "401", "403", "404", "408", "410", "413", "415", "429", "503"]
    return Described(
        summary=f"Portal page {path}" if method == "GET" else f"Form of the portal {path}",
        security="session",
        answers=answers(statuses, HTML),
        body=form_body({"token": {"type": "string"}}) if method == "POST" else None,
    )


def _inbox(_method: str, path: str) -> Described:
    return Described(
        summary=f"A sealed message of a patient's app: {path}",
        security=None,
        answers=answers(["200"], "application/octet-stream") | refused(),
        body=binary_body(),
    )


def _public(_method: str, path: str) -> Described:
    return Described(
        summary=f"What anybody may ask: {path}",
        security=None,
        answers=answers(["200", "303", "304", "503"], JSON),
    )


_DESCRIBERS: tuple[tuple[str, Callable[[str, str], Described]], ...] = (
    ("/fhir", describe_fhir),
    ("/oauth", describe_log_in),
    ("/.well-known", describe_log_in),
    ("/portal", _portal),
    ("/v1/card", _public),
    ("/v1/card.svg", _public),
    ("/v1", _inbox),
    ("/health", _public),
    ("/metrics", _public),
    ("/", _public),
)
