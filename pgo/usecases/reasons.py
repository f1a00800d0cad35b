"""Why a record stays with the patient: the engine's reason, told apart where people mean different things.

The engine says "denied by the patient" for an objection and for a carve-out, and "about something else" for
a record that is not among single records chosen. For the patient these are different acts, undone in
different places, so they get words of their own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeAlias

from consent.decision import Deny, Reason
from consent.matching import Dimension


class OwnReason(StrEnum):
    """What the patient chose in this very permission.

    ``left-out``: taken out of it, as a record or as what somebody wrote. ``not-chosen``: it is about single
    records, and this is none of them.
    """

    LEFT_OUT = "left-out"
    NOT_CHOSEN = "not-chosen"


WhyNot: TypeAlias = Reason | OwnReason

_SINGLE: Final = frozenset({Dimension.INSTANCE.value})
_CUT: Final = Dimension.EXCEPTION.value


def reason_of(denied: Deny) -> WhyNot:
    """The word for a refusal."""
    dimensions = [miss.dimension for miss in denied.missing]
    if denied.reason is Reason.DENIED and _CUT in dimensions:
        return OwnReason.LEFT_OUT
    if denied.reason is Reason.ABOUT and _SINGLE.intersection(dimensions):
        return OwnReason.NOT_CHOSEN
    return denied.reason
