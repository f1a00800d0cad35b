"""The books of both ends laid side by side: what one says it sent, what the other says it got.

Nothing here believes a program about itself: receipts are compared byte for byte, records by what stands in
them, and repeated effects by the counter that the recipient moves at each effect (``sender.revision``).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from crypto.canonical import sha256_id
from recipient import holdings
from recipient.store import Store, open_store


@dataclass
class Books:
    """What one run came to, over all patients.

    Attributes:
        lost: acknowledged to a person, and not at the recipient.
        false: called delivered, and not stored.
        twice: effects beyond one per message.
        other: bytes at the recipient that are not those that were sent.
    """

    delivered: int = 0
    receipts: int = 0
    effects: int = 0
    attempts: int = 0
    lost: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    waiting: Counter[str] = field(default_factory=Counter)

    @property
    def agree(self) -> bool:
        return self.receipts == self.effects == self.delivered

    @property
    def wrong(self) -> list[str]:
        """Everything that breaks a promise, in words."""
        found = [*self.lost, *self.false, *self.twice, *self.other]
        found += [f"{count} entries stayed {state}" for state, count in self.waiting.items()]
        if not self.agree:
            found.append(f"{self.delivered} delivered, {self.receipts} receipts, {self.effects} effects")
        return found


def compare(data: Path, patients: dict[str, tuple[dict[str, Any], dict[int, str]]]) -> Books:
    """Lay the books side by side.

    Args:
        data: folder of the recipient, which does not run.
        patients: pairwise key of each, with what its app says (``_Verbs.books``) and the values it
            acknowledged by number.
    """
    store, books = open_store(data), Books()
    try:
        for name, (said, kept) in enumerate(patients.values()):
            _compare(store, list(patients)[name], said, kept, books)
    finally:
        store.close()
    return books


def _compare(store: Store, sub: str, said: dict[str, Any], kept: dict[int, str], books: Books) -> None:
    rows = store.rows("SELECT mid, kind, receipt FROM message WHERE sub = ?", (sub,))
    effects = {str(mid): str(receipt) for mid, _, receipt in rows}
    done = {mid for mid, (state, _) in said["entries"].items() if state == "delivered"}
    books.delivered += len(done)
    books.receipts += len(said["receipts"])
    books.effects += len(effects)
    books.attempts += sum(attempts for _, attempts in said["entries"].values())
    books.waiting.update(
        state for state, _ in said["entries"].values() if state not in ("delivered", "cancelled")
    )
    books.false += [f"{mid} delivered, not stored" for mid in done - effects.keys()]
    for mid, token in said["receipts"].items():
        if effects.get(mid, token) != token:
            books.twice.append(f"{mid} has another receipt there")
    holding = holdings.holding_of(store, sub)
    if holding is None:
        books.lost.append("the recipient knows nothing of a patient")
        return
    # One step for each statement taken in, one for each push: `save_statement`, `touch`.
    steps = holding.sequence + sum(kind == "push" for _, kind, _ in rows)
    if holding.revision != steps:
        books.twice.append(f"{holding.revision} effects by {steps} messages")
    _compare_records(store, sub, said, kept, books)


def _compare_records(
    store: Store, sub: str, said: dict[str, Any], kept: dict[int, str], books: Books
) -> None:
    held = holdings.held(store, sub)
    there = {int(one.reference.rpartition("/r")[2]): sha256_id(one.raw) for one in held}
    for number, digest in said["held"].items():
        if int(number) not in there:
            books.false.append(f"record {number} held, not stored")
        elif there[int(number)] != digest:
            books.other.append(f"record {number} differs")
    values = Counter(_value(one.raw) for one in held)
    books.lost += [f"measurement {n} ({v})" for n, v in kept.items() if not values[Decimal(v)]]
    if len(held) != len(kept):
        books.other.append(f"{len(held)} records of {len(kept)}")


def _value(raw: bytes) -> Decimal:
    quantity = json.loads(raw, parse_float=Decimal)["valueQuantity"]
    return Decimal(quantity["value"])
