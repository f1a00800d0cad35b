"""How many guesses a passphrase would take: an honest estimate, no composition rules.

A passphrase is judged by how it would be guessed (words, names, dates, keyboard walks, repeats), not
by whether it holds a capital and a digit. Below 12 characters the score is never more than 1.

Source: Wheeler, "zxcvbn: Low-Budget Password Strength Estimation", USENIX Security 2016;
NIST SP 800-63B-4 section 3.1.1 (no composition rules). The only module that imports `zxcvbn`, and it
does so at the first use: its word lists cost memory that a start-up does not need.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass

MIN_CHARACTERS = 12
ENOUGH = 3
"""Lowest score that protects a vault: at least 10**8 guesses, each at the price of Argon2id."""

_JUDGED_CHARACTERS = 72  # zxcvbn is superlinear; what follows can only add strength
_SCORE_OF_TOO_SHORT = 1


@dataclass(frozen=True, slots=True)
class Strength:
    """Judgement of one passphrase.

    Attributes:
        score: 0 (guessed at once) to 4 (out of reach).
        guesses_log10: Power of ten of the guesses needed.
        reason: Translation key: `empty`, `too_short`, `common`, `guessable` or `ok`.
    """

    score: int
    guesses_log10: float
    reason: str


def estimate(passphrase: str, *, words: tuple[str, ...] = ()) -> Strength:
    """Estimate the strength of a passphrase.

    Args:
        passphrase: As typed.
        words: What an attacker would try first for this person: names, birthday, place.
    """
    from zxcvbn import zxcvbn  # lazily, see the module docstring

    text = unicodedata.normalize("NFKC", passphrase)
    if not text:
        return Strength(score=0, guesses_log10=0.0, reason="empty")
    found = zxcvbn(text[:_JUDGED_CHARACTERS], user_inputs=list(words))
    score, guesses_log10 = int(found["score"]), math.log10(float(found["guesses"]))
    if len(text) < MIN_CHARACTERS:
        return Strength(min(score, _SCORE_OF_TOO_SHORT), guesses_log10, "too_short")
    if score >= ENOUGH:
        return Strength(score, guesses_log10, "ok")
    sequence = found["sequence"]
    is_common = len(sequence) == 1 and sequence[0]["pattern"] == "dictionary"
    return Strength(score, guesses_log10, "common" if is_common else "guessable")
