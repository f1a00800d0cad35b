"""All routes under ``/portal``: coming in (``login``), one's own account, pages about patients, and language.

Promises: the log-in form and the message pages are all a stranger gets; every other page needs a member.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from recipient.portal.account import ACCOUNT_ROUTES
from recipient.portal.emergency import EMERGENCY_ROUTES
from recipient.portal.login import LOGIN_ROUTES
from recipient.portal.patient_routes import PATIENT_ROUTES
from recipient.portal.reason import REASON_ROUTES
from recipient.portal.web import (
    Handler,
    Office,
    Visit,
    endpoint,
    set_language_cookie,
)

_HERE = Path(__file__).parent / "static"
_FONTS = Path(__file__).resolve().parents[2] / "assets" / "fonts"
_STATIC = {
    "portal.css": (_HERE, "text/css; charset=utf-8"),
    "record.css": (_HERE, "text/css; charset=utf-8"),
    "print.css": (_HERE, "text/css; charset=utf-8"),
    "mark.svg": (_HERE, "image/svg+xml"),
    "NotoSans-Regular.ttf": (_FONTS, "font/ttf"),
    "NotoSans-SemiBold.ttf": (_FONTS, "font/ttf"),
}
_STATIC_SECONDS = 300
_PAGES = (*LOGIN_ROUTES, *ACCOUNT_ROUTES, *PATIENT_ROUTES, *REASON_ROUTES, *EMERGENCY_ROUTES)


def portal_routes(office: Office) -> list[BaseRoute]:
    """Return all routes under ``/portal``."""

    def route(path: str, handler: Handler, *methods: str) -> Route:
        return Route(f"/portal{path}", endpoint(office, handler), methods=list(methods))

    return [
        route("/language", switch_language, "POST"),
        *(route(path, handler, method) for path, handler, method in _PAGES),
        Route("/portal/static/{name}", _static, methods=["GET"]),
    ]


def switch_language(office: Office, visit: Visit) -> Response:
    """Remember the language and go back to the page."""
    response = RedirectResponse(visit.back, status_code=303)
    set_language_cookie(office, response, visit.form.get("lang", ""))
    return response


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    folder, media_type = _STATIC.get(name, (None, ""))
    if folder is None:
        return Response(status_code=404)
    headers = {"cache-control": f"max-age={_STATIC_SECONDS}"}
    return Response((folder / name).read_bytes(), media_type=media_type, headers=headers)
