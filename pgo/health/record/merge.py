"""Find which records of one person are about one thing, so that a list shows it once with all its sources.

This is for reading only: nothing is merged in storing, every record stays what its source wrote.

Rules:

1. Two records are about one thing when they share a name of it (a ``link``); sharing is passed on: what is
   the same as the same thing is the same. Which names a record has is decided in ``sameness``.
2. An ``anchor`` says which occurrence of the thing it is (a treatment, a first day). Records with different
   anchors stay apart, whatever they share. One anchor may be the beginning of another (``2019`` of
   ``2019-05-17``): the vaguer record joins the more exact ones when only one of them fits, and stays by
   itself when several do. Nothing is guessed.
3. The patient's word counts most: two records marked as not the same are never in one group.
4. Every record is in exactly one group, and the order in which records are given changes nothing.

>>> one = Candidate(1, frozenset({"prk|7323"}), "")
>>> other = Candidate(2, frozenset({"prk|7323", "hpk|856126"}), "")
>>> merge([other, one])
((1, 2),)
>>> merge([other, one], apart={frozenset({1, 2})})
((1,), (2,))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

Apart: TypeAlias = AbstractSet[frozenset[int]]
"""Pairs of record numbers of which the patient said that they are not the same."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What grouping needs to know of a record; without links it stays alone."""

    record_id: int
    links: frozenset[str]
    anchor: str = ""


def merge(candidates: Iterable[Candidate], apart: Apart = frozenset()) -> tuple[tuple[int, ...], ...]:
    """Group records that are about one thing.

    Args:
        candidates: The records, each number once.
        apart: Pairs that must never share a group.

    Returns:
        Groups of record numbers: numbers rising inside a group, groups by their lowest number.
    """
    groups = [
        part
        for bucket in _buckets(candidates)
        for group in _by_anchor(bucket)
        for part in _kept_apart(group, apart)
    ]
    return tuple(sorted(groups))


def settle(values: Iterable[str]) -> dict[str, str]:
    """Give each value the one most exact value that begins with it, or itself when several do.

    >>> sorted(settle(["2019", "2019-05-17", ""]).values())
    ['2019-05-17', '2019-05-17', '2019-05-17']
    >>> settle(["2019", "2019-05", "2019-06"])["2019"]
    '2019'
    """
    known = frozenset(values)
    exact = [one for one in known if not any(other != one and other.startswith(one) for other in known)]
    found: dict[str, str] = {}
    for value in known:
        fits = [one for one in exact if one.startswith(value)]
        found[value] = fits[0] if len(fits) == 1 else value
    return found


def _buckets(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Bring together what shares a link, directly or through others (rule 1)."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    own = [(f"#{one.record_id}", one) for one in candidates]
    for name, one in own:
        for link in one.links:
            parent[root(link)] = root(name)
    buckets: dict[str, list[Candidate]] = {}
    for name, one in own:
        buckets.setdefault(root(name), []).append(one)
    yield from buckets.values()


def _by_anchor(bucket: Sequence[Candidate]) -> Iterator[list[int]]:
    """Part a bucket by occurrence (rule 2)."""
    settled = settle(one.anchor for one in bucket)
    groups: dict[str, list[int]] = {}
    for one in bucket:
        groups.setdefault(settled[one.anchor], []).append(one.record_id)
    yield from groups.values()


def _kept_apart(group: Sequence[int], apart: Apart) -> Iterator[tuple[int, ...]]:
    """Part a group until no marked pair is left in one part (rule 3).

    Who has the fewest marks comes first, so that the one record that was taken out stands alone and what
    arrives later joins the rest.
    """
    members = frozenset(group)
    against: dict[int, set[int]] = {number: set() for number in group}
    for pair in apart:
        if len(pair) == 2 and pair <= members:
            one, other = pair
            against[one].add(other)
            against[other].add(one)
    parts: list[list[int]] = []
    for number in sorted(group, key=lambda number: (len(against[number]), number)):
        place = next((part for part in parts if not against[number].intersection(part)), None)
        if place is None:
            parts.append([number])
        else:
            place.append(number)
    yield from (tuple(sorted(part)) for part in parts)
