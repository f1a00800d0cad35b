"""Check 37 of the security plan, a table each: forms of others, fixed and old sessions, floods, addresses.

What is counted is printed at the end of the run; accepted has to be 0 (of a flood: 5 a minute).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from recipient.accounts import add_account, close_account
from recipient.config import Limits
from recipient.identity import load_identity
from recipient.service import build_office, service_routes
from tests.e2e.recipient_server import PASSWORD, Clinic, form_token, log_in, running_clinic
from tests.support.login_figures import count

COOKIE = "pgo_recipient"
FORMS = "forms of other sites and sessions"
OLD = "sessions that were planted, ended or too old"
FLOOD = "log-ins of two floods, of which five a minute may be looked at"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with running_clinic(tmp_path_factory.mktemp("defences") / "clinic") as running:
        yield running


def unsafe_routes(clinic: Clinic) -> list[str]:
    """Every address of the portal that takes a POST, from the service's own list of routes."""
    office = build_office(
        clinic.store, load_identity(clinic.store), clock=clinic.clock, limits=Limits(), base=clinic.url
    )
    found = {
        str(getattr(route, "path", ""))
        for route in service_routes(office)
        if "POST" in (getattr(route, "methods", None) or ())
    }
    paths = sorted(path for path in found if path.startswith("/portal"))
    assert {"/portal/login", "/portal/login/second", "/portal/logout", "/portal/account/password"} <= {*paths}
    return [
        path.replace("{handle}", "x" * 22).replace("{id:int}", "1").replace("{key}", "k") for path in paths
    ]


def test_no_form_of_another_site_or_session_is_taken_by_any_address(clinic: Clinic) -> None:
    member, other = clinic.member(), clinic.member()
    own, foreign = form_token(member.get("/portal")), form_token(other.get("/portal"))
    stranger = form_token(clinic.browser().get("/portal/login"))
    right = {"origin": clinic.url, "sec-fetch-site": "same-origin"}
    wrong_origins: list[dict[str, str]] = [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "null"},
        {"origin": clinic.url.replace("127.0.0.1", "127.0.0.1.evil.example")},
        {"origin": f"{clinic.url}0"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
    ]
    tries = [(token, right) for token in ("", "0" * 64, foreign, stranger, own[:-1], own.upper())]
    tries += [(own, headers) for headers in wrong_origins]
    paths = unsafe_routes(clinic)
    for path in paths:
        for token, headers in tries:
            fields = {"token": token, "lang": "en", "password": PASSWORD, "code": "000000"}
            answer = member.post(path, data=fields, headers=headers)
            count(FORMS, tried=1, accepted=int(answer.status_code != 403))
            assert answer.status_code == 403, (path, token[:8], headers)
        assert member.post(path, headers=right).status_code in (403, 415), "a form without anything"
    assert member.get("/portal").status_code == 200, "nothing of it logged out or changed a thing"
    assert "pgo_lang" not in member.cookies
    assert (
        member.post("/portal/language", data={"token": own, "lang": "en"}, headers=right).status_code == 303
    )


def opens(clinic: Clinic, cookie: str) -> bool:
    thief = clinic.browser()
    thief.cookies.set(COOKIE, cookie)
    answer = thief.get("/portal").status_code == 200
    count(OLD, tried=1, accepted=int(answer))
    return answer


def test_planted_ended_and_changed_ids_open_nothing(clinic: Clinic) -> None:
    planted = clinic.browser()
    planted.cookies.set(COOKIE, "planted" * 6, domain="127.0.0.1", path="/")
    assert log_in(planted).status_code == 303
    member = clinic.member()
    before = clinic.browser()
    before.get("/portal/login")
    early = before.cookies[COOKIE]
    log_in(before)
    live = member.cookies[COOKIE]
    ended = clinic.member()
    old = ended.cookies[COOKIE]
    ended.post("/portal/logout", data={"token": form_token(ended.get("/portal"))})
    key = clinic.store.rows("SELECT key FROM login_session ORDER BY started_at DESC LIMIT 1")[0][0]
    for cookie in ("planted" * 6, early, old, live[:-1], live + "x", live.swapcase(), key, "", "' OR 1=1 --"):
        assert not opens(clinic, cookie), cookie
    assert member.get("/portal").status_code == 200


@pytest.mark.parametrize(
    ("name", "lasts"), [("idle", timedelta(minutes=15)), ("absolute", timedelta(hours=10))]
)
def test_limits_hold_to_the_second(clinic: Clinic, name: str, lasts: timedelta) -> None:
    started = clinic.clock.now
    kept, ends = clinic.member(), clinic.member()
    while name == "absolute" and clinic.clock.now - started < lasts - timedelta(minutes=10):
        clinic.clock.forward(minutes=10)
        assert kept.get("/portal").status_code == ends.get("/portal").status_code == 200
    clinic.clock.now = started + lasts - timedelta(seconds=1)
    assert kept.get("/portal").status_code == 200
    clinic.clock.now = started + lasts
    assert not opens(clinic, ends.cookies[COOKIE])


def test_closing_an_account_ends_its_sessions_and_its_steps(clinic: Clinic) -> None:
    clinic.clock.forward(hours=2)
    add_account(
        clinic.store, name="weg", display="W. Eg", role="arts", password=PASSWORD, at=clinic.clock.now
    )
    waiting = clinic.browser()
    assert log_in(waiting, "weg").headers["location"] == "/portal/login/setup"
    close_account(clinic.store, name="weg")
    token = form_token(waiting.get("/portal/login/setup"))
    answer = waiting.post("/portal/login/setup", data={"token": token, "code": "000000"})
    assert answer.status_code in (401, 403)
    assert not opens(clinic, waiting.cookies[COOKIE])


def test_of_a_thousand_log_ins_at_once_five_a_minute_are_looked_at(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through eight connections at once, each request under another forged address."""
    clinic.clock.forward(hours=2)
    looked_at: list[str] = []

    def costly(phc: str, password: str) -> None:
        from crypto.errors import WrongKey

        looked_at.append(phc)
        raise WrongKey

    monkeypatch.setattr(
        "recipient.accounts.verify_password", costly
    )  # 64 MiB each: the brake is what is tried
    statuses: list[int] = []

    def flood(lane: int) -> None:
        browser = clinic.browser()
        token = form_token(browser.get("/portal/login"))
        for number in range(125):
            fields = {"token": token, "name": f"name{number % 7}", "password": f"guess {lane} {number}"}
            forged = f"203.0.113.{number}"
            headers = {"x-forwarded-for": forged, "forwarded": f"for={forged}", "x-real-ip": forged}
            statuses.append(browser.post("/portal/login", data=fields, headers=headers).status_code)

    lanes = [threading.Thread(target=flood, args=(lane,)) for lane in range(8)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    count(FLOOD, tried=len(statuses), accepted=statuses.count(401))
    assert len(statuses) == 1000
    assert (statuses.count(401), statuses.count(429)) == (5, 995)
    assert len(looked_at) == 5


def test_a_named_proxy_is_believed_about_the_last_address_only(tmp_path: Path) -> None:
    """The proxy appends what it saw; what stands before it was written by the browser."""
    with running_clinic(tmp_path / "proxied", trusted_proxy="127.0.0.1") as clinic:
        statuses = []
        for number in range(8):
            browser = clinic.browser(**{"x-forwarded-for": f"203.0.113.{number}, 198.51.100.7"})
            statuses.append(log_in(browser, f"name{number}", "not the password at all").status_code)
        count(FLOOD, tried=8, accepted=statuses.count(401))
        assert statuses == [401] * 5 + [429] * 3
        colleague = clinic.browser(**{"x-forwarded-for": "198.51.100.8"})
        assert log_in(colleague).headers["location"] == "/portal/login/setup", "seen from elsewhere: no trial"


def test_answers_carry_what_browsers_must_know(clinic: Clinic) -> None:
    headers = clinic.browser().get("/portal/login").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers, "not over http: it would lock this machine out"


def test_error_pages_have_no_trial_note_elsewhere(clinic: Clinic) -> None:
    assert "proef op deze computer" in clinic.browser().get("/portal/login").text
    refused = httpx.post(f"{clinic.url}/portal/login", data={"token": ""}, trust_env=False)
    assert refused.status_code == 403
