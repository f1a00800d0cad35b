"""What does a whole share cost: decide over all records, send what is permitted, have it kept? (G14)

Run: ``python -m benchmarks.share_bench [--records 50000] [--rounds 3]``

The real thing on both sides: an open vault with all its records, a signed grant for one kind (a tenth of
them), the delivery with its parcels, statements and receipts, to a real clinic in a process of its own that
opens, classifies, decides again and stores encrypted. Each round signs and withdraws a grant of its own.

Beside it, with the same bytes:

* the floor: plain ``sqlite3`` gives the rows, they are glued into one body and posted to a server that writes
  the body into plain ``sqlite3``; nothing is asked, checked, signed, encrypted or proved;
* the naive way: every record read with ``json`` to see whether it goes, written again, posted, and read by
  the models of ``fhir.resources`` at the other end.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from fhir.resources.R4B.bundle import Bundle

from benchmarks.data import open_session
from benchmarks.goals import Goal, print_goals
from benchmarks.push_bench import glued
from benchmarks.side_by_side import Timings, print_timings, side_by_side
from benchmarks.sink import sink
from consent.codes import Category
from pgo.usecases import share
from pgo.usecases.choices import ShareChoice
from pgo.usecases.collect import collect
from pgo.usecases.deliver import deliver
from pgo.usecases.delivery_view import DeliveryState
from pgo.usecases.recipients import add_recipient
from pgo.usecases.session import Session
from tests.support.clinic_process import running_clinic

SHARED = "MedicationStatement"
PER_FILE = 2_000
ATC, LOINC, UCUM = "http://www.whocc.no/atc", "http://loinc.org", "http://unitsofmeasure.org"
Body = dict[str, object]


def main() -> None:
    """Fill a vault, run the rounds, print the tables."""
    parser = argparse.ArgumentParser(description="Measure a whole share.")
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    timings = measure([record(number) for number in range(chosen.records)], chosen.rounds)
    print_timings(timings, "floor")
    end_to_end = timings.ratio("share", "floor", wall=True)
    faster = timings.ratio("naive", "share", wall=True)
    print_goals(
        [
            Goal("whole share, end to end, times the floor (wall)", 6, end_to_end, code="G14"),
            Goal(
                "whole share, our process, times the floor", 1.3, timings.ratio("share", "floor"), code="G14b"
            ),
            Goal("share, times faster than naive (wall)", 12, faster, least=True, code="G14c"),
        ]
    )


def measure(bodies: list[Body], rounds: int) -> Timings:
    """Set both sides up and run the three ways in turn."""
    with (
        tempfile.TemporaryDirectory() as text,
        running_clinic(Path(text)) as clinic,
        open_session() as session,
        plain_store(bodies) as plain,
        sink(Keeper(Path(text) / "floor.db")) as floor,
        sink(modelled) as models,
    ):
        sharer = Sharer(session, add_recipient(session, clinic.card))
        fill(session, bodies)
        going = sum(body["resourceType"] == SHARED for body in bodies)
        print(f"{len(bodies)} records, {going} of them shared, {rounds} rounds:")
        return side_by_side(
            {
                "floor": lambda: post(floor, glued(rows(plain))),
                "share": sharer.share,
                "naive": lambda: post(models, sorted_out(plain)),
            },
            rounds=rounds,
            after={"share": sharer.take_back},
        )


def record(number: int) -> Body:
    """Make one synthetic record: of ten, one is a medicine and nine are laboratory values."""
    day = f"20{10 + number % 15:02}-{1 + number % 12:02}-{1 + number % 28:02}"
    about: Body = {"id": f"r{number}", "subject": {"reference": "Patient/p1"}}
    if number % 10 == 0:
        code = {"coding": [{"system": ATC, "code": "B03BB01", "display": "foliumzuur"}], "text": "Foliumzuur"}
        taken = {"status": "completed", "medicationCodeableConcept": code, "effectiveDateTime": day}
        return {"resourceType": SHARED, **about, **taken}
    group = "http://terminology.hl7.org/CodeSystem/observation-category"
    value = {"value": 8 + number % 10 / 10, "unit": "mmol/L", "system": UCUM, "code": "mmol/L"}
    return {
        "resourceType": "Observation",
        **about,
        "status": "final",
        "category": [{"coding": [{"system": group, "code": "laboratory"}]}],
        "code": {"coding": [{"system": LOINC, "code": "718-7", "display": "Hemoglobin"}], "text": "Hb"},
        "effectiveDateTime": day,
        "valueQuantity": value,
    }


def fill(session: Session, bodies: list[Body]) -> None:
    """Collect the records in files of a size that providers send."""
    person: Body = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-01-01"}
    for start in range(0, len(bodies), PER_FILE):
        entries = [{"resource": body} for body in [person, *bodies[start : start + PER_FILE]]]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        collect(session, json.dumps(bundle).encode(), name=f"{start}.json", accept_person=True)


class Sharer:
    """The patient's side of the real thing."""

    def __init__(self, session: Session, recipient: str) -> None:
        self._session = session
        self._recipient = recipient
        self._grant = ""

    def share(self) -> None:
        """Sign a grant and deliver until a receipt for every record is here."""
        today = self._session.today()
        choice = ShareChoice(
            recipient_id=self._recipient,
            categories=frozenset({Category.MEDICATIONS}),
            sensitivity=frozenset(),
            purpose="TREAT",
            period=(today, today + timedelta(days=30)),
        )
        self._grant = share.sign_share(self._session, choice, lang="nl", shown_text="gemeten")
        self._deliver(DeliveryState.DELIVERED)

    def take_back(self) -> None:
        """Withdraw, so that the next round starts from nothing at the clinic."""
        share.withdraw(self._session, self._grant)
        self._deliver(DeliveryState.WITHDRAWN_CONFIRMED)

    def _deliver(self, wanted: DeliveryState) -> None:
        deliver(self._session)
        if share.share(self._session, self._grant).delivery.state is not wanted:
            raise RuntimeError("the clinic did not confirm")


class Keeper:
    """The floor's other end: a body becomes a row of plain ``sqlite3``, committed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, body: bytes) -> bytes:
        """Keep one body."""
        store = sqlite3.connect(self._path)
        with store:
            store.execute("CREATE TABLE IF NOT EXISTS kept (body BLOB)")
            store.execute("INSERT INTO kept VALUES (?)", (body,))
        store.close()
        return b"ok"


@contextmanager
def plain_store(bodies: list[Body]) -> Iterator[sqlite3.Connection]:
    """Keep all records in a plain store in memory, with the one column that the floor decides by."""
    store = sqlite3.connect(":memory:")
    store.execute("CREATE TABLE record (id TEXT PRIMARY KEY, type TEXT, raw BLOB)")
    ready = ((str(one["id"]), str(one["resourceType"]), json.dumps(one).encode()) for one in bodies)
    store.executemany("INSERT INTO record VALUES (?, ?, ?)", ready)
    store.execute("CREATE INDEX by_type ON record (type)")
    try:
        yield store
    finally:
        store.close()


def rows(store: sqlite3.Connection) -> list[tuple[str, bytes]]:
    """Give reference and bytes of what is shared."""
    found = store.execute("SELECT type || '/' || id, raw FROM record WHERE type = ?", (SHARED,))
    return [(str(reference), bytes(raw)) for reference, raw in found]


def sorted_out(store: sqlite3.Connection) -> bytes:
    """Read every record to see whether it goes, and write those that do anew."""
    bodies = (json.loads(raw) for (raw,) in store.execute("SELECT raw FROM record"))
    entries = [{"resource": body} for body in bodies if body["resourceType"] == SHARED]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def modelled(body: bytes) -> bytes:
    """The naive other end: models read it all and write it for the store."""
    return str(len(Bundle.model_validate_json(body).model_dump_json())).encode()


def post(url: str, body: bytes) -> None:
    """Post one body and wait for the answer."""
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=120) as answer:
        answer.read()


if __name__ == "__main__":
    main()
