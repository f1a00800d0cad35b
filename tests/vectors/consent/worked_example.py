"""The worked example of the guide (consent.md 4.2): what Sanne granted, and the table of answers."""

from __future__ import annotations

from typing import Any

ICD, LOINC = "http://hl7.org/fhir/sid/icd-10|", "http://loinc.org|"
CARE = ["problems", "labs", "medications"]
SANNE: dict[str, Any] = {
    "subject": "sanne",
    "records": [
        {
            "hash": "dewit",
            "kind": "grant",
            "id": "G-dewit",
            "at": "2026-01-01",
            "period": ["2026-01-01", "2027-01-01"],
            "rules": [
                {
                    "effect": "permit",
                    "actor": [["person", "big:19012345601"]],
                    "purpose": ["TREAT"],
                    "action": ["copy"],
                    "category": [*CARE, "genetics"],
                    "sensitivity": ["hiv", "genetic"],
                    "deidentification": "none",
                    "obligation": ["NORDSCLCD"],
                }
            ],
        },
        {
            "hash": "registry",
            "kind": "grant",
            "id": "G-registry",
            "seen": ["dewit"],
            "at": "2026-01-01",
            "period": ["2026-01-01", "2031-01-01"],
            "rules": [
                {
                    "effect": "permit",
                    "actor": [["registry", "dm-regio"]],
                    "purpose": ["HRESCH"],
                    "action": ["extract"],
                    "category": CARE,
                    "sensitivity": [],
                    "code": ["E10-E14", "A10"],
                    "data_period": ["2020-01-01", None],
                    "research_use": {"topics": ["E11"], "ethics_required": True, "regions": ["EU"]},
                    "deidentification": "deid",
                    "obligation": ["NORELINK", "DELAU"],
                }
            ],
        },
    ],
}

COLUMNS: dict[str, dict[str, Any]] = {
    "HbA1c 2025": {
        "category": ["labs"],
        "security_label": [],
        "code": [f"{LOINC}4548-4"],
        "time": ["2025-03-01", "2025-03-01"],
    },
    "HIV viral load": {
        "category": ["labs"],
        "security_label": ["hiv"],
        "code": [f"{LOINC}20447-9"],
        "time": ["2025-03-01", "2025-03-01"],
    },
    "metformin": {
        "category": ["medications"],
        "security_label": [],
        "code": ["http://www.whocc.no/atc|A10BA02"],
        "time": ["2025-03-01", "2025-03-01"],
    },
    "CYP2D6": {
        "category": ["genetics"],
        "security_label": ["genetic"],
        "code": [f"{LOINC}57290-9"],
        "time": ["2025-03-01", "2025-03-01"],
    },
    "PDF letter, unreviewed": {
        "category": ["documents"],
        "security_label": "?",
        "code": "?",
        "time": ["2025-03-01", "2025-03-01"],
    },
    "HbA1c 2018": {
        "category": ["labs"],
        "security_label": [],
        "code": [f"{LOINC}4548-4"],
        "time": ["2018-03-01", "2018-03-01"],
    },
}
_STUDY = {"ethics": True, "region": "NL"}
_DE_WIT = {"person": ["big:19012345601"], "org": ["ura:00000001"]}
ROWS: dict[str, dict[str, Any]] = {
    "De Wit, TREAT, view": {"actor": _DE_WIT, "purpose": ["TREAT"], "action": ["view"]},
    "colleague at UMC, TREAT": {
        "actor": {"person": ["big:29012345601"], "org": ["ura:00000001"]},
        "purpose": ["TREAT"],
        "action": ["view"],
    },
    "De Wit, CLINTRL": {"actor": _DE_WIT, "purpose": ["CLINTRL"], "action": ["view"]},
    "registry, DSRCH topic E11": {
        "actor": {"registry": ["dm-regio"]},
        "purpose": ["DSRCH"],
        "action": ["extract"],
        "research": _STUDY | {"topics": ["E11"]},
    },
    "registry, DSRCH topic E11+C50": {
        "actor": {"registry": ["dm-regio"]},
        "purpose": ["DSRCH"],
        "action": ["extract"],
        "research": _STUDY | {"topics": ["E11", "C50"]},
    },
}


def _permit(deid: str, *obligations: str) -> dict[str, Any]:
    return {"decision": "PERMIT", "deid": deid, "obligations": sorted(obligations)}


def _deny(reason: str, **more: Any) -> dict[str, Any]:
    return {"decision": "DENY", "reason": reason} | more


_CARE, _DEID = _permit("none", "NORDSCLCD"), _permit("deid", "DELAU", "NORELINK")
_NO = {"decision": "DENY"}
# The cells of the guide, in its words; where it writes a dash, the answer is a deny of any reason.
TABLE: dict[str, tuple[dict[str, Any], ...]] = {
    "De Wit, TREAT, view": (_CARE, _CARE, _CARE, _CARE, _deny("category"), _CARE),
    "colleague at UMC, TREAT": (_deny("recipient"), _NO, _NO, _NO, _NO, _NO),
    "De Wit, CLINTRL": (_deny("purpose"), _NO, _NO, _NO, _NO, _NO),
    "registry, DSRCH topic E11": (
        _DEID,
        _deny("sensitive-not-opted-in"),
        _DEID,
        _deny("category"),
        _NO,
        _deny("data-period"),
    ),
    "registry, DSRCH topic E11+C50": (
        _deny("topic", ask=True),
        _NO,
        _deny("topic", ask=True),
        _NO,
        _NO,
        _NO,
    ),
}
EXAMPLE = tuple(
    (f"{row}: {column}", {"at": "2026-06-01", **ROWS[row], "resource": COLUMNS[column]}, expect)
    for row, cells in TABLE.items()
    for column, expect in zip(COLUMNS, cells, strict=True)
)
