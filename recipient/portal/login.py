"""Coming in and going out: password or log-in service, second step, set-up of the second step, log-out.

Promises:
1. a stranger gets the log-in form, the way to a log-in service, and messages; nothing that says who has an
   account here;
2. a session begins when every step is done, under an id that was never seen before; between the steps the
   browser holds another id, which opens nothing but the next step;
3. without a second step nobody comes in: ours, or that of a service which has to say so in its token. The
   exception is an account made for a trial, when service and browser are both on this machine;
4. logging out ends the session here first; logging out at the service is offered then. The service asks the
   person again, because we do not keep its token and put nothing about a person in an address.

Sources: security.md 3.10; OWASP ASVS 5.0 chapters 6 and 7; OpenID Connect RP-Initiated Logout 1.0 section 2.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from recipient.accounts import Account, active_account
from recipient.config import is_loopback
from recipient.errors import Refused
from recipient.login import second
from recipient.login.admission import NotAdmitted, account_of
from recipient.login.claims import BadToken
from recipient.login.qr import qr_svg
from recipient.login.services import LoginService, login_service, login_services
from recipient.logs import event
from recipient.portal.sessions import Session, new_id
from recipient.portal.text import t
from recipient.portal.web import (
    CONTENT_POLICY,
    Handler,
    Office,
    Visit,
    login_page,
    render,
    seconds_to_wait,
    set_session_cookie,
)

PASSWORD = "password"  # noqa: S105  how a session began, not a secret


class PageBuilder(Protocol):
    """A page that can be shown again with what went wrong."""

    def __call__(self, office: Office, visit: Visit, *, status: int = 200, problem: str = "") -> Response:
        """Build the page."""


def show_login(office: Office, visit: Visit) -> Response:
    """Show the log-in form."""
    if visit.account is not None:
        return RedirectResponse("/portal", status_code=303)
    return login_page(office, visit)


def log_in(office: Office, visit: Visit) -> Response:
    """Check name and password; the same sentence for every failure."""
    try:
        account = office.doorkeeper.log_in(
            visit.form.get("name", "").strip().lower(),
            visit.form.get("password", ""),
            address=visit.address,
            at=visit.at,
        )
    except Refused as exc:
        return refused(login_page, office, visit, exc, failed="login.failed")
    return _first_step_done(office, visit, account, via=PASSWORD)


def leave_for_service(office: Office, visit: Visit) -> Response:
    """Send the browser to a log-in service, with a new id that the answer has to come back with."""
    service = login_service(office.store, visit.path["name"])
    if visit.account is not None:
        return RedirectResponse("/portal", status_code=303)
    cookie = new_id()
    try:
        address = office.visits.begin(service, browser=cookie, at=visit.at)
    except Refused as exc:
        return _service_failed(office, visit, service, exc)
    response = RedirectResponse(address, status_code=303)
    set_session_cookie(office, response, cookie)
    return response


def come_back(office: Office, visit: Visit) -> Response:
    """Take the answer of a log-in service."""
    service = login_service(office.store, visit.path["name"])
    try:
        person = office.visits.finish(service, visit.query, browser=visit.cookie, at=visit.at)
        account = account_of(office.store, service, person, at=visit.at)
    except Refused as exc:
        return _service_failed(office, visit, service, exc)
    return _first_step_done(office, visit, account, via=service.name, vouched=service.vouches)


def show_second(office: Office, visit: Visit) -> Response:
    """Ask for the second step."""
    step = office.steps.look(visit.cookie, browser=visit.cookie, at=visit.at)
    if step is None or step["secret"]:
        return RedirectResponse("/portal/login", status_code=303)
    return second_page(office, visit)


def take_second(office: Office, visit: Visit) -> Response:
    """Check the second step; the session begins."""
    step = office.steps.look(visit.cookie, browser=visit.cookie, at=visit.at)
    if step is None or step["secret"]:
        return login_page(office, visit, status=403, problem=t(visit.lang, "login.expired"))
    account, typed = int(step["account"]), visit.form.get("code", "")
    try:
        check_code(office, visit, account, typed)
    except Refused as exc:
        return refused(second_page, office, visit, exc, failed="second.failed")
    return _begin_session(office, visit, step, to=_after_code(typed))


def show_setup(office: Office, visit: Visit) -> Response:
    """Show the secret that an app has to learn."""
    step = office.steps.look(visit.cookie, browser=visit.cookie, at=visit.at)
    if step is None or not step["secret"]:
        return RedirectResponse("/portal/login", status_code=303)
    return setup_page(office, visit, step)


def take_setup(office: Office, visit: Visit) -> Response:
    """Set the second step up, begin the session, and show the recovery codes this once."""
    step = office.steps.look(visit.cookie, browser=visit.cookie, at=visit.at)
    if step is None or not step["secret"]:
        return login_page(office, visit, status=403, problem=t(visit.lang, "login.expired"))
    codes = set_up(office, visit, step)
    if not codes:
        return setup_page(office, visit, step, status=401, problem=t(visit.lang, "setup.failed"))
    return _begin_session(office, visit, step, to="/portal", codes=codes)


def log_out(office: Office, visit: Visit) -> Response:
    """End the session here and take the cookie back; where a service let us in, offer to log out there."""
    elsewhere = _log_out_there(office, visit, visit.session) if visit.session else None
    office.sessions.end(visit.cookie)
    response = elsewhere or RedirectResponse("/portal/login", status_code=303)
    response.delete_cookie(office.cookie, path="/", secure=office.secure, httponly=True, samesite="lax")
    response.headers["clear-site-data"] = '"cache"'
    return response


def second_page(office: Office, visit: Visit, *, status: int = 200, problem: str = "") -> Response:
    """Build the page that asks for a code."""
    return render(office, visit, "second.html", status=status, problem=problem)


def setup_page(
    office: Office, visit: Visit, step: Mapping[str, str], *, status: int = 200, problem: str = ""
) -> Response:
    """Build the page that shows a secret, as a picture for a camera and as letters for a keyboard."""
    account = active_account(office.store, int(step["account"]))
    secret = second.parse_secret(step["secret"])
    address = secret.address(account=account.name if account else "", place=office.identity.name)
    return render(
        office,
        visit,
        "setup.html",
        status=status,
        problem=problem,
        picture=Markup(qr_svg(address)),  # noqa: S704  ours: numbers and a path, no text of anybody
        letters=secret.text,
        action=step.get("action", "/portal/login/setup"),
    )


def set_up(office: Office, visit: Visit, step: Mapping[str, str]) -> tuple[str, ...]:
    """Check the first code of a new secret; returns the recovery codes, none when the code is wrong."""
    secret = second.parse_secret(step["secret"])
    return second.enrol(office.store, int(step["account"]), secret, visit.form.get("code", ""), at=visit.at)


def check_code(office: Office, visit: Visit, account: int, typed: str) -> None:
    """Check a code of the second step, slowed like a password.

    Raises:
        Refused: ``second_failed``.
        Throttled: ``too_many_tries``.
    """
    keys = (f"second:{account}", f"address:{visit.address}")
    office.brake.take(keys, at=visit.at)
    if not second.passes(office.store, account, typed, at=visit.at):
        raise Refused("second_failed", status=401)
    office.brake.give_back(keys, at=visit.at)


def refused(page: PageBuilder, office: Office, visit: Visit, error: Refused, *, failed: str) -> Response:
    """Show a page again with what went wrong: a wrong secret, or too many of them."""
    wait = seconds_to_wait(error)
    office.metrics.logged_in("failed" if wait is None else "throttled")
    problem = t(visit.lang, failed) if wait is None else t(visit.lang, "login.wait", n=wait)
    response = page(office, visit, status=error.status, problem=problem)
    if wait is not None:
        response.headers["retry-after"] = str(wait)
    return response


def _first_step_done(
    office: Office, visit: Visit, account: Account, *, via: str, vouched: bool = False
) -> Response:
    """Go on to the second step, or straight in where promise 3 allows it."""
    office.sessions.end(visit.cookie)
    enrolled = second.is_enrolled(office.store, account.id)
    step = {"account": str(account.id), "via": via, "secret": ""}
    if vouched or (not enrolled and _is_trial_here(office, visit, account.id)):
        return _session(office, visit, step, RedirectResponse("/portal", status_code=303))
    if not enrolled:
        step["secret"] = second.new_secret().raw.hex()
    cookie = new_id()
    office.steps.put(cookie, step, browser=cookie, at=visit.at)
    response = RedirectResponse(f"/portal/login/{'second' if enrolled else 'setup'}", status_code=303)
    set_session_cookie(office, response, cookie)
    return response


def _begin_session(
    office: Office, visit: Visit, step: Mapping[str, str], *, to: str, codes: tuple[str, ...] = ()
) -> Response:
    """Use the finished step up and begin the session; of two that finish at once one gets it."""
    account = active_account(office.store, int(step["account"]))
    taken = office.steps.take(visit.cookie, browser=visit.cookie, at=visit.at)
    if taken is None or account is None:
        return login_page(office, visit, status=403, problem=t(visit.lang, "login.expired"))
    if codes:
        response: Response = render(office, visit, "codes.html", codes=codes)
    else:
        response = RedirectResponse(to, status_code=303)
    return _session(office, visit, step, response)


def _session(office: Office, visit: Visit, step: Mapping[str, str], response: Response) -> Response:
    session_id = office.sessions.start(
        int(step["account"]), at=visit.at, via=step["via"], browser=visit.browser
    )
    set_session_cookie(office, response, session_id)
    office.metrics.logged_in("ok")
    return response


def _is_trial_here(office: Office, visit: Visit, account: int) -> bool:
    return office.is_local and is_loopback(visit.address) and second.is_for_trial(office.store, account)


def _after_code(typed: str) -> str:
    """Whoever used a recovery code is shown how many are left, and how to set up a new app."""
    return "/portal/account" if second.is_recovery_code(typed) else "/portal"


def _service_failed(office: Office, visit: Visit, service: LoginService, error: Refused) -> Response:
    """Say on the log-in page what happened; the log gets the rule, and never what the service said."""
    rule = error.rule if isinstance(error, BadToken) else error.code
    office.metrics.logged_in("failed")
    event("log_in_refused", logging.WARNING, kind=service.name, code=rule)
    detail = error.subject if isinstance(error, NotAdmitted) else ""
    words = t(visit.lang, f"service.{error.code}", service=service.label)
    return login_page(office, visit, status=error.status, problem=words, detail=detail)


def _log_out_there(office: Office, visit: Visit, session: Session) -> Response | None:
    service = next((one for one in login_services(office.store) if one.name == session.via), None)
    address = office.visits.end_address(service, at=visit.at) if service else ""
    if service is None or not address:
        return None
    response = render(
        office,
        visit,
        "logged_out.html",
        service=service.label,
        address=address,
        fields={
            "client_id": service.client_id,
            "post_logout_redirect_uri": f"{office.base}/portal/login",
        },
        stranger=True,
    )
    parts = urlsplit(address)
    response.headers["content-security-policy"] = CONTENT_POLICY.replace(
        "form-action 'self'", f"form-action 'self' {parts.scheme}://{parts.netloc}"
    )
    return response


LOGIN_ROUTES: tuple[tuple[str, Handler, str], ...] = (
    ("/login", show_login, "GET"),
    ("/login", log_in, "POST"),
    ("/login/second", show_second, "GET"),
    ("/login/second", take_second, "POST"),
    ("/login/setup", show_setup, "GET"),
    ("/login/setup", take_setup, "POST"),
    ("/login/at/{name}", leave_for_service, "GET"),
    ("/login/at/{name}/done", come_back, "GET"),
    ("/logout", log_out, "POST"),
)
