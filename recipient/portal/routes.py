"""The pages of the portal, one function each; whatever shows data asks ``recipient.reading`` for it.

Promises: the log-in form and the message pages are all a stranger gets; every other page needs a member;
addresses hold opaque handles only, never a name, date or code; searching is a POST for the same reason.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from recipient.errors import Refused
from recipient.portal import pages
from recipient.portal.details import record_page
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
    "mark.svg": (_HERE, "image/svg+xml"),
    "NotoSans-Regular.ttf": (_FONTS, "font/ttf"),
    "NotoSans-SemiBold.ttf": (_FONTS, "font/ttf"),
}
TIMELINE_PAGE = 60
TIMELINE_SHORT = 12
_STATIC_SECONDS = 300


def portal_routes(office: Office) -> list[BaseRoute]:
    """Return all routes under ``/portal``."""

    def route(path: str, handler: Handler, *methods: str) -> Route:
        return Route(f"/portal{path}", endpoint(office, handler), methods=list(methods))

    return [
        route("", show_patients, "GET"),
        route("", find_patients, "POST"),
        route("/login", show_login, "GET"),
        route("/login", log_in, "POST"),
        route("/logout", log_out, "POST"),
        route("/language", switch_language, "POST"),
        route("/patient/{handle}", show_patient, "GET"),
        route("/patient/{handle}/timeline", show_timeline, "GET"),
        route("/patient/{handle}/trend/{key}", show_trend, "GET"),
        route("/patient/{handle}/record/{id:int}", show_record, "GET"),
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


def show_patients(office: Office, visit: Visit) -> Response:
    """Show everybody who shares."""
    return _patients(office, visit, query="")


def find_patients(office: Office, visit: Visit) -> Response:
    """Show those whose name or date of birth fits what was typed."""
    return _patients(office, visit, query=visit.form.get("q", "").strip()[:80])


def _patients(office: Office, visit: Visit, *, query: str) -> Response:
    account, session = visit.member()
    sharing = office.reader.list_patients(account, already_listed=session.listed, at=visit.at)
    rows = [pages.patient_row(patient, lang=visit.lang, at=visit.at) for patient in sharing]
    rows.sort(key=lambda row: row.sort_key)
    found = [row for row in rows if pages.fits(row, query)]
    return render(office, visit, "patients.html", rows=found, total=len(rows), query=query)


def show_patient(office: Office, visit: Visit) -> Response:
    """Show one patient's shared record."""
    account, _ = visit.member()
    look = office.reader.open_record(account, visit.path["handle"], at=visit.at)
    page = pages.patient_page(look, lang=visit.lang, at=visit.at, timeline_length=TIMELINE_SHORT)
    return render(office, visit, "patient.html", href=_href(visit), **page)


def show_timeline(office: Office, visit: Visit) -> Response:
    """Show what is shared in order of time, one kind or all, in pages."""
    account, _ = visit.member()
    start = visit.query.get("from", "0")
    first = int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 0
    look = office.reader.open_timeline(account, visit.path["handle"], at=visit.at)
    page = pages.timeline_page(
        look,
        lang=visit.lang,
        at=visit.at,
        kind=visit.query.get("kind", ""),
        first=first,
        length=TIMELINE_PAGE,
    )
    return render(office, visit, "timeline.html", href=_href(visit), **page)


def show_trend(office: Office, visit: Visit) -> Response:
    """Show one measurement over time, as chart and table."""
    account, _ = visit.member()
    look, series = office.reader.open_trend(account, visit.path["handle"], visit.path["key"], at=visit.at)
    page = pages.trend_page(look, series, lang=visit.lang, at=visit.at)
    return render(office, visit, "trend.html", href=_href(visit), **page)


def show_record(office: Office, visit: Visit) -> Response:
    """Show one record with all its details and as it was received."""
    account, _ = visit.member()
    look, item = office.reader.open_item(account, visit.path["handle"], int(visit.path["id"]), at=visit.at)
    page = record_page(look, item, lang=visit.lang, at=visit.at)
    return render(office, visit, "record.html", href=_href(visit), **page)


def _href(visit: Visit) -> str:
    return f"/portal/patient/{visit.path['handle']}"


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    folder, media_type = _STATIC.get(name, (None, ""))
    if folder is None:
        return Response(status_code=404)
    headers = {"cache-control": f"max-age={_STATIC_SECONDS}"}
    return Response((folder / name).read_bytes(), media_type=media_type, headers=headers)
