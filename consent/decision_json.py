"""A decision as canonical JSON: equal decisions give equal bytes on every device.

Lists are sorted, absent values are null, and engine and table versions stand in it, so that a stored
decision says what made it.

Source: guide consent.md section 2.9; RFC 8785 for the bytes.
"""

from __future__ import annotations

from typing import Final

from consent.dates import instant_text
from consent.facts import TABLE_VERSION
from consent.outcome import Decision, Deny, Missing, Permit
from crypto.canonical import JsonValue, canonical_bytes

ENGINE_VERSION: Final = "1.0"
# How a dimension is called in a decision, where that is not its member name.
_DIMENSIONS: Final = {"research_use": "use_condition", "code": "about", "data_period": "data-period"}


def decision_to_json(decision: Decision, *, ledger_head: str | None = None) -> dict[str, JsonValue]:
    """Give the JSON value of a decision.

    Args:
        decision: what the engine answered.
        ledger_head: head hash of the log asked; None takes the one the decision names.
    """
    value: dict[str, JsonValue] = {
        "basis": [*sorted(decision.basis)],
        "valid_until": None if decision.valid_until is None else instant_text(decision.valid_until),
        "log_head": decision.head if ledger_head is None else ledger_head,
        "engine": ENGINE_VERSION,
        "table": TABLE_VERSION,
    }
    match decision:
        case Permit():
            value |= {
                "decision": "PERMIT",
                "reason": "permit",
                "ask": False,
                "missing": [],
                "obligations": [*sorted(decision.obligations)],
                "deid": decision.deidentification.value,
            }
        case Deny():  # pragma: no branch (mypy: nothing else is left)
            value |= {
                "decision": "DENY",
                "reason": decision.reason.value,
                "ask": decision.ask,
                "missing": [_missing(item) for item in decision.missing],
                "obligations": [],
                "deid": None,
            }
    return value


def _missing(item: Missing) -> dict[str, JsonValue]:
    return {
        "dim": _DIMENSIONS.get(item.dimension, item.dimension),
        "asked": [*item.asked],
        "granted": [*item.granted],
    }


def decision_bytes(decision: Decision, *, ledger_head: str | None = None) -> bytes:
    """Write a decision as canonical bytes (RFC 8785)."""
    return canonical_bytes(decision_to_json(decision, ledger_head=ledger_head))
