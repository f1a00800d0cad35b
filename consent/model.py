"""The words of consent in one place: records, rules, and how they become bytes.

Other parts import from here; the pieces live in `records`, `rules`, `record_json` and `facts`.
"""

from __future__ import annotations

from consent.codes import (
    ANY,
    Action,
    ActorKind,
    Category,
    Deidentification,
    Effect,
    Erase,
    Sensitivity,
)
from consent.facts import ResourceFacts
from consent.record_json import parse_record, record_payload
from consent.records import (
    Authority,
    Basis,
    By,
    Cosignature,
    Grant,
    GrantId,
    KeyRecord,
    Record,
    RecordHash,
    Shown,
    Target,
    Withdrawal,
)
from consent.research import ResearchUse, Study
from consent.rules import (
    ActorRef,
    DatePeriod,
    Period,
    Rule,
    check_rule,
    deny_rule,
    permit_rule,
)

__all__ = [
    "ANY",
    "Action",
    "ActorKind",
    "ActorRef",
    "Authority",
    "Basis",
    "By",
    "Category",
    "Cosignature",
    "DatePeriod",
    "Deidentification",
    "Effect",
    "Erase",
    "Grant",
    "GrantId",
    "KeyRecord",
    "Period",
    "Record",
    "RecordHash",
    "ResearchUse",
    "ResourceFacts",
    "Rule",
    "Sensitivity",
    "Shown",
    "Study",
    "Target",
    "Withdrawal",
    "check_rule",
    "deny_rule",
    "parse_record",
    "permit_rule",
    "record_payload",
]
