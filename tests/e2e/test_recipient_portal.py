"""Log-in, sessions, forms and headers of the portal, as a browser and as an attacker meet them."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from recipient.accounts import close_account
from recipient.config import Limits
from recipient.service import build_app
from tests.e2e.recipient_server import Clinic, form_token, log_in, running_clinic
from tests.support import clinical
from tests.support.patient_side import PatientSide


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with running_clinic(tmp_path / "clinic") as running:
        yield running


@pytest.fixture(scope="module")
def shared_clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """For tests that change nothing in it."""
    with running_clinic(tmp_path_factory.mktemp("portal") / "clinic") as running:
        yield running


def raw(clinic: Clinic, request: bytes, *, wait: float = 5.0) -> bytes:
    """Send bytes and return what comes back until the other side closes."""
    host, port = clinic.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        connection.sendall(request.replace(b"HOST", f"{host}:{port}".encode()))
        answer = b""
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except TimeoutError:
            pass
    return answer


class TestLogin:
    def test_stranger_sees_the_form_and_nothing_else(self, shared_clinic: Clinic) -> None:
        browser = shared_clinic.browser()
        for path in (
            "/portal",
            "/portal/patient/x",
            "/portal/patient/x/record/1",
            "/portal/patient/x/timeline",
        ):
            answer = browser.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/portal/login")

    def test_wrong_password_and_unknown_name_look_the_same(self, clinic: Clinic) -> None:
        pages = []
        for name in ("dewit", "nobody"):
            answer = log_in(clinic.browser(), name, "not the password at all")
            assert answer.status_code == 401
            pages.append(re.sub(r"[0-9a-f]{64}", "", answer.text))
        assert pages[0] == pages[1]

    def test_id_is_new_at_log_in_and_the_old_one_opens_nothing(self, clinic: Clinic) -> None:
        browser = clinic.browser()
        browser.get("/portal/login")
        before = browser.cookies["pgo_recipient"]
        log_in(browser)
        assert browser.cookies["pgo_recipient"] != before
        thief = clinic.browser()
        thief.cookies.set("pgo_recipient", before)
        assert thief.get("/portal").status_code == 303

    def test_planted_id_does_not_become_a_session(self, clinic: Clinic) -> None:
        browser = clinic.browser()
        browser.cookies.set("pgo_recipient", "planted-by-somebody", domain="127.0.0.1", path="/")
        answer = log_in(browser)
        assert "planted-by-somebody" not in answer.headers["set-cookie"]

    def test_cookie_is_hidden_from_scripts_and_stays_on_this_site(self, clinic: Clinic) -> None:
        cookie = log_in(clinic.browser()).headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "path=/" in cookie
        assert "domain" not in cookie

    def test_log_out_ends_the_session_on_the_server(self, clinic: Clinic) -> None:
        member = clinic.member()
        stolen = member.cookies["pgo_recipient"]
        token = form_token(member.get("/portal"))
        assert member.post("/portal/logout", data={"token": token}).status_code == 303
        thief = clinic.browser()
        thief.cookies.set("pgo_recipient", stolen)
        assert thief.get("/portal").status_code == 303

    @pytest.mark.parametrize(("minutes", "status"), [(14.9, 200), (15.1, 303)])
    def test_session_ends_without_use(self, clinic: Clinic, minutes: float, status: int) -> None:
        member = clinic.member()
        clinic.clock.forward(minutes=minutes)
        assert member.get("/portal").status_code == status

    def test_session_ends_after_ten_hours_in_any_case(self, clinic: Clinic) -> None:
        member = clinic.member()
        for _ in range(59):
            clinic.clock.forward(minutes=10)
            assert member.get("/portal").status_code == 200
        clinic.clock.forward(minutes=10)
        assert member.get("/portal").status_code == 303

    def test_closed_account_is_out_at_the_next_click(self, clinic: Clinic) -> None:
        member = clinic.member()
        close_account(clinic.store, name="dewit")
        assert member.get("/portal").status_code == 303

    def test_guessing_is_slowed_whatever_address_a_header_claims(self, clinic: Clinic) -> None:
        statuses = []
        for number in range(8):
            browser = clinic.browser(**{"x-forwarded-for": f"203.0.113.{number}"})
            statuses.append(log_in(browser, f"name{number}", "not the password at all").status_code)
        assert statuses == [401] * 5 + [429] * 3
        answer = log_in(clinic.browser())
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) <= 61
        clinic.clock.forward(seconds=61)
        assert log_in(clinic.browser()).status_code == 303


class TestForms:
    def test_form_without_or_with_a_foreign_token_is_refused(self, clinic: Clinic) -> None:
        member = clinic.member()
        other = form_token(clinic.browser().get("/portal/login"))
        for token in ("", "0" * 64, other):
            assert member.post("/portal/logout", data={"token": token}).status_code == 403
        assert member.get("/portal").status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "http://127.0.0.1:1"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ],
    )
    def test_form_of_another_site_is_refused_even_with_the_token(
        self, shared_clinic: Clinic, headers: dict[str, str]
    ) -> None:
        browser = shared_clinic.browser()
        token = form_token(browser.get("/portal/login"))
        answer = browser.post("/portal/language", data={"token": token, "lang": "en"}, headers=headers)
        assert answer.status_code == 403
        assert "pgo_lang" not in browser.cookies

    def test_language_switch_stays_on_the_page_and_never_leaves_the_site(self, shared_clinic: Clinic) -> None:
        browser = shared_clinic.browser()
        token = form_token(browser.get("/portal/login"))
        for referer, target in (
            (f"{shared_clinic.url}/portal/login", "/portal/login"),
            ("https://evil.example/portal/x", "/portal"),
            (f"{shared_clinic.url}//evil.example", "/portal"),
        ):
            answer = browser.post(
                "/portal/language", data={"token": token, "lang": "en"}, headers={"referer": referer}
            )
            assert (answer.status_code, answer.headers["location"]) == (303, target)
        assert "Log in" in browser.get("/portal/login").text

    @pytest.mark.parametrize(
        ("content", "kind", "status"),
        [
            (b"token=a&token=b", "application/x-www-form-urlencoded", 400),
            (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
            (b"token=%ff", "application/x-www-form-urlencoded", 400),
            (b"x" * 20_000, "application/x-www-form-urlencoded", 413),
            (b"{}", "application/json", 415),
            (b"", "", 415),
        ],
    )
    def test_odd_forms_are_refused(
        self, shared_clinic: Clinic, content: bytes, kind: str, status: int
    ) -> None:
        browser = shared_clinic.browser()
        browser.get("/portal/login")
        answer = browser.post("/portal/login", content=content, headers={"content-type": kind})
        assert answer.status_code == status

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    def test_other_methods_do_nothing(self, shared_clinic: Clinic, method: str) -> None:
        for path in ("/portal", "/portal/login", "/v1/inbox", "/health"):
            assert shared_clinic.browser().request(method, path).status_code == 405


class TestAnswers:
    def test_policy_allows_our_own_style_sheet_and_nothing_else(self, shared_clinic: Clinic) -> None:
        headers = shared_clinic.browser().get("/portal/login").headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers

    def test_pages_hold_no_script_no_inline_style_and_no_foreign_address(self, clinic: Clinic) -> None:
        patient = PatientSide.of(clinic.url, at=clinic.clock())
        patient.grant(at=clinic.clock())
        patient.push(clinical.small_record(), at=clinic.clock())
        member = clinic.member()
        people = member.get("/portal").text
        address = re.findall(r'href="(/portal/patient/[\w-]+)"', people)[0]
        page = member.get(address).text
        links = re.findall(r'href="(/portal/patient/[\w-]+/(?:record|trend)/\w+)"', page)
        pages = [people, page, *(member.get(link).text for link in dict.fromkeys(links))]
        assert len(pages) > 10
        for text in pages:
            assert not re.search(r"<script|style=|\son\w+=|javascript:", text)
            addresses = re.findall(r'(?:href|src|action)="([^"]*)"', text)
            assert all(one.startswith(("/portal", "#", "/v1/card.svg")) for one in addresses)

    def test_https_gets_a_host_cookie_and_strict_transport(self, clinic: Clinic) -> None:
        app = build_app(clinic.store, endpoint="https://share.example.org", clock=clinic.clock)

        async def visit() -> httpx.Response:
            transport = httpx.ASGITransport(app=cast("Any", app))
            async with httpx.AsyncClient(transport=transport, base_url="https://share.example.org") as one:
                return await one.get("/portal/login")

        answer = asyncio.run(visit())
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-pgo-recipient=")
        assert "; Secure" in cookie
        assert answer.headers["strict-transport-security"] == "max-age=31536000"

    def test_unforeseen_failure_shows_and_logs_no_content(
        self, clinic: Clinic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("patient Kanarie bsn 123456782")

        member = clinic.member()
        monkeypatch.setattr("recipient.reading.Reader.list_patients", broken)
        answer = member.get("/portal")
        assert answer.status_code == 500
        assert "Hier ging iets mis" in answer.text
        end = time.monotonic() + 30
        while not caplog.records and time.monotonic() < end:  # the line is written once the answer has left
            time.sleep(0.01)
        assert "Kanarie" not in answer.text + caplog.text
        (said,) = caplog.records
        assert vars(said)["allowed"]["kind"] == "RuntimeError"

    def test_health_and_card_are_public(self, shared_clinic: Clinic) -> None:
        browser = shared_clinic.browser()
        assert browser.get("/health").json() == {"status": "ok"}
        assert browser.get("/v1/card").status_code == 200
        assert browser.get("/").headers["location"] == "/portal"
        assert browser.get("/docs").status_code == 404


class TestIngress:
    @pytest.mark.parametrize(
        ("request_bytes", "status"),
        [
            (b"GET /health HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n", b"200"),
            (b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"421"),
            (b"GET /health HTTP/1.1\r\n\r\n", b"400"),
            (b"GET /health HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n", b"400"),
            (b"GET /health HTTP/1.0\r\n\r\n", b"400"),
            (
                b"POST /v1/inbox HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                b"400",
            ),
            (b"POST /v1/inbox HTTP/1.1\r\nHost: HOST\r\nContent-Length: +5\r\n\r\nhello", b"400"),
            (b"POST /v1/inbox HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: xchunked\r\n\r\n", b"501"),
            (
                b"POST /v1/inbox HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n"
                b"Content-Length: 6\r\n\r\nhello",
                b"400",
            ),
        ],
    )
    def test_what_parsers_let_through_is_refused(
        self, shared_clinic: Clinic, request_bytes: bytes, status: bytes
    ) -> None:
        answer = raw(shared_clinic, request_bytes)
        line = answer.split(b"\r\n")[0]
        assert line.split(b" ")[1] in (status, b"400" if status != b"200" else status)

    def test_large_headers_are_refused(self, shared_clinic: Clinic) -> None:
        for count, size in ((1, 100_000), (2_000, 20)):
            lines = b"".join(b"X-%d: %s\r\n" % (number, b"a" * size) for number in range(count))
            answer = raw(shared_clinic, b"GET /health HTTP/1.1\r\nHost: HOST\r\n" + lines + b"\r\n")
            assert answer.split(b" ")[1] in (b"400", b"431")

    def test_slow_headers_are_cut_off_and_others_served_meanwhile(self, tmp_path: Path) -> None:
        limits = Limits(header_deadline_seconds=0.6, max_connections=60)
        with running_clinic(tmp_path / "clinic", limits=limits) as running:
            host, port = running.url.removeprefix("http://").split(":")
            slow = [socket.create_connection((host, int(port))) for _ in range(40)]
            for connection in slow:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost:")
            started = time.monotonic()
            assert httpx.get(f"{running.url}/health", trust_env=False).status_code == 200
            assert time.monotonic() - started < 1
            for connection in slow:
                connection.settimeout(5)
                assert connection.recv(1) == b""
                connection.close()

    def test_slow_next_request_on_a_kept_connection_is_cut_off_too(self, tmp_path: Path) -> None:
        with running_clinic(tmp_path / "clinic", limits=Limits(header_deadline_seconds=0.5)) as running:
            host, port = running.url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                whole = f"GET /health HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
                connection.sendall(whole)
                assert connection.recv(65536).startswith(b"HTTP/1.1 200")
                connection.sendall(whole[:20])
                while connection.recv(65536):
                    pass

    def test_slow_body_is_given_up(self, tmp_path: Path) -> None:
        with running_clinic(tmp_path / "clinic", limits=Limits(body_deadline_seconds=0.4)) as running:
            answer = raw(
                running, b"POST /v1/inbox HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1000\r\n\r\nslow", wait=3
            )
            assert answer.split(b" ")[1] == b"408"

    def test_web_sockets_are_not_spoken(self, shared_clinic: Clinic) -> None:
        answer = raw(
            shared_clinic,
            b"GET /portal HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            wait=2,
        )
        assert not answer.startswith(b"HTTP/1.1 101")
