"""The chain of one key: whole, every link named, and where it splits.

1. A chain is whole: positions 0, 1, 2 ... without a gap, each record naming the hash of a record at the
   position before it.
2. Two different records of one key at one position are a *split*: the key was copied, or its owner went on
   from an older state. Nobody can say which half is the person's, so both stay in the set and
   `consent.authority` freezes the key. A log never becomes unreadable by what one key signed twice.

Source: guide consent.md section 3 (equivocation); the same idea as in Certificate Transparency, RFC 9162
section 11.3 (a log that shows two views is caught by comparing them).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from consent.document import SignedRecord
from consent.errors import NotTrusted
from crypto.chain import GENESIS


def check_chains(records: Iterable[SignedRecord]) -> None:
    """Check that the chain of every key is whole.

    Args:
        records: without duplicates.

    Raises:
        NotTrusted: `gap` or `broken_chain`; `position` says where.
    """
    chains: dict[str, dict[int, list[SignedRecord]]] = {}
    for record in records:
        chains.setdefault(record.kid, {}).setdefault(record.position, []).append(record)
    for chain in chains.values():
        before: frozenset[str] = frozenset({GENESIS})
        for position in range(len(chain)):
            if position not in chain:
                raise NotTrusted("gap", position=position)
            if any(record.previous not in before for record in chain[position]):
                raise NotTrusted("broken_chain", position=position)
            before = frozenset(record.hash for record in chain[position])


def splits(records: Iterable[SignedRecord]) -> Mapping[str, int]:
    """Return per key whose chain splits the first position that holds two different records."""
    taken: set[tuple[str, int]] = set()
    found: dict[str, int] = {}
    for record in records:
        place = (record.kid, record.position)
        if place in taken:
            found[record.kid] = min(found.get(record.kid, record.position), record.position)
        taken.add(place)
    return found
