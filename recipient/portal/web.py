"""How a browser talks to the portal: cookie, language, form token, origin, and errors as pages.

Promises:
1. a page with data is only built for a live session of an open account, asked anew at every request;
2. an unsafe method needs the right ``Origin`` and the token bound to the cookie (OWASP ASVS 5.0 3.5.1);
3. every answer carries a policy that allows our own style sheet and nothing else, no script at all;
4. every error becomes a page with a sentence and no personal data;
5. a log-in page says so when somebody may come in without a second step (a trial on this machine).

It leaves what the pages show to ``recipient.portal.routes``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from recipient.accounts import Account, Doorkeeper, active_account
from recipient.config import Limits, is_loopback
from recipient.emergency import Emergency
from recipient.errors import Busy, NotShared, Purged, ReasonNeeded, RecipientError, Refused, Throttled
from recipient.identity import Identity
from recipient.ingress import read_body
from recipient.login.brake import Brake
from recipient.login.pending import Pending
from recipient.login.second import has_trial_accounts
from recipient.login.services import login_services
from recipient.login.visit import Visits
from recipient.metrics import Metrics
from recipient.portal.browsers import kind_of_browser
from recipient.portal.sessions import Session, Sessions, new_id
from recipient.portal.text import LANGUAGES, choose_language, t
from recipient.reading import Reader
from recipient.store import Store

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# What a page of health data never needs; https://www.w3.org/TR/permissions-policy/
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"
LANGUAGE_COOKIE = "pgo_lang"
_LANGUAGE_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Office:
    """What all pages share for as long as the service runs.

    Attributes:
        base: public address of this service.
        steps: log-ins whose first step is done.
        setups: new second steps of who is logged in.
        visits: log-ins at services.
        brake: on guessing codes of the second step.
        metrics: where log-ins are counted.
    """

    store: Store
    identity: Identity
    reader: Reader
    emergency: Emergency
    doorkeeper: Doorkeeper
    sessions: Sessions
    limits: Limits
    clock: Callable[[], datetime]
    base: str
    steps: Pending
    setups: Pending
    visits: Visits
    brake: Brake
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over TLS."""
        return self.base.startswith("https:")

    @property
    def is_local(self) -> bool:
        """Whether our public address can only mean this machine."""
        return is_loopback(urlsplit(self.base).hostname or "")

    @property
    def cookie(self) -> str:
        """Name of the session cookie; ``__Host-`` needs https (RFC 6265bis section 4.1.3.2)."""
        return "__Host-pgo-recipient" if self.secure else "pgo_recipient"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, parsed once: who, in which language, when, with which form."""

    lang: str
    cookie: str
    at: datetime
    address: str
    account: Account | None
    session: Session | None
    form: Mapping[str, str]
    query: Mapping[str, str]
    path: Mapping[str, str]
    back: str
    browser: str = ""

    def member(self) -> tuple[Account, Session]:
        """Return who is logged in.

        Raises:
            Refused: ``login_needed``.
        """
        if self.account is None or self.session is None:
            raise Refused("login_needed", status=401)
        return self.account, self.session


Handler = Callable[[Office, Visit], Response]

_ENVIRONMENT = Environment(
    loader=PackageLoader("recipient.portal"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def render(
    office: Office,
    visit: Visit,
    template: str,
    *,
    status: int = 200,
    stranger: bool = False,
    **values: object,
) -> HTMLResponse:
    """Fill a template with the words of the visitor's language; ``stranger`` shows it as to nobody known."""
    html = _ENVIRONMENT.get_template(template).render(
        t=partial(t, visit.lang),
        lang=visit.lang,
        place=office.identity.name,
        account=None if stranger else visit.account,
        token=office.sessions.form_token(visit.cookie),
        **values,
    )
    return HTMLResponse(html, status_code=status)


def login_page(
    office: Office, visit: Visit, *, status: int = 200, problem: str = "", detail: str = ""
) -> Response:
    """Show the ways in: log-in services, name and password."""
    trial = office.is_local and is_loopback(visit.address) and has_trial_accounts(office.store)
    return render(
        office,
        visit,
        "login.html",
        status=status,
        stranger=True,
        problem=problem,
        detail=detail,
        services=login_services(office.store),
        trial=trial,
    )


def endpoint(office: Office, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler: parse, check, run it in a worker thread, turn errors into pages."""

    async def run(request: Request) -> Response:
        try:
            form = await _form(request, office.limits) if request.method == "POST" else {}
        except Refused as exc:
            return await run_in_threadpool(_unless_busy, office, request, partial(_refuse, error=exc))
        work = partial(_answer, handler=handler, form=form)
        return await run_in_threadpool(_unless_busy, office, request, work)

    return run


def _unless_busy(office: Office, request: Request, work: Callable[[Office, Request], Response]) -> Response:
    """Answer that the store is away when it is: nothing was shown then, and nothing changed."""
    try:
        return work(office, request)
    except Busy as exc:
        response = page_without_store(office, request, "busy", status=exc.status)
        response.headers["retry-after"] = str(exc.retry_after_seconds)
        return response


def _refuse(office: Office, request: Request, error: Refused) -> Response:
    visit = _visit(office, request, {})
    return _finish(office, visit, request, _error_page(office, visit, error))


def _answer(office: Office, request: Request, *, handler: Handler, form: Mapping[str, str]) -> Response:
    visit = _visit(office, request, form)
    try:
        if request.method == "POST":
            _check_origin(request)
            _check_token(office, visit, request)
        response = handler(office, visit)
    except Busy:
        raise
    except RecipientError as exc:
        response = _error_page(office, visit, exc)
    return _finish(office, visit, request, response)


async def _form(request: Request, limits: Limits) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refused("not_a_form", status=415)
    body = await read_body(
        request, max_bytes=limits.max_form_bytes, deadline_seconds=limits.body_deadline_seconds
    )
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError as exc:  # UnicodeDecodeError is one
        raise Refused("not_a_form") from exc
    if any(len(values) != 1 for values in fields.values()):
        raise Refused("not_a_form")
    return {name: values[0] for name, values in fields.items()}


def _visit(office: Office, request: Request, form: Mapping[str, str]) -> Visit:
    at = office.clock()
    cookie = request.cookies.get(office.cookie, "")[:128]
    session = office.sessions.find(cookie, at=at)
    address = request.client.host if request.client else ""
    account = active_account(office.store, session.account_id) if session else None
    address = request.client.host if request.client else ""
    referrer = urlsplit(request.headers.get("referer", ""))
    same_place = referrer.netloc == request.headers["host"] and referrer.path.startswith("/portal")
    return Visit(
        lang=choose_language(
            request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
        ),
        cookie=cookie or new_id(),
        at=at,
        address=address,
        account=replace(account, place=address) if account else None,
        session=session if account else None,
        form=form,
        query=dict(request.query_params),
        path={name: str(value) for name, value in request.path_params.items()},
        back=referrer.path if same_place else "/portal",
        browser=kind_of_browser(request.headers.get("user-agent", "")),
    )


def _check_origin(request: Request) -> None:
    """Refuse a form that another site sent. Browsers that send no Origin still need the token."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers["host"]:
        raise Refused("wrong_origin", status=403)
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused("wrong_origin", status=403)


def _check_token(office: Office, visit: Visit, request: Request) -> None:
    cookie = request.cookies.get(office.cookie)
    if not office.sessions.is_form_token(cookie[:128] if cookie else None, visit.form.get("token", "")):
        raise Refused("wrong_token", status=403)


_PAGE_OF_CODE = {"too_large": "too_large", "wrong_origin": "forbidden", "wrong_token": "forbidden"}


def _error_page(office: Office, visit: Visit, error: RecipientError) -> Response:
    if isinstance(error, Refused) and error.code == "login_needed":
        return RedirectResponse("/portal/login", status_code=303)
    if isinstance(error, ReasonNeeded):
        return RedirectResponse(f"/portal/patient/{error.handle}/reason", status_code=303)
    if isinstance(error, Refused) and error.code == "wrong_token" and visit.account is None:
        # The usual cause is a page left open over a restart or past the end of a session, not an attack.
        return login_page(office, visit, status=403, problem=t(visit.lang, "login.expired"))
    status, name = 400, "forbidden"
    if isinstance(error, Purged):
        # Only somebody logged in learns that there was something; see routes, which ask for the member first.
        status, name = 410, "purged"
    elif isinstance(error, NotShared):
        status, name = 404, "not_found"
    elif isinstance(error, Refused):
        status, name = error.status, _PAGE_OF_CODE.get(error.code, "forbidden")
    else:
        status, name = 500, "broken"
    return message_page(office, visit, name, status=status)


def message_page(office: Office, visit: Visit, name: str, *, status: int) -> Response:
    """Show one sentence instead of data."""
    return render(
        office,
        visit,
        "message.html",
        status=status,
        heading=t(visit.lang, f"message.{name}"),
        words=t(visit.lang, f"message.{name}_words"),
    )


def broken_page(office: Office, request: Request) -> Response:
    """Show that something failed."""
    return page_without_store(office, request, "broken", status=500)


def page_without_store(office: Office, request: Request, name: str, *, status: int) -> Response:
    """Show one sentence from what the request itself says: the store may be what failed."""
    wish = request.headers.get("accept-language", "")
    visit = Visit(
        lang=choose_language(request.cookies.get(LANGUAGE_COOKIE), wish),
        cookie=request.cookies.get(office.cookie, "")[:128] or new_id(),
        at=office.clock(),
        address="",
        account=None,
        session=None,
        form={},
        query={},
        path={},
        back="/portal",
    )
    return _finish(office, visit, request, message_page(office, visit, name, status=status))


def _finish(office: Office, visit: Visit, request: Request, response: Response) -> Response:
    response.headers.setdefault("content-security-policy", CONTENT_POLICY)
    response.headers["permissions-policy"] = PERMISSIONS_POLICY
    if office.secure:
        response.headers["strict-transport-security"] = "max-age=31536000"
    given = any(value.startswith(f"{office.cookie}=") for value in response.headers.getlist("set-cookie"))
    if not given and request.cookies.get(office.cookie, "")[:128] != visit.cookie:
        set_session_cookie(office, response, visit.cookie)
    return response


def set_session_cookie(office: Office, response: Response, value: str) -> None:
    """Hand out a session id: hidden from scripts, not sent along by other sites, gone with the browser."""
    response.set_cookie(office.cookie, value, path="/", secure=office.secure, httponly=True, samesite="lax")


def set_language_cookie(office: Office, response: Response, lang: str) -> None:
    """Remember the language; an unknown one is ignored."""
    if lang in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            lang,
            max_age=_LANGUAGE_SECONDS,
            path="/",
            secure=office.secure,
            httponly=True,
            samesite="lax",
        )


def seconds_to_wait(error: Refused) -> int | None:
    """Return how long a throttled visitor has to wait, None for other refusals."""
    return error.retry_after_seconds if isinstance(error, Throttled) else None
