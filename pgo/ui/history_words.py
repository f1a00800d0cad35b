"""The history of sharing and its receipts in plain sentences.

It imports no Flet: the words are tested without a screen.
"""

from __future__ import annotations

from pgo.ui.objection_words import title
from pgo.ui.sharing_words import data_sentence, period_sentence, what_sentences
from pgo.ui.text import t
from pgo.usecases.history import Change, ChangeKind


def change_sentence(lang: str, change: Change) -> str:
    """Say one change."""
    what = "" if change.objection is None else title(lang, change.objection)
    return t(lang, f"history.{change.kind}", name=change.name, n=change.count, what=what)


def receipt_sentences(lang: str, change: Change) -> tuple[str, ...]:
    """Say what was agreed in a decision; empty for what recipients did."""
    if change.choice is None or change.kind is not ChangeKind.SHARED:
        return ()
    choice = change.choice
    return (*what_sentences(lang, choice), data_sentence(lang, choice), period_sentence(lang, choice))
