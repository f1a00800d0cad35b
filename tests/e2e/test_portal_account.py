"""The second step and one's own account, as a browser meets them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from crypto.one_time import OneTimeSecret
from recipient.accounts import add_account
from tests.e2e.recipient_server import PASSWORD, Clinic, form_token, log_in, running_clinic

NEW_PASSWORD = "heel andere woorden vandaag lantaarn"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with running_clinic(tmp_path / "clinic") as running:
        add_account(
            running.store,
            name="bakker",
            display="B. Bakker",
            role="arts",
            password=PASSWORD,
            at=running.clock(),
        )
        yield running


def post(browser: httpx.Client, path: str, *, page: str, **fields: str) -> httpx.Response:
    token = form_token(browser.get(page))
    return browser.post(path, data={"token": token, **fields})


def secret_on(page: httpx.Response) -> OneTimeSecret:
    found = re.search(r'class="code letters">([A-Z2-7 ]+)<', page.text)
    assert found is not None
    return OneTimeSecret(base64.b32decode(found.group(1).replace(" ", "")))


def sets_up(clinic: Clinic, browser: httpx.Client) -> tuple[OneTimeSecret, list[str]]:
    """From the password to the first session; gives what the phone and the paper hold then."""
    assert log_in(browser, "bakker").headers["location"] == "/portal/login/setup"
    secret = secret_on(browser.get("/portal/login/setup"))
    here = "/portal/login/setup"
    assert post(browser, here, page=here, code="000 00").status_code == 401
    done = post(browser, here, page=here, code=secret.code(clinic.clock()))
    codes = re.findall(r'<li class="code">([0-9A-Z-]{19})</li>', done.text)
    assert (done.status_code, len(codes)) == (200, 10)
    return secret, codes


def is_in(browser: httpx.Client) -> bool:
    answer = browser.get("/portal")
    assert answer.status_code in (200, 303), answer.text
    return answer.status_code == 200


def second(browser: httpx.Client, code: str) -> httpx.Response:
    return post(browser, "/portal/login/second", page="/portal/login/second", code=code)


def test_first_log_in_sets_the_second_step_up_and_the_next_one_asks_it(clinic: Clinic) -> None:
    first = clinic.browser()
    secret, codes = sets_up(clinic, first)
    assert is_in(first)
    for typed, location in ((None, "/portal"), (codes[0].lower(), "/portal/account")):
        clinic.clock.forward(minutes=2)
        browser = clinic.browser()
        assert log_in(browser, "bakker").headers["location"] == "/portal/login/second"
        assert not is_in(browser)
        assert "tweede stap" in browser.get("/portal/login/second").text.lower()
        answer = second(browser, typed or secret.code(clinic.clock()))
        assert (answer.status_code, answer.headers["location"]) == (303, location)
        assert is_in(browser)
    assert "nog 9 herstelcodes" in browser.get("/portal/account").text


def test_codes_are_guessed_as_slowly_as_passwords_and_work_once(clinic: Clinic) -> None:
    secret, _ = sets_up(clinic, clinic.browser())
    clinic.clock.forward(minutes=2)
    used, late = clinic.browser(), clinic.browser()
    for browser in (used, late):
        log_in(browser, "bakker")
    code = secret.code(clinic.clock())
    assert second(used, code).status_code == 303
    assert second(late, code).status_code == 401, "used already"
    statuses = [second(late, "000000").status_code for _ in range(6)]
    assert statuses == [401] * 4 + [429] * 2
    clinic.clock.forward(seconds=62)
    assert second(late, secret.code(clinic.clock())).status_code == 303


def test_the_step_between_opens_nothing_else_and_ends(clinic: Clinic) -> None:
    secret, _ = sets_up(clinic, clinic.browser())
    browser = clinic.browser()
    log_in(browser, "bakker")
    for path in ("/portal", "/portal/account", "/portal/account/setup", "/portal/login/setup"):
        assert browser.get(path).status_code == 303, path
    clinic.clock.forward(minutes=10)
    assert browser.get("/portal/login/second").headers["location"] == "/portal/login"
    token = form_token(browser.get("/portal/login"))
    late = browser.post("/portal/login/second", data={"token": token, "code": secret.code(clinic.clock())})
    assert late.status_code == 403
    assert not is_in(browser)


def test_new_password_needs_the_old_one_and_ends_other_sessions(clinic: Clinic) -> None:
    browser, other = clinic.member(), clinic.member()
    here = "/portal/account"
    for old, new, again, status in (
        ("a wrong old password", NEW_PASSWORD, NEW_PASSWORD, 401),
        (PASSWORD, NEW_PASSWORD, NEW_PASSWORD + "x", 422),
        (PASSWORD, "kort", "kort", 422),
        (PASSWORD, "passwordpassword", "passwordpassword", 422),
        (PASSWORD, NEW_PASSWORD, NEW_PASSWORD, 200),
    ):
        answer = post(browser, f"{here}/password", page=here, password=old, new=new, again=again)
        assert answer.status_code == status, new
        assert old not in answer.text
        assert NEW_PASSWORD not in answer.text
    assert (is_in(browser), is_in(other)) == (True, False)
    assert log_in(clinic.browser()).status_code == 401
    assert log_in(clinic.browser(), "dewit", NEW_PASSWORD).status_code == 303


def test_sessions_are_listed_and_ended(clinic: Clinic) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    mine, lost, third = clinic.member(), clinic.member(**{"user-agent": agent}), clinic.member()
    here = "/portal/account"
    page = mine.get(here).text
    assert "Firefox, Windows" in page
    assert page.count('name="session"') == 2
    key = re.findall(r'name="session" value="([0-9a-f]+)" aria-label="Uitloggen: Firefox', page)[0]
    assert post(mine, f"{here}/end", page=here, session=key).status_code == 303
    assert [is_in(one) for one in (mine, lost, third)] == [True, False, True]
    assert post(mine, f"{here}/end", page=here).status_code == 303
    assert [is_in(one) for one in (mine, third)] == [True, False]


def test_a_new_phone_needs_a_code_and_ends_the_old_ones(clinic: Clinic) -> None:
    browser = clinic.browser()
    secret, codes = sets_up(clinic, browser)
    here, there = "/portal/account", "/portal/account/setup"
    clinic.clock.forward(minutes=2)
    assert browser.get(there).headers["location"] == here
    assert post(browser, f"{here}/second", page=here, code="000000").status_code == 401
    for _ in range(2):  # twice, as a double click does; a recovery code each
        answer = post(browser, f"{here}/second", page=here, code=codes.pop())
        assert answer.headers["location"] == there
    new = secret_on(browser.get(there))
    assert new.raw != secret.raw
    done = post(browser, there, page=there, code=new.code(clinic.clock()))
    assert done.text.count('<li class="code">') == 10
    clinic.clock.forward(minutes=2)
    fresh = clinic.browser()
    log_in(fresh, "bakker")
    assert second(fresh, secret.code(clinic.clock())).status_code == 401
    assert second(fresh, codes.pop()).status_code == 401
    assert second(fresh, new.code(clinic.clock())).status_code == 303
