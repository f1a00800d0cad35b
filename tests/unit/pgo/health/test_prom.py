"""Questionnaires: what is asked, what fits, how it is scored and written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from pgo.health.assets import ASSETS
from pgo.health.prom.questionnaire import (
    Questionnaire,
    QuestionnaireError,
    asked_questions,
    build_response,
    build_score_observation,
    enabled_items,
    missing_answers,
    own_questionnaires,
    parse_questionnaire,
    scores,
    validate_answer,
    words,
)
from pgo.health.record.index import build_index
from pgo.health.record.reader import read_records
from pgo.health.record.resolve import nothing
from pgo.health.record.series import measured

AT = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
CODES = "urn:pgo:codes:weekly-check|"
BEST = {
    "wellbeing": CODES + "very-good",
    "energy": CODES + "a-lot",
    "pain": 0,
    "contact": CODES + "always",
    "joining-in": CODES + "always",
    "walking": CODES + "easy",
    "daily-tasks": CODES + "easy",
}
WORST = {
    "wellbeing": CODES + "very-bad",
    "energy": CODES + "none",
    "pain": 10,
    "pain-burden": CODES + "very-much",
    "contact": CODES + "never",
    "joining-in": CODES + "never",
    "walking": CODES + "not",
    "daily-tasks": CODES + "not",
}


def weekly() -> Questionnaire:
    return next(one for one in own_questionnaires() if one.id == "weekly-check")


def made(*items: dict[str, Any], **members: Any) -> Questionnaire:
    body = {
        "resourceType": "Questionnaire",
        "status": "active",
        "language": "nl",
        "item": list(items),
        **members,
    }
    return parse_questionnaire(json.dumps(body).encode())


def ids(questions: tuple[Any, ...]) -> list[str]:
    return [question.link_id for question in questions]


def values(questionnaire: Questionnaire, answers: dict[str, object]) -> dict[str, Decimal]:
    return {score.code.rpartition(".")[2]: score.value for score in scores(questionnaire, answers)}


def test_the_weekly_check_is_valid_fhir_in_two_languages() -> None:
    raw = (ASSETS / "questionnaires" / "weekly-check.json").read_bytes()
    get_fhir_model_class("Questionnaire").model_validate_json(raw)
    for item in weekly().walk():
        assert set(item.texts) >= {"nl", "en"}, item.link_id
        assert all(set(option.texts) >= {"nl", "en"} for option in item.options)
    assert weekly().languages == ("nl", "en")
    assert words(weekly().titles, "en") == "How are you this week?"
    assert words(weekly().titles, "fy") == "Hoe gaat het deze week?"


def test_the_weekly_check_asks_five_to_nine_questions() -> None:
    assert 5 <= len(asked_questions(weekly(), WORST)) <= 9


def test_no_pain_means_no_question_about_its_burden() -> None:
    assert "pain-burden" not in ids(asked_questions(weekly(), BEST))
    assert "pain-burden" in ids(asked_questions(weekly(), {**BEST, "pain": 1}))
    assert "pain-burden" not in ids(asked_questions(weekly(), {}))


def test_the_ends_of_every_score_are_reached() -> None:
    assert values(weekly(), BEST) == {"quality-of-life": 100, "pain": 0, "social": 100, "mobility": 100}
    assert values(weekly(), WORST) == {"quality-of-life": 0, "pain": 100, "social": 0, "mobility": 0}


def test_a_score_is_the_mean_rounded_half_up() -> None:
    # good = 3 of 4 = 75, some = 2 of 4 = 50: mean 62.5, shown as 63
    answers = {"wellbeing": CODES + "good", "energy": CODES + "some"}
    (score,) = scores(weekly(), answers)
    assert (score.value, score.answered, score.asked, score.version) == (Decimal(63), 2, 2, "1.0")


def test_an_answer_to_a_question_no_longer_asked_does_not_count() -> None:
    stale = {**BEST, "pain-burden": CODES + "very-much"}
    assert values(weekly(), stale)["pain"] == 0
    assert b"pain-burden" not in build_response(weekly(), stale, id="r", at=AT, patient_reference="Patient/p")


def test_no_answers_give_no_scores() -> None:
    assert scores(weekly(), {}) == ()


def test_needed_answers_are_named() -> None:
    answers = {key: value for key, value in BEST.items() if key != "energy"}
    assert missing_answers(weekly(), answers) == {"energy": "health.answer.required"}
    assert missing_answers(weekly(), {**BEST, "pain": 11}) == {"pain": "health.answer.out_of_range"}
    assert missing_answers(weekly(), BEST) == {}


def test_response_and_scores_are_valid_fhir_and_read_back() -> None:
    raw = build_response(weekly(), WORST, id="r1", at=AT, patient_reference="Patient/p", lang="en")
    get_fhir_model_class("QuestionnaireResponse").model_validate_json(raw)
    (one,) = read_records(raw, name="x.json").resources
    assert build_index(one, resolve=nothing).title == "How are you this week?"
    assert b"The worst pain" not in raw
    assert one.body["item"][1]["item"][0]["answer"] == [{"valueInteger": 10}]
    for score in scores(weekly(), WORST):
        bytes_ = build_score_observation(
            score, id="o", response_id="r1", at=AT, patient_reference="Patient/p"
        )
        get_fhir_model_class("Observation").model_validate_json(bytes_)
        (item,) = measured(read_records(bytes_, name="x.json").resources[0])
        assert item.key == f"urn:pgo:codes:prom-score|{score.code}|{{score}}"
        assert item.value == score.value


def question(link_id: str, kind: str, **members: Any) -> dict[str, Any]:
    return {"linkId": link_id, "type": kind, "text": link_id, **members}


def when(operator: str, **answer: Any) -> dict[str, Any]:
    return question("b", "string", enableWhen=[{"question": "a", "operator": operator, **answer}])


@pytest.mark.parametrize(
    ("kind", "operator", "answer", "given", "asked"),
    [
        ("integer", ">", {"answerInteger": 3}, 4, True),
        ("integer", ">", {"answerInteger": 3}, 3, False),
        ("integer", ">=", {"answerInteger": 3}, 3, True),
        ("integer", "<", {"answerInteger": 3}, 2, True),
        ("integer", "<=", {"answerInteger": 3}, 4, False),
        ("integer", "=", {"answerInteger": 3}, 3, True),
        ("integer", "!=", {"answerInteger": 3}, 3, False),
        ("integer", "!=", {"answerInteger": 3}, 4, True),
        ("integer", "!=", {"answerInteger": 3}, None, False),
        ("integer", "exists", {"answerBoolean": True}, 3, True),
        ("integer", "exists", {"answerBoolean": True}, None, False),
        ("integer", "exists", {"answerBoolean": False}, None, True),
        ("decimal", ">", {"answerDecimal": 3.5}, "3.51", True),
        ("decimal", "=", {"answerDecimal": 3.5}, "3.50", True),
        ("boolean", "=", {"answerBoolean": True}, True, True),
        ("boolean", "=", {"answerBoolean": False}, True, False),
        ("date", "<", {"answerDate": "2020-01-01"}, "2019-12-31", True),
        ("string", "=", {"answerString": "x"}, "x", True),
        ("integer", ">", {"answerInteger": 3}, "4", False),
    ],
)
def test_every_operator_decides_as_the_standard_says(
    kind: str, operator: str, answer: dict[str, Any], given: object, asked: bool
) -> None:
    sheet = made(question("a", kind), when(operator, **answer))
    answers = {} if given is None else {"a": given}
    assert ("b" in ids(enabled_items(sheet, answers))) is asked


def test_coded_conditions_compare_system_and_code() -> None:
    option = {"valueCoding": {"system": "s", "code": "y", "display": "Ja"}}
    for system, asked in (("s", True), ("t", False)):
        sheet = made(
            question("a", "choice", answerOption=[option]),
            when("=", answerCoding={"system": system, "code": "y"}),
        )
        assert ("b" in ids(enabled_items(sheet, {"a": "s|y"}))) is asked


@pytest.mark.parametrize(("behaviour", "asked"), [("all", False), ("any", True)])
def test_all_or_any_condition(behaviour: str, asked: bool) -> None:
    conditions = [
        {"question": "a", "operator": "=", "answerInteger": 1},
        {"question": "c", "operator": "exists", "answerBoolean": True},
    ]
    sheet = made(
        question("a", "integer"),
        question("c", "integer"),
        question("b", "string", enableWhen=conditions, enableBehavior=behaviour),
    )
    assert ("b" in ids(enabled_items(sheet, {"a": 1}))) is asked


def test_a_silent_group_silences_what_stands_below_it() -> None:
    condition = [{"question": "a", "operator": "=", "answerBoolean": True}]
    group = question(
        "g", "group", enableWhen=condition, item=[question("b", "string"), question("d", "display")]
    )
    sheet = made(question("a", "boolean"), group)
    assert ids(enabled_items(sheet, {"a": True})) == ["a", "g", "b", "d"]
    assert ids(asked_questions(sheet, {"a": True})) == ["a", "b"]
    assert ids(enabled_items(sheet, {"a": False, "b": "x"})) == ["a"]


def test_conditions_in_a_circle_are_false() -> None:
    def circle(own: str, other: str) -> dict[str, Any]:
        condition = {"question": other, "operator": "exists", "answerBoolean": True}
        return question(own, "string", enableWhen=[condition])

    sheet = made(circle("a", "b"), circle("b", "a"))
    assert enabled_items(sheet, {"a": "x", "b": "y"}) == ()


@pytest.mark.parametrize(
    ("item", "value", "fault"),
    [
        (question("a", "integer"), 3, ""),
        (question("a", "integer"), True, "health.answer.not_a_number"),
        (question("a", "integer"), "3", "health.answer.not_a_number"),
        (question("a", "decimal"), "3.5", ""),
        (question("a", "decimal"), "3,5", "health.answer.not_a_number"),
        (question("a", "decimal"), "1e9", "health.answer.not_a_number"),
        (question("a", "string", maxLength=3), "abcd", "health.answer.too_long"),
        (question("a", "string"), "  ", "health.answer.not_an_answer"),
        (question("a", "string"), 3, "health.answer.not_an_answer"),
        (question("a", "boolean"), "ja", "health.answer.not_an_answer"),
        (question("a", "date"), "2020-13", "health.answer.not_a_date"),
        (question("a", "date"), "2020-12", ""),
        (question("a", "choice", answerOption=[{"valueString": "x"}]), "y", "health.answer.not_an_option"),
        (question("a", "choice", answerOption=[{"valueString": "x"}]), ["x"], "health.answer.not_an_answer"),
        (question("a", "choice", repeats=True, answerOption=[{"valueString": "x"}]), ["x"], ""),
        (
            question("a", "choice", repeats=True, answerOption=[{"valueString": "x"}]),
            [],
            "health.answer.not_an_answer",
        ),
        (question("a", "group"), "x", "health.answer.not_an_answer"),
    ],
)
def test_an_answer_is_checked_against_its_question(item: dict[str, Any], value: object, fault: str) -> None:
    assert validate_answer(made(item).items[0], value) == fault


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([question("a", "attachment")], "unsupported_item"),
        ([question("", "string")], "unsupported_item"),
        ([question("a", "string"), question("a", "string")], "duplicate_link_id"),
        ([when("=", answerInteger=1)], "unknown_question"),
        ([question("a", "choice")], "no_options"),
        ([question("a", "choice", answerOption=[{"valueString": "x"}, {"valueString": "x"}])], "no_options"),
        ([question("a", "string"), when("~", answerInteger=1)], "unsupported_item"),
    ],
)
def test_what_cannot_be_asked_is_refused(items: list[dict[str, Any]], code: str) -> None:
    with pytest.raises(QuestionnaireError) as refusal:
        made(*items)
    assert refusal.value.code == code


@pytest.mark.parametrize("data", [b"", b"[]", b'{"resourceType":"Patient"}', b'{"a":NaN}'])
def test_what_is_no_questionnaire_is_refused(data: bytes) -> None:
    with pytest.raises(QuestionnaireError):
        parse_questionnaire(data)


def test_options_may_stand_in_a_contained_value_set() -> None:
    concept = {"code": "y", "display": "Ja"}
    value_set = {
        "resourceType": "ValueSet",
        "id": "v",
        "compose": {"include": [{"system": "s", "concept": [concept]}]},
    }
    sheet = made(question("a", "choice", answerValueSet="#v"), contained=[value_set])
    assert [(option.key, words(option.texts, "nl")) for option in sheet.items[0].options] == [("s|y", "Ja")]


def test_every_kind_of_answer_is_written_in_its_own_form() -> None:
    sheet = made(
        question("i", "integer"),
        question("d", "decimal"),
        question("s", "string"),
        question("b", "boolean", item=[question("below", "string")]),
        question("t", "date"),
        question("c", "choice", repeats=True, answerOption=[{"valueString": "x"}, {"valueString": "y"}]),
        title="T",
        url="http://x.example/q",
    )
    answers = {"i": 1, "d": "2.50", "s": "z", "b": False, "below": "u", "t": "2020-01", "c": ["x", "y"]}
    raw = build_response(sheet, answers, id="r", at=AT, patient_reference="Patient/p")
    assert b'"valueDecimal":2.50' in raw
    items = {item["linkId"]: item["answer"] for item in json.loads(raw)["item"]}
    assert items["b"] == [
        {
            "valueBoolean": False,
            "item": [{"linkId": "below", "text": "below", "answer": [{"valueString": "u"}]}],
        }
    ]
    assert items["c"] == [{"valueString": "x"}, {"valueString": "y"}]
    assert items["t"] == [{"valueDate": "2020-01"}]


def test_an_instrument_of_others_gets_no_invented_score() -> None:
    ordinal = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 3}
    sheet = made(question("a", "choice", answerOption=[{"valueString": "x", "extension": [ordinal]}]))
    assert sheet.items[0].options[0].ordinal == 3
    assert scores(sheet, {"a": "x"}) == ()
