"""Write a finished answer sheet as FHIR R4: one QuestionnaireResponse, and one Observation per score.

Rules:

1. Only answers that count are written: to questions that were asked, and of the right form; groups keep their
   place, so the response mirrors the questionnaire.
2. Question texts are written in the language the patient read, because that is what was answered.
3. A score Observation points at the response it was derived from and names its rule and version.
4. The bytes are ours and in a fixed order; the FHIR models only check them.

Source: https://hl7.org/fhir/R4/questionnaireresponse.html, https://hl7.org/fhir/R4/observation.html.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pgo.health.prom.logic import counting_answers
from pgo.health.prom.model import Answers, Question, QuestionKind, Questionnaire, Score, words
from pgo.health.prom.scoring import RULE
from pgo.health.record.authored import checked
from pgo.health.record.words import UCUM
from pgo.health.record.writer import Authored, fhir_instant, write_json

SCORE_SYSTEM = "urn:pgo:codes:prom-score"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_DISPLAY = "http://hl7.org/fhir/StructureDefinition/display"


def build_response(
    questionnaire: Questionnaire,
    answers: Answers,
    *,
    id: str,
    at: datetime,
    patient_reference: str,
    lang: str = "",
) -> bytes:
    """Build the QuestionnaireResponse of a finished sheet.

    Args:
        questionnaire: The questionnaire that was answered.
        answers: Link id to answer.
        id: Logical id of the record.
        at: When it was finished, aware.
        patient_reference: ``Patient/...``; the patient is subject, author and source.
        lang: The language it was answered in; empty for the questionnaire's own.

    Raises:
        ValueError: When the result is no valid FHIR (a fault of ours).
    """
    body = response_body(questionnaire, answers, id=id, at=at, patient_reference=patient_reference, lang=lang)
    return checked(write_json(body), "QuestionnaireResponse")


def build_score_observation(
    score: Score, *, id: str, response_id: str, at: datetime, patient_reference: str, lang: str = "nl"
) -> bytes:
    """Build the Observation of one score; arguments and errors as ``build_response``."""
    body = score_body(
        score, id=id, response_id=response_id, at=at, patient_reference=patient_reference, lang=lang
    )
    return checked(write_json(body), "Observation")


def response_body(
    questionnaire: Questionnaire,
    answers: Answers,
    *,
    id: str,
    at: datetime,
    patient_reference: str,
    lang: str,
) -> dict[str, Authored]:
    """Give the members of the response in writing order, not yet checked; see ``build_response``."""
    counted = counting_answers(questionnaire, answers)
    shown = lang or questionnaire.language
    who: Authored = {"reference": patient_reference}
    title = words(questionnaire.titles, shown)
    return {
        "resourceType": "QuestionnaireResponse",
        "id": id,
        "language": shown,
        "questionnaire": questionnaire.url + (f"|{questionnaire.version}" if questionnaire.version else ""),
        "_questionnaire": {"extension": [{"url": _DISPLAY, "valueString": title}]},
        "status": "completed",
        "subject": who,
        "authored": fhir_instant(at),
        "author": who,
        "source": who,
        "item": [_item(item, counted, shown) for item in questionnaire.items],
    }


def score_body(
    score: Score, *, id: str, response_id: str, at: datetime, patient_reference: str, lang: str
) -> dict[str, Authored]:
    """Give the members of a score Observation in writing order; see ``build_score_observation``."""
    title = words(score.texts, lang)
    who: Authored = {"reference": patient_reference}
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": "survey"}]}],
        "code": {"coding": [{"system": SCORE_SYSTEM, "code": score.code, "display": title}], "text": title},
        "subject": who,
        "effectiveDateTime": fhir_instant(at),
        "performer": [who],
        "valueQuantity": {"value": score.value, "unit": "{score}", "system": UCUM, "code": "{score}"},
        "method": {"text": f"{RULE} {score.version} ({score.answered}/{score.asked})"},
        "referenceRange": [{"low": {"value": 0}, "high": {"value": 100}}],
        "derivedFrom": [{"reference": f"QuestionnaireResponse/{response_id}"}],
    }


def _item(question: Question, counted: dict[str, object], lang: str) -> Authored:
    """Write one item; without an answer and without answered children it is left out."""
    inner: list[Authored] = [found for item in question.items if (found := _item(item, counted, lang))]
    value = counted.get(question.link_id)
    if value is None and not inner:
        return None
    values = value if isinstance(value, list | tuple) else [value]
    written: list[Authored] = [] if value is None else [_answer(question, item, lang) for item in values]
    asks = question.kind is not QuestionKind.GROUP
    if asks and inner and written:
        # Items below a question belong to its answer (R4: item.answer.item), not beside it.
        written[0] = {**_as_mapping(written[0]), "item": inner}
        inner = []
    return {
        "linkId": question.link_id,
        "text": words(question.texts, lang),
        "answer": written,
        "item": inner,
    }


def _as_mapping(value: Authored) -> dict[str, Authored]:
    return dict(value) if isinstance(value, dict) else {}


def _answer(question: Question, value: object, lang: str) -> Authored:
    match question.kind:
        case QuestionKind.CHOICE:
            return _option(question, value, lang)
        case QuestionKind.INTEGER:
            return {"valueInteger": value if isinstance(value, int) else None}
        case QuestionKind.DECIMAL:
            return {"valueDecimal": Decimal(str(value))}
        case QuestionKind.BOOLEAN:
            return {"valueBoolean": value is True}
        case QuestionKind.DATE:
            return {"valueDate": str(value)}
        case _:
            return {"valueString": str(value).strip()}


def _option(question: Question, value: object, lang: str) -> Authored:
    option = next(option for option in question.options if option.key == value)
    shown = words(option.texts, lang)
    if not option.code:
        return {"valueString": shown}
    return {"valueCoding": {"system": option.system, "code": option.code, "display": shown}}
