"""What a stranger can do to a recipient through nginx or Caddy: size, ambiguous and forged requests.

A request is smuggled when one side counts it as part of a body and the other as a request. Proof here is by
effect: every ambiguous request carries one for an address that the proxy refuses and the service answers, and
nobody may ever read that answer, on this connection or on the next ones.

Sources: RFC 9112 section 6.3 (length of a body), section 11.2 (request smuggling); RFC 9113 section 8.2.1 and
8.1.1 (malformed fields and lengths, from HTTP/2 to HTTP/1.1).
"""

from __future__ import annotations

import contextlib
import select
import ssl
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync.card import parse_card
from sync.wire import MAX_BODY_BYTES, PATHS, Kind
from tests.support import fault_figures
from tests.support.http2_forged import exchange
from tests.support.http_servers import Handler, serving
from tests.support.proxies import ADDRESSES, Proxy, free_port, running_proxy
from tests.support.recipient_process import RecipientProcess

MIB = 1024 * 1024
AT_ONCE = 20  # requests of one address, in docs/operations/nginx.conf
INBOX = PATHS[Kind.PUSH]
TELLS = b'"status"'
CHUNKED, SHORT = b"Transfer-Encoding: chunked\r\n", b"Content-Length: 4\r\n"
EMPTY_CHUNK = b"0\r\n\r\n"
AMBIGUOUS = {
    "both lengths": (CHUNKED + SHORT, EMPTY_CHUNK),
    "both lengths, the number first": (SHORT + CHUNKED, EMPTY_CHUNK),
    "two numbers": (b"Content-Length: 5\r\n" + SHORT, b"abcd"),
    "a list of numbers": (b"Content-Length: 4, 60\r\n", b"abcd"),
    "a number with a sign": (b"Content-Length: +4\r\n", b"abcd"),
    "an unknown coding": (b"Transfer-Encoding: xchunked\r\n" + SHORT, EMPTY_CHUNK),
    "two codings": (CHUNKED + b"Transfer-Encoding: identity\r\n", EMPTY_CHUNK),
    "a space before the colon": (b"Transfer-Encoding : chunked\r\n" + SHORT, EMPTY_CHUNK),
    "a control character": (b"Transfer-Encoding: \x0bchunked\r\n" + SHORT, EMPTY_CHUNK),
    "a folded line": (b"X: a\r\n Transfer-Encoding: chunked\r\n" + SHORT, EMPTY_CHUNK),
    "a bare line end": (b"X: a\nTransfer-Encoding: chunked\r\n" + SHORT, EMPTY_CHUNK),
    "a negative chunk": (CHUNKED, b"-5\r\nabcde\r\n" + EMPTY_CHUNK),
    "a bare line end in a chunk": (CHUNKED, b"5;\nxx\r\nabcde\r\n" + EMPTY_CHUNK),
}
LONGER = (b"content-length", b"100")
MALFORMED = {
    "a length of nothing": [(b"content-length", b"0")],
    "a length beyond the body": [LONGER],
    "two lengths": [(b"content-length", b"4"), LONGER],
    "a coding": [(b"transfer-encoding", b"chunked")],
    "a line end in a value": [(b"x-a", b"b\r\nTransfer-Encoding: chunked")],
    "a line end in a name": [(b"x: y\r\nx-forwarded-for", b"127.0.0.1")],
    "a capital in a name": [(b"Transfer-Encoding", b"chunked")],
    "a header of one connection": [(b"connection", b"x-forwarded-for")],
}


def answers(line: ssl.SSLSocket) -> bytes:
    """Everything the other side says until it hangs up or falls silent."""
    found = bytearray()
    with contextlib.suppress(OSError):
        while chunk := line.recv(65_536):
            found += chunk
    return bytes(found)


def inside(proxy: Proxy) -> bytes:
    """What the service answers and the proxy refuses."""
    return f"GET /health/live HTTP/1.1\r\nHost: {proxy.host}\r\n\r\n".encode()


def post(proxy: Proxy, fields: bytes, path: str = INBOX) -> bytes:
    """The head of a message."""
    return f"POST {path} HTTP/1.1\r\nHost: {proxy.host}\r\n".encode() + fields + b"\r\n"


@pytest.mark.parametrize("shape", AMBIGUOUS)
def test_no_request_is_smuggled_in_a_body(proxy: Proxy, shape: str) -> None:
    fields, rest = AMBIGUOUS[shape]
    follow = f"GET /v1/card HTTP/1.1\r\nHost: {proxy.host}\r\nConnection: close\r\n\r\n".encode()
    with proxy.connected("127.0.0.41") as line:
        line.sendall(post(proxy, fields) + rest + inside(proxy) + follow)
        said = answers(line)
    assert said.startswith(b"HTTP/1.1 ")
    assert TELLS not in said
    if proxy.kind == "nginx" and shape != "a bare line end":  # that one is legal: RFC 9112 section 2.2
        assert said.split(b" ")[1] in {b"400", b"501"}
        assert said.count(b"HTTP/1.1 ") == 1, "refused, and nothing after it is read"
    assert the_card(proxy, "127.0.0.42"), "and the next one gets the answer to its own question"


def the_card(proxy: Proxy, source: str) -> bool:
    with proxy.browser(source) as browser:
        return all(parse_card(browser.get("/v1/card").text, at=datetime.now(UTC)) for _ in range(2))


@pytest.mark.parametrize("shape", MALFORMED)
def test_no_request_is_smuggled_from_http2(proxy: Proxy, shape: str) -> None:
    with proxy.connected("127.0.0.43", speaks="h2") as line:
        answer = exchange(line, host=proxy.host, path=INBOX, more=MALFORMED[shape], body=inside(proxy))
    assert answer.status in {None, 400, 503}
    assert TELLS not in answer.body
    assert the_card(proxy, "127.0.0.44")


def test_another_authority_on_a_line_that_is_open_gets_nothing(proxy: Proxy) -> None:
    with proxy.connected("127.0.0.45", speaks="h2") as line:
        answer = exchange(line, host="evil.example", path="/portal/login")
    assert (answer.status, b"<form" in answer.body) == (421, False)


@pytest.mark.parametrize("announced", [MAX_BODY_BYTES + 1, 1_000_000_000])
def test_a_body_announced_as_too_large_is_not_waited_for(proxy: Proxy, announced: int) -> None:
    """By the service or by the proxy; 503 or silence when the service hung up while the proxy still sent."""
    with proxy.connected("127.0.0.46") as line:
        sent, said = pour(line, post(proxy, b"Content-Length: %d\r\n" % announced), bytes(65_536))
    assert said[9:12] in {b"", b"413", b"503"}
    assert sent < 64 * MIB


def pour(line: ssl.SSLSocket, head: bytes, piece: bytes) -> tuple[int, bytes]:
    """Send pieces until the other side says something or hangs up, or 64 MiB are gone; return both."""
    sent = 0
    line.sendall(head)
    line.setblocking(False)
    while sent < 64 * MIB:
        select.select([line], [line], [], 60)
        said = heard(line)
        if said is not None:
            return sent, said
        try:
            sent += line.send(piece)
        except ssl.SSLWantWriteError:
            continue
        except OSError:
            return sent, heard(line) or b""
    return sent, b""


def heard(line: ssl.SSLSocket) -> bytes | None:
    """What there is to read: None for nothing yet, no bytes when the other side hung up."""
    try:
        return line.recv(65_536)
    except ssl.SSLWantReadError:
        return None
    except OSError:
        return b""


def test_an_endless_body_is_cut_off_and_kept_nowhere(proxy: Proxy, recipient: RecipientProcess) -> None:
    before = recipient.memory_bytes()
    piece = b"10000\r\n" + bytes(65_536) + b"\r\n"
    with proxy.connected("127.0.0.47") as line:
        sent, said = pour(line, post(proxy, CHUNKED), piece)
    assert sent < 64 * MIB
    assert said[9:12] in {b"", b"413", b"503"}
    grown = recipient.memory_bytes() - before
    assert grown <= 20 * MIB
    assert written_by(proxy) == []
    fault_figures.figures[f"behind {proxy.kind}, endless body"] = (
        f"cut off after {sent / MIB:.1f} MiB, memory of the recipient {grown / MIB:+.1f} MiB, no file written"
    )


def written_by(proxy: Proxy) -> list[str]:
    """What a proxy wrote for requests and answers; the folders it makes stay when the files are gone."""
    kept = [proxy.folder / name for name in ("client_body", "proxy")]
    return [str(found) for folder in kept if folder.exists() for found in folder.rglob("*")]


@pytest.mark.parametrize("kind", ADDRESSES)
def test_an_answer_that_is_read_slowly_is_never_on_disk(tmp_path: Path, kind: str) -> None:
    """Pages and answers are about patients: they wait at the service, not in a file of the proxy."""
    size, given_away = 32 * MIB, threading.Event()

    def give(handler: Handler) -> None:
        handler.answer(200, bytes(size))
        given_away.set()

    port = free_port(ADDRESSES[kind])
    with (
        serving(give) as service,
        running_proxy(kind, tmp_path, port=port, service=service.port) as proxy,
        proxy.connected() as line,
    ):
        line.sendall(post(proxy, b"Content-Length: 0\r\nConnection: close\r\n"))
        assert not given_away.wait(1.0), "somebody took all of it, and nobody has read a byte"
        got = sum(len(chunk) for chunk in iter(lambda: line.recv(MIB), b""))
        assert got > size
        assert written_by(proxy) == []


@pytest.mark.parametrize("proxy", ["nginx"], indirect=True)  # Caddy has no such limit without a plug-in
def test_one_address_has_so_many_requests_at_a_time(proxy: Proxy) -> None:
    with ExitStack() as open_ones:
        lines = [open_ones.enter_context(proxy.connected("127.0.0.71")) for _ in range(AT_ONCE + 5)]
        for line in lines:
            line.sendall(post(proxy, b"Content-Length: 9\r\n"))
            line.setblocking(False)
        said: dict[ssl.SSLSocket, bytes] = {}
        while len(said) < 5:
            ready, _, _ = select.select([line for line in lines if line not in said], [], [], 60)
            assert ready
            said |= {line: answer for line in ready if (answer := heard(line)) is not None}
        for answer in said.values():
            assert answer.startswith(b"HTTP/1.1 429 ")
            assert b"\r\nRetry-After: 10\r\n" in answer
        with proxy.browser("127.0.0.72") as other:
            assert other.get("/v1/card").status_code == 200
