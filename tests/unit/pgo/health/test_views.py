"""Record pages: labelled rows in the words of the source, nothing technical, never a failure."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pgo.health.assets import ASSETS, load_table
from pgo.health.medication.forms import ERROR_KEYS
from pgo.health.prom.logic import ANSWER_KEYS
from pgo.health.record.index import build_index
from pgo.health.record.labels import LABEL_KEYS, VALUE_KEYS
from pgo.health.record.resolve import nothing, resolver
from pgo.health.record.resource import Resource
from pgo.health.record.series import measured
from pgo.health.record.views import Detail, details, person_view
from tests.unit.pgo.health.make import coded, observation, resource


def rows(one: Resource, *others: Resource) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in details(one, resolver([one, *others])):
        found.setdefault(row.label_key.removeprefix("health.label."), []).append(row.value)
    return found


def test_an_observation_shows_value_range_and_who() -> None:
    doctor = resource("Practitioner", id="d", name=[{"family": "Arts"}])
    one = observation(
        valueQuantity={"value": 4, "unit": "mmol/l"},
        referenceRange=[{"low": {"value": 3, "unit": "mmol/l"}, "high": {"value": 5, "unit": "mmol/l"}}],
        performer=[{"reference": "Practitioner/d"}],
        note=[{"text": "nuchter"}],
        effectiveDateTime="2020-01-02",
    )
    assert rows(one, doctor) == {
        "status": ["final"],
        "what": ["Gewicht"],
        "value": ["4 mmol/l"],
        "normal_range": ["3 - 5 mmol/l"],
        "by": ["Arts"],
        "note": ["nuchter"],
        "when": ["2020-01-02"],
    }


def test_code_words_carry_a_key_and_dates_their_kind() -> None:
    category = [coded("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")]
    found = details(observation(category=category, effectiveDateTime="2020-01-02"), nothing)
    assert Detail("health.label.status", "final", "health.value.final", "code") in found
    assert Detail("health.label.category", "laboratory", "health.value.laboratory", "code") in found
    assert Detail("health.label.when", "2020-01-02", "", "date") in found


def test_a_period_shows_as_begin_and_end() -> None:
    one = observation(effectivePeriod={"start": "2020-01-02", "end": "2020-02-03"})
    assert rows(one)["when"] == ["2020-01-02"]
    assert rows(one)["end"] == ["2020-02-03"]


def test_questions_stand_beside_their_answers() -> None:
    inner = {"linkId": "2", "text": "Waar?", "answer": [{"valueString": "Knie"}]}
    item = {"linkId": "1", "text": "Pijn?", "answer": [{"valueBoolean": True, "item": [inner]}]}
    one = resource("QuestionnaireResponse", status="completed", item=[{"linkId": "g", "item": [item]}])
    assert rows(one)["questions"] == ["Pijn?: ✓", "Waar?: Knie"]


def test_a_reference_never_shows_its_bare_address() -> None:
    one = observation(performer=[{"reference": "Practitioner/123"}], subject={"reference": "Patient/9"})
    assert "by" not in rows(one)
    assert "123" not in json.dumps(rows(one))


def test_narrative_and_technical_elements_are_left_out() -> None:
    one = observation(
        id="abc", text={"status": "generated", "div": "<div>x</div>"}, meta={"profile": ["http://p.example"]}
    )
    assert rows(one) == {"status": ["final"], "what": ["Gewicht"]}


def test_person_view_reads_dutch_address_and_phone() -> None:
    one = resource(
        "Patient",
        name=[{"family": "Bos", "given": ["Jo"]}],
        birthDate="1980-02-03",
        gender="female",
        identifier=[{"system": "s", "value": "1"}, {"value": "2"}],
        address=[{"line": ["Dorpsstraat 1"], "postalCode": "1234 AB", "city": "Ede"}],
        telecom=[{"system": "email", "value": "e"}, {"system": "phone", "value": "06"}],
    )
    view = person_view(one)
    assert (view.name, view.birth_date, view.gender, view.phone) == ("Jo Bos", "1980-02-03", "female", "06")
    assert view.address == "Dorpsstraat 1, 1234 AB Ede"
    assert view.identifiers == (("s", "1"), ("", "2"))


def test_every_key_has_its_words_in_both_languages_and_no_word_is_left_over() -> None:
    needed = {*LABEL_KEYS, *VALUE_KEYS, *ERROR_KEYS, *ANSWER_KEYS}
    for language in ("nl", "en"):
        texts = json.loads((ASSETS / "locale" / f"{language}.health.json").read_text(encoding="utf-8"))
        assert set(texts) == needed
        assert all(texts.values())


KINDS = sorted(
    load_table("fhir/r4-elements.json")["types"].keys()
    & set(load_table("fhir/r4-elements.json")["resources"])
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "2020-01", "final", "#x", "Patient/1", "é"])
)
NAMES = st.sampled_from(
    [
        *("text", "coding", "display", "code", "system", "value", "unit", "start", "end", "reference"),
        *("family", "given", "low", "high", "numerator", "item", "answer", "url", "extension", "event"),
        *("attachment", "valueString", "manifestation", "repeat", "period"),
    ]
)
ODD = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_content_however_odd_makes_reading_fail(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    elements = sorted(load_table("fhir/r4-elements.json")["types"][kind])
    body: dict[str, Any] = data.draw(st.dictionaries(st.sampled_from(elements), ODD, max_size=6))
    one = Resource(b"{}", {**body, "resourceType": kind}, kind, None, None)
    index = build_index(one, resolve=nothing)
    assert index.title
    for row in details(one, nothing):
        assert row.value
        assert row.label_key in LABEL_KEYS
        assert not row.value_key or row.value_key in VALUE_KEYS
    measured(one)
