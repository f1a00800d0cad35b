"""Answer many questions over one ledger: the answers of `decide`, without working out twice what holds.

What is in force depends on the moment only, and binding rules on who asks only; both are kept for the
moments and askers seen last. Nothing else is kept, and no answer is.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from consent.decision import Decision
from consent.effective import Effective, effective
from consent.evaluator import Evaluator
from consent.ledger import Ledger
from consent.matching import Asker
from consent.question_json import Asked

_KEPT: Final = 64


class Answers:
    """Answers about one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        @lru_cache(maxsize=_KEPT)
        def in_force(at: datetime, known_as_of: datetime | None) -> Effective:
            known = ledger if known_as_of is None else ledger.as_known(known_as_of)
            return effective(known, at)

        @lru_cache(maxsize=_KEPT)
        def bound(at: datetime, known_as_of: datetime | None, asker: Asker) -> Evaluator:
            return Evaluator(in_force(at, known_as_of), asker)

        self._bound = bound

    def answer(self, asked: Asked) -> Decision:
        """Answer one question; the same as `consent.decision.decide`."""
        question = asked.question
        asker = Asker(question.actor, question.purpose, question.action, question.study)
        return self._bound(asked.at, asked.known_as_of, asker).answer(question.facts)
