"""The transport against real servers on loopback ports."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import sync
from sync.errors import LocalRuleError, RemoteRuleError, Unreachable
from sync.transport import MAX_REFUSAL_BYTES, InboxTransport, resolve
from sync.wire import MAX_BODY_BYTES, REFUSALS
from tests.support.http_servers import Behaviour, Handler, Server, certificate, serving
from tests.support.sync_world import a_card

FAST = InboxTransport(connect_seconds=2, step_seconds=2, deadline_seconds=5)


def _send(
    server: Server, body: bytes = b"sealed", *, transport: InboxTransport = FAST, path: str = "/v1/inbox"
) -> bytes:
    return transport.send(a_card(endpoint=server.url), path, body)


def _unreachable(behave: Behaviour, *, transport: InboxTransport = FAST) -> Unreachable:
    with serving(behave) as server, pytest.raises(Unreachable) as refusal:
        _send(server, transport=transport)
    return refusal.value


def test_bytes_arrive_and_the_answer_comes_back() -> None:
    with serving(lambda handler: handler.answer(200, b"reply " + handler.body)) as server:
        assert _send(server, b"\x00\xffsealed") == b"reply \x00\xffsealed"
    [request] = server.seen
    assert (request.command, request.path) == ("POST", "/v1/inbox")


def test_a_request_says_no_more_than_it_must() -> None:
    with serving(lambda handler: handler.answer(200)) as server:
        _send(server)
        port = server.port
    headers = {name.lower(): value for name, value in server.seen[0].headers.items()}
    assert headers == {
        "host": f"127.0.0.1:{port}",
        "content-type": "application/pgo-envelope",
        "accept": "application/pgo-envelope",
        "accept-encoding": "identity",
        "connection": "close",
        "content-length": "6",
    }


def test_a_card_with_a_path_is_followed_below_it() -> None:
    with serving(lambda handler: handler.answer(200)) as server:
        FAST.send(a_card(endpoint=server.url + "/pgo/"), "/v1/access", b"")
    assert server.seen[0].path == "/pgo/v1/access"


def test_cookies_are_not_kept() -> None:
    with serving(lambda handler: handler.answer(200, set_cookie="a=b")) as server:
        _send(server)
        _send(server)
    assert all("cookie" not in request.headers for request in server.seen)


def test_connections_are_not_shared_between_messages() -> None:
    with serving(lambda handler: handler.answer(200)) as server:
        _send(server)
        _send(server)
    assert len({request.client_address for request in server.seen}) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused(status: int) -> None:
    with serving(lambda handler: handler.answer(200)) as elsewhere:
        refusal = _unreachable(lambda handler: handler.answer(status, location=elsewhere.url + "/v1/inbox"))
    assert refusal.code == "no_proof"
    assert elsewhere.seen == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_ignored(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda handler: handler.answer(200, b"proxy")) as proxy:
        monkeypatch.setenv(name, proxy.url)
        with serving(lambda handler: handler.answer(200, b"direct")) as server:
            assert _send(server) == b"direct"
    assert proxy.seen == []


@pytest.mark.parametrize(("code", "status"), sorted(REFUSALS.items()))
def test_a_refusal_says_why(code: str, status: int) -> None:
    def refuse(handler: Handler) -> None:
        handler.answer(status, json.dumps({"code": code}).encode())

    with serving(refuse) as server, pytest.raises(RemoteRuleError) as refusal:
        _send(server)
    assert (refusal.value.code, refusal.value.status, refusal.value.proof) == (code, status, None)


def test_a_refused_clock_brings_a_signed_time() -> None:
    def refuse(handler: Handler) -> None:
        handler.answer(403, b'{"code":"clock","time":"a.b.c"}')

    with serving(refuse) as server, pytest.raises(RemoteRuleError) as refusal:
        _send(server)
    assert refusal.value.proof == "a.b.c"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, b""),
        (403, b"<html>Forbidden</html>"),
        (403, b'"malformed"'),
        (403, b'{"code":1}'),
        (403, b'{"code":"unheard_of"}'),
        (403, b'{"code":"malformed"}'),
        (400, b'{"code":"bad_signature"}'),
        (404, b'{"code":"malformed"}'),
        (403, b'{"code":"bad_signature","code":"clock"}'),
        (401, b"sign in first"),
        (204, b""),
        (500, b"oops"),
        (502, b"bad gateway"),
    ],
)
def test_anything_else_proves_nothing_and_is_retried(status: int, body: bytes) -> None:
    refusal = _unreachable(lambda handler: handler.answer(status, body if status != 204 else b""))
    assert (refusal.code, refusal.retry_after_seconds) == ("no_proof", None)


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (503, "120", 120),
        (429, "1", 1),
        (503, "", None),
        (503, "soon", None),
        (503, "-5", None),
        (503, "Wed, 21 Oct 2026 07:28:00 GMT", None),
        (503, "9" * 12, None),
        (503, "²", None),
    ],
)
def test_a_busy_recipient_may_ask_us_to_wait(status: int, header: str, seconds: int | None) -> None:
    def busy(handler: Handler) -> None:
        handler.answer(status, b'{"code":"too_many"}', retry_after=header)

    refusal = _unreachable(busy)
    assert (refusal.code, refusal.retry_after_seconds) == ("busy", seconds)


def test_the_largest_answer_is_accepted() -> None:
    with serving(lambda handler: handler.answer(200, bytes(MAX_BODY_BYTES))) as server:
        assert len(_send(server)) == MAX_BODY_BYTES


def test_a_larger_answer_is_refused() -> None:
    refusal = _unreachable(lambda handler: handler.answer(200, bytes(MAX_BODY_BYTES + 1)))
    assert refusal.code == "answer_too_large"


def test_an_endless_answer_is_refused_at_the_limit() -> None:
    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        chunk = b"%x\r\n" % 65_536 + bytes(65_536) + b"\r\n"
        while not handler.server.over.is_set():
            handler.wfile.write(chunk)

    assert _unreachable(endless).code == "answer_too_large"


def test_a_long_refusal_is_refused() -> None:
    refusal = _unreachable(lambda handler: handler.answer(403, b" " * (MAX_REFUSAL_BYTES + 1)))
    assert refusal.code == "answer_too_large"


def test_a_compressed_answer_is_refused() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    refusal = _unreachable(lambda handler: handler.answer(200, bomb, content_encoding="gzip"))
    assert refusal.code == "no_proof"


def test_silence_ends() -> None:
    def silent(handler: Handler) -> None:
        handler.server.over.wait(10)

    started = time.monotonic()
    _unreachable(silent, transport=InboxTransport(step_seconds=0.2, deadline_seconds=5))
    assert time.monotonic() - started < 4


def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        while not handler.server.over.wait(0.05):
            handler.wfile.write(b"x")

    started = time.monotonic()
    refusal = _unreachable(drip, transport=InboxTransport(step_seconds=2, deadline_seconds=0.4))
    assert refusal.code == "timeout"
    assert time.monotonic() - started < 4


def test_an_answer_that_is_cut_is_no_answer() -> None:
    def cut(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 10)
        handler.close_connection = True

    assert _unreachable(cut).code == "unreachable"


def test_an_answer_that_is_no_http_is_no_answer() -> None:
    def rubbish(handler: Handler) -> None:
        handler.wfile.write(b"SSH-2.0-hello\r\n\r\n")
        handler.close_connection = True

    assert _unreachable(rubbish).code == "unreachable"


def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable):
        FAST.send(a_card(endpoint=f"http://127.0.0.1:{port}"), "/v1/inbox", b"")


@pytest.mark.parametrize(
    "endpoint", ["http://clinic.example", "http://192.168.1.1", "http://localhost:1", "ftp://x.example"]
)
def test_http_is_for_loopback_only(endpoint: str) -> None:
    with pytest.raises(LocalRuleError):
        FAST.send(a_card(endpoint=endpoint), "/v1/inbox", b"")


class _NoConnection:
    """A resolver that answers, and a guard that no connection is made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
        self.addresses = addresses
        self.connected: list[Any] = []
        monkeypatch.setattr(socket, "create_connection", self._connect)

    def __call__(self, host: str, port: int) -> tuple[str, ...]:
        return self.addresses

    def _connect(self, address: Any, *_: Any, **__: Any) -> None:
        self.connected.append(address)
        raise OSError("no network in this test")


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("10.0.0.1",),
        ("8.8.8.8", "192.168.0.1"),
        ("::1",),
        ("::ffff:8.8.8.8",),
        ("64:ff9b::808:808",),
        ("224.0.0.1",),
        ("169.254.169.254",),
        (),
    ],
)
def test_a_name_that_points_inside_is_not_contacted(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = _NoConnection(monkeypatch, *addresses)
    with pytest.raises(Unreachable):
        InboxTransport(resolver=network).send(a_card(), "/v1/inbox", b"")
    assert network.connected == []


def test_the_connection_goes_to_the_checked_address(monkeypatch: pytest.MonkeyPatch) -> None:
    network = _NoConnection(monkeypatch, "8.8.8.8", "1.1.1.1")
    with pytest.raises(Unreachable):
        InboxTransport(resolver=network).send(a_card(), "/v1/inbox", b"")
    assert network.connected == [("8.8.8.8", 443)]


def test_another_port_needs_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    network = _NoConnection(monkeypatch, "8.8.8.8")
    card = a_card(endpoint="https://clinic.example:8443")
    with pytest.raises(LocalRuleError):
        InboxTransport(resolver=network).send(card, "/v1/inbox", b"")
    with pytest.raises(Unreachable):
        InboxTransport(resolver=network, https_ports=frozenset({8443})).send(card, "/v1/inbox", b"")
    assert network.connected == [("8.8.8.8", 8443)]


def test_https_checks_the_name_of_the_card_on_the_checked_address(tmp_path: Path) -> None:
    server_side, trusting = certificate("clinic.example", tmp_path)
    with serving(lambda handler: handler.answer(200, b"sealed reply"), tls=server_side) as server:
        transport = InboxTransport(
            https_ports=frozenset({server.port}),
            allow_private=True,
            resolver=lambda host, port: ("127.0.0.1",),
            ssl_context=trusting,
        )
        good = a_card(endpoint=f"https://clinic.example:{server.port}")
        assert transport.send(good, "/v1/inbox", b"") == b"sealed reply"
        assert server.seen[0].headers["host"] == f"clinic.example:{server.port}"
        other = a_card(endpoint=f"https://other.example:{server.port}")
        with pytest.raises(Unreachable):
            transport.send(other, "/v1/inbox", b"")
    assert len(server.seen) == 1


def test_https_does_not_trust_a_certificate_of_its_own_making(tmp_path: Path) -> None:
    server_side, _ = certificate("clinic.example", tmp_path)
    with serving(lambda handler: handler.answer(200), tls=server_side) as server:
        transport = InboxTransport(
            https_ports=frozenset({server.port}),
            allow_private=True,
            resolver=lambda host, port: ("127.0.0.1",),
        )
        with pytest.raises(Unreachable):
            transport.send(a_card(endpoint=f"https://clinic.example:{server.port}"), "/v1/inbox", b"")
    assert server.seen == []


def test_the_system_resolver_answers_or_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve("127.0.0.1", 443) == ("127.0.0.1",)

    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreachable):
        resolve("clinic.example", 443)


def test_the_http_library_is_not_loaded_before_the_first_send() -> None:
    code = "import sys, sync.runner, sync.transport; sys.exit('httpx' in sys.modules)"
    root = Path(sync.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
