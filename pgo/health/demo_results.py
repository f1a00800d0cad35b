"""The measurements and answers of the demonstration patient, the same for the same day.

Small wiggles in the values come from a hash of their name and date: there is no chance in here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from pgo.health.demo_data import YEAR, Test
from pgo.health.demo_parts import (
    HISTORY_DAYS,
    PATIENT,
    PRACTICE,
    Body,
    concept,
    day_before,
    observation,
    quantity,
)
from pgo.health.prom.questionnaire import Questionnaire, own_questionnaires, scores
from pgo.health.prom.response import response_body, score_body

WEEKS = 26


def lab_results(test: Test, today: date) -> Iterator[Body]:
    """Give the results of one laboratory test over the years."""
    for days_ago in range(HISTORY_DAYS, 0, -test.every):
        day = day_before(today, days_ago)
        bounds: Body = {
            "low": quantity(Decimal(test.low), test.unit, test.ucum) if test.low else None,
            "high": quantity(Decimal(test.high), test.unit, test.ucum) if test.high else None,
        }
        yield {
            **observation(f"lab-{test.id}-{day}", "laboratory", test.words, test.loinc, f"{day}T07:30:00Z"),
            "performer": [PRACTICE],
            "valueQuantity": quantity(_between(test, days_ago), test.unit, test.ucum),
            "referenceRange": [bounds],
        }
    if test.id == "hba1c":  # one value below what the method can measure, as laboratories report it
        day = day_before(today, 4 * YEAR + 89)
        yield {
            **observation(f"lab-crp-{day}", "laboratory", "CRP", "1988-5", f"{day}T10:00:00Z"),
            "valueQuantity": {"comparator": "<", **quantity(Decimal("4.0"), "mg/l", "mg/L")},
        }


def vital_signs(today: date) -> Iterator[Body]:
    """Give blood pressure, weight and height."""
    for days_ago in range(HISTORY_DAYS, 0, -91):
        day = day_before(today, days_ago)
        upper = 132 + days_ago // 180 + int(_wiggle(f"upper-{day}") * 6)
        lower = 80 + days_ago // 360 + int(_wiggle(f"lower-{day}") * 4)
        parts = (("Bovendruk", "8480-6", upper), ("Onderdruk", "8462-4", lower))
        yield {
            **observation(f"pressure-{day}", "vital-signs", "Bloeddruk", "85354-9", f"{day}T09:05:00Z"),
            "component": [
                {
                    "code": concept(words, (("loinc", code),)),
                    "valueQuantity": quantity(Decimal(value), "mmHg", "mm[Hg]"),
                }
                for words, code, value in parts
            ],
        }
    for days_ago in range(HISTORY_DAYS, 0, -182):
        day = day_before(today, days_ago)
        weight = Decimal("81.5") + Decimal(days_ago) / 500 + _wiggle(f"weight-{day}")
        yield {
            **observation(f"weight-{day}", "vital-signs", "Gewicht", "29463-7", f"{day}T09:06:00Z"),
            "valueQuantity": quantity(weight.quantize(Decimal("0.1")), "kg", "kg"),
        }
    day = day_before(today, HISTORY_DAYS)
    yield {
        **observation("height", "vital-signs", "Lengte", "8302-2", f"{day}T09:06:00Z"),
        "valueQuantity": quantity(Decimal(168), "cm", "cm"),
    }


def weekly_checks(today: date) -> Iterator[Body]:
    """Give half a year of answered weekly checks with their scores, made by the code patients use."""
    check = next(q for q in own_questionnaires() if q.id == "weekly-check")
    for week in range(WEEKS, 0, -1):
        at = datetime.combine(today - timedelta(days=7 * week - 3), time(19, 30), UTC)
        identity = f"demo-check-{at.date().isoformat()}"
        answers = _answers(check, week)
        yield response_body(
            check, answers, id=identity, at=at, patient_reference=PATIENT, lang=check.language
        )
        for score in scores(check, answers):
            yield score_body(
                score,
                id=f"{identity}-{score.code.rpartition('.')[2]}",
                response_id=identity,
                at=at,
                patient_reference=PATIENT,
                lang=check.language,
            )


def _answers(check: Questionnaire, week: int) -> dict[str, object]:
    """Answer as somebody whose knee hurt half a year ago and slowly gets better."""
    answers: dict[str, object] = {}
    for question in check.walk():
        better = Decimal(WEEKS - week) / WEEKS + _wiggle(f"{question.link_id}-{week}") / 3
        if question.options:
            best = sorted(question.options, key=lambda option: option.ordinal or Decimal(0), reverse=True)
            if question.link_id == "pain-burden":
                best.reverse()
            place = int((1 - better) * 3)
            answers[question.link_id] = best[max(0, min(place, len(best) - 1))].key
        elif question.minimum is not None and question.maximum is not None:
            answers[question.link_id] = max(1, min(8, int(7 - better * 5)))
    return answers


def _between(test: Test, days_ago: int) -> Decimal:
    """Give a value on the way from the first to the last, with its wiggle, rounded as laboratories do."""
    first, last = Decimal(test.first), Decimal(test.last)
    passed = Decimal(HISTORY_DAYS - days_ago) / HISTORY_DAYS
    value = first + (last - first) * passed + _wiggle(f"{test.id}-{days_ago}") * Decimal(test.wiggle)
    return value.quantize(Decimal(1).scaleb(-test.digits))


def _wiggle(name: str) -> Decimal:
    """Give a number between -1 and 1 that always belongs to this name."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:2], "big")
    return (Decimal(number) / 32768) - 1
