"""The ledger: all signed records of one person, verified, with who had seen what.

Verification of a set of tokens, in this order:

1. every token is verified under the key it names, and that key is one we were given or one that a
   verified key record of the subject's own keys certifies (a weak key is refused there);
2. every record is about this subject;
3. per key the chain is whole (`consent.chains`): no gap, each record naming the hash before it;
4. two records of one key at one place are no damage to the set: the key is in `splits`, and what it may still
   do is `consent.authority`'s word.

A record of another device that is named in `seen` but absent is no damage, it has just not arrived;
records that rest on it are *incomplete*: they permit nothing, and their denies hold.
The ledger is a set: order and duplication of the tokens change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from consent.chains import check_chains, splits
from consent.document import SignedRecord, token_fault, verify_read_record
from consent.errors import NotTrusted
from consent.records import KeyRecord, Record, RecordHash
from crypto.canonical import canonical_bytes, sha256_id
from crypto.chain import GENESIS
from crypto.errors import CryptoError
from crypto.public_keys import PublicKey, key_from_text
from crypto.signing import UntrustedJws, peek_jws

# Another device's clock may run a little ahead of this one's.
CLOCK_SKEW: Final = timedelta(minutes=5)
_HEAD_TAG: Final = b"pgo/1/consent-head\n"


@dataclass(frozen=True, slots=True)
class Ledger:
    """Verified records in causal order, and their causal past.

    Attributes:
        subject: whose consent this is.
        records: causal order; unrelated records by hash.
        past: per record the hashes it had seen, directly or through others.
        incomplete: records that rest on something absent.
        heads: records nobody has seen yet, sorted: what a new record must list in `seen`.
        head_hash: one hash over `heads`; equal ledgers have equal head hashes.
        splits: per key that signed two records for one place of its chain, the first such place.
    """

    subject: str
    records: tuple[SignedRecord, ...]
    past: Mapping[RecordHash, frozenset[RecordHash]]
    incomplete: frozenset[RecordHash]
    heads: tuple[RecordHash, ...]
    head_hash: str
    splits: Mapping[str, int]

    @classmethod
    def of(
        cls,
        tokens: Iterable[str],
        *,
        keys: Iterable[PublicKey],
        subject: str,
        at: datetime | None = None,
    ) -> Ledger:
        """Verify tokens and build the ledger.

        Args:
            tokens: signed records in any order, untrusted.
            keys: the device keys trusted for this subject.
            subject: whose consent this is.
            at: now, for tokens that just arrived: none may be signed later. None for an own store,
                which must stay readable when the clock was set back.

        Raises:
            NotTrusted: a token, key, subject or chain does not hold; `position` says where.
            InvalidDocument: a record is signed but malformed.
        """
        signed = _verify_all(tokens, {key.id: key for key in keys})
        if at is not None:
            for record in signed:
                if record.record.at > at + CLOCK_SKEW:
                    raise NotTrusted("from_the_future", position=record.position)
        return cls.of_verified(signed, subject=subject)

    @classmethod
    def of_verified(cls, records: Iterable[SignedRecord], *, subject: str) -> Ledger:
        """Build the ledger from records that `verify_record` or `sign_record` returned.

        Raises:
            NotTrusted: as `of`, steps 2 and 3.
        """
        by_hash: dict[RecordHash, SignedRecord] = {}
        for record in records:
            # Step 2
            if record.record.subject != subject:
                raise NotTrusted("subject", position=record.position)
            known = by_hash.setdefault(record.hash, record)
            if record.token < known.token:
                # One record signed twice (ES256 allows it): whichever came first, the set is the same.
                by_hash[record.hash] = record
        check_chains(by_hash.values())  # step 3
        return cls._assembled(by_hash, subject)

    @classmethod
    def of_plain(cls, records: Iterable[SignedRecord], *, subject: str) -> Ledger:
        """Build a ledger from records that nobody signed, to study rules with; never to act on.

        Order is `seen` alone: there are no chains to check, but a place given twice is a split here too.

        Raises:
            NotTrusted: two records with one hash, another subject, or a circle of `seen`.
        """
        by_hash: dict[RecordHash, SignedRecord] = {}
        for place, record in enumerate(records):
            if by_hash.setdefault(record.hash, record) != record:
                raise NotTrusted("two_records_with_one_hash", position=place)
            if record.record.subject != subject:
                raise NotTrusted("subject", position=place)
        return cls._assembled(by_hash, subject)

    @classmethod
    def _assembled(cls, by_hash: Mapping[RecordHash, SignedRecord], subject: str) -> Ledger:
        past, incomplete = _causal_past(by_hash)
        seen = frozenset[RecordHash]().union(*past.values())
        heads = tuple(sorted(by_hash.keys() - seen))
        ordered = sorted(by_hash.values(), key=lambda record: (len(past[record.hash]), record.hash))
        head_hash = sha256_id(_HEAD_TAG + canonical_bytes(list(heads)))
        # Step 4
        return cls(subject, tuple(ordered), past, incomplete, heads, head_hash, splits(ordered))

    @property
    def newest_at(self) -> datetime | None:
        """The newest signed time, None for an empty ledger; time never runs before it."""
        return max((record.record.at for record in self.records), default=None)

    def as_known(self, moment: datetime) -> Ledger:
        """Return the ledger as it could be known at a moment: what was signed, and rests on, by then."""
        signed_at = {r.hash: r.record.at for r in self.records}
        kept = [
            r
            for r in self.records
            if max((r.record.at, *(signed_at[name] for name in self.past[r.hash]))) <= moment
        ]
        # Whole chains up to a place: what is kept was checked when this ledger was built.
        return Ledger._assembled({r.hash: r for r in kept}, self.subject)

    def head(self, kid: str) -> tuple[int, str]:
        """Return position and hash of the last record of this key; (-1, GENESIS) when there is none.

        Of a chain that has split, the end of the longest half: the next record makes no new split.
        """
        own = (record for record in self.records if record.kid == kid)
        last = max(own, key=lambda record: (record.position, record.hash), default=None)
        return (-1, GENESIS) if last is None else (last.position, last.hash)


def _verify_all(tokens: Iterable[str], by_kid: dict[str, PublicKey]) -> list[SignedRecord]:
    """Verify what known keys signed, learn the keys certified there, until nothing is left (step 1)."""
    waiting: list[tuple[int, str, UntrustedJws]] = []
    for place, token in enumerate(tokens):
        try:
            waiting.append((place, token, peek_jws(token)))
        except CryptoError as exc:
            raise NotTrusted(token_fault(exc, "not_a_token"), position=place) from exc
    signed: list[SignedRecord] = []
    while waiting:
        ready = [entry for entry in waiting if entry[2].kid in by_kid]
        if not ready:
            raise NotTrusted("unknown_key", position=waiting[0][0])
        waiting = [entry for entry in waiting if entry[2].kid not in by_kid]
        for _, token, untrusted in ready:
            signed.append(verify_read_record(token, untrusted, by_kid[untrusted.kid]))
            _enrol(signed[-1].record, by_kid)
    return signed


def _enrol(record: Record, by_kid: dict[str, PublicKey]) -> None:
    """Take up the key that a key record certifies; a representative certifies none."""
    if not isinstance(record, KeyRecord) or record.key is None or record.by.role != "self":
        return
    try:
        key = key_from_text(record.key, algorithm=record.algorithm)
    except CryptoError as exc:
        raise NotTrusted("weak_key") from exc
    if key.id != record.kid:
        raise NotTrusted("key_id")
    by_kid.setdefault(key.id, key)


def _causal_past(
    by_hash: Mapping[RecordHash, SignedRecord],
) -> tuple[dict[RecordHash, frozenset[RecordHash]], frozenset[RecordHash]]:
    """Close `seen` and `previous` transitively, without recursion (a chain may be long)."""
    parents = {record.hash: _parents(record) for record in by_hash.values()}
    past: dict[RecordHash, frozenset[RecordHash]] = {}
    incomplete: set[RecordHash] = set()
    for start in parents:
        stack = [start]
        while stack:
            top = stack[-1]
            waiting = [p for p in parents[top] if p in by_hash and p not in past]
            if top in past:
                stack.pop()
            elif not waiting:
                stack.pop()
                known = [parent for parent in parents[top] if parent in by_hash]
                past[top] = frozenset(known).union(*(past[parent] for parent in known))
                if len(known) < len(parents[top]) or not incomplete.isdisjoint(known):
                    incomplete.add(top)
            elif len(stack) > len(by_hash):
                raise NotTrusted("causal_cycle")
            else:
                stack.append(waiting[0])
    return past, frozenset(incomplete)


def _parents(record: SignedRecord) -> frozenset[RecordHash]:
    """Its chain predecessor is seen too: the signer named its hash."""
    if record.previous == GENESIS:
        return record.record.seen
    return record.record.seen | {RecordHash(record.previous)}
