"""Check 35 of the security guide: what a stranger may cost, with figures; and a stop that loses nothing.

The recipient runs in a process of its own with its own limits. Memory is that of the process, time that of
another client meanwhile; both are printed at the end of the run, and bounded widely for a busy machine.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from crypto.canonical import sha256_id
from recipient.config import Limits
from sync.envelope import open_reply
from sync.receipt import verify_receipt
from sync.wire import MAX_BODY_BYTES, Kind, new_message_id
from tests.e2e.recipient_server import Clinic, running_clinic
from tests.support import clinical, fault_figures
from tests.support.patient_side import PatientSide
from tests.support.recipient_process import RecipientProcess, running_recipient

MIB = 1024 * 1024
SLOW_CONNECTIONS = 500
CHUNK = b"10000\r\n" + b"x" * 65_536 + b"\r\n"


@pytest.fixture(scope="module")
def recipient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecipientProcess]:
    with running_recipient(tmp_path_factory.mktemp("edge")) as running:
        for _ in range(3):  # what is loaded at the first request is not what an attack costs
            healthy_seconds(running)
        yield running


def healthy_seconds(recipient: RecipientProcess) -> float:
    """How long another client waits for an answer, connection included."""
    start = time.monotonic()
    assert httpx.get(f"{recipient.url}/health/live", trust_env=False, timeout=60).status_code == 200
    return time.monotonic() - start


def connected(recipient: RecipientProcess) -> socket.socket:
    connection = socket.create_connection(recipient.address, timeout=60)
    connection.settimeout(60)
    return connection


def answer_to(recipient: RecipientProcess, head: bytes, *, host: bool = True) -> bytes:
    """Send a request head, and return the first line of the answer."""
    name = "{}:{}".format(*recipient.address).encode()
    with connected(recipient) as connection:
        connection.sendall(head.replace(b"\r\n", b"\r\nHost: " + name + b"\r\n", 1) if host else head)
        return connection.recv(4096).split(b"\r\n")[0]


POST = b"POST /v1/inbox HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("head", "statuses"),
    [
        (POST + b"Content-Length: 6000000\r\n\r\n", {b"413"}),
        (POST + b"Content-Length: 1000000000\r\n\r\n", {b"413"}),
        (POST + b"Content-Length: 99999999999999999999\r\n\r\n", {b"400", b"413"}),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", {b"400"}),
        (b"GET /health/live HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", {b"400", b"431"}),
        (b"GET /health/live HTTP/1.1\r\nHost: evil.example\r\n\r\n", {b"400"}),  # beside the right one
    ],
)
def test_refused_by_the_first_line(recipient: RecipientProcess, head: bytes, statuses: set[bytes]) -> None:
    assert answer_to(recipient, head).split(b" ")[1] in statuses


def test_without_a_host_refused(recipient: RecipientProcess) -> None:
    assert answer_to(recipient, b"GET /health/live HTTP/1.1\r\n\r\n", host=False).split(b" ")[1] == b"400"


def test_an_endless_body_is_cut_off_at_the_limit(recipient: RecipientProcess) -> None:
    before, sent = recipient.memory_bytes(), 0
    with connected(recipient) as connection:
        name = "{}:{}".format(*recipient.address)
        connection.sendall(POST + f"Host: {name}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        try:
            while sent < 40 * MIB:
                connection.sendall(CHUNK)
                sent += len(CHUNK)
        except (ConnectionError, TimeoutError):
            pass
    grown = recipient.memory_bytes() - before
    # what the kernel's buffers on both sides take beyond the limit is not the service's doing
    assert sent < MAX_BODY_BYTES + 24 * MIB
    assert grown <= 20 * MIB
    fault_figures.figures["edge, endless body"] = (
        f"cut off after {sent / MIB:.1f} MiB, memory +{grown / MIB:.1f} MiB"
    )


def test_500_slow_connections_do_not_keep_others_out(recipient: RecipientProcess) -> None:
    before, waited = recipient.memory_bytes(), []
    with ExitStack() as open_ones:
        for number in range(SLOW_CONNECTIONS):
            connection = open_ones.enter_context(connected(recipient))
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost:")
            if number % 100 == 99:
                waited.append(healthy_seconds(recipient))
        grown = recipient.memory_bytes() - before
    assert grown <= 20 * MIB
    assert max(waited) < 20
    fault_figures.figures["edge, slow connections"] = (
        f"{SLOW_CONNECTIONS} half open, another client answered in at most {max(waited):.2f} s,"
        f" memory +{grown / MIB:.1f} MiB"
    )


def test_a_stop_finishes_the_push_in_flight_and_sends_others_away(tmp_path: Path) -> None:
    with running_recipient(tmp_path) as running:
        at = datetime.now(UTC)
        patient = PatientSide.of(running.url, at=at)
        patient.grant(at=at)
        content, message_id = patient.push_content(clinical.small_record()), new_message_id()
        body = patient.envelope(Kind.PUSH, content, at=at, message_id=message_id)
        name = "{}:{}".format(*running.address)
        late = http.client.HTTPConnection(*running.address, timeout=60)
        with connected(running) as in_flight, closing(late):
            late.request("GET", "/v1/card")
            assert late.getresponse().read()
            lines = f"Host: {name}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
            in_flight.sendall(POST + lines.encode())
            assert in_flight.recv(4096).startswith(b"HTTP/1.1 100")  # somebody reads: it is inside
            in_flight.sendall(body[: len(body) // 2])
            running.process.terminate()
            running.wait_for("stopping")
            late.request("GET", "/v1/card")
            refusal = late.getresponse()
            assert (refusal.status, refusal.headers["retry-after"]) == (503, "10")
            in_flight.sendall(body[len(body) // 2 :])
            answer = b""
            while chunk := in_flight.recv(65_536):
                answer += chunk
        assert answer.startswith(b"HTTP/1.1 200")
        sealed = answer.split(b"\r\n\r\n", 1)[1]
        signer, key = patient.card.verify_key, patient.pairwise.opening
        token = open_reply(sealed, key=key, signer=signer, message_id=message_id).decode()
        hashed = sha256_id(content)
        receipt = verify_receipt(
            token, signer, message_id=message_id, subject=patient.sub, kind=Kind.PUSH, payload_hash=hashed
        )
        assert receipt.stored == len(clinical.small_record())
        assert running.process.wait(60) == 0
    with running_recipient(tmp_path) as again:  # and the same message gets the same answer after the restart
        at = datetime.now(UTC)
        body = patient.envelope(Kind.PUSH, content, at=at, message_id=message_id)
        reply = httpx.post(f"{again.url}/v1/inbox", content=body, trust_env=False, timeout=60)
        assert open_reply(reply.content, key=key, signer=signer, message_id=message_id).decode() == token


def test_above_the_limit_some_are_sent_away_and_nothing_accepted_is_lost(tmp_path: Path) -> None:
    """Six clients where two may wait: 503 with a time to come back, until every message has its receipt."""
    limits = Limits(max_inbox_work=1, max_inbox_waiting=2)
    with running_clinic(tmp_path / "clinic", limits=limits) as clinic:
        sent_away: list[int] = []

        def push(number: int) -> tuple[PatientSide, str, bytes]:
            patient = PatientSide.of(clinic.url, at=clinic.clock(), seed=(number + 1).to_bytes(32, "big"))
            patient.grant(at=clinic.clock())
            content, message_id = patient.push_content(clinical.small_record()), new_message_id()
            for _ in range(500):
                answer = post_push(clinic, patient, content, message_id)
                if answer.status_code == 200:
                    return patient, patient.open(answer, message_id), content
                assert answer.status_code == 503
                sent_away.append(int(answer.headers["retry-after"]))
            raise AssertionError("never taken")

        with ThreadPoolExecutor(6) as pool:
            taken = list(pool.map(push, range(18)))
        assert all(seconds > 0 for seconds in sent_away)
        stored = clinic.store.rows("SELECT receipt FROM message")
        assert sorted(receipt for (receipt,) in stored) == sorted(receipt for _, receipt, _ in taken)
        fault_figures.figures["edge, above the limit"] = (
            f"{len(taken)} messages of 6 clients where 2 may wait: {len(sent_away)} times 503, 0 lost"
        )


def post_push(clinic: Clinic, patient: PatientSide, content: bytes, message_id: str) -> httpx.Response:
    body = patient.envelope(Kind.PUSH, content, at=clinic.clock(), message_id=message_id)
    return httpx.post(f"{clinic.url}/v1/inbox", content=body, trust_env=False, timeout=60)
