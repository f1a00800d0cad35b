"""Three values: NO, MAYBE, YES, ordered, so that `min` joins with AND and `max` with OR.

A permit needs YES, a deny bites unless NO; what is not known is MAYBE and helps neither (guide
consent.md section 2.1, P2).
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Tri: TypeAlias = Literal[0, 1, 2]
NO: Final[Tri] = 0
MAYBE: Final[Tri] = 1
YES: Final[Tri] = 2


def tri(value: bool | None) -> Tri:
    """Read a fact that may be unknown (None)."""
    if value is None:
        return MAYBE
    return YES if value else NO


def turned(answer: Tri) -> Tri:
    """Turn an answer round; not knowing stays not knowing."""
    if answer == NO:
        return YES
    return NO if answer == YES else MAYBE
