"""The pages of the portal that hold no data of a patient; those that do are in ``patient_routes``.

Promises: the log-in form and the message pages are all a stranger gets; every other page needs a member.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from recipient.errors import Refused
from recipient.portal.patient_routes import PATIENT_ROUTES
from recipient.portal.reason import REASON_ROUTES
from recipient.portal.text import t
from recipient.portal.web import (
    Handler,
    Office,
    Visit,
    endpoint,
    render,
    seconds_to_wait,
    set_language_cookie,
    set_session_cookie,
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


def portal_routes(office: Office) -> list[BaseRoute]:
    """Return all routes under ``/portal``."""

    def route(path: str, handler: Handler, *methods: str) -> Route:
        return Route(f"/portal{path}", endpoint(office, handler), methods=list(methods))

    return [
        route("/login", show_login, "GET"),
        route("/login", log_in, "POST"),
        route("/logout", log_out, "POST"),
        route("/language", switch_language, "POST"),
        *(route(path, handler, method) for path, handler, method in (*PATIENT_ROUTES, *REASON_ROUTES)),
        Route("/portal/static/{name}", _static, methods=["GET"]),
    ]


def show_login(office: Office, visit: Visit) -> Response:
    """Show the log-in form."""
    if visit.account is not None:
        return RedirectResponse("/portal", status_code=303)
    return render(office, visit, "login.html", problem="")


def log_in(office: Office, visit: Visit) -> Response:
    """Check name and password; a new session id on success, the same sentence for every failure."""
    try:
        account = office.doorkeeper.log_in(
            visit.form.get("name", "").strip().lower(),
            visit.form.get("password", ""),
            address=visit.address,
            at=visit.at,
        )
    except Refused as exc:
        wait = seconds_to_wait(exc)
        problem = t(visit.lang, "login.failed") if wait is None else t(visit.lang, "login.wait", n=wait)
        response: Response = render(office, visit, "login.html", status=exc.status, problem=problem)
        if wait is not None:
            response.headers["retry-after"] = str(wait)
        return response
    office.sessions.end(visit.cookie)
    response = RedirectResponse("/portal", status_code=303)
    set_session_cookie(office, response, office.sessions.start(account.id, at=visit.at))
    return response


def log_out(office: Office, visit: Visit) -> Response:
    """End the session and take the cookie back."""
    office.sessions.end(visit.cookie)
    response = RedirectResponse("/portal/login", status_code=303)
    response.delete_cookie(office.cookie, path="/", secure=office.secure, httponly=True, samesite="lax")
    response.headers["clear-site-data"] = '"cache"'
    return response


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
