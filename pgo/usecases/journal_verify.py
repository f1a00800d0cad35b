"""Check a list of journal lines, and name every fault with its place. Pure: no store, no clock.

A journal is a hash chain (``crypto.chain``): each line's link covers its own body and everything before it.
The end is known from elsewhere (a signed head, or what the vault's header remembers), because a chain that
is cut at its end still holds.

Rules:
1. A line counts as the next one when its link follows from the line before and its own body, and it says
   the next position. Everything else is a fault of exactly one kind (``Fault``).
2. After a fault the check goes on with the best reading of what follows, so that one changed line is one
   fault and not thousands.
3. A line that comes right after missing ones cannot be checked against what is gone; its own link is taken
   as claimed, and the line after it shows whether that was right.
4. No fault at all means: these are exactly the lines up to the head, in order, byte for byte.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from crypto.chain import GENESIS, link

_MOST_CLAIMS = 8
"""So many lines with one number are looked at; more than two come from no accident."""


class Fault(StrEnum):
    """What can be wrong with a line, or with the end."""

    UNREADABLE = "unreadable"
    """No line of a journal at all, or written in another way than the one we write."""
    FOREIGN = "foreign"
    """A line that says it is of another journal."""
    CHANGED = "changed"
    """The right place, but not what stood there: body or link was altered."""
    INSERTED = "inserted"
    """A line that was never part of this chain."""
    DUPLICATED = "duplicated"
    """A line of this chain that stood here before."""
    MOVED = "moved"
    """A line of this chain in front of lines that come before it."""
    RENUMBERED = "renumbered"
    """The right line with another number."""
    MISSING = "missing"
    """Lines of the chain that are not here, with lines after them."""
    TRUNCATED = "truncated"
    """Lines at the end that are not here."""
    ADDED = "added"
    """Lines after the end."""
    OTHER_END = "other_end"
    """A chain that holds but ends differently: the whole of it was made anew."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One line as read: where it stood, and what it says; ``body`` None when it could not be read."""

    line: int
    journal: str
    position: int
    link: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault.

    Attributes:
        fault: what is wrong.
        position: number of the line in the journal, from 0; for missing ones the first.
        until: for missing, cut off and added lines the last; else as ``position``.
        line: line of the file from 1; 0 where no line of the file is meant.
    """

    fault: Fault
    position: int
    until: int
    line: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a journal as known from elsewhere: how many lines, and the link of the last."""

    count: int
    link: str


def verify_lines(claims: Sequence[Claim], *, journal: str, head: Head) -> tuple[Finding, ...]:
    """Check lines against their chain and their end.

    Args:
        claims: the lines in the order they stand, untrusted.
        journal: name of the journal they must be of.
        head: trusted end.

    Returns:
        Every fault in the order found; empty when everything holds (rule 4).
    """
    walk = _Walk(claims, journal)
    for index in range(len(claims)):
        walk.step(index)
    return walk.finish(head)


class _Walk:
    """One pass over the lines: the expected position, the link so far, lines met too early or pulled in."""

    def __init__(self, claims: Sequence[Claim], journal: str) -> None:
        self._claims = claims
        self._journal = journal
        self._at: dict[int, list[int]] = {}
        for index, claim in enumerate(claims):
            if claim.body is not None and claim.journal == journal:
                self._at.setdefault(claim.position, []).append(index)
        self._expected, self._head = 0, GENESIS
        self._accepted: set[tuple[str, bytes]] = set()
        self._early: dict[int, int] = {}
        self._pulled: set[int] = set()
        self._found: list[Finding] = []

    def step(self, index: int) -> None:
        """Judge the line at this place of the file."""
        if index in self._pulled:
            return
        claim = self._claims[index]
        fault = self._unfit(claim)
        if fault is not None:
            self._say(fault, claim)
        elif self._fits(self._head, index):
            if claim.position != self._expected:
                self._say(Fault.RENUMBERED, claim)
            self._accept(claim)
        elif claim.position == self._expected:
            self._wrong_content(index, claim)
        elif claim.position > self._expected:
            self._pull(index)
            if self._fits(self._head, index):
                self._accept(claim)
            else:
                self._ahead(index, claim)
        else:
            self._say(Fault.INSERTED, claim)
        self._take_early()

    def finish(self, head: Head) -> tuple[Finding, ...]:
        """Compare the end, and return everything found."""
        last = max(head.count - 1, 0)
        if self._expected < head.count and self._head == head.link:
            self._explain_renumbered_gap(head.count - self._expected)
        elif self._expected < head.count:
            self._found.append(Finding(Fault.TRUNCATED, self._expected, last))
        elif self._expected > head.count:
            self._found.append(Finding(Fault.ADDED, head.count, self._expected - 1))
        elif not self._found and self._head != head.link:
            self._found.append(Finding(Fault.OTHER_END, last, last))
        return tuple(self._found)

    def _unfit(self, claim: Claim) -> Fault | None:
        if claim.body is None:
            return Fault.UNREADABLE
        if claim.journal != self._journal:
            return Fault.FOREIGN
        return Fault.DUPLICATED if (claim.link, claim.body) in self._accepted else None

    def _wrong_content(self, index: int, claim: Claim) -> None:
        """The right number with the wrong content: a stranger before the real line, or an altered line."""
        real = any(self._fits(self._head, other) for other in self._later(index, claim.position))
        if real or self._next_fits(index):
            self._say(Fault.INSERTED, claim)
            return
        self._say(Fault.CHANGED, claim)
        recomputed = link(self._head, claim.body or b"")
        only_link = any(self._fits(recomputed, other) for other in self._later(index, claim.position + 1))
        self._accept(replace(claim, link=recomputed) if only_link else claim)

    def _ahead(self, index: int, claim: Claim) -> None:
        """A higher number than the next: lines stand in another order, or lines before it are gone."""
        waiting = self._later(index, self._expected)
        if waiting and self._is_of_this_chain(claim):
            self._say(Fault.MOVED, claim)  # this line stands too early
            self._early[claim.position] = index
        elif waiting or self._next_fits(index):
            self._say(Fault.INSERTED, claim)
        else:
            self._found.append(Finding(Fault.MISSING, self._expected, claim.position - 1, claim.line))
            self._expected = claim.position
            self._accept(claim)

    def _pull(self, index: int) -> None:
        """Take in expected lines that stand too late, as long as this line is ahead of them."""
        while self._expected < self._claims[index].position:
            waiting = self._later(index, self._expected)
            at_next = self._position_of(index + 1) == self._expected
            if not waiting or at_next or not self._fits(self._head, waiting[0]):
                return
            self._say(Fault.MOVED, self._claims[waiting[0]])
            self._pulled.add(waiting[0])
            self._accept(self._claims[waiting[0]])

    def _take_early(self) -> None:
        while (index := self._early.pop(self._expected, None)) is not None:
            self._accept(self._claims[index])

    def _is_of_this_chain(self, claim: Claim) -> bool:
        """Whether it follows from the line that claims to come right before it."""
        before = (
            [GENESIS]
            if claim.position == 0
            else [self._claims[other].link for other in self._at.get(claim.position - 1, [])[:_MOST_CLAIMS]]
        )
        return any(link(one, claim.body or b"") == claim.link for one in before)

    def _explain_renumbered_gap(self, gone: int) -> None:
        """The true end with too few lines: the rest was renumbered over a gap, where a line seems changed."""
        seen = [place for place, one in enumerate(self._found) if one.fault is Fault.CHANGED]
        place = seen[0] if seen else len(self._found)
        at = self._found[place] if seen else Finding(Fault.MISSING, 0, 0)
        gap = Finding(Fault.MISSING, at.position, at.position + gone - 1, at.line)
        self._found[place : place + 1] = [gap]

    def _next_fits(self, index: int) -> bool:
        return index + 1 < len(self._claims) and self._fits(self._head, index + 1)

    def _position_of(self, index: int) -> int | None:
        return self._claims[index].position if index < len(self._claims) else None

    def _later(self, index: int, position: int) -> list[int]:
        """Lines further on that claim a position; a few of them, so that a hostile file costs no more."""
        places = self._at.get(position, [])
        few = places[bisect_right(places, index) :][:_MOST_CLAIMS]
        return [place for place in few if place not in self._pulled]

    def _fits(self, before: str, index: int) -> bool:
        claim = self._claims[index]
        return claim.body is not None and link(before, claim.body) == claim.link

    def _accept(self, claim: Claim) -> None:
        self._accepted.add((claim.link, claim.body or b""))
        self._head = claim.link
        self._expected += 1

    def _say(self, fault: Fault, claim: Claim) -> None:
        self._found.append(Finding(fault, claim.position, claim.position, claim.line))
