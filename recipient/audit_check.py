"""Does the access log hold? Every patient's chain from its first event, and what stands beside it.

Steps for each patient; an event that fails one is named by patient handle and number, and the walk goes on:

1. events are numbered 1, 2, 3 ... without a gap;
2. the short chain links every event (``crypto.chain``);
3. from the first line in full on, every event has one; its text says the same as the event;
4. the full chain links every line;
5. the address of the device is the one the line was committed to.

A log that was cut at its end still holds by itself; the patients' apps keep the signed end and see that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from crypto.chain import GENESIS, link
from recipient import audit
from recipient.store import Store
from sync.access import AccessEntry, short_body
from sync.access_full import parse_line
from sync.errors import RemoteRuleError


@dataclass(frozen=True, slots=True)
class Fault:
    """One event that does not hold; ``step`` is the number in this module's list."""

    handle: str
    sequence: int
    step: int


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """What a check found."""

    events: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    seal: str
    place: str
    salt: str


def verify_all(store: Store) -> AuditCheck:
    """Check every event of every patient."""
    events = 0
    faults: list[Fault] = []
    for sub, handle in store.rows("SELECT sub, handle FROM sender ORDER BY handle"):
        entries, lines = _entries(store, sub), _lines(store, sub)
        events += len(entries)
        faults.extend(Fault(handle, sequence, step) for sequence, step in _faults(entries, lines))
    return AuditCheck(events, tuple(faults))


def _faults(entries: list[AccessEntry], lines: dict[int, _Line]) -> Iterator[tuple[int, int]]:
    expected, short, seal = 1, GENESIS, GENESIS
    full_from = min(lines, default=0)
    for entry in entries:
        if entry.sequence != expected:
            yield expected, 1
        if entry.previous != short or link(entry.previous, short_body(entry)) != entry.hash:
            yield entry.sequence, 2
        expected, short = entry.sequence + 1, entry.hash
        line = lines.pop(entry.sequence, None)
        if line is None:
            if full_from and entry.sequence > full_from:
                yield entry.sequence, 3
            seal = entry.hash
            continue
        if not _says_the_same(line.text, entry):
            yield entry.sequence, 3
        if link(seal, line.text.encode("utf-8")) != line.seal:
            yield entry.sequence, 4
        if not _is_committed(line):
            yield entry.sequence, 5
        seal = line.seal
    yield from ((sequence, 3) for sequence in sorted(lines))  # a line without its event


def _says_the_same(text: str, entry: AccessEntry) -> bool:
    try:
        told = parse_line(text)
    except RemoteRuleError:
        return False
    same = replace(told, previous=entry.previous, hash=entry.hash, details=None) == entry
    return same and told.details is not None and told.details.short == entry.hash


def _is_committed(line: _Line) -> bool:
    try:
        details = parse_line(line.text).details
    except RemoteRuleError:
        return False
    return details is not None and details.place == audit.commitment(line.place, line.salt)


def _entries(store: Store, sub: str) -> list[AccessEntry]:
    rows = store.rows(
        'SELECT sequence, at, "user", role, action, categories, purpose, previous, hash '
        "FROM access_event WHERE sub = ? ORDER BY sequence",
        (sub,),
    )
    return [audit.entry_of(row) for row in rows]


def _lines(store: Store, sub: str) -> dict[int, _Line]:
    rows = store.rows("SELECT sequence, line, seal, place, place_salt FROM access_line WHERE sub = ?", (sub,))
    return {row[0]: _Line(*row[1:]) for row in rows}
