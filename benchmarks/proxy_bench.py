"""What does TLS and a proxy add to a small push, and would HTTP/2 make it less?

Run: ``python -m benchmarks.proxy_bench [--messages 60]``

Caddy with the documented file before a recipient in a process of its own, one patient, one push after the
other of about 3 kB: without a proxy; through it with a connection for every message, which is the way of the
patient's app; through it on one connection that stays open, by HTTP/1.1 and by HTTP/2. The ways take turns,
so that a busy moment meets all of them. Printed: median and ratio to the first. Without Caddy it says so.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.load_bench import SIZES, resource
from sync.card import parse_card
from sync.wire import PATHS, Kind, new_message_id
from tests.support.patient_side import PatientSide
from tests.support.proxies import ADDRESSES, NAME, Proxy, free_port, running_proxy
from tests.support.recipient_process import running_recipient

DIRECT, AS_THE_APP = "no proxy", "Caddy, a connection each"
Post = Callable[[bytes], httpx.Response]


def ways(stack: ExitStack, proxy: Proxy, service: str) -> dict[str, Post]:
    """Every way to post a message, by its name."""

    def kept(client: httpx.Client) -> Post:
        return lambda body: client.post(PATHS[Kind.PUSH], content=body)

    def fresh(make: Callable[[], httpx.Client]) -> Post:
        def post(body: bytes) -> httpx.Response:
            with make() as client:
                return client.post(PATHS[Kind.PUSH], content=body)

        return post

    host = {"host": proxy.host}
    direct = httpx.Client(base_url=service, headers=host, trust_env=False, timeout=60)
    return {
        DIRECT: kept(stack.enter_context(direct)),
        AS_THE_APP: fresh(proxy.browser),
        "Caddy, HTTP/1.1 kept open": kept(proxy.browser()),
        "Caddy, HTTP/2 kept open": kept(proxy.browser(http2=True)),
    }


def measure(patient: PatientSide, posts: dict[str, Post], *, messages: int) -> dict[str, float]:
    """Push by every way in turn; return the median seconds of each."""
    seconds: dict[str, list[float]] = {name: [] for name in posts}
    for number in range(messages * len(posts)):
        name = list(posts)[number % len(posts)]
        content = patient.push_content([resource(number, SIZES["3 kB"])])
        at = datetime.now(UTC)
        body = patient.envelope(Kind.PUSH, content, at=at, message_id=new_message_id())
        start = time.perf_counter()
        posts[name](body).raise_for_status()
        seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(one) for name, one in seconds.items()}


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Push through a proxy.")
    parser.add_argument("--messages", type=int, default=60)
    chosen = parser.parse_args()
    if shutil.which("caddy") is None:
        print("  Caddy is not installed here; nothing was measured.")
        return
    port, service = free_port(ADDRESSES["caddy"]), free_port("127.0.0.1")
    options = ("--port", str(service), "--trusted-proxy", "127.0.0.1")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        public = f"https://{NAME}:{port}"
        stack.enter_context(running_recipient(folder, *options, public_url=public))
        proxy = stack.enter_context(running_proxy("caddy", folder, port=port, service=service))
        at = datetime.now(UTC)
        patient = PatientSide(parse_card(proxy.browser().get("/v1/card").text, at=at), bytes(range(32)))
        patient.grant(at=at)
        medians = measure(
            patient, ways(stack, proxy, f"http://127.0.0.1:{service}"), messages=chosen.messages
        )
    print(f"  {chosen.messages} pushes of 3 kB by each way, one after the other")
    for name, median in medians.items():
        print(f"  {name:28} median {median * 1000:6.1f} ms, x{median / medians[DIRECT]:.2f}")


if __name__ == "__main__":
    main()
