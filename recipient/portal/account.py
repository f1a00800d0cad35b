"""One's own account: password, second step, and where one is logged in.

Promises:
1. a new password needs the old one, and a new second step a code of the old one: who finds an open screen can
   take the account over by neither;
2. both end every other session of the account;
3. sessions are listed with when and by what browser they were used, and each can be ended.

Sources: OWASP ASVS 5.0 6.2.2, 6.2.3, 7.4.3 and 7.5.
"""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from recipient.accounts import change_password, has_password
from recipient.errors import Refused, Unusable
from recipient.login import second
from recipient.portal.login import PASSWORD, check_code, refused, set_up, setup_page
from recipient.portal.text import instant_words, t
from recipient.portal.web import Handler, Office, Visit, render, set_session_cookie

_PAGE = "/portal/account"
_SETUP = f"{_PAGE}/setup"


def show_account(office: Office, visit: Visit) -> Response:
    """Show one's own account."""
    return account_page(office, visit)


def change_own_password(office: Office, visit: Visit) -> Response:
    """Change the password; every other session of the account ends."""
    account, session = visit.member()
    try:
        office.doorkeeper.log_in(
            account.name, visit.form.get("password", ""), address=visit.address, at=visit.at
        )
        if visit.form.get("new", "") != visit.form.get("again", ""):
            raise Unusable("password_unequal")
        change_password(office.store, account, visit.form.get("new", ""), keep=session.key)
    except Refused as exc:
        return refused(account_page, office, visit, exc, failed="account.password_wrong")
    except Unusable as exc:
        return account_page(office, visit, status=422, problem=t(visit.lang, f"account.{exc.code}"))
    return account_page(office, visit, done=t(visit.lang, "account.password_changed"))


def begin_setup(office: Office, visit: Visit) -> Response:
    """Let somebody who has a code of the present app, or a recovery code, set up a new one."""
    account, session = visit.member()
    if second.is_enrolled(office.store, account.id):
        try:
            check_code(office, visit, account.id, visit.form.get("code", ""))
        except Refused as exc:
            return refused(account_page, office, visit, exc, failed="second.failed")
    step = {"account": str(account.id), "secret": second.new_secret().raw.hex(), "action": _SETUP}
    office.setups.put(session.key, step, browser=visit.cookie, at=visit.at)
    return RedirectResponse(_SETUP, status_code=303)


def show_setup(office: Office, visit: Visit) -> Response:
    """Show the new secret."""
    _, session = visit.member()
    step = office.setups.look(session.key, browser=visit.cookie, at=visit.at)
    return RedirectResponse(_PAGE, status_code=303) if step is None else setup_page(office, visit, step)


def take_setup(office: Office, visit: Visit) -> Response:
    """Take the new secret into use and show the new recovery codes this once."""
    _, session = visit.member()
    step = office.setups.look(session.key, browser=visit.cookie, at=visit.at)
    if step is None:
        return RedirectResponse(_PAGE, status_code=303)
    codes = set_up(office, visit, step)
    if not codes:
        return setup_page(office, visit, step, status=401, problem=t(visit.lang, "setup.failed"))
    office.setups.take(session.key, browser=visit.cookie, at=visit.at)
    office.sessions.end_others(session)
    return render(office, visit, "codes.html", codes=codes)


def end_session(office: Office, visit: Visit) -> Response:
    """End one session of one's own, or all others."""
    account, session = visit.member()
    key = visit.form.get("session", "")
    if key:
        office.sessions.end_of_account(account.id, key)
    else:
        office.sessions.end_others(session)
    response = RedirectResponse(_PAGE, status_code=303)
    if key == session.key:
        set_session_cookie(office, response, "")
    return response


def account_page(
    office: Office, visit: Visit, *, status: int = 200, problem: str = "", done: str = ""
) -> Response:
    """Build the page."""
    account, session = visit.member()
    sessions = [
        {
            "key": one.key,
            "here": one.key == session.key,
            "browser": one.browser or t(visit.lang, "account.unknown_browser"),
            "via": t(visit.lang, "account.via_password") if one.via == PASSWORD else one.via,
            "started": instant_words(visit.lang, one.started_at),
            "seen": instant_words(visit.lang, one.seen_at),
        }
        for one in office.sessions.of_account(account.id, at=visit.at)
    ]
    return render(
        office,
        visit,
        "account.html",
        status=status,
        problem=problem,
        done=done,
        sessions=sessions,
        has_password=has_password(office.store, account.id),
        enrolled=second.is_enrolled(office.store, account.id),
        codes_left=second.recovery_codes_left(office.store, account.id),
    )


ACCOUNT_ROUTES: tuple[tuple[str, Handler, str], ...] = (
    ("/account", show_account, "GET"),
    ("/account/password", change_own_password, "POST"),
    ("/account/second", begin_setup, "POST"),
    ("/account/setup", show_setup, "GET"),
    ("/account/setup", take_setup, "POST"),
    ("/account/end", end_session, "POST"),
)
