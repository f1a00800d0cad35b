"""The words of an answer: question, reasons, permit, deny.

Neither outcome has a truth value: `match` on it. The list of reasons is closed.

Source: guide consent.md sections 2.3 and 2.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NoReturn, TypeAlias

from consent.codes import Action, Deidentification
from consent.facts import ResourceFacts
from consent.records import RecordHash
from consent.research import Study
from consent.rules import ActorRef


class Reason(StrEnum):
    """Why not. A closed list; texts for people belong to the screens."""

    NO_GRANT = "no-grant"
    RECIPIENT = "recipient"
    PURPOSE = "purpose"
    ACTION = "action"
    CATEGORY = "category"
    SENSITIVE = "sensitive-not-opted-in"
    ABOUT = "about"
    DATA_PERIOD = "data-period"
    TOPIC = "topic"
    USE_CONDITION = "use-condition"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    FORK = "fork"
    INCOMPLETE_HISTORY = "incomplete-history"
    DENIED = "denied-by-patient"
    DEID_FLOOR = "deid-floor"
    OBLIGATION_UNMET = "obligation-unmet"
    AUTHORITY_LAPSED = "authority-lapsed"
    SIGNATURE = "signature"
    STALE_STATUS = "stale-status"
    UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one resource. Empty sets match no permit.

    Attributes:
        actor: every way the asker is known.
        purpose: all purposes; each must be permitted.
        action: all actions; each must be permitted.
        facts: what is known of the resource.
        study: what the asker says of its research; None describes no study.
    """

    actor: frozenset[ActorRef]
    purpose: frozenset[str]
    action: frozenset[Action]
    facts: ResourceFacts
    study: Study | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the caller can do: duties it can keep, and how far it can strip identity."""

    obligations: frozenset[str]
    deidentification: Deidentification = Deidentification.AGGREGATE


@dataclass(frozen=True, slots=True)
class Missing:
    """One dimension in which the nearest grant falls short; sorted texts."""

    dimension: str
    asked: tuple[str, ...]
    granted: tuple[str, ...]


class _NoTruth:
    """A decision is read by `match`; `if decide(...)` would let a Deny object pass as true."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("a decision has no truth value; match on Permit and Deny")


@dataclass(frozen=True, slots=True)
class Permit(_NoTruth):
    """Allowed, under these duties, at most until `valid_until` (excluded)."""

    basis: tuple[RecordHash, ...]
    obligations: frozenset[str]
    deidentification: Deidentification
    valid_until: datetime | None
    head: str


@dataclass(frozen=True, slots=True)
class Deny(_NoTruth):
    """Not allowed. `ask` says that asking the patient for more makes sense."""

    reason: Reason
    ask: bool
    missing: tuple[Missing, ...]
    basis: tuple[RecordHash, ...]
    valid_until: datetime | None
    head: str = ""


Decision: TypeAlias = Permit | Deny
