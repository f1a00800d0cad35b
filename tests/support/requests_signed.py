"""Signed requests of recipients, for tests of the inbox."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from consent.codes import Action, Category
from consent.request import Request, sign_request
from consent.rules import ActorRef, permit_rule
from crypto.keys import SigningKey
from tests.support.sharing import CLINIC_ID

CLINIC = ActorRef("org", CLINIC_ID)


def a_request(
    key: SigningKey,
    *,
    request_id: str = "request-1",
    category: Collection[Category] = (Category.LABS, Category.DEMOGRAPHICS),
    days: float = 30,
    recipient: ActorRef = CLINIC,
    **rule: Any,
) -> str:
    """Sign what a clinic would like to see."""
    at = datetime.now(UTC).replace(microsecond=0)
    said: dict[str, Any] = {
        "actor": [recipient],
        "purpose": ["TREAT"],
        "action": [Action.VIEW],
        "category": category,
    }
    wanted = permit_rule(**(said | rule))
    request = Request(
        id=request_id,
        recipient=recipient,
        at=at - timedelta(days=60),
        answer_by=at + timedelta(days=days),
        wanted=(wanted,),
        words={
            "nl": "Wij willen uw uitslagen zien voor uw controle.",
            "en": "We would like to see your results for your check-up.",
        },
    )
    return sign_request(request, key)
