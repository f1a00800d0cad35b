"""One line of the specification of consent: a sentence, and what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from consent.ledger import Ledger
from consent.model import Action, ActorRef, Record, ResourceFacts, Study
from tests.support.consent_builders import CLINIC, NOW, facts


@dataclass(frozen=True)
class Case:
    """One sentence with what it means; `ledger` where the records of one key do not say it all."""

    chapter: str
    sentence: str
    records: tuple[Record, ...]
    outcome: str
    resource: ResourceFacts = field(default_factory=facts)
    actor: tuple[ActorRef, ...] = (CLINIC,)
    purpose: tuple[str, ...] = ("TREAT",)
    action: tuple[Action, ...] = (Action.VIEW,)
    at: datetime = NOW
    study: Study | None = None
    ledger: Ledger | None = None
