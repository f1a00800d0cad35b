"""A recipient run by the unit's own command line, and before it nginx, then Caddy, as documented."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest

from tests.support.proxies import DOCUMENTED, NAME, Proxy, free_port, replaced, running_proxy
from tests.support.recipient_process import RecipientProcess, running_recipient


def options_of_the_unit(port: int, metrics: int) -> list[str]:
    """What the unit's command line says after `serve`, at other ports."""
    unit = (DOCUMENTED / "recipient.service").read_text("utf-8")
    found = re.search(r"^ExecStart=\S+/recipient serve --data \S+ (.*)$", unit, re.MULTILINE)
    assert found is not None
    return shlex.split(replaced(found.group(1), {"--port 8443": f"--port {port}", "9443": str(metrics)}))


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
