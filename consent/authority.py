"""Whose signature counts: device keys, representatives, second signatures, age and death.

Every question here is asked of one record in one ledger:

1. A key acts for the subject unless the ledger names it a representative; a representative acts only
   under an authority record that it had seen, that the subject's own key signed, and that held then.
2. A key is distrusted from a position of its chain on when a key record says so; so is a key that
   only distrusted records certified.
3. A key that signed two records for one place of its chain is *frozen*: what it permits, lifts, replaces,
   co-signs or appoints is pending, before the split as after it; what it denies and withdraws holds. Other
   keys are untouched, but for those that only a record at the split or after it certifies. A key in good
   standing settles it by distrusting the frozen key from the split or earlier: what lies before that
   counts again.
4. A permit needs the signatures that the age at signing asks for (`consent.floors.AGE_BANDS`), and
   those of the co-signers its authority names. Nobody needs a second signature to deny or withdraw.
5. A representative's permit ends with the authority, and where the ground lapses with age.
6. After death only grants made for that case work.

"Held then" is judged at the newest time signed by the record or by anything it had seen, so a clock
set back revives no authority.

Source: guide consent.md sections 2.3, 2.4 and 3; tables in `consent.floors`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime

from consent.codes import RESEARCH_PURPOSES
from consent.document import SignedRecord
from consent.floors import AGE_BANDS, GROUNDS, PROXY, SELF, AgeBand, Ground
from consent.ledger import Ledger
from consent.records import Authority, Basis, Cosignature, KeyRecord, RecordHash, Withdrawal
from consent.rules import Rule


@dataclass(frozen=True, slots=True)
class Limits:
    """What an authority leaves of a permit.

    Attributes:
        alive: whether it still holds at all.
        lapsed_purposes: purposes for which it has lapsed.
        scope: rules that bound it, empty for none.
        changes: instants at which any of this changes.
    """

    alive: bool
    lapsed_purposes: frozenset[str]
    scope: tuple[Rule, ...]
    changes: tuple[datetime, ...]


class Standing:
    """What the records of one ledger say about who may sign what."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.authorities: dict[str, list[SignedRecord]] = {}
        self.cosignatures: dict[RecordHash, list[SignedRecord]] = {}
        self.distrusted: dict[str, int] = {}
        certified: dict[str, list[SignedRecord]] = {}
        for signed in ledger.records:
            match signed.record:
                case Authority(id=name):
                    self.authorities.setdefault(name, []).append(signed)
                case Cosignature(target=target):
                    self.cosignatures.setdefault(target, []).append(signed)
                case KeyRecord() as record:
                    self._key(record)
                    if record.key is not None:
                        certified.setdefault(record.kid, []).append(signed)
                case _:
                    pass
        records = [s.record for found in self.authorities.values() for s in found]
        self.representatives = frozenset(r.representative for r in records if isinstance(r, Authority))
        self._uncertified(certified)
        self.settled = self._settled()
        self.frozen = frozenset(ledger.splits) - self.settled.keys()
        # Where records disagree on the day, each of them asks for its signatures: the stricter holds.
        days = (r.born_on for r in records if isinstance(r, Authority))
        self.births = frozenset(day for day in days if day is not None)
        self.died_at = min(
            (r.period.from_at for r in records if isinstance(r, Authority) and r.basis is Basis.DECEASED),
            default=None,
        )

    def _key(self, record: KeyRecord) -> None:
        if record.distrusted is not None:
            kid, position = record.distrusted
            self.distrusted[kid] = min(self.distrusted.get(kid, position), position)

    def _uncertified(self, certified: dict[str, list[SignedRecord]]) -> None:
        """Distrust keys that rest on distrusted records only, until nothing changes."""
        changed = True
        while changed:
            changed = False
            for kid, records in certified.items():
                if self.distrusted.get(kid) != 0 and not any(self._certifies(r) for r in records):
                    self.distrusted[kid] = 0
                    changed = True

    def _certifies(self, signed: SignedRecord) -> bool:
        """Say whether a key record can vouch for a key: trusted, and from before its own chain split."""
        whole = signed.position < self.ledger.splits.get(signed.kid, signed.position + 1)
        return whole and self.key_holds(signed)

    def _settled(self) -> dict[str, frozenset[RecordHash]]:
        """Per key whose chain split, the records that settle it: distrusted from there or before."""
        found: dict[str, frozenset[RecordHash]] = {}
        for signed in self.ledger.records:
            told = signed.record.distrusted if isinstance(signed.record, KeyRecord) else None
            if told is not None and told[1] <= self.ledger.splits.get(told[0], -1) and self._settles(signed):
                found[told[0]] = found.get(told[0], frozenset()) | {signed.hash}
        return found

    def _settles(self, signed: SignedRecord) -> bool:
        """To settle a split lets permits count again, so it takes the person's own key, whole itself."""
        own = signed.record.by.role == "self" and signed.kid not in self.representatives
        whole = signed.kid not in self.ledger.splits and signed.hash not in self.ledger.incomplete
        return own and whole and self.key_holds(signed)

    def key_holds(self, signed: SignedRecord) -> bool:
        """Say whether its key was trusted at its place in the chain."""
        return signed.position < self.distrusted.get(signed.kid, signed.position + 1)

    def counts(self, signed: SignedRecord) -> bool:
        """Say whether this signature can widen what is permitted, whoever's it is."""
        sound = self.key_holds(signed) and signed.kid not in self.frozen
        return sound and signed.hash not in self.ledger.incomplete

    def signed_at(self, signed: SignedRecord) -> datetime:
        """The time of signing, never before anything the signer had seen."""
        past = self.ledger.past[signed.hash]
        times = [r.record.at for r in self.ledger.records if r.hash in past]
        return max([signed.record.at, *times])

    def party(self, signed: SignedRecord) -> str | None:
        """Say for whom this signature counts (`self`, `parent`, `proxy`), None for nobody."""
        if not self.counts(signed):
            return None
        if signed.record.by.role == "self":
            return None if signed.kid in self.representatives else SELF
        found = self._authority(signed)
        return None if found is None else GROUNDS[found[0].basis].acts_as

    def _authority(self, signed: SignedRecord) -> tuple[Authority, RecordHash] | None:
        """The authority a representative's record was signed under, when it held then."""
        at = self.signed_at(signed)
        for candidate in self.authorities.get(signed.record.by.authority or "", ()):
            record = candidate.record
            if (
                isinstance(record, Authority)
                and record.representative == signed.kid
                and candidate.hash in self.ledger.past[signed.hash]
                and self._appointed(candidate)
                and record.period.from_at <= at < record.period.until_at
                and not self._ended(record.id, self.ledger.past[signed.hash])
            ):
                return record, candidate.hash
        return None

    def _appointed(self, signed: SignedRecord) -> bool:
        """Nobody appoints themselves: the subject's own key must have signed, or death is told."""
        record = signed.record
        if not self.counts(signed):
            return False
        own = record.by.role == "self" and signed.kid not in self.representatives
        return own or (isinstance(record, Authority) and record.basis is Basis.DECEASED)

    def _ended(self, name: str, among: Iterable[RecordHash] | None) -> bool:
        """Say whether a withdrawal of this authority is among these records (None: the whole ledger)."""
        known = None if among is None else frozenset(among)
        return any(
            isinstance(r.record, Withdrawal)
            and r.record.target.kind == "authority"
            and r.record.target.values == (name,)
            and (known is None or r.hash in known)
            for r in self.ledger.records
        )

    def parties(self, signed: SignedRecord) -> frozenset[str]:
        """Everybody whose signature stands under a record."""
        signatures = [signed, *self.cosignatures.get(signed.hash, ())]
        found = (self.party(signature) for signature in signatures)
        return frozenset(party for party in found if party is not None)

    def entitled(self, signed: SignedRecord) -> bool:
        """Say whether enough of the right people signed this to widen what is permitted."""
        party = self.party(signed)
        if party is None:
            return False
        parties = self.parties(signed)
        if party == PROXY:
            return self._proxy(signed)
        day = self.signed_at(signed).date()
        needed = [band_of(age_on(born, day)).permit_needs for born in self.births] or [frozenset({SELF})]
        return frozenset[str]().union(*needed) <= parties and self._cosigned(signed)

    def _proxy(self, signed: SignedRecord) -> bool:
        found = self._authority(signed)
        return found is not None and GROUNDS[found[0].basis].permits and self._cosigned(signed)

    def _cosigned(self, signed: SignedRecord) -> bool:
        found = self._authority(signed) if signed.record.by.role == "representative" else None
        seconds = self.cosignatures.get(signed.hash, ())
        keys = {r.kid for r in seconds if self.key_holds(r) and r.kid not in self.frozen}
        return found is None or found[0].cosigners <= keys

    def limits(self, signed: SignedRecord, now: datetime) -> Limits:
        """Say what the signer's authority leaves of a permit at this instant."""
        changes = [self.died_at] if self.died_at is not None else []
        found = self._authority(signed) if signed.record.by.role == "representative" else None
        if found is None:
            return Limits(True, frozenset(), (), tuple(changes))
        authority = found[0]
        ground = GROUNDS[authority.basis]
        birthdays = self._birthdays(ground, self.parties(signed))
        alive = (
            authority.period.from_at <= now < authority.period.until_at
            and not self._ended(authority.id, None)
            and not (birthdays[0] is not None and now >= birthdays[0])
        )
        research = RESEARCH_PURPOSES if birthdays[1] is not None and now >= birthdays[1] else frozenset[str]()
        changes += [authority.period.until_at, *(day for day in birthdays if day is not None)]
        return Limits(alive, research, authority.scope, tuple(changes))

    def _birthdays(self, ground: Ground, parties: frozenset[str]) -> tuple[datetime | None, datetime | None]:
        if not self.births:
            return None, None
        born, whole, research = min(self.births), ground.lapses_at, ground.research_lapses_at
        return (
            None if whole is None else birthday(born, whole),
            None if research is None or SELF in parties else birthday(born, research),
        )


def band_of(age: int) -> AgeBand:
    """The row of the table for an age; one that cannot be (born later, or before anybody) has the nearest."""
    return next((band for band in AGE_BANDS if age < band.until_age), AGE_BANDS[-1])


def age_on(born: date, day: date) -> int:
    """Age in whole years; who was born on 29 February has a birthday on 1 March in other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def birthday(born: date, age: int) -> datetime:
    """The first instant at this age, in UTC; the last instant there is, where the calendar ends before."""
    year = born.year + age
    if year > MAXYEAR:
        return datetime.max.replace(tzinfo=UTC)
    try:
        return datetime(year, born.month, born.day, tzinfo=UTC)
    except ValueError:
        return datetime(year, 3, 1, tzinfo=UTC)
