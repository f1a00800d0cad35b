"""A recipient run by the unit's own command line, and before it nginx, then Caddy, as documented."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.support.proxies import NAME, Proxy, free_port, running_proxy
from tests.support.recipient_process import RecipientProcess, running_recipient
from tests.support.systemd_unit import options_of_the_unit


@pytest.fixture(scope="package", autouse=True)
def _on_linux() -> None:
    if sys.platform != "linux":
        pytest.skip("each proxy and each client has a loopback address of its own, which only Linux gives")


@pytest.fixture(scope="package")
def public_port() -> int:
    return free_port("127.0.0.11")


@pytest.fixture(scope="package")
def recipient(tmp_path_factory: pytest.TempPathFactory, public_port: int) -> Iterator[RecipientProcess]:
    port, metrics = free_port("127.0.0.1"), free_port("127.0.0.1")
    with running_recipient(
        tmp_path_factory.mktemp("recipient"),
        *options_of_the_unit(port, metrics),
        public_url=f"https://{NAME}:{public_port}",
    ) as running:
        running.url, running.metrics = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics}"
        yield running


@pytest.fixture(scope="package", params=["nginx", "caddy"])
def proxy(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    recipient: RecipientProcess,
    public_port: int,
) -> Iterator[Proxy]:
    folder, service = tmp_path_factory.mktemp(request.param), recipient.address[1]
    with running_proxy(request.param, folder, port=public_port, service=service) as running:
        yield running
