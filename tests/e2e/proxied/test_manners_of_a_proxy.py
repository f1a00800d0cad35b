"""What a proxy says for a recipient that is busy, slow or away: the app understands it.

"Later" reaches the app with its time, whether the service says it or the proxy does; a slow body ends when
the service's deadline is over.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from recipient.config import Limits
from sync.card import parse_card
from sync.endpoint import parse_endpoint
from sync.errors import Unreachable
from sync.wire import PATHS, Kind
from tests.e2e.recipient_server import Clinic, form_token, running_clinic
from tests.support.proxies import ADDRESSES, NAME, Proxy, free_port, running_proxy

BUSY_AND_IMPATIENT = Limits(max_inbox_waiting=0, body_deadline_seconds=0.5)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port(ADDRESSES["nginx"])


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Clinic]:
    """A recipient that takes no mail now and waits for no slow body."""
    with running_clinic(
        tmp_path_factory.mktemp("busy") / "clinic",
        limits=BUSY_AND_IMPATIENT,
        trusted_proxy="127.0.0.1",
        public_url=f"https://{NAME}:{port}",
    ) as running:
        yield running


@pytest.fixture(params=ADDRESSES)
def front(request: pytest.FixtureRequest, tmp_path: Path, clinic: Clinic, port: int) -> Iterator[Proxy]:
    service = int(clinic.url.rpartition(":")[2])
    with running_proxy(request.param, tmp_path, port=port, service=service) as running:
        yield running


def test_busy_reaches_the_app_with_its_time(front: Proxy, clinic: Clinic) -> None:
    app = front.transport()
    answer = app.call("GET", parse_endpoint(f"https://{front.host}"), "/v1/card")
    card = parse_card(answer.body.decode("ascii"), at=clinic.clock())
    with pytest.raises(Unreachable) as caught:
        app.send(card, PATHS[Kind.PUSH], b"sealed")
    assert (caught.value.code, caught.value.retry_after_seconds) == ("busy", 10)
    refused = app.call("POST", parse_endpoint(card.endpoint), PATHS[Kind.PUSH], body=b"sealed")
    assert refused.body == b'{"code":"busy"}', "the service's own words"


def test_a_body_that_comes_too_slowly_is_not_waited_for(front: Proxy) -> None:
    with front.browser() as browser:
        token = form_token(browser.get("/portal/login"))
    form = f"token={token}&name=dewit&password=geheim".encode()
    head = f"POST /portal/login HTTP/1.1\r\nHost: {front.host}\r\nConnection: close\r\n"
    kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n"
    with front.connected() as line:
        line.sendall((head + kind).encode() + form[:-1])
        # A proxy may pass the answer on when the body is over only; by then the service has given up.
        if not select.select([line], [], [], 3.0)[0]:
            line.sendall(form[-1:])
        assert line.recv(4096).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_service_that_is_away_is_asked_again_later(tmp_path: Path, kind: str, clinic: Clinic) -> None:
    port, nobody = free_port(ADDRESSES[kind]), free_port("127.0.0.1")
    with running_proxy(kind, tmp_path, port=port, service=nobody) as proxy:
        answer = proxy.transport().call("GET", parse_endpoint(f"https://{proxy.host}"), "/v1/card")
    assert (answer.status, answer.headers["retry-after"]) == (503, "10")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
