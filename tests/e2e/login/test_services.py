"""Log-in services over real HTTP: an honest one lets in, one that is wrong in a single way lets in nobody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from recipient.login.services import LoginService, set_service
from tests.e2e.recipient_server import running_clinic
from tests.support.login_figures import count
from tests.support.login_place import Place, is_in, reheaded
from tests.support.login_service import (
    CLIENT_ID,
    CLIENT_SECRET,
    Claims,
    running_login_service,
    sign,
)

PROVEN = "log-in services that are wrong in one way"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_an_honest_service_lets_in(place: Place, algorithm: str) -> None:
    place.service.algorithm = algorithm
    place.service.new_key(f"key of {algorithm}")
    browser, answer = place.log_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/portal")
    assert "J. Jansen" in browser.get("/portal").text


def reclaimed(**changes: object) -> Callable[[Place], None]:
    """Change claims; None takes one away."""

    def spoil(place: Place) -> None:
        def make(header: Claims, claims: Claims) -> str:
            changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
            return sign(header, changed, place.service.key)

        place.service.token_of = make

    return spoil


def shifted(name: str, **by: float) -> Callable[[Place], None]:
    """Set a time of the token relative to now."""

    def spoil(place: Place) -> None:
        reclaimed(**{name: int((place.clinic.clock() + timedelta(**by)).timestamp())})(place)

    return spoil


def documented(**changes: object) -> Callable[[Place], None]:
    def spoil(place: Place) -> None:
        place.service.document = dict(changes)

    return spoil


def cut(place: Place) -> None:
    place.service.token_of = lambda header, claims: sign(header, claims, place.service.key)[:-10]


def swapped_payload(place: Place) -> None:
    def make(header: Claims, claims: Claims) -> str:
        honest = sign(header, claims, place.service.key).split(".")
        other = sign(header, {**claims, "sub": "subject-2"}, place.service.key).split(".")
        return ".".join((honest[0], other[1], honest[2]))

    place.service.token_of = make


BAD = {
    "issuer of another service": ("issuer", reclaimed(iss="https://login.example.org")),
    "issuer with a slash more": ("issuer", lambda place: reclaimed(iss=place.service.url + "/")(place)),
    "no issuer": ("issuer", reclaimed(iss=None)),
    "another audience": ("audience", reclaimed(aud="another-client")),
    "another audience beside us": ("audience", reclaimed(aud=[CLIENT_ID, "another-client"])),
    "no audience": ("audience", reclaimed(aud=None)),
    "audience that begins like us": ("audience", reclaimed(aud=CLIENT_ID + "2")),
    "made for another party": ("authorized_party", reclaimed(azp="another-client")),
    "nonce of another log-in": ("nonce", reclaimed(nonce="x" * 43)),
    "no nonce": ("nonce", reclaimed(nonce=None)),
    "nonce that is no text": ("nonce", reclaimed(nonce=1)),
    "expired": ("expired", shifted("exp", seconds=-61)),
    "no end": ("expired", reclaimed(exp=None)),
    "end that is no number": ("expired", reclaimed(exp="9999999999")),
    "end that is true": ("expired", reclaimed(exp=True)),
    "issued long ago": ("issued_at", shifted("iat", minutes=-12)),
    "issued in the future": ("issued_at", shifted("iat", seconds=62)),
    "no time of issue": ("issued_at", reclaimed(iat=None)),
    "not valid yet": ("not_before", shifted("nbf", seconds=62)),
    "no second factor": ("amr", reclaimed(amr=["pwd"])),
    "second factor not said": ("amr", reclaimed(amr=None)),
    "second factor as a text": ("amr", reclaimed(amr="mfa")),
    "no subject": ("subject", reclaimed(sub=None)),
    "empty subject": ("subject", reclaimed(sub="")),
    "subject of somebody unknown": ("not_admitted", reclaimed(sub="subject-9")),
    "subject with a control character": ("subject", reclaimed(sub="subject-1\n")),
    "no signature, alg none": ("jws_algorithm", reheaded("none", alg="none")),
    "no signature, alg None": ("jws_algorithm", reheaded("none", alg="None")),
    "no signature": ("bad_signature", reheaded("none")),
    "HS256 with the public key": ("jws_algorithm", reheaded("pem", alg="HS256")),
    "HS256 with the public key, called RS256": ("bad_signature", reheaded("pem")),
    "RS512": ("jws_algorithm", reheaded(alg="RS512")),
    "PS256 header on an RS256 signature": ("bad_signature", lambda place: reheaded(alg="PS256")(place)),
    "no alg": ("jws_algorithm", reheaded(alg=None)),
    "another key": ("bad_signature", reheaded("other")),
    "another key under an unknown name": ("unknown_key", reheaded("other", kid="unknown")),
    "another key in the header": (
        "bad_signature",
        lambda place: reheaded("other", jwk={"kty": "RSA"})(place),
    ),
    "own key under an unknown name": ("unknown_key", reheaded(kid="unknown")),
    "critical extension": ("jws_header", reheaded(crit=["exp"])),
    "unencoded payload": ("jws_header", reheaded(b64=False)),
    "an access token": ("jws_type", reheaded(typ="at+jwt")),
    "a log-out token": ("jws_type", reheaded(typ="logout+jwt")),
    "signature cut off": ("bad_signature", cut),
    "payload of another token": ("bad_signature", swapped_payload),
    "no ID token at all": ("answer_form", lambda place: setattr(place.service, "token_of", lambda *_: None)),
    "something that is no token": (
        "jws_form",
        lambda place: setattr(place.service, "token_of", lambda *_: "a.b"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_token_that_is_wrong_in_one_way_lets_nobody_in(
    place: Place, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    rule, spoil = BAD[name]
    if name.startswith("PS256"):  # signed as RS256 says, named as PS256 says
        own = place.service.key
        place.service.token_of = lambda header, claims: _misnamed(header, claims, own)
    else:
        spoil(place)
    browser, answer = place.log_in()
    count(PROVEN, tried=1, accepted=int(is_in(browser)))
    assert answer.status_code == 403
    assert not is_in(browser)
    rules = [getattr(line, "allowed", {}).get("code") for line in caplog.records]
    assert rules == [rule], "refused, but not for what is wrong with it"


def _misnamed(header: Claims, claims: Claims, key: object) -> str:
    token = sign({**header, "alg": "RS256"}, claims, key)  # type: ignore[arg-type]
    renamed = sign({**header, "alg": "PS256"}, claims, None)
    return ".".join((*renamed.split(".")[:2], token.split(".")[2]))


@pytest.mark.parametrize(
    "change",
    [
        documented(issuer="https://login.example.org"),
        documented(id_token_signing_alg_values_supported=["HS256", "none"]),
        documented(code_challenge_methods_supported=["plain"]),
        documented(response_types_supported=["token"]),
        documented(jwks_uri="http://login.example.org/keys"),
        documented(token_endpoint="https://user:pw@login.example.org/token"),
        documented(authorization_endpoint="javascript:alert(1)"),
        documented(end_session_endpoint="ftp://login.example.org"),
        documented(token_endpoint=None),
    ],
)
def test_a_service_that_is_not_fit_is_not_visited(place: Place, change: Callable[[Place], None]) -> None:
    change(place)
    answer = place.clinic.browser().get("/portal/login/at/ziekenhuis")
    count(PROVEN, tried=1, accepted=int(answer.status_code == 303))
    assert answer.status_code == 502


class TestAnswers:
    """What a browser brings back: for this browser, this service, once, in time."""

    def refused(self, place: Place, browser: httpx.Client, query: str) -> None:
        answer = place.come_back(browser, query)
        count(PROVEN, tried=1, accepted=int(is_in(browser)))
        assert answer.status_code == 403
        assert not is_in(browser)

    def test_answer_of_another_service_is_refused(self, place: Place) -> None:
        for said in ("&iss=https://login.example.org", "&iss=", ""):
            browser = place.clinic.browser()
            query = place.service.authorize(place.leave(browser)).partition("&iss=")[0]
            self.refused(place, browser, query + said)

    def test_state_of_another_browser_is_refused_and_stays_for_its_own(self, place: Place) -> None:
        mine, thief = place.clinic.browser(), place.clinic.browser()
        query = place.service.authorize(place.leave(mine))
        place.leave(thief)
        self.refused(place, thief, query)
        self.refused(place, place.clinic.browser(), query)
        assert place.come_back(mine, query).headers["location"] == "/portal"

    def test_state_and_code_work_once(self, place: Place) -> None:
        browser = place.clinic.browser()
        address = place.leave(browser)
        query = place.service.authorize(address)
        cookies = dict(browser.cookies)
        assert place.come_back(browser, query).headers["location"] == "/portal"
        for replayed in (query, place.service.authorize(address)):  # the second: a new code, the same state
            again = place.clinic.browser()
            again.cookies.update(cookies)
            self.refused(place, again, replayed)
        fresh = place.clinic.browser()  # the old code under a new state
        state = place.service.authorize(place.leave(fresh)).partition("&state=")[2]
        self.refused(place, fresh, f"{query.partition('&state=')[0]}&state={state}")

    def test_state_lasts_ten_minutes(self, place: Place) -> None:
        early, late = place.clinic.browser(), place.clinic.browser()
        queries = [place.service.authorize(place.leave(one)) for one in (early, late)]
        place.clinic.clock.forward(minutes=9, seconds=59)
        assert place.come_back(early, queries[0]).headers["location"] == "/portal"
        place.clinic.clock.forward(seconds=1)
        self.refused(place, late, queries[1])

    def test_errors_and_empty_answers_are_refused(self, place: Place) -> None:
        for change in ("error=access_denied", "code=", "error=x&code=y"):
            browser = place.clinic.browser()
            state = place.service.authorize(place.leave(browser)).partition("&state=")[2]
            self.refused(place, browser, f"{change}&state={state}")
        self.refused(place, place.clinic.browser(), "code=x&state=made-up")
        self.refused(place, place.clinic.browser(), "")

    def test_a_state_of_one_service_does_not_fit_another(self, place: Place) -> None:
        with running_login_service(place.clinic.clock) as other:
            settings = LoginService("elders", "Elders", other.url, CLIENT_ID, CLIENT_SECRET, amr=("mfa",))
            set_service(place.clinic.store, settings)
            browser = place.clinic.browser()
            address = browser.get("/portal/login/at/elders").headers["location"]
            self.refused(place, browser, other.authorize(address))
            # the other service knows state, nonce and challenge, and sends the browser on to the honest one
            address = browser.get("/portal/login/at/elders").headers["location"]
            moved = address.replace("at%2Felders%2Fdone", "at%2Fziekenhuis%2Fdone")
            assert moved != address
            self.refused(place, browser, place.service.authorize(moved))


def test_a_service_that_is_away_is_said_so_and_left_alone(tmp_path: Path) -> None:
    with running_clinic(tmp_path / "clinic") as clinic:
        with running_login_service(clinic.clock) as service:
            place = Place(clinic, service)
            place.trust()
        answers = [clinic.browser().get("/portal/login/at/ziekenhuis") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [503, 503]
        assert "niet bereikbaar" in answers[0].text
        assert clinic.browser().get("/portal/login/at/nobody").status_code == 404
