"""What does keeping a push cost a recipient, beside only checking it? (G13)

Run: ``python -m benchmarks.recipient_bench [FILE] [--rounds 9]``

Checking alone: open the message, read the Bundle strictly, verify the statement, classify each resource and
decide about it; nothing is kept. Beside it the whole inbox, every message from another patient: statement,
sealed records, receipt, one durable commit; on plain SQLite, on SQLCipher, and on PostgreSQL with its own
durability left on. Without a PostgreSQL server on this machine that row is left out.

And beside the way a web framework invites to: the body read by the models of ``fhir.resources`` and written
again for a store, without the framework, without envelope, consent and store. How long the service hears
nobody else meanwhile: a message taken in a thread, beside the same in the event loop. The process looks for
garbage as the service does.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from benchmarks.data import large_bundle
from benchmarks.goals import Goal, print_goals
from benchmarks.push_bench import Pairs, modelled, resources
from benchmarks.screens_bench import lag
from benchmarks.side_by_side import print_timings, side_by_side
from consent.classify import classify_all
from consent.codes import Action
from consent.decision import Permit
from consent.rules import ActorRef
from consent.statement import statement_plan, verify_statement
from recipient.garbage import search_less
from recipient.identity import Identity, load_identity
from recipient.inbox import Inbox
from recipient.kek import make_kek_file
from recipient.key_files import make_key
from recipient.migrations import migrate
from recipient.store import create_store
from recipient.store_protocol import Keys, Store
from recipient.store_sqlcipher import SqlcipherStore
from sync.bundle import build_push, build_transaction, parse_push
from sync.envelope import open_message
from sync.wire import KEPT_BY_RECIPIENTS, Kind, new_message_id
from tests.support.patient_side import everything_for_treatment
from tests.support.postgres import running_cluster
from tests.support.recipient_direct import AT, a_patient_of, found

MOST = 1_000


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description="Measure keeping a push.")
    parser.add_argument("file", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    search_less()
    pairs = resources(large_bundle(chosen.file))[:MOST]
    with ExitStack() as stack:
        stores = opened_stores(stack, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        variants = {name: receiving(store, pairs, chosen.rounds) for name, store in stores.items()}
        first = next(iter(stores.values()))
        timings = side_by_side(
            {
                "checked only": checking(first, pairs, chosen.rounds),
                **variants,
                "models only": lambda: modelled(pairs),
            },
            rounds=chosen.rounds,
        )
        _, stall = lag(receiving(stores["SQLCipher"], pairs, 2 * chosen.rounds, first=3_000), chosen.rounds)
    print(f"{len(pairs)} resources in a message, {chosen.rounds} rounds, per resource:")
    print_timings(timings, "checked only", per=len(pairs), unit="us")
    wanted = {"SQLite": (1.3, "G13"), "SQLCipher": (1.5, "G13b"), "PostgreSQL": (2.5, "G13c")}
    kept = [
        Goal(
            f"kept in {name}, times only checked (wall)",
            wanted[name][0],
            timings.ratio(name, "checked only", wall=True),
            code=wanted[name][1],
        )
        for name in stores
    ]
    faster = timings.ratio("models only", "SQLCipher", wall=True)
    print_goals(
        [
            *kept,
            Goal("times faster than models alone (wall)", 25, faster, least=True, code="G13d"),
            Goal("others wait, times of a message in the loop", 0.15, stall, code="G13e"),
        ]
    )


def opened_stores(stack: ExitStack, folder: Path) -> dict[str, Store]:
    """Give an empty store of each kind, with an identity."""
    stores: dict[str, Store] = {"SQLite": plain(folder), "SQLCipher": create_store(folder / "cipher")}
    try:
        cluster = stack.enter_context(running_cluster(durable=True))
    except pytest.skip.Exception as exc:
        print(f"left out: {exc}")
    else:
        stores["PostgreSQL"] = create_store(folder / "postgres", database=cluster.database())
    for store in stores.values():
        stack.enter_context(closing(store))
        found(store)
    return stores


def plain(folder: Path) -> Store:
    """Give the same store without encryption, to see what that costs."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None, check_same_thread=False)
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "temp_store=2",
        "secure_delete=ON",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    store = SqlcipherStore(connection, Keys(make_key(folder / "key"), make_kek_file(folder / "kek")))
    migrate(store, new=True)
    return store


def messages(store: Store, pairs: Pairs, rounds: int, *, first: int) -> Iterator[bytes]:
    """Make a message from a patient of its own for every round and the one before them."""
    made = []
    for number in range(first, first + rounds + 1):
        patient = a_patient_of(store, number)
        patient.sequence, patient.previous, patient.ledger = 0, None, []
        patient.sign_grant((everything_for_treatment(patient.card),), at=AT)
        content = build_push(
            statement=patient.statement,
            transaction=build_transaction(pairs, subject_id=patient.sub),
            purpose="TREAT",
            actions=["view"],
        )
        made.append(patient.envelope(Kind.PUSH, content, at=AT, message_id=new_message_id()))
    return iter(made)


def receiving(store: Store, pairs: Pairs, rounds: int, *, first: int = 1) -> Callable[[], object]:
    """The whole inbox, one message after the other."""
    inbox, bodies = Inbox(store, load_identity(store)), messages(store, pairs, rounds, first=first)
    return lambda: inbox.receive(next(bodies), at=AT)


def checking(store: Store, pairs: Pairs, rounds: int) -> Callable[[], object]:
    """Everything but keeping."""
    identity, bodies = load_identity(store), messages(store, pairs, rounds, first=1_000)
    return lambda: checked(next(bodies), identity)


def checked(body: bytes, identity: Identity) -> int:
    """Open, read, verify, classify and decide; return how many resources would be kept."""
    opened = open_message(
        body,
        opening_keys=identity.opening,
        audience=identity.recipient_id,
        at=AT,
        known_sender=None,
        already_received=lambda _sub, _mid: False,
    )
    push = parse_push(opened.content, subject_id=opened.sender.text)
    statement = verify_statement(
        push.statement,
        opened.sender,
        audience=identity.recipient_id,
        at=AT,
        highest_seen=0,
        previous_hash=None,
        honours=KEPT_BY_RECIPIENTS,
    )
    decide = statement_plan(
        statement,
        actor=frozenset({ActorRef(identity.actor_kind, identity.recipient_id)}),
        purpose=frozenset({push.purpose}),
        action=frozenset({Action.VIEW}),
        at=AT,
    )
    kept = [isinstance(decide(facts), Permit) for facts in classify_all([item.body for item in push.items])]
    if not all(kept) or len(kept) < MOST:
        raise SystemExit("the benchmark does not measure what it says")
    return len(kept)


if __name__ == "__main__":
    main()
