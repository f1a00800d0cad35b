"""A withdrawal at any moment of a delivery to a plain FHIR server: from its commit on no record leaves.

A real vault sends records that together weigh more than a megabyte over `fault_proxy` to a FHIR server, and
is told to stop: while the Bundle is on its way (the line stands still after so many bytes), at each moment of
each request of the delivery, in the queue. A piece that is handed to the system after the commit is a piece
too many; a Bundle of which the end is missing is no Bundle. Then the withdrawal itself goes: what had come in
whole before it is deleted. Security guide check 27, property P5.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from consent.codes import Category
from pgo.usecases import deliver, share
from pgo.usecases.choices import ShareChoice
from pgo.usecases.collect import collect
from pgo.usecases.fhir_servers import ServerForm, add_server
from pgo.usecases.share import DeliveryState
from pgo.usecases.unlock import create_vault
from sync.endpoint import Endpoint
from sync.fhir_server.transport import FhirTransport
from sync.transport import PIECE_BYTES, SEND_BUFFER_BYTES, Answer, InboxTransport, always
from tests.support.applications import PASSPHRASE, an_application
from tests.support.fault_figures import figures
from tests.support.fault_proxy import PATIENCE_SECONDS, Fault, Proxy, Request, fair
from tests.support.fhir_memory import MemoryFhir, serving_fhir
from tests.support.vaults import a_bundle, a_condition
from tests.support.withdrawal_timings import CountedLine, Timings

RECORDS = 40
NOTE_BYTES = 16_000
WORD = "waterlelie"
"""In each record and nowhere else: a body with this word in it carries records."""

IN_SYSTEM_BYTES = 5 * SEND_BUFFER_BYTES
"""What the buffers of both ends of a loopback line may hold: Linux doubles what the app asks for, the proxy's
reader stops at 128 kB, and a piece is on its way between the two."""


def _carries_records(body: bytes) -> bool:
    return WORD.encode() in body


class Counted(CountedLine):
    """The way to a FHIR server."""

    def call(
        self,
        method: str,
        endpoint: Endpoint,
        path: str,
        *,
        body: bytes = b"",
        going: Callable[[], bool] = always,
        **more: Any,
    ) -> Answer:
        ask = self.counted(going, push=_carries_records(body))
        return self.inner.call(method, endpoint, path, body=body, going=ask, **more)


@dataclass(kw_only=True)
class Scene(Timings):
    """With a plain FHIR server at the other end."""

    server: str
    fhir: MemoryFhir

    def give(self) -> str:
        today = self.session.today()
        period = (today, today + timedelta(days=30))
        choice = ShareChoice(self.server, frozenset(Category), frozenset(), "TREAT", period, keep_text=True)
        self.line.committed.clear()
        return share.sign_share(self.session, choice, lang="nl", shown_text="test")

    def ended(self, grant: str, note: str) -> None:
        """What holds after every withdrawal."""
        self.nothing_left(note)
        assert {body["resourceType"] for body in self.fhir.stored.values()} <= {
            "Patient",
            "Consent",
            "Provenance",
        }
        assert {one["status"] for one in self.fhir.of_type("Consent")} <= {"inactive"}, note
        assert share.share(self.session, grant).delivery.state is DeliveryState.WITHDRAWN_GONE_THERE, note


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder, fhir, line = tmp_path_factory.mktemp("withdrawal"), MemoryFhir(), Counted()
    app = replace(
        an_application(folder),
        open_plain=lambda clock: FhirTransport(line, clock=clock),
        open_transport=InboxTransport,
    )
    session = create_vault(app, folder / "vault", PASSPHRASE).session
    notes = Random(1)
    records: list[Mapping[str, Any]] = [
        {**a_condition(f"c{n}"), "note": [{"text": f"{WORD} {notes.randbytes(NOTE_BYTES).hex()}"}]}
        for n in range(RECORDS)
    ]
    collect(session, a_bundle(*records), name="groot.json")
    try:
        with serving_fhir(fhir) as url, (proxy := Proxy(int(url.rpartition(":")[2]))).running():
            server = add_server(session, ServerForm(proxy.url, "Testziekenhuis"))
            yield Scene(session=session, line=line, proxy=proxy, server=server, fhir=fhir)
    finally:
        session.lock()


@pytest.mark.parametrize("after_bytes", [0, *range(4_096, 640_000, PIECE_BYTES + 8_192)])
def test_in_the_middle_of_a_request(scene: Scene, after_bytes: int) -> None:
    grant = scene.give()
    scene.proxy.pause(after_bytes)
    thread = scene.sending()
    assert scene.proxy.paused.wait(PATIENCE_SECONDS)
    scene.withdraw(grant)
    forwarded = len(scene.proxy.seen)
    scene.proxy.go_on.set()
    thread.join(PATIENCE_SECONDS)
    assert not any(_carries_records(one.body) for one in scene.proxy.seen[forwarded:]), "the push stayed half"
    if scene.proxy.broken:
        scene.late_bytes.append(scene.proxy.broken.pop() - after_bytes)
        assert scene.late_bytes[-1] <= IN_SYSTEM_BYTES
    scene.until_told()
    scene.ended(grant, f"after {after_bytes} bytes")


@pytest.mark.parametrize("request_number", range(4))
@pytest.mark.parametrize("moment", ["arrived", "forwarded", "answered", "done"])
def test_at_each_moment_of_each_request(scene: Scene, moment: str, request_number: int) -> None:
    grant, reached = scene.give(), threading.Event()
    first, withdrawn = len(scene.proxy.seen), threading.Event()

    def stop_here(name: str, request: Request) -> None:
        if name == moment and request.number == first + request_number:
            reached.set()
            withdrawn.wait(PATIENCE_SECONDS)

    scene.proxy.moment = stop_here
    thread = scene.sending()
    assert reached.wait(PATIENCE_SECONDS)
    scene.withdraw(grant)
    withdrawn.set()
    thread.join(PATIENCE_SECONDS)
    scene.until_told()
    scene.ended(grant, f"{moment} of request {request_number}")


@pytest.mark.parametrize("fault", [Fault.DROP_REQUEST, Fault.DROP_ANSWER, Fault.CUT_REQUEST, Fault.FAKE_OK])
@pytest.mark.parametrize("at_request", [1, 3])
def test_in_the_queue_after_a_fault(scene: Scene, fault: Fault, at_request: int) -> None:
    grant, first = scene.give(), len(scene.proxy.seen)
    scene.proxy.weather = lambda number: fault if number == first + at_request else Fault.NONE
    deliver.send_now(scene.session)
    scene.withdraw(grant)
    scene.until_told()
    scene.proxy.weather = fair
    scene.ended(grant, f"{fault} at request {at_request}")


def test_a_line_that_does_not_listen_is_found(scene: Scene) -> None:
    grant = scene.give()
    scene.line.deaf = True
    scene.proxy.pause(100_000)
    thread = scene.sending()
    assert scene.proxy.paused.wait(PATIENCE_SECONDS)
    scene.withdraw(grant)
    scene.proxy.go_on.set()
    thread.join(PATIENCE_SECONDS)
    assert scene.line.after > 0
    scene.line.deaf, scene.line.after = False, 0
    scene.until_told()
    scene.ended(grant, "after a line that did not listen")


def test_all_timings_together(scene: Scene) -> None:
    """Last in the file: the figures of the tests before it."""
    late = scene.late_bytes
    figures["withdrawals on the way to a FHIR server"] = (
        f"{scene.timings} timings; {scene.line.before} pieces with records before, {scene.line.after} after "
        f"the commit; {len(late)} requests broken off, with at most {max(late, default=0):,} bytes then in "
        "the buffers of the system; nothing of the records was left there"
    )
    assert scene.timings >= 50
    assert scene.line.before > 0
    assert len(late) >= 20
