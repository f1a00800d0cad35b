"""The records of the consent ledger, as values: grant, withdrawal, key.

A record lists in `seen` the hashes of what its writer had seen; order between records is that
acknowledgement and never a clock. Reading and writing the bytes is `consent.record_json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType, TypeAlias

from consent.codes import ActorKind, Effect, Erase
from consent.dates import as_utc
from consent.errors import InvalidDocument, UnknownCode
from consent.rules import Period, Rule, check_rule, is_purpose

RecordHash = NewType("RecordHash", str)
GrantId = NewType("GrantId", str)


@dataclass(frozen=True, slots=True)
class By:
    """Who signed: the device key, for oneself or as a representative."""

    kid: str
    role: Literal["self", "representative"] = "self"


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
    of a grant whose denies end.
    """

    kind: Literal["all", "grant", "actor", "purpose", "lift"]
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.values) != _TARGET_VALUES.get(self.kind, -1) or not all(self.values):
            raise InvalidDocument("target")
        if self.kind == "actor" and self.values[0] not in frozenset(kind.value for kind in ActorKind):
            raise UnknownCode("actor_kind")
        if self.kind == "purpose" and not is_purpose(self.values[0]):
            raise UnknownCode("purpose")


_TARGET_VALUES = {"all": 0, "grant": 1, "actor": 2, "purpose": 1, "lift": 1}


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
    """Adds a device key, or distrusts one from a position in its chain on."""

    action: Literal["add", "revoke"]
    kid: str
    subject: str
    by: By
    at: datetime
    key: str | None = None
    from_position: int | None = None
    seen: frozenset[RecordHash] = frozenset()

    def __post_init__(self) -> None:
        _check_common(self.subject, self.by, self.at)
        adds = self.key is not None and self.from_position is None
        revokes = self.key is None and self.from_position is not None and self.from_position >= 0
        if not self.kid or not (adds if self.action == "add" else revokes):
            raise InvalidDocument("key_record")


Record: TypeAlias = Grant | Withdrawal | KeyRecord


def _check_common(subject: str, by: By, at: datetime) -> None:
    if not subject:
        raise InvalidDocument("without_subject")
    if not by.kid or by.role not in ("self", "representative"):
        raise InvalidDocument("by")
    as_utc(at)
