"""The specification of consent as a table, and its rendering to docs/consent-rules.md.

Run `python -m tests.support.consent_spec` to write the page.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from consent.classify import classify
from consent.model import (
    ANY,
    Action,
    ActorRef,
    Category,
    DatePeriod,
    Deidentification,
    Record,
    ResearchUse,
    ResourceFacts,
    Sensitivity,
    Study,
    Target,
    deny_rule,
)
from tests.support.consent_builders import (
    CLINIC,
    DOCTOR,
    OTHER,
    REGISTRY,
    YEAR,
    a_grant,
    a_permit,
    a_withdrawal,
    facts,
    instant,
)
from tests.support.consent_case import Case
from tests.support.consent_spec_keys import KEYS
from tests.support.consent_spec_research import RESEARCH


def _resource(resource_type: str, system: str, code: str, **members: object) -> ResourceFacts:
    dated = {"effectiveDateTime": "2025-03-01", "authoredOn": "2025-03-01", "date": "2025-03-01"}
    concept = {"coding": [{"system": system, "code": code}]}
    return classify({"resourceType": resource_type, "id": "x", "code": concept, **dated, **members})


def _lab(code: str, day: str = "2025-03-01") -> ResourceFacts:
    category = [{"coding": [{"system": "observation-category", "code": "laboratory"}]}]
    return _resource("Observation", "http://loinc.org", code, category=category, effectiveDateTime=day)


def _medicine(atc: str) -> ResourceFacts:
    concept = {"coding": [{"system": "http://www.whocc.no/atc", "code": atc}]}
    return classify(
        {
            "resourceType": "MedicationRequest",
            "medicationCodeableConcept": concept,
            "authoredOn": "2025-02-01",
        }
    )


HBA1C, OLD_HBA1C, VIRAL_LOAD = _lab("4548-4"), _lab("4548-4", "2018-03-01"), _lab("20447-9")
METFORMIN = _medicine("A10BA02")
CYP2D6 = _resource("Observation", "http://loinc.org", "47403-1")
LETTER = classify({"resourceType": "DocumentReference", "id": "l", "date": "2025-03-01T10:00:00Z"})
HIV = _resource("Condition", "http://hl7.org/fhir/sid/icd-10", "B20", recordedDate="2025-01-01")

_WANTED = (Category.PROBLEMS, Category.LABS, Category.MEDICATIONS)
DE_WIT = a_grant(
    a_permit(
        actor=[DOCTOR],
        category=[*_WANTED, Category.GENETICS],
        sensitivity=[Sensitivity.HIV, Sensitivity.GENETIC],
        obligation=["NORDSCLCD"],
    ),
    grant_id="G-dewit",
)
_ICD, _ATC = "http://hl7.org/fhir/sid/icd-10|", "http://www.whocc.no/atc|"
TO_REGISTRY = a_grant(
    a_permit(
        actor=[REGISTRY],
        purpose=["HRESCH"],
        action=[Action.EXTRACT],
        category=_WANTED,
        code=[f"{_ICD}E10-E14", f"{_ATC}A10", "http://loinc.org|4548-4"],
        data_period=DatePeriod(date(2020, 1, 1), None),
        research_use=ResearchUse(topics=frozenset({"E11"}), ethics_required=True, regions=frozenset({"EU"})),
        deidentification=Deidentification.DEID,
        obligation=["NORELINK", "DELAU"],
    ),
    grant_id="G-registry",
)
SANNE = (DE_WIT, TO_REGISTRY)
COLLEAGUE = ActorRef("person", "big:29012345601")
_LABS = a_permit()
_ANY = a_permit(category=ANY, sensitivity=ANY)
_DENY_LABS = a_grant(deny_rule(category=[Category.LABS]), grant_id="no")


def _plain(chapter: str, rows: tuple[tuple[str, tuple[Record, ...], str], ...]) -> tuple[Case, ...]:
    return tuple(Case(chapter, sentence, records, outcome) for sentence, records, outcome in rows)


def _sanne(sentence: str, outcome: str, resource: ResourceFacts, *, asks: str) -> Case:
    research: dict[str, object] = {"actor": (REGISTRY,), "purpose": ("DSRCH",), "action": (Action.EXTRACT,)}
    who: dict[str, dict[str, object]] = {
        "De Wit": {"actor": (DOCTOR,)},
        "a colleague": {"actor": (COLLEAGUE,)},
        "De Wit for a trial": {"actor": (DOCTOR,), "purpose": ("CLINTRL",)},
        "the registry": research
        | {"study": Study(topics=frozenset({"E11"}), regions=frozenset({"NL"}), ethics=True)},
        "the registry for diabetes and breast cancer": research
        | {"study": Study(topics=frozenset({"E11", "C50"}), regions=frozenset({"NL"}), ethics=True)},
    }
    case = Case("Worked example: Sanne", f"{asks} asks for {sentence}", SANNE, outcome, resource)
    return replace(case, **who[asks])  # type: ignore[arg-type]  # members named above


CASES: tuple[Case, ...] = (
    *_plain(
        "Absent means no",
        (
            ("Without any grant nothing is permitted", (), "no-grant"),
            ("A grant to the clinic permits the clinic", (a_grant(),), "permit"),
            (
                "A grant to another clinic permits nothing here",
                (a_grant(a_permit(actor=[OTHER])),),
                "recipient",
            ),
            ("A grant for another purpose permits nothing", (a_grant(a_permit(purpose=["COC"])),), "purpose"),
            (
                "A grant to write does not permit to look",
                (a_grant(a_permit(action=[Action.WRITE])),),
                "action",
            ),
            (
                "A grant of problems does not cover labs",
                (a_grant(a_permit(category=[Category.PROBLEMS])),),
                "category",
            ),
            ("A grant to copy includes looking", (a_grant(a_permit(action=[Action.COPY])),), "permit"),
        ),
    ),
    *_plain(
        "Deny wins",
        (
            ("A deny beats a permit", (a_grant(), _DENY_LABS), "denied-by-patient"),
            ("A later permit does not lift a deny", (_DENY_LABS, a_grant()), "denied-by-patient"),
            (
                "A deny for another recipient does not bite",
                (a_grant(), a_grant(deny_rule(actor=[OTHER]), grant_id="no")),
                "permit",
            ),
            (
                "A deny of looking also denies copying and is not avoided by asking less",
                (a_grant(), a_grant(deny_rule(action=[Action.VIEW]), grant_id="no")),
                "denied-by-patient",
            ),
            (
                "A deny with the clinic carved out does not bite the clinic",
                (
                    a_grant(),
                    a_grant(deny_rule(exception=[replace(_LABS, deidentification=None)]), grant_id="no"),
                ),
                "permit",
            ),
            (
                "A carve-out cuts a permit",
                (a_grant(a_permit(exception=[deny_rule(instance=["Observation/o1"])])),),
                "denied-by-patient",
            ),
        ),
    ),
    *_plain(
        "Withdrawal",
        (
            ("A withdrawn grant denies", (a_grant(), a_withdrawal(Target("grant", ("g1",)))), "withdrawn"),
            (
                "Withdrawing everything withdraws this too",
                (a_grant(), a_withdrawal(Target("all"))),
                "withdrawn",
            ),
            (
                "Withdrawing from the clinic stops the clinic",
                (a_grant(), a_withdrawal(Target("actor", (CLINIC.kind, CLINIC.value)))),
                "withdrawn",
            ),
            (
                "Withdrawing another grant changes nothing here",
                (a_grant(), a_withdrawal(Target("grant", ("g2",)))),
                "permit",
            ),
            (
                "A withdrawal dated before the grant still beats a grant that has not seen it",
                (a_grant(), a_withdrawal(Target("all"), at=instant(2020))),
                "withdrawn",
            ),
            (
                "A grant given after seeing the withdrawal works",
                (a_withdrawal(Target("all")), a_grant()),
                "permit",
            ),
            (
                "A lifted deny no longer bites",
                (_DENY_LABS, a_withdrawal(Target("lift", ("no",))), a_grant()),
                "permit",
            ),
        ),
    ),
    Case(
        "Time",
        "A grant does not work before its first instant",
        (a_grant(at=instant(2024)),),
        "not-yet-valid",
        at=instant(2025),
    ),
    Case("Time", "A grant does not work at its last instant", (a_grant(),), "expired", at=YEAR.until_at),
    Case(
        "Time",
        "A grant works until one second before its end",
        (a_grant(),),
        "permit",
        at=YEAR.until_at - timedelta(seconds=1),
    ),
    Case(
        "Time",
        "Setting the clock back does not revive a grant: the newest signature counts",
        (
            a_grant(),
            a_grant(
                a_permit(actor=[OTHER]),
                grant_id="later",
                at=instant(2028),
                period=replace(YEAR, until_at=instant(2029)),
            ),
        ),
        "expired",
        at=instant(2026, 3),
    ),
    Case(
        "Time",
        "A record of 2018 lies outside data from 2020 on",
        (a_grant(a_permit(data_period=DatePeriod(date(2020, 1, 1), None))),),
        "data-period",
        OLD_HBA1C,
    ),
    Case(
        "Time",
        "A record dated 2020 only lies inside data from 2020 on",
        (a_grant(a_permit(data_period=DatePeriod(date(2020, 1, 1), None))),),
        "permit",
        _lab("4548-4", "2020"),
    ),
    Case(
        "Time",
        "A record without a date is not inside any period",
        (a_grant(a_permit(data_period=DatePeriod(date(2020, 1, 1), None))),),
        "data-period",
        facts(days=()),
    ),
    Case(
        "Sensitive data",
        "HIV is not covered by a grant of problems",
        (a_grant(a_permit(category=[Category.PROBLEMS])),),
        "sensitive-not-opted-in",
        HIV,
    ),
    Case(
        "Sensitive data",
        "HIV is covered when opted in by name",
        (a_grant(a_permit(category=[Category.PROBLEMS], sensitivity=[Sensitivity.HIV])),),
        "permit",
        HIV,
    ),
    Case(
        "Sensitive data",
        "Genetics needs the genetic opt-in",
        (a_grant(a_permit(category=[Category.GENETICS, Category.LABS])),),
        "sensitive-not-opted-in",
        replace(CYP2D6, possible_categories=frozenset()),
    ),
    Case(
        "Sensitive data",
        "A letter nobody has read is held back",
        (a_grant(a_permit(category=[Category.DOCUMENTS])),),
        "unclassified",
        LETTER,
    ),
    Case(
        "Sensitive data",
        "A letter is covered when any sensitivity is opted in",
        (a_grant(_ANY),),
        "permit",
        LETTER,
    ),
    Case(
        "Sensitive data",
        "A deny of HIV also holds back what nobody has read",
        (
            a_grant(_ANY),
            a_grant(deny_rule(security_label=[Sensitivity.HIV]), grant_id="no"),
        ),
        "denied-by-patient",
        LETTER,
    ),
    Case("Purposes", "Treatment does not include trials", (a_grant(),), "purpose", purpose=("CLINTRL",)),
    Case(
        "Purposes", "Treatment does not include breaking the glass", (a_grant(),), "purpose", purpose=("BTG",)
    ),
    Case("Purposes", "Treatment includes emergency treatment", (a_grant(),), "permit", purpose=("ETREAT",)),
    Case(
        "Purposes",
        "Every purpose asked must be permitted",
        (a_grant(),),
        "purpose",
        purpose=("TREAT", "HRESCH"),
    ),
    Case("Purposes", "A question without purpose is not permitted", (a_grant(),), "purpose", purpose=()),
    *RESEARCH,
    *KEYS,
    _sanne("an HbA1c of 2025", "permit", HBA1C, asks="De Wit"),
    _sanne("an HIV viral load", "permit", VIRAL_LOAD, asks="De Wit"),
    _sanne("metformin", "permit", METFORMIN, asks="De Wit"),
    _sanne("a letter nobody has read", "category", LETTER, asks="De Wit"),
    _sanne("an HbA1c of 2018", "permit", OLD_HBA1C, asks="De Wit"),
    _sanne("an HbA1c of 2025", "recipient", HBA1C, asks="a colleague"),
    _sanne("an HIV viral load", "recipient", VIRAL_LOAD, asks="a colleague"),
    _sanne("an HbA1c of 2025", "purpose", HBA1C, asks="De Wit for a trial"),
    _sanne("an HbA1c of 2025", "permit", HBA1C, asks="the registry"),
    _sanne("metformin", "permit", METFORMIN, asks="the registry"),
    _sanne("an HIV viral load", "sensitive-not-opted-in", VIRAL_LOAD, asks="the registry"),
    _sanne("an HbA1c of 2018", "data-period", OLD_HBA1C, asks="the registry"),
    _sanne("an HbA1c of 2025", "topic", HBA1C, asks="the registry for diabetes and breast cancer"),
)


def rules_page() -> Path:
    """Where the page lies."""
    return Path(__file__).resolve().parents[2] / "docs" / "consent-rules.md"


def rendered() -> str:
    """Render the table as a page."""
    lines = [
        "# The rules of consent, as tested",
        "",
        "Made by `python -m tests.support.consent_spec`; every line is a test in `tests/spec/consent`.",
        "Asked is, unless the line says otherwise: may the clinic look, for treatment, at a laboratory",
        "result of 2025, in June 2026?",
    ]
    chapter = ""
    for case in CASES:
        if case.chapter != chapter:
            chapter = case.chapter
            lines += ["", f"## {chapter}", "", "| Rule | Outcome |", "|---|---|"]
        outcome = "permit" if case.outcome == "permit" else f"deny: {case.outcome}"
        lines.append(f"| {case.sentence} | {outcome} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    rules_page().write_text(rendered(), encoding="utf-8")
