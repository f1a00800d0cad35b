"""Which rules of a ledger are in force at an instant.

Per lineage (grants with one id):

1. heads = versions that no complete newer version has seen; what is superseded is inert.
2. An incomplete version supersedes nothing and permits nothing until what it rests on arrives.
   The same holds for a version whose signatures do not count or whose key is frozen (`consent.authority`).
3. A head permits only inside its period, when no withdrawal that targets it is unseen by it, its
   key was not distrusted at its place, and enough of the right people signed.
4. Several heads (two devices edited): a permit must come from every one of them.
5. Denies of every head in force hold, unless a `lift` that is complete has seen them. Nobody but the
   person ends what the person denied, neither by a lift nor by a newer version.

A withdrawal by actor or purpose bars that asker from every permit that has not seen it, so the rest
of a grant stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consent.authority import Standing
from consent.codes import DENY_CLOSURE, Effect
from consent.dates import as_utc
from consent.document import SignedRecord
from consent.ledger import Ledger
from consent.records import Grant, GrantId, RecordHash, Withdrawal
from consent.rules import ActorRef, Rule


class HeadState(StrEnum):
    """Why a head permits, or does not."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    INCOMPLETE = "incomplete"
    UNTRUSTED_KEY = "untrusted_key"
    FROZEN = "frozen"
    NO_AUTHORITY = "no_authority"


@dataclass(frozen=True, slots=True)
class Head:
    """The current version of a lineage, or one of several."""

    hash: RecordHash
    grant: Grant
    state: HeadState
    barred_actors: frozenset[ActorRef]
    barred_purposes: frozenset[str]
    lapsed_purposes: frozenset[str] = frozenset()
    scope: tuple[Rule, ...] = ()
    changes: tuple[datetime, ...] = ()
    support: frozenset[RecordHash] = frozenset()

    @property
    def boundaries(self) -> tuple[datetime, ...]:
        """Instants at which what this head permits may change."""
        period, review = self.grant.period, self.grant.review_by
        ends = (period.from_at, period.until_at, *self.changes)
        return ends if review is None else (*ends, review)

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
    """What holds at one instant, and when the denies among it begin and end."""

    at: datetime
    head_hash: str
    lineages: tuple[Lineage, ...]
    denies: tuple[tuple[RecordHash, Rule], ...]
    deny_starts: tuple[datetime, ...]
    deny_ends: tuple[datetime, ...] = ()


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
    ends: set[datetime] = set()
    for grant_id in sorted(versions):
        heads = tuple(changes.head(signed, now) for signed in changes.heads(versions[grant_id]))
        lineages.append(Lineage(grant_id, tuple(sorted(heads, key=lambda head: head.hash))))
        for hash_, grant in changes.denying(versions[grant_id]):
            if grant.period.from_at > now:
                starts.add(grant.period.from_at)
            elif now < grant.period.until_at:
                denies.extend((hash_, rule) for rule in grant.rules if rule.effect is Effect.DENY)
                ends.add(grant.period.until_at)
    moments = tuple(sorted(starts)), tuple(sorted(ends))
    return Effective(now, ledger.head_hash, tuple(lineages), tuple(denies), *moments)


class _Changes:
    """Withdrawals, lifts and revoked keys of a ledger, ready to be asked about a grant."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.withdrawals: list[tuple[RecordHash, Withdrawal]] = []
        self.standing = Standing(ledger)
        for signed in ledger.records:
            if isinstance(signed.record, Withdrawal):
                self.withdrawals.append((signed.hash, signed.record))
        self.ended_by = self._endings()
        settled = self.standing.settled
        self.settled_by = {r.hash: settled[r.kid] for r in ledger.records if r.kid in settled}

    def _endings(self) -> dict[RecordHash, frozenset[RecordHash]]:
        """Per grant with denies that no longer hold, the records that ended them."""
        grants = [r for r in self.ledger.records if isinstance(r.record, Grant)]
        ended: dict[RecordHash, frozenset[RecordHash]] = {}
        for deny in grants:
            grant = deny.record
            if isinstance(grant, Grant) and any(rule.effect is Effect.DENY for rule in grant.rules):
                versions = [v for v in grants if isinstance(v.record, Grant) and v.record.id == grant.id]
                by = {v.hash for v in self._enders(deny, versions)} | self.lifts(grant.id, deny)
                ended[deny.hash] = frozenset(by)
        return ended

    def _enders(self, deny: SignedRecord, versions: list[SignedRecord]) -> list[SignedRecord]:
        """The newer versions that end a deny: the person's own end only by the person."""
        own = deny.record.by.role == "self"
        return [
            v
            for v in versions
            if deny.hash in self.ledger.past[v.hash]
            and self._replaces(v)
            and (v.record.by.role == "self" or not own)
        ]

    def heads(self, versions: list[SignedRecord]) -> list[SignedRecord]:
        """Return the versions that no version with full standing has seen."""
        seen = self._seen_by(v for v in versions if self._replaces(v))
        return [v for v in versions if v.hash not in seen]

    def denying(self, versions: list[SignedRecord]) -> list[tuple[RecordHash, Grant]]:
        """Return the versions whose denies hold, by hash: nothing has ended them."""
        return [
            (v.hash, v.record)
            for v in versions
            if isinstance(v.record, Grant) and v.hash in self.ended_by and not self.ended_by[v.hash]
        ]

    def _replaces(self, signed: SignedRecord) -> bool:
        return self.standing.entitled(signed)

    def _seen_by(self, versions: Iterable[SignedRecord]) -> frozenset[RecordHash]:
        return frozenset[RecordHash]().union(*(self.ledger.past[v.hash] for v in versions))

    def head(self, signed: SignedRecord, now: datetime) -> Head:
        grant = signed.record
        if not isinstance(grant, Grant):
            raise TypeError("only grants have heads")
        unseen = [w for h, w in self.withdrawals if h not in self.ledger.past[signed.hash]]
        limits = self.standing.limits(signed, now)
        return Head(
            hash=signed.hash,
            grant=grant,
            state=self._state(signed, grant, unseen, now) if limits.alive else HeadState.NO_AUTHORITY,
            barred_actors=frozenset(ActorRef(*w.target.values) for w in unseen if w.target.kind == "actor"),
            barred_purposes=frozenset[str]().union(
                *(DENY_CLOSURE[w.target.values[0]] for w in unseen if w.target.kind == "purpose")
            ),
            lapsed_purposes=limits.lapsed_purposes,
            scope=limits.scope,
            changes=limits.changes,
            support=self._support(signed),
        )

    def _support(self, signed: SignedRecord) -> frozenset[RecordHash]:
        """Return what a permit rests on beside its causal past.

        Second signatures, whatever ended denies that the past holds, whatever settled a split in it: so that
        the basis with its past alone permits the same (law L17).
        """
        found: set[RecordHash] = set()
        waiting = [signed.hash]
        while waiting:
            name = waiting.pop()
            new = {c.hash for c in self.standing.cosignatures.get(name, ())}
            for older in (name, *self.ledger.past[name]):
                new |= self.ended_by.get(older, frozenset()) | self.settled_by.get(older, frozenset())
            waiting.extend(new - found)
            found |= new
        return frozenset(found - {signed.hash})

    def _state(
        self, signed: SignedRecord, grant: Grant, unseen: Iterable[Withdrawal], now: datetime
    ) -> HeadState:
        if signed.hash in self.ledger.incomplete:
            return HeadState.INCOMPLETE
        if not self.standing.key_holds(signed):
            return HeadState.UNTRUSTED_KEY
        if signed.kid in self.standing.frozen:
            return HeadState.FROZEN
        if not self.standing.entitled(signed):
            return HeadState.NO_AUTHORITY
        died = self.standing.died_at
        if died is not None and now >= died and not grant.after_death:
            return HeadState.NO_AUTHORITY
        if any(_ends(withdrawal, grant) for withdrawal in unseen):
            return HeadState.WITHDRAWN
        if now < grant.period.from_at:
            return HeadState.NOT_YET
        return HeadState.IN_FORCE if now < grant.period.until_at else HeadState.EXPIRED

    def lifts(self, grant_id: GrantId, deny: SignedRecord) -> frozenset[RecordHash]:
        """The lifts that end a deny they have seen; nobody lifts what the person denied but the person."""
        return frozenset(
            w.hash
            for w in self.ledger.records
            if isinstance(w.record, Withdrawal)
            and w.record.target.kind == "lift"
            and w.record.target.values[0] == grant_id
            and deny.hash in self.ledger.past[w.hash]
            and self._replaces(w)
            and (w.record.by.role == "self" or deny.record.by.role == "representative")
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
