"""Whatever stands where: the converter gives R4 or says why not, and no value of the source is lost."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgo.health.record.stu3 import NotConvertible, convert
from pgo.health.record.writer import write_exact
from tests.support.stu3_samples import SAMPLES, lost

NAMES = st.sampled_from(["id", "value", "code", "reference", "x"])
ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.just(Decimal("1.10")) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a resource where something stands."""
    found = [path] if path else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for step, inner in steps for place in places(inner, (*path, step))]


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_no_value_of_a_full_resource_is_lost(kind: str) -> None:
    assert lost(SAMPLES[kind], convert(SAMPLES[kind])) == []


@pytest.mark.parametrize("words", [False, 0, Decimal("1.10")])
def test_words_of_a_definition_that_are_no_text_are_kept(words: Any) -> None:
    body = copy.deepcopy(SAMPLES["QuestionnaireResponse"])
    body["questionnaire"]["display"] = words
    assert lost(body, convert(body)) == []


@pytest.mark.parametrize("words", [["x"], {"x": "y"}])
def test_words_of_a_definition_of_another_form_are_refused(words: Any) -> None:
    body = copy.deepcopy(SAMPLES["QuestionnaireResponse"])
    body["questionnaire"]["display"] = words
    with pytest.raises(NotConvertible):
        convert(body)


@given(data=st.data())
def test_a_resource_with_anything_anywhere_is_converted_whole_or_refused(data: st.DataObject) -> None:
    body = copy.deepcopy(SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))])
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(places(body)))
        holder = body
        for step in above:
            holder = holder[step]
        holder[last] = data.draw(ANY_VALUE)
    try:
        made = convert(body)
    except NotConvertible:
        return
    assert lost(body, made) == []
    assert json.loads(write_exact(made), parse_float=Decimal) == made
    assert write_exact(convert(body)) == write_exact(made)
