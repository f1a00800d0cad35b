"""Which resources a recipient may show: the slow second opinion on consent says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from consent.classify import classify_all
from consent.codes import Action
from consent.decision import Question
from tests.support.naive_consent import Naive
from tests.support.patient_side import PatientSide


def permitted_ids(
    patient: PatientSide, record: Sequence[dict[str, Any] | bytes], *, purpose: str, at: datetime
) -> set[str]:
    """Return the ids of the resources in a record that may be viewed for a purpose now."""
    bodies = [json.loads(one) if isinstance(one, bytes) else one for one in record]
    oracle = Naive(patient.ledger)
    found = set()
    for body, facts in zip(bodies, classify_all(bodies), strict=True):
        question = Question(
            actor=frozenset({patient.card.actor}),
            purpose=frozenset({purpose}),
            action=frozenset({Action.VIEW}),
            facts=facts,
        )
        if oracle.permitted(question, at) is not None:
            found.add(str(body["id"]))
    return found
