"""Check 30: addresses we do not talk to, a resolver that changes its mind, a redirect home: no connection.

Real listening sockets are the traps. An audit hook of Python sees every attempt of this process to connect,
and lets none of them leave this machine.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from crypto.keys import SigningKey
from sync.card import RecipientCard
from sync.errors import LocalRuleError, RemoteRuleError, SyncError, Unreachable
from sync.transport import InboxTransport
from tests.support.fault_figures import figures
from tests.support.http_servers import certificate, serving
from tests.support.sync_world import a_card

_attempts: list[object] = []
_watching = threading.Event()


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event != "socket.connect" or not _watching.is_set():
        return
    address = args[1]
    _attempts.append(address)
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1"):
        raise OSError("a test does not leave this machine")


sys.addaudithook(_watch)  # cannot be taken away again; silent unless a test watches


class Traps:
    """Listening sockets on both loopback addresses under one port."""

    def __init__(self) -> None:
        self.v4 = socket.create_server(("127.0.0.1", 0))
        self.port = self.v4.getsockname()[1]
        self.sockets = [self.v4]
        with contextlib.suppress(OSError):  # a machine without IPv6: refused all the same
            self.sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for one in self.sockets:
            one.setblocking(False)

    def caught(self) -> int:
        found = 0
        for one in self.sockets:
            try:
                one.accept()[0].close()
                found += 1
            except BlockingIOError:
                continue
        return found

    def close(self) -> None:
        for one in self.sockets:
            one.close()


@pytest.fixture
def traps() -> Iterator[Traps]:
    made = Traps()
    _attempts.clear()
    _watching.set()
    yield made
    _watching.clear()
    made.close()


def _urls(port: int) -> list[str]:
    """What a card or a person could say, refused by how it is written."""
    return [
        f"http://localhost:{port}",
        f"http://192.168.1.10:{port}",
        f"http://10.0.0.1:{port}",
        f"http://0.0.0.0:{port}",
        f"http://clinic.example:{port}",
        f"http://2130706433:{port}",
        f"http://0x7f000001:{port}",
        f"http://0177.0.0.1:{port}",
        f"http://127.1:{port}",
        f"http://[::ffff:127.0.0.1]:{port}",
        f"ftp://127.0.0.1:{port}",
        f"gopher://127.0.0.1:{port}",
        f"file://127.0.0.1:{port}/etc/passwd",
        f"https://user@127.0.0.1:{port}",
        f"https://user:secret@clinic.example:{port}",
        f"https://clinic.example@127.0.0.1:{port}",
        f"https://127.0.0.1:{port}#@clinic.example",
        f"https://127.0.0.1:{port}?x=1",
        f"https://clinic.example:{port}/../admin",
        f"https://clinic.example:{port}/%2e%2e/admin",
        f"https://clinic.example:{port}\\@127.0.0.1",
        f"https://clinic.example\t:{port}",
        f"https://clinic.example\r\nHost: 127.0.0.1:{port}",
        f"https://clínic.example:{port}",
        f"https://①②⑦.⓪.⓪.①:{port}",
        "https://clinic.example:0",
        "https://clinic.example:65536",
        f"https://[::1%25lo]:{port}",
        f"https://[fe80::1%25eth0]:{port}",
        f"//127.0.0.1:{port}",
    ]


FORBIDDEN = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "127.0.0.1",
    "255.255.255.255",
    "224.0.0.1",
    "239.255.255.250",
    "192.0.2.1",
    "198.18.0.1",
    "240.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:808:808::",
]
"""What a name may resolve to that is not a public host; the last ones lead through a tunnel to anywhere."""


def _refused(card: RecipientCard, transport: InboxTransport) -> bool:
    for ask in (lambda: transport.send(card, "/v1/inbox", b"x"), lambda: transport.fetch_card(card)):
        try:
            ask()
        except (LocalRuleError, Unreachable):
            continue
        return False
    return True


def test_no_address_of_the_list_is_called(traps: Traps) -> None:
    ports = frozenset({443, traps.port})
    tried = 0
    for url in _urls(traps.port):
        assert _refused(a_card(endpoint=url), InboxTransport(https_ports=ports)), url
        tried += 1
    for address in FORBIDDEN:
        for found in ((address,), ("8.8.8.8", address)):  # one bad answer among good ones is enough
            transport = InboxTransport(https_ports=ports, resolver=lambda _host, _port, found=found: found)
            assert _refused(a_card(endpoint=f"https://clinic.example:{traps.port}"), transport), found
            tried += 1
        literal = f"[{address}]" if ":" in address else address
        if address not in (
            "127.0.0.1",
            "::1",
        ):  # a recipient on this machine is allowed by its literal address
            assert _refused(
                a_card(endpoint=f"https://{literal}:{traps.port}"), InboxTransport(https_ports=ports)
            )
            tried += 1
    figures["addresses"] = f"{tried} tried, {len(_attempts)} connections, {traps.caught()} caught"
    assert (_attempts, traps.caught()) == ([], 0)
    assert tried >= 40


def test_another_port_is_not_called(traps: Traps) -> None:
    transport = InboxTransport(resolver=lambda _host, _port: ("8.8.8.8",))
    assert _refused(a_card(endpoint=f"https://clinic.example:{traps.port}"), transport)
    assert _attempts == []


def test_a_name_that_resolves_otherwise_a_moment_later_is_called_where_it_was_checked(traps: Traps) -> None:
    """Rebinding: the first answer is public, every later one leads home. There is no later question."""
    asked: list[str] = []

    def rebinding(_host: str, _port: int) -> tuple[str, ...]:
        asked.append(_host)
        return ("203.0.113.1",) if len(asked) > 1 else ("8.8.8.8",)

    transport = InboxTransport(https_ports=frozenset({traps.port}), resolver=rebinding)
    with pytest.raises(Unreachable):
        transport.send(a_card(endpoint=f"https://clinic.example:{traps.port}"), "/v1/inbox", b"x")
    assert asked == ["clinic.example"]
    assert {address[0] for address in _attempts if isinstance(address, tuple)} == {"8.8.8.8"}
    assert traps.caught() == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_home_is_not_followed(traps: Traps, tmp_path: Path, status: int) -> None:
    server_side, client_side = certificate("clinic.example", tmp_path)
    with ExitStack() as stack:
        home = f"http://127.0.0.1:{traps.port}/v1/inbox"
        server = stack.enter_context(
            serving(lambda handler: handler.answer(status, location=home), tls=server_side)
        )
        transport = InboxTransport(
            https_ports=frozenset({server.port}),
            allow_private=True,
            resolver=lambda _host, _port: ("127.0.0.1",),
            ssl_context=client_side,
        )
        with pytest.raises(SyncError) as refusal:
            transport.send(a_card(endpoint=f"https://clinic.example:{server.port}"), "/v1/inbox", b"x")
        assert not isinstance(refusal.value, RemoteRuleError)
        called = {address[1] for address in _attempts if isinstance(address, tuple)}
        assert called == {server.port}
        assert traps.caught() == 0


def test_a_card_cannot_even_be_made_with_such_an_address(traps: Traps) -> None:
    from sync.card import sign_card

    key = SigningKey.from_seed(b"c" * 32)
    for url in _urls(traps.port):
        with pytest.raises(LocalRuleError):
            sign_card(a_card(endpoint=url, verify_key=key.public), key)
