"""Laws of grouping: order does not matter, nothing is lost, the patient's word holds, nothing is guessed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pgo.health.record.merge import Candidate, merge, settle

_LINKS = st.frozensets(st.sampled_from("abcde"), max_size=3)
_ANCHORS = st.sampled_from(["", "2019", "2019-05", "2019-05-17", "2019-06", "2020", "now", "T1\0", "T2\0"])


@st.composite
def _people_s_records(draw: st.DrawFn) -> list[Candidate]:
    count = draw(st.integers(0, 12))
    return [Candidate(number, draw(_LINKS), draw(_ANCHORS)) for number in range(1, count + 1)]


_PAIRS = st.frozensets(
    st.tuples(st.integers(1, 12), st.integers(1, 12)).filter(lambda two: two[0] != two[1]).map(frozenset),
    max_size=6,
)


@given(_people_s_records(), _PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(records, apart, random) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)

    assert merge(shuffled, apart) == merge(records, apart)


@given(_people_s_records(), _PAIRS)
def test_every_record_is_in_exactly_one_group(records, apart) -> None:
    members = [number for group in merge(records, apart) for number in group]

    assert sorted(members) == [one.record_id for one in records]


@given(_people_s_records(), _PAIRS)
def test_what_is_not_the_same_is_never_in_one_group(records, apart) -> None:
    for group in merge(records, apart):
        assert not any(pair <= set(group) for pair in apart)


@given(_people_s_records(), _PAIRS)
def test_a_mark_only_parts_and_never_joins(records, apart) -> None:
    before = [set(group) for group in merge(records)]

    for group in merge(records, apart):
        assert any(set(group) <= whole for whole in before)


@given(_people_s_records())
def test_different_occurrences_never_share_a_group(records) -> None:
    anchors = {one.record_id: one.anchor for one in records}
    for group in merge(records):
        own = {anchors[number] for number in group}
        assert all(a.startswith(b) or b.startswith(a) for a in own for b in own)


@given(_people_s_records())
def test_a_record_without_a_name_stays_alone(records) -> None:
    alone = {one.record_id for one in records if not one.links}
    for group in merge(records):
        assert len(group) == 1 or not alone.intersection(group)


@given(_people_s_records(), st.integers(1, 12))
def test_the_one_that_was_taken_out_stands_alone_and_the_others_stay_together(records, number) -> None:
    whole = next((group for group in merge(records) if number in group), ())
    apart = {frozenset({number, other}) for other in whole if other != number}

    groups = merge(records, apart)

    rest = tuple(other for other in whole if other != number)
    assert not whole or (number,) in groups
    assert len(rest) < 2 or rest in groups


def test_a_vague_date_joins_the_only_exact_one_and_stays_alone_between_two() -> None:
    link = frozenset({"x"})
    year, first, second = (Candidate(n, link, a) for n, a in ((1, "2019"), (2, "2019-05"), (3, "2019-06")))

    assert merge([year, first]) == ((1, 2),)
    assert merge([year, first, second]) == ((1,), (2,), (3,))


def test_settling_leaves_what_has_one_meaning_only() -> None:
    assert settle(["", "2019-05-17"]) == {"": "2019-05-17", "2019-05-17": "2019-05-17"}
    assert settle(["", "2019", "2020"])[""] == ""


def test_a_later_arrival_joins_the_many_and_not_the_one_that_was_taken_out() -> None:
    link = frozenset({"x"})
    records = [Candidate(number, link) for number in (1, 2, 3, 4)]
    apart = {frozenset({1, 2}), frozenset({1, 3})}

    assert merge(records, apart) == ((1,), (2, 3, 4))
