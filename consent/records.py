"""The records of the consent ledger, as values: grant, withdrawal, key, authority, co-signature.

A record lists in `seen` the hashes of what its writer had seen; order between records is that
acknowledgement and never a clock. Reading and writing the bytes is `consent.record_json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, NewType, TypeAlias

from consent.codes import ActorKind, Effect, Erase
from consent.dates import as_utc
from consent.errors import InvalidDocument, UnknownCode
from consent.rules import Period, Rule, check_rule, is_purpose
from crypto.public_keys import ALGORITHMS, EDDSA

RecordHash = NewType("RecordHash", str)
GrantId = NewType("GrantId", str)


@dataclass(frozen=True, slots=True)
class By:
    """Who signed: the device key, for oneself or as a representative under a named authority."""

    kid: str
    role: Literal["self", "representative"] = "self"
    authority: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the person read when granting: language and SHA-256 of the text."""

    lang: str
    text_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A set of rules in force for a period. `id` names the lineage; a new version reuses it."""

    id: GrantId
    subject: str
    by: By
    at: datetime
    period: Period
    rules: tuple[Rule, ...]
    seen: frozenset[RecordHash] = frozenset()
    shown: Shown | None = None
    answers: str | None = None
    review_by: datetime | None = None
    after_death: bool = False

    def __post_init__(self) -> None:
        _check_common(self.subject, self.by, self.at)
        if not self.id:
            raise InvalidDocument("grant_without_id")
        if not self.rules:
            raise InvalidDocument("grant_without_rules")
        for rule in self.rules:
            check_rule(rule)
        if self.shown is None and any(rule.effect is Effect.PERMIT for rule in self.rules):
            # A permit nobody was shown is not informed (GDPR art. 4(11)).
            raise InvalidDocument("permit_not_shown")


@dataclass(frozen=True, slots=True)
class Target:
    """What a withdrawal ends.

    `all`; `grant` with an id; `actor` with kind and value; `purpose` with a code; `lift` with the id
    of a grant whose denies end; `authority` with the id of a representation that ends.
    """

    kind: Literal["all", "grant", "actor", "purpose", "lift", "authority"]
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.values) != _TARGET_VALUES.get(self.kind, -1) or not all(self.values):
            raise InvalidDocument("target")
        if self.kind == "actor" and self.values[0] not in frozenset(kind.value for kind in ActorKind):
            raise UnknownCode("actor_kind")
        if self.kind == "purpose" and not is_purpose(self.values[0]):
            raise UnknownCode("purpose")


_TARGET_VALUES = {"all": 0, "grant": 1, "actor": 2, "purpose": 1, "lift": 1, "authority": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Ends every permit it targets that has not seen it; needs no reason and no second signature."""

    target: Target
    subject: str
    by: By
    at: datetime
    erase: Erase = Erase.NONE
    reason: str | None = None
    seen: frozenset[RecordHash] = frozenset()
    id: str | None = None

    def __post_init__(self) -> None:
        _check_common(self.subject, self.by, self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """The life of a device key.

    `add` certifies the key `kid`; `rotate` does so as the successor of the key `replaces`, which may
    be distrusted from a position of its chain on at once; `revoke` distrusts `kid` from a position on.
    `algorithm` is the only one the certified key can be used with: a token never chooses it.
    """

    action: Literal["add", "rotate", "revoke"]
    kid: str
    subject: str
    by: By
    at: datetime
    key: str | None = None
    algorithm: str = EDDSA
    from_position: int | None = None
    replaces: str | None = None
    seen: frozenset[RecordHash] = frozenset()

    def __post_init__(self) -> None:
        _check_common(self.subject, self.by, self.at)
        distrusts, certifies = self.from_position is not None, self.key is not None
        fits = {
            "add": certifies and not distrusts and self.replaces is None,
            "rotate": certifies and bool(self.replaces) and self.replaces != self.kid,
            "revoke": distrusts and not certifies and self.replaces is None,
        }
        if not self.kid or not fits.get(self.action, False) or (self.from_position or 0) < 0:
            raise InvalidDocument("key_record")
        if self.algorithm not in ALGORITHMS:
            raise UnknownCode("key_algorithm")
        if not certifies and self.algorithm != EDDSA:
            raise InvalidDocument("key_record")

    @property
    def distrusted(self) -> tuple[str, int] | None:
        """The key this record distrusts, and from which position of its chain on."""
        if self.from_position is None:
            return None
        return self.replaces or self.kid, self.from_position


class Basis(StrEnum):
    """On what ground someone acts for the subject; what each allows is `consent.floors`."""

    PARENT = "parent"
    MINOR_AND_PARENT = "minor_and_parent"
    MENTOR = "mentor"
    CURATOR = "curator"
    WRITTEN_PROXY = "written_proxy"
    DECEASED = "deceased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Lets the key `representative` act for the subject, on a ground, within limits, for a time.

    Attributes:
        representative: id of the key that may sign as a representative.
        basis: the ground.
        period: when the authority holds; for `deceased` it starts at death.
        scope: permit rules that bound what it may permit; empty bounds nothing.
        cosigners: keys that must sign each permit too.
        born_on: birth date of the subject, required where the ground depends on age.
    """

    id: str
    representative: str
    basis: Basis
    subject: str
    by: By
    at: datetime
    period: Period
    scope: tuple[Rule, ...] = ()
    cosigners: frozenset[str] = frozenset()
    born_on: date | None = None
    seen: frozenset[RecordHash] = frozenset()

    def __post_init__(self) -> None:
        _check_common(self.subject, self.by, self.at)
        if not self.id or not self.representative or not all(self.cosigners):
            raise InvalidDocument("authority")
        if self.basis in (Basis.PARENT, Basis.MINOR_AND_PARENT) and self.born_on is None:
            raise InvalidDocument("authority_without_age")
        for rule in self.scope:
            if rule.effect is not Effect.PERMIT:
                raise InvalidDocument("authority_scope")
            check_rule(rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A second signature under a grant or a lift, by another key."""

    target: RecordHash
    subject: str
    by: By
    at: datetime
    seen: frozenset[RecordHash] = frozenset()

    def __post_init__(self) -> None:
        _check_common(self.subject, self.by, self.at)
        if self.target not in self.seen:
            raise InvalidDocument("cosignature_unseen")


Record: TypeAlias = Grant | Withdrawal | KeyRecord | Authority | Cosignature


def _check_common(subject: str, by: By, at: datetime) -> None:
    if not subject:
        raise InvalidDocument("without_subject")
    if not by.kid or by.role not in ("self", "representative"):
        raise InvalidDocument("by")
    if by.role == "self" and by.authority is not None:
        raise InvalidDocument("by")
    as_utc(at)
