"""A new key in the place of an old one, step by step."""

from __future__ import annotations

import pytest

from crypto.canonical import canonical_bytes
from crypto.keys import SigningKey
from crypto.signing import sign_jws
from sync.card import MAX_FILE_BYTES, RecipientCard, card_file, card_parts, sign_card
from sync.errors import RemoteRuleError
from sync.succession import MAX_SUCCESSIONS, follow, parse_succession, sign_succession
from tests.support.sync_world import AT, CLINIC_ID, a_card

KEYS = [SigningKey.from_seed(bytes([number]) * 32) for number in range(6)]


def _step(old: int, new: int, *, recipient_id: str = CLINIC_ID, signer: int | None = None) -> str:
    if signer is None:
        return sign_succession(recipient_id, old=KEYS[old], new=KEYS[new].public, at=AT)
    body = {"v": 1, "id": recipient_id, "at": "2026-06-01T12:00:00Z"}
    members = {**body, "from": KEYS[old].public.text, "to": KEYS[new].public.text}
    return sign_jws(canonical_bytes(members), KEYS[signer], typ="pgo-succession+jws")


def _card(key: int) -> RecipientCard:
    return a_card(verify_key=KEYS[key].public)


def _refused(pinned: int, card: int, tokens: list[str]) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        follow(KEYS[pinned].public, _card(card), tokens)
    assert refusal.value.code == "card_key_changed"


def test_the_same_key_needs_no_succession() -> None:
    assert follow(KEYS[0].public, _card(0), []) == ()


def test_one_step() -> None:
    (step,) = follow(KEYS[0].public, _card(1), [_step(0, 1)])
    assert (step.old, step.new, step.at) == (KEYS[0].public, KEYS[1].public, AT)


def test_an_app_that_missed_some_follows_them_in_any_order() -> None:
    tokens = [_step(3, 4), _step(1, 2), _step(0, 1), _step(2, 3)]
    for pinned in range(5):
        assert len(follow(KEYS[pinned].public, _card(4), tokens)) == 4 - pinned


def test_step_1_another_key_signed() -> None:
    _refused(0, 1, [_step(0, 1, signer=1)])
    _refused(0, 1, [_step(0, 1, signer=2)])


def test_step_1_for_another_recipient() -> None:
    _refused(0, 1, [_step(0, 1, recipient_id="ura:00000999")])


def test_step_1_no_succession_at_all() -> None:
    _refused(0, 1, [])
    _refused(0, 1, ["a.b.c"])
    _refused(0, 1, [sign_card(a_card(verify_key=KEYS[0].public), KEYS[0])])


def test_step_2_a_step_is_missing() -> None:
    _refused(0, 3, [_step(0, 1), _step(2, 3)])


def test_step_2_two_successors_of_one_key_are_no_successor() -> None:
    _refused(0, 1, [_step(0, 1), _step(0, 2)])
    _refused(0, 3, [_step(0, 1), _step(1, 3), _step(1, 2)])


def test_step_2_the_same_succession_twice_is_one() -> None:
    assert len(follow(KEYS[0].public, _card(1), [_step(0, 1), _step(0, 1)])) == 1


def test_step_2_going_round_ends() -> None:
    _refused(0, 5, [_step(0, 1), _step(1, 0)])


def test_step_3_back_to_an_older_key_is_no_way() -> None:
    _refused(1, 0, [_step(0, 1)])


def test_more_than_the_limit_is_not_even_read() -> None:
    _refused(0, 1, [_step(0, 1)] * (MAX_SUCCESSIONS + 1))


def test_an_edited_succession_is_refused() -> None:
    token = _step(0, 1)
    for position in range(0, len(token), 7):
        other = "A" if token[position] != "A" else "B"
        with pytest.raises(RemoteRuleError):
            parse_succession(token[:position] + other + token[position + 1 :])


def test_a_card_file_carries_them_and_gives_them_back() -> None:
    card = sign_card(_card(2), KEYS[2])
    tokens = (_step(0, 1), _step(1, 2))
    written = card_file(card, tokens)
    for form in (written, written.encode(), written.replace("\n", " "), written.replace("\n", "\r\n")):
        assert card_parts(form) == (card, tokens)
    assert card_parts(card) == (card, ())


def test_the_longest_line_of_successions_fits_into_a_file() -> None:
    longest_id = "x" * 16 + ":" + "y" * 64
    long = sign_succession(longest_id, old=KEYS[0], new=KEYS[1].public, at=AT)
    card = sign_card(_card(2), KEYS[2])
    assert len(card_file(card, [long] * MAX_SUCCESSIONS)) < MAX_FILE_BYTES
