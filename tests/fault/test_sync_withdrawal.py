"""A withdrawal at any moment: from its commit on nothing new of that grant leaves, and the recipient erases.

A real vault sends a megabyte that does not compress over `fault_proxy` to a real recipient, and is told to
stop: while the message is on its way (the line stands still after so many bytes), at each moment of the
exchange, between the parts of a first delivery, in the queue, offline, with the recipient down. A piece that
is handed to the system after the commit is a piece too many. Security guide check 27, property P5.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import pytest

from pgo.usecases import deliver, share
from pgo.usecases.collect import collect
from recipient.store import open_store
from sync.card import RecipientCard
from sync.transport import SEND_BUFFER_BYTES
from sync.wire import Kind
from tests.support.fault_figures import figures
from tests.support.fault_proxy import PATIENCE_SECONDS, Fault, Proxy, Request, fair
from tests.support.sharing import choice_of
from tests.support.sync_process import CARD, Recipient, free_port, opened
from tests.support.vaults import a_bundle, a_condition
from tests.support.withdrawal_timings import CountedLine, Timings

LARGE = 60
NOTE_BYTES = 12_000
IN_SYSTEM_BYTES = 4 * SEND_BUFFER_BYTES
"""What the buffers of both ends of a loopback line may hold: Linux doubles what is asked for."""


class Counted(CountedLine):
    """The way to a recipient with a card."""

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        return self.inner.send(card, path, body)

    def send_while(self, card: RecipientCard, path: str, body: bytes, *, going: Callable[[], bool]) -> bytes:
        ask = self.counted(going, push=len(body) > 200_000)
        return self.inner.send_while(card, path, body, going=ask)


@dataclass(kw_only=True)
class Scene(Timings):
    """With a real recipient at the other end."""

    recipient: Recipient

    def give(self) -> str:
        choice = choice_of(self.session, keep_text=True)
        self.line.committed.clear()
        return share.sign_share(self.session, choice, lang="nl", shown_text="test")

    def ended(self, note: str) -> None:
        """What holds after every withdrawal."""
        self.nothing_left(note)
        (known,) = self.session.store.recipients.all()
        newest = self.session.store.deliveries.receipts(known.id)[0]
        assert (newest.kind, newest.state) == (Kind.STATEMENT, "erased"), f"{note}: {newest.state}"
        store = open_store(self.recipient.data)
        try:
            assert store.rows("SELECT count(*) FROM resource")[0][0] == 0, note
        finally:
            store.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("withdrawal")
    recipient = Recipient(folder / "recipient", free_port())
    proxy, line = Proxy(recipient.port), Counted()
    recipient.make(proxy.url)
    (folder / CARD).write_bytes(recipient.card)
    session = opened(folder, lambda: line)
    notes = Random(1)
    records = [
        {**a_condition(f"c{n}"), "note": [{"text": notes.randbytes(NOTE_BYTES).hex()}]} for n in range(LARGE)
    ]
    collect(session, a_bundle(*records), name="groot.json")
    try:
        with proxy.running():
            recipient.start()
            made = Scene(session=session, line=line, proxy=proxy, recipient=recipient)
            made.withdraw(share.shares(session)[0].grant_id)  # the one that every new vault begins with
            made.until_told()
            yield made
    finally:
        session.lock()
        recipient.stop()


@pytest.mark.parametrize("after_bytes", [0, *range(4_096, 500_000, 20_480)])
def test_in_the_middle_of_a_message(scene: Scene, after_bytes: int) -> None:
    grant = scene.give()
    scene.proxy.pause(after_bytes)
    thread = scene.sending()
    assert scene.proxy.paused.wait(PATIENCE_SECONDS)
    scene.withdraw(grant)
    forwarded = len(scene.proxy.seen)
    scene.proxy.go_on.set()
    thread.join(PATIENCE_SECONDS)
    scene.late_bytes.append(scene.proxy.broken[-1] - after_bytes)
    assert scene.late_bytes[-1] <= IN_SYSTEM_BYTES
    assert all(len(one.body) < 200_000 for one in scene.proxy.seen[forwarded:]), "the push stayed half"
    scene.until_told()
    scene.ended(f"after {after_bytes} bytes")


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("moment", ["arrived", "forwarded", "answered", "done"])
def test_at_each_moment_of_an_exchange_and_between_parts(scene: Scene, moment: str, part: int) -> None:
    grant, reached = scene.give(), threading.Event()
    first, done = len(scene.proxy.seen), threading.Event()

    def stop_here(name: str, request: Request) -> None:
        if name == moment and request.number == first + part:
            reached.set()
            done.wait(PATIENCE_SECONDS)

    scene.proxy.moment = stop_here
    thread = scene.sending()
    assert reached.wait(PATIENCE_SECONDS)
    scene.withdraw(grant)
    done.set()
    thread.join(PATIENCE_SECONDS)
    scene.until_told()
    scene.ended(f"{moment} of part {part}")


@pytest.mark.parametrize("fault", [Fault.DROP_REQUEST, Fault.DROP_ANSWER, Fault.FAKE_OK, Fault.LATE])
@pytest.mark.parametrize("tries", [1, 2])
def test_in_the_queue_after_a_fault(scene: Scene, fault: Fault, tries: int) -> None:
    grant, first = scene.give(), len(scene.proxy.seen)
    scene.proxy.weather = lambda number: fault if number < first + tries else Fault.NONE
    for _ in range(tries):
        deliver.send_now(scene.session)
    scene.withdraw(grant)
    scene.until_told()
    scene.proxy.weather = fair
    scene.ended(f"{tries} times {fault}")


@pytest.mark.parametrize("tries", range(5))
def test_offline(scene: Scene, tries: int) -> None:
    grant = scene.give()
    scene.proxy.weather = lambda _number: Fault.DROP_REQUEST
    for _ in range(tries):
        deliver.send_now(scene.session)
    scene.withdraw(grant)
    for _ in range(tries):
        deliver.send_now(scene.session)
    assert scene.session.store.outbox.count_open() == 1, "only the withdrawal waits"
    scene.proxy.weather = fair
    scene.until_told()
    scene.ended(f"offline, {tries} tries")


@pytest.mark.parametrize("delivered", [False, True])
@pytest.mark.parametrize("killed", [False, True])
def test_with_the_recipient_down(scene: Scene, delivered: bool, killed: bool) -> None:
    grant = scene.give()
    if delivered:
        deliver.send_now(scene.session)
    scene.recipient.kill() if killed else scene.recipient.stop()
    scene.recipient.stop()
    deliver.send_now(scene.session)
    scene.withdraw(grant)
    deliver.send_now(scene.session)
    scene.recipient.start()
    scene.until_told()
    scene.ended(f"recipient down, delivered {delivered}")


def test_a_line_that_does_not_listen_is_found(scene: Scene) -> None:
    grant = scene.give()
    scene.line.deaf = True
    scene.proxy.pause(4_096)
    thread = scene.sending()
    assert scene.proxy.paused.wait(PATIENCE_SECONDS)
    scene.withdraw(grant)
    scene.proxy.go_on.set()
    thread.join(PATIENCE_SECONDS)
    assert scene.line.after > 0
    scene.line.deaf, scene.line.after = False, 0
    scene.until_told()
    scene.ended("after a line that did not listen")


def test_all_timings_together(scene: Scene) -> None:
    """Last in the file: the figures of the tests before it."""
    late = scene.late_bytes
    figures["withdrawals on the way"] = (
        f"{scene.timings} timings; {scene.line.before} pieces before, {scene.line.after} after the commit; "
        f"in the buffers of the system then at most {max(late, default=0):,} bytes, of messages that never "
        "came whole; the recipient erased and signed every time"
    )
    assert scene.timings >= 50
    assert scene.line.before > 0
