"""Which rules of a ledger are in force at an instant.

Per lineage (grants with one id):

1. heads = versions that no complete newer version has seen; what is superseded is inert.
2. An incomplete version supersedes nothing and permits nothing until what it rests on arrives.
3. A head permits only inside its period, when no withdrawal that targets it is unseen by it, its
   key was not distrusted at its place, and the person signed for themselves.
4. Several heads (two devices edited): a permit must come from every one of them.
5. Denies of every head in force hold, unless a `lift` that is complete has seen them.

A withdrawal by actor or purpose bars that asker from every permit that has not seen it, so the rest
of a grant stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consent.codes import DENY_CLOSURE, Effect
from consent.dates import as_utc
from consent.document import SignedRecord
from consent.ledger import Ledger
from consent.records import Grant, GrantId, KeyRecord, RecordHash, Withdrawal
from consent.rules import ActorRef, Rule


class HeadState(StrEnum):
    """Why a head permits, or does not."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    INCOMPLETE = "incomplete"
    UNTRUSTED_KEY = "untrusted_key"
    NO_AUTHORITY = "no_authority"


@dataclass(frozen=True, slots=True)
class Head:
    """The current version of a lineage, or one of several."""

    hash: RecordHash
    grant: Grant
    state: HeadState
    barred_actors: frozenset[ActorRef]
    barred_purposes: frozenset[str]

    @property
    def permits(self) -> tuple[Rule, ...]:
        """Permit rules as written; whether they work now is `state`'s word."""
        return tuple(rule for rule in self.grant.rules if rule.effect is Effect.PERMIT)


@dataclass(frozen=True, slots=True)
class Lineage:
    """All heads of one grant id, sorted by hash."""

    id: GrantId
    heads: tuple[Head, ...]


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds at one instant."""

    at: datetime
    head_hash: str
    lineages: tuple[Lineage, ...]
    denies: tuple[tuple[RecordHash, Rule], ...]
    deny_starts: tuple[datetime, ...]


def effective(ledger: Ledger, at: datetime) -> Effective:
    """Compute what holds at an instant.

    Args:
        ledger: verified records.
        at: now; when a record was signed later than that, the clock was set back and the newest
            signed time counts.
    """
    now = as_utc(at)
    newest = ledger.newest_at
    if newest is not None and newest > now:
        now = newest
    versions: dict[GrantId, list[SignedRecord]] = {}
    for signed in ledger.records:
        if isinstance(signed.record, Grant):
            versions.setdefault(signed.record.id, []).append(signed)
    changes = _Changes(ledger)
    lineages: list[Lineage] = []
    denies: list[tuple[RecordHash, Rule]] = []
    starts: set[datetime] = set()
    for grant_id in sorted(versions):
        heads = tuple(changes.head(signed, now) for signed in _heads(ledger, versions[grant_id]))
        lineages.append(Lineage(grant_id, tuple(sorted(heads, key=lambda head: head.hash))))
        for head in heads:
            rules = [rule for rule in head.grant.rules if rule.effect is Effect.DENY]
            if not rules or changes.lifted(grant_id, head.hash):
                continue
            if head.grant.period.from_at > now:
                starts.add(head.grant.period.from_at)
            elif now < head.grant.period.until_at:
                denies.extend((head.hash, rule) for rule in rules)
    return Effective(now, ledger.head_hash, tuple(lineages), tuple(denies), tuple(sorted(starts)))


def _heads(ledger: Ledger, versions: list[SignedRecord]) -> list[SignedRecord]:
    complete = [v for v in versions if v.hash not in ledger.incomplete]
    superseded = frozenset[RecordHash]().union(*(ledger.past[v.hash] for v in complete))
    return [v for v in versions if v.hash not in superseded]


class _Changes:
    """Withdrawals, lifts and revoked keys of a ledger, ready to be asked about a grant."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.withdrawals: list[tuple[RecordHash, Withdrawal]] = []
        self.revoked: dict[str, int] = {}
        for signed in ledger.records:
            if isinstance(signed.record, Withdrawal):
                self.withdrawals.append((signed.hash, signed.record))
            elif isinstance(signed.record, KeyRecord) and signed.record.from_position is not None:
                known = self.revoked.get(signed.record.kid, signed.record.from_position)
                self.revoked[signed.record.kid] = min(known, signed.record.from_position)

    def head(self, signed: SignedRecord, now: datetime) -> Head:
        grant = signed.record
        if not isinstance(grant, Grant):
            raise TypeError("only grants have heads")
        unseen = [w for h, w in self.withdrawals if h not in self.ledger.past[signed.hash]]
        return Head(
            hash=signed.hash,
            grant=grant,
            state=self._state(signed, grant, unseen, now),
            barred_actors=frozenset(ActorRef(*w.target.values) for w in unseen if w.target.kind == "actor"),
            barred_purposes=frozenset[str]().union(
                *(DENY_CLOSURE[w.target.values[0]] for w in unseen if w.target.kind == "purpose")
            ),
        )

    def _state(
        self, signed: SignedRecord, grant: Grant, unseen: Iterable[Withdrawal], now: datetime
    ) -> HeadState:
        if signed.hash in self.ledger.incomplete:
            return HeadState.INCOMPLETE
        if signed.position >= self.revoked.get(signed.kid, signed.position + 1):
            return HeadState.UNTRUSTED_KEY
        if grant.by.role != "self":
            # Representation needs an authority record, which this version does not know yet.
            return HeadState.NO_AUTHORITY
        if any(_ends(withdrawal, grant) for withdrawal in unseen):
            return HeadState.WITHDRAWN
        if now < grant.period.from_at:
            return HeadState.NOT_YET
        return HeadState.IN_FORCE if now < grant.period.until_at else HeadState.EXPIRED

    def lifted(self, grant_id: GrantId, deny: RecordHash) -> bool:
        return any(
            w.target.kind == "lift"
            and w.target.values[0] == grant_id
            and w.by.role == "self"
            and h not in self.ledger.incomplete
            and deny in self.ledger.past[h]
            for h, w in self.withdrawals
        )


def _ends(withdrawal: Withdrawal, grant: Grant) -> bool:
    """Say whether a withdrawal ends the whole grant, as opposed to barring some askers from it."""
    target = withdrawal.target
    if target.kind == "all":
        return True
    if target.kind == "grant":
        return target.values[0] == grant.id
    permits = [rule for rule in grant.rules if rule.effect is Effect.PERMIT]
    if target.kind == "actor" and permits:
        gone = frozenset({ActorRef(*target.values)})
        return all(rule.actor is not None and rule.actor <= gone for rule in permits)
    return False
