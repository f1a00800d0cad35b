"""The engine answers every vector as it was written down, and refuses every log that must be refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consent.asking import Answers
from consent.decision import decide
from consent.decision_json import decision_to_json
from consent.errors import ConsentError
from consent.log_json import parse_log
from consent.question_json import parse_question
from tests.support.vectors import load
from tests.vectors.consent import generate_decisions

VECTORS = load("consent/decisions.json")


def logs(vector: dict[str, Any]) -> bytes:
    log = vector["log"]
    return json.dumps(VECTORS["logs"][log] if isinstance(log, str) else log).encode()


@pytest.mark.parametrize("vector", VECTORS["decisions"], ids=lambda vector: vector["name"])
def test_a_vector_is_answered_as_written(vector: dict[str, Any]) -> None:
    ledger = parse_log(logs(vector), signed=False)
    asked = parse_question(json.dumps(vector["ask"]).encode())
    decision = decide(ledger, asked.question, at=asked.at, known_as_of=asked.known_as_of)
    found = decision_to_json(decision, ledger_head=ledger.head_hash)
    assert {name: found[name] for name in vector["expect"]} == vector["expect"]


def test_many_questions_at_once_get_the_answers_of_one_by_one() -> None:
    ledger = parse_log(json.dumps(VECTORS["logs"]["sanne"]).encode(), signed=False)
    answers = Answers(ledger)
    for known in ({}, {"known_as_of": "2025-01-01"}):
        for vector in VECTORS["decisions"] * 2:
            asked = parse_question(json.dumps(vector["ask"] | known).encode())
            alone = decide(ledger, asked.question, at=asked.at, known_as_of=asked.known_as_of)
            assert answers.answer(asked) == alone


@pytest.mark.parametrize("vector", VECTORS["refusals"], ids=lambda vector: vector["name"])
def test_a_bad_log_is_refused_with_its_own_class(vector: dict[str, Any]) -> None:
    with pytest.raises(ConsentError) as caught:
        parse_log(logs(vector), signed=vector["signed"])
    assert {"code": caught.value.code, "reason": caught.value.reason} == vector["expect"]


def test_there_are_enough_vectors_and_they_are_current() -> None:
    names = [vector["name"] for vector in (*VECTORS["decisions"], *VECTORS["refusals"])]
    assert len(names) == len(set(names)) > 100
    permits = sum(vector["expect"].get("decision") == "PERMIT" for vector in VECTORS["decisions"])
    assert permits >= 30
    assert generate_decisions.FILE.read_text(encoding="utf-8") == generate_decisions.text()
