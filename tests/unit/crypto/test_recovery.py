from __future__ import annotations

import pickle
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Malformed
from crypto.recovery import (
    ALPHABET,
    SECRET_BYTES,
    RecoveryCode,
    kek_from_code,
    new_recovery_code,
    parse_recovery_code,
)

SECRETS = st.integers(0, 2**140 - 1).map(lambda number: number.to_bytes(SECRET_BYTES, "big"))
CODE = RecoveryCode((0x123456789ABCDEF0123456789ABCDEF0123).to_bytes(SECRET_BYTES, "big"))
PLAIN = CODE.text.replace("-", "")


def _refusal(text: str) -> Malformed:
    with pytest.raises(Malformed) as refusal:
        parse_recovery_code(text)
    return refusal.value


@given(SECRETS)
def test_a_code_reads_back(secret: bytes) -> None:
    code = RecoveryCode(secret)
    assert parse_recovery_code(code.text) == code


@given(SECRETS)
def test_a_code_is_eight_groups_of_four(secret: bytes) -> None:
    groups = RecoveryCode(secret).text.split("-")
    assert [len(group) for group in groups] == [4] * 8
    assert set("".join(groups)) <= set(ALPHABET)


def test_new_codes_are_random() -> None:
    assert len({new_recovery_code().text for _ in range(50)}) == 50


def test_all_140_bits_are_used() -> None:
    seen = 0
    for _ in range(60):
        seen |= int.from_bytes(new_recovery_code().secret, "big")
    assert seen == 2**140 - 1


def test_codes_are_pinned() -> None:
    # Codes lie on paper for years: this text must open the same vault in every later version.
    assert CODE.text == "28T5-CY4T-QKFF-04HM-ASW9-NF6Y-Y093-CFKW"


@pytest.mark.parametrize(
    "typed",
    [
        CODE.text.lower(),
        CODE.text.replace("-", " "),
        PLAIN,
        f"  {CODE.text}\n",
        CODE.text.replace("0", "o").replace("1", "l"),
        CODE.text.replace("0", "O").replace("1", "I"),
    ],
)
def test_typing_is_forgiving(typed: str) -> None:
    assert parse_recovery_code(typed) == CODE


def test_one_wrong_character_is_located_everywhere() -> None:
    for position in range(32):
        for letter in ALPHABET:
            if letter == PLAIN[position]:
                continue
            refusal = _refusal(PLAIN[:position] + letter + PLAIN[position + 1 :])
            assert (refusal.reason, refusal.group) == ("recovery_check", position // 4 + 1)


def test_two_swapped_neighbours_are_located_everywhere() -> None:
    for position in range(31):
        left, right = PLAIN[position], PLAIN[position + 1]
        if left == right:
            continue
        refusal = _refusal(PLAIN[:position] + right + left + PLAIN[position + 2 :])
        assert refusal.group == position // 4 + 1


def test_larger_errors_are_found_and_not_guessed_at() -> None:
    dice = random.Random(140)
    unlocated = 0
    for _ in range(2_000):
        letters = list(PLAIN)
        for position in dice.sample(range(32), dice.randrange(3, 12)):
            letters[position] = dice.choice([letter for letter in ALPHABET if letter != letters[position]])
        unlocated += _refusal("".join(letters)).group is None
    assert unlocated > 1_800


def test_ten_thousand_guesses_open_nothing() -> None:
    dice = random.Random(32)
    accepted = 0
    for _ in range(10_000):
        try:
            parse_recovery_code("".join(dice.choices(ALPHABET, k=32)))
            accepted += 1
        except Malformed:
            pass
    assert accepted <= 1  # expected 10_000 / 2**20


@pytest.mark.parametrize(
    ("typed", "group"), [("U" + PLAIN[1:], 1), (PLAIN[:31] + "!", 8), (PLAIN[:9] + "é" + PLAIN[10:], 3)]
)
def test_a_foreign_character_names_its_group(typed: str, group: int) -> None:
    refusal = _refusal(typed)
    assert (refusal.reason, refusal.group) == ("recovery_character", group)


@pytest.mark.parametrize("typed", ["", PLAIN[:31], PLAIN + "0", PLAIN[:4]])
def test_a_wrong_length_is_refused(typed: str) -> None:
    assert _refusal(typed).reason == "recovery_length"


@given(st.text(alphabet=string.printable, max_size=50))
def test_any_text_is_read_or_refused(text: str) -> None:
    _refusal(text)


@pytest.mark.parametrize("secret", [b"", bytes(17), bytes(19), b"\x10" + bytes(17)])
def test_secrets_have_140_bits(secret: bytes) -> None:
    with pytest.raises(Malformed):
        RecoveryCode(secret)


def test_the_code_does_not_show() -> None:
    assert PLAIN[:4] not in repr(CODE)
    assert CODE.secret.hex() not in repr(CODE)
    with pytest.raises(TypeError):
        pickle.dumps(CODE)


def test_key_depends_on_code_and_salt() -> None:
    other = RecoveryCode(bytes(SECRET_BYTES))
    keys = {
        bytes(kek_from_code(code, salt=salt)) for code in (CODE, other) for salt in (b"a" * 16, b"b" * 16)
    }
    assert len(keys) == 4
    assert kek_from_code(CODE, salt=b"a" * 16) == kek_from_code(
        parse_recovery_code(CODE.text), salt=b"a" * 16
    )
