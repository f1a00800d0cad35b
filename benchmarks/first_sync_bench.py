"""What does a first sync of a whole record cost, sealed and with consent, beside a plain transaction?

Run: ``python -m benchmarks.first_sync_bench [--records 2000] [--rounds 3]``

Four ways for the same permitted resources, each over loopback HTTP to a process of its own:

* sealed: an open vault delivers to a real clinic, to the last receipt: decided, signed, packed, sealed, then
  opened, classified, decided again and stored encrypted over there;
* plain: one FHIR transaction with a PUT for each resource, made beforehand, posted to the same process of the
  same clinic (``benchmarks.plain_recipient``): same HTTP stack, limits, parser, store and encryption at rest;
  nothing is asked, sealed, classified, decided or proved;
* fhir: the same vault delivers to a plain FHIR server in memory and reads everything back;
* floor: the same transaction posted to a bare server that stores each resource in plain ``sqlite3``.

Bytes are those of request and answer bodies, both directions.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sqlite3
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.data import open_session
from benchmarks.goals import Goal, print_goals
from benchmarks.plain_recipient import PATH, SUBJECT
from benchmarks.share_bench import Body, fill, record
from benchmarks.side_by_side import Timings, print_timings, side_by_side
from benchmarks.sink import sink
from consent.codes import Category
from pgo.usecases import share
from pgo.usecases.choices import ShareChoice
from pgo.usecases.deliver import deliver
from pgo.usecases.delivery_view import DeliveryState
from pgo.usecases.fhir_servers import ServerForm, add_server
from pgo.usecases.recipients import add_recipient
from pgo.usecases.session import Session
from sync.bundle import build_transaction
from sync.card import RecipientCard
from sync.endpoint import Endpoint
from sync.fhir_server.transport import FhirTransport
from sync.transport import Answer, InboxTransport
from tests.support.clinic_process import running_clinic
from tests.support.fhir_memory import MemoryFhir, serving_fhir

DONE = (DeliveryState.DELIVERED, DeliveryState.STORED_THERE)
STOPPED = (DeliveryState.WITHDRAWN_CONFIRMED, DeliveryState.WITHDRAWN_GONE_THERE)


@dataclass
class Counted:
    """The real way out, counting what passes."""

    line: InboxTransport = field(default_factory=InboxTransport)
    count: int = 0

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        """Carry one sealed message."""
        answer = self.line.send(card, path, body)
        self.count += len(body) + len(answer)
        return answer

    def call(self, method: str, endpoint: Endpoint, path: str, **more: object) -> Answer:
        """Ask one thing of a FHIR server."""
        answer = self.line.call(method, endpoint, path, **more)  # type: ignore[arg-type] # handed on as it came
        self.count += len(more.get("body", b"")) + len(answer.body)  # type: ignore[arg-type] # bytes
        return answer


def main() -> None:
    """Fill a vault, run the rounds, print seconds, bytes and ratios."""
    parser = argparse.ArgumentParser(description="Measure a first sync.")
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    measure([record(number) for number in range(chosen.records)], chosen.rounds)


def measure(bodies: list[Body], rounds: int) -> None:
    """Set all sides up and run the four ways in turn."""
    sealed, fhir = Counted(), Counted()
    with (
        tempfile.TemporaryDirectory() as text,
        running_clinic(Path(text), program="benchmarks.plain_recipient") as clinic,
        fhir_process() as server,
        sink(Rows(Path(text) / "plain.db")) as bare,
        open_session(
            open_transport=lambda: sealed, open_plain=lambda clock: FhirTransport(fhir, clock=clock)
        ) as session,
    ):
        fill(session, bodies)
        shared = {
            "sealed": Sharer(session, add_recipient(session, clinic.card), sealed),
            "fhir": Sharer(session, add_server(session, ServerForm(server, "Gemeten")), fhir),
        }
        bundle = transaction(bodies)
        posted = {"plain": Poster(clinic.url + PATH, bundle), "floor": Poster(bare, bundle)}
        print(f"{len(bodies)} records, {rounds} rounds:")
        timings = side_by_side(
            {
                **{name: one.post for name, one in posted.items()},
                **{name: one.share for name, one in shared.items()},
            },
            rounds=rounds,
            after={"plain": posted["plain"].empty, **{name: one.take_back for name, one in shared.items()}},
        )
    sizes = {name: one.size_bytes for name, one in [*posted.items(), *shared.items()]}
    tell(timings, sizes)


def tell(timings: Timings, sizes: Mapping[str, int]) -> None:
    """Print seconds, bytes and ratios, and the goals."""
    print_timings(timings, "plain", unit="ms")
    for name, size in sizes.items():
        seconds = timings.seconds(name, wall=True)
        print(f"  {name}: {seconds:.2f} s, {size:,} bytes, {size / sizes['plain']:.2f} x the bytes of plain")
    print_goals(
        [
            Goal(
                "first sync, times a plain PUT transaction, same server (wall)",
                10,
                timings.ratio("sealed", "plain", wall=True),
            ),
            Goal(
                "first sync, times the same into bare sqlite3 (wall)",
                40,
                timings.ratio("sealed", "floor", wall=True),
            ),
            Goal("first sync, bytes, times a plain PUT transaction", 1, sizes["sealed"] / sizes["plain"]),
        ]
    )


class Poster:
    """One transaction, posted again and again."""

    def __init__(self, url: str, body: bytes) -> None:
        self._url = url
        self._body = body
        self.size_bytes = 0

    def post(self) -> None:
        """Post it, and look at every answer."""
        with urllib.request.urlopen(urllib.request.Request(self._url, data=self._body), timeout=120) as sent:
            answer = sent.read()
        entries = json.loads(answer)["entry"]
        if {entry["response"]["status"] for entry in entries} != {"201"}:
            raise RuntimeError("not all of it was stored")
        self.size_bytes = len(self._body) + len(answer)

    def empty(self) -> None:
        """Erase it over there, so that the next round starts from nothing."""
        erase = urllib.request.Request(self._url, method="DELETE")
        with urllib.request.urlopen(erase, timeout=120) as done:
            done.read()


class Sharer:
    """The patient's side: give everything to one recipient, and take it back."""

    def __init__(self, session: Session, recipient: str, line: Counted) -> None:
        self._session = session
        self._recipient = recipient
        self._line = line
        self._grant = ""
        self.size_bytes = 0

    def share(self) -> None:
        """Sign a grant and deliver until all of it is there."""
        today = self._session.today()
        choice = ShareChoice(
            recipient_id=self._recipient,
            categories=frozenset(Category),
            sensitivity=frozenset(),
            purpose="TREAT",
            period=(today, today + timedelta(days=30)),
        )
        before = self._line.count
        self._grant = share.sign_share(self._session, choice, lang="nl", shown_text="gemeten")
        self._deliver(DONE)
        self.size_bytes = self._line.count - before

    def take_back(self) -> None:
        """Withdraw, so that the next round starts from nothing over there."""
        share.withdraw(self._session, self._grant)
        self._deliver(STOPPED)

    def _deliver(self, wanted: tuple[DeliveryState, ...]) -> None:
        deliver(self._session)
        found = share.share(self._session, self._grant).delivery
        if found.state not in wanted or found.refused_count:
            raise RuntimeError("not all of it got there, or not all of it went")


def transaction(bodies: list[Body]) -> bytes:
    """The same records as one FHIR transaction of PUTs."""
    pairs = [(f"{body['resourceType']}/{body['id']}", json.dumps(body).encode()) for body in bodies]
    return build_transaction(pairs, subject_id=SUBJECT)


class Rows:
    """The floor: every entry of a transaction becomes a row of plain ``sqlite3``, committed once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, body: bytes) -> bytes:
        """Store one transaction."""
        entries = json.loads(body)["entry"]
        rows = [(entry["request"]["url"], json.dumps(entry["resource"])) for entry in entries]
        store = sqlite3.connect(self._path)
        with store:
            store.execute("CREATE TABLE IF NOT EXISTS kept (url TEXT PRIMARY KEY, body TEXT)")
            store.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", rows)
        store.close()
        answers = [{"response": {"status": "201", "location": url}} for url, _ in rows]
        answer = {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}
        return json.dumps(answer).encode()


@contextmanager
def fhir_process() -> Iterator[str]:
    """Run the small FHIR server of the tests in a process of its own; give its address."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield str(ours.recv())
    finally:
        ours.send("stop")
        process.join()


def _serve(told: Connection) -> None:
    with serving_fhir(MemoryFhir()) as url:
        told.send(url)
        told.recv()


if __name__ == "__main__":
    main()
