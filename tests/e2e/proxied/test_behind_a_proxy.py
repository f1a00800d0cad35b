"""A recipient installed as the page for administrators says: the unit's command, behind nginx and Caddy.

Each test runs through both, with the documented files (`tests/support/proxies.py`). Every test comes from an
address of its own, because nginx counts requests per address.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections import Counter
from datetime import UTC, datetime

import httpx
import pytest

from crypto.canonical import sha256_id
from crypto.one_time import OneTimeSecret
from recipient.store import open_store
from sync.card import parse_card
from sync.endpoint import parse_endpoint
from sync.envelope import open_reply
from sync.errors import Unreachable
from sync.receipt import Receipt, verify_receipt
from sync.transport import InboxTransport
from sync.wire import PATHS, Kind, new_message_id
from tests.e2e.recipient_server import PASSWORD, form_token, log_in
from tests.support import clinical
from tests.support.patient_side import PatientSide
from tests.support.proxies import NAME, Proxy
from tests.support.recipient_process import RecipientProcess, command

HSTS = "max-age=31536000"


def patient_of(proxy: Proxy) -> PatientSide:
    """A patient whose app fetches the card through the proxy."""
    answer = proxy.transport().call("GET", parse_endpoint(f"https://{proxy.host}"), "/v1/card")
    assert answer.status == 200
    card = parse_card(answer.body.decode("ascii"), at=datetime.now(UTC))
    return PatientSide(card, secrets.token_bytes(32))


def push(patient: PatientSide, line: InboxTransport, *, at: datetime) -> Receipt:
    """Send a small record as the app does, and verify the receipt."""
    content, message_id = patient.push_content(clinical.small_record()), new_message_id()
    body = patient.envelope(Kind.PUSH, content, at=at, message_id=message_id)
    answer = line.send(patient.card, PATHS[Kind.PUSH], body)
    signer, key, hashed = patient.card.verify_key, patient.pairwise.opening, sha256_id(content)
    token = open_reply(answer, key=key, signer=signer, message_id=message_id).decode("ascii")
    return verify_receipt(
        token, signer, message_id=message_id, subject=patient.sub, kind=Kind.PUSH, payload_hash=hashed
    )


def test_the_app_fetches_the_card_and_pushes(proxy: Proxy) -> None:
    at = datetime.now(UTC)
    patient = patient_of(proxy)
    patient.grant(at=at)
    assert patient.card.endpoint == f"https://{proxy.host}"
    receipt = push(patient, proxy.transport(), at=at)
    assert receipt.stored == len(clinical.small_record())
    strange = InboxTransport(
        https_ports=frozenset({proxy.port}), allow_private=True, resolver=lambda *_: (proxy.address,)
    )
    with pytest.raises(Unreachable):  # the authority of this test is nobody's
        strange.send(patient.card, PATHS[Kind.PUSH], b"")


def test_browsers_speak_http2(proxy: Proxy) -> None:
    with proxy.browser("127.0.0.25", http2=True) as browser:
        card, page = browser.get("/v1/card"), browser.get("/portal/login")
        assert (card.http_version, page.http_version) == ("HTTP/2", "HTTP/2")
        assert parse_card(card.text, at=datetime.now(UTC)).endpoint == f"https://{proxy.host}"
        form = {"token": form_token(page), "name": f"{proxy.kind}-2", "password": "not the password at all"}
        assert browser.post("/portal/login", data=form).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"), [("/", 303), ("/portal/login", 200), ("/portal/nothing", 404), ("/health/ready", 404)]
)
def test_every_answer_says_https_only_and_no_header_twice(proxy: Proxy, path: str, status: int) -> None:
    answer = proxy.browser("127.0.0.21").get(path)
    names = Counter(name.lower() for name, _ in answer.headers.raw)
    assert answer.status_code == status
    assert answer.headers["strict-transport-security"] == HSTS
    assert [name for name, count in names.items() if count > 1] == []
    assert not re.search(r"\d", answer.headers.get("server", "")), "the version is nobody's business"


def test_a_page_has_the_cookie_and_the_headers_of_the_service(
    proxy: Proxy, recipient: RecipientProcess
) -> None:
    answer = proxy.browser("127.0.0.22", headers={"accept-encoding": "gzip"}).get("/portal/login")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-pgo-recipient=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
        "path=/", "secure", "httponly", "samesite=lax",
    }  # fmt: skip
    inside = httpx.get(f"{recipient.url}/portal/login", headers={"host": proxy.host}, trust_env=False).headers
    kept = ("content-security-policy", "permissions-policy", "cache-control", "x-content-type-options")
    assert [answer.headers[name] for name in kept] == [inside[name] for name in kept]
    assert "content-encoding" not in answer.headers, "a compressed page tells its form token (BREACH)"


def test_plain_http_is_sent_to_https_and_learns_nothing(proxy: Proxy) -> None:
    answer = httpx.get(
        f"http://{proxy.address}:{proxy.plain_port}/portal/login?a=b", headers={"host": NAME}, trust_env=False
    )
    assert answer.status_code == 308
    assert re.fullmatch(rf"https://{NAME}(:{proxy.port})?/portal/login\?a=b", answer.headers["location"])
    assert "set-cookie" not in answer.headers
    assert "form" not in answer.text


HEALTH = ("/health", "/health/", "/health/live", "/health/ready", "/%68ealth/live", "/health%2flive")
OTHER_WAYS = (
    "//health/live",
    "/./health/ready",
    "/portal/../health/live",
    "/v1/..%2fhealth/live",
    "/metrics",
)


def raw_get(proxy: Proxy, path: str, *, source: str, host: str | None = None) -> bytes:
    """Ask for a path exactly as written, and return the whole answer."""
    with proxy.connected(source) as line:
        line.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host or proxy.host}\r\nConnection: close\r\n\r\n".encode()
        )
        return b"".join(iter(lambda: line.recv(65_536), b""))


def test_health_and_figures_stay_inside(proxy: Proxy, recipient: RecipientProcess) -> None:
    for path in (*HEALTH, *OTHER_WAYS):
        answer = raw_get(proxy, path, source="127.0.0.23")
        assert answer.split(b" ")[1] in {b"404", b"400"}, (path, answer)
        assert b'"status"' not in answer
        assert b"pgo_recipient" not in answer
    assert httpx.get(f"{recipient.url}/health/live", trust_env=False).status_code == 200
    assert "pgo_recipient" in httpx.get(f"{recipient.metrics}/metrics", trust_env=False).text


def test_guessing_is_counted_for_the_real_address_whatever_a_client_says(proxy: Proxy) -> None:
    """Five wrong passwords a minute from one address; forged headers make no other address of it."""
    last = {"nginx": 31, "caddy": 32}[proxy.kind]
    answers = []
    for number in range(7):
        forged = f"203.0.113.{number}"
        headers = {
            "x-forwarded-for": f"{forged}, 127.0.0.1",
            "forwarded": f"for={forged}",
            "x-real-ip": forged,
            "x-forwarded-proto": "http",
            "x-forwarded-host": "evil.example",
            "connection": "close, x-forwarded-for",  # named as meant for the next hop only: would be removed
        }
        browser = proxy.browser(f"127.0.0.{last}", headers=headers)
        answers.append(log_in(browser, f"{proxy.kind}{number}", "not the password at all"))
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61, "the service's own words, unchanged"
    assert form_token(answers[-1]), "and its page"
    colleague = log_in(proxy.browser(f"127.0.0.{last + 10}"), f"{proxy.kind}8", "not the password at all")
    assert colleague.status_code == 401


def test_the_access_log_keeps_the_real_address(proxy: Proxy, recipient: RecipientProcess) -> None:
    """Patients get a salted hash of where a look came from; the address itself stays in the store."""
    at, source = datetime.now(UTC), {"nginx": "127.0.0.51", "caddy": "127.0.0.52"}[proxy.kind]
    patient = patient_of(proxy)
    patient.grant(at=at)
    push(patient, proxy.transport(), at=at)
    who = ("--display", "A. Bakker", "--role", "arts", "--password-file", "-")
    command(recipient.folder, "user", "add", proxy.kind, *who, given=PASSWORD + "\n")
    forged = {"x-forwarded-for": "203.0.113.9", "connection": "x-forwarded-for"}
    browser = proxy.browser(source, headers=forged)
    assert log_in(browser, proxy.kind).headers["location"] == "/portal/login/setup", "no trial from outside"
    page = browser.get("/portal/login/setup")
    letters = re.search(r'class="code letters">([A-Z2-7 ]+)<', page.text)
    assert letters is not None
    code = OneTimeSecret(base64.b32decode(letters.group(1).replace(" ", ""))).code(datetime.now(UTC))
    done = browser.post("/portal/login/setup", data={"token": form_token(page), "code": code})
    assert done.status_code == 200, done.text
    links = re.findall(r'href="(/portal/patient/[^"/]+)"', browser.get("/portal").text)
    assert any(browser.get(link).status_code == 200 for link in links)
    store = open_store(recipient.folder)
    places = store.rows("SELECT place FROM access_line WHERE sub = ? AND place <> ''", (patient.sub,))
    store.close()
    assert {place for (place,) in places} == {source}


def test_another_name_gets_nothing(proxy: Proxy) -> None:
    answer = raw_get(proxy, "/portal/login", source="127.0.0.24", host="evil.example")
    assert b"<form" not in answer
    assert b"set-cookie" not in answer.lower()
