"""A request in plain sentences: who asks, what for, and what is new in it.

The words of the recipient are shown as theirs, never as the app's. It imports no Flet: the words are tested
without a screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consent.codes import ANY, Category, Sensitivity
from pgo.ui.research_words import topic_name, upper_first, use_name
from pgo.ui.sharing_words import category_name, join, lower_first, purpose_name, sensitivity_name
from pgo.ui.text import fmt_date, has, t
from pgo.usecases.requests import RequestRow

_MEMBERS: Final = (
    *("purpose", "topic", "code", "category", "sensitivity", "data_period", "use_condition", "action"),
)


def own_words(lang: str, row: RequestRow) -> str:
    """What the recipient says it is for, in the reader's language where there is one."""
    return row.words.get(lang) or next(iter(row.words.values()), "")


def difference(lang: str, row: RequestRow) -> tuple[str, ...]:
    """Say what is asked beyond what is granted ("also: ..."), or all of it; nothing new is said as such."""
    if not row.also:
        return (t(lang, "request.nothing_new", name=row.recipient.name),)
    lines = [
        _line(lang, member, row.also[member], more=row.has_something)
        for member in _MEMBERS
        if member in row.also
    ]
    rest = sorted(set(row.also) - set(_MEMBERS))
    if rest:
        lines.append(t(lang, "request.also.other", what=join(rest)))
    return tuple(lines)


def _line(lang: str, member: str, words: Sequence[str], *, more: bool) -> str:
    what = join(_word(lang, member, word) for word in words)
    return t(lang, "request.also", what=what) if more else upper_first(t(lang, "request.wants", what=what))


def _word(lang: str, member: str, word: str) -> str:
    if word == ANY:
        key = f"request.any.{member}"
        return t(lang, key if has(lang, key) else "request.any")
    if member == "category" and word in frozenset(Category):
        return lower_first(category_name(lang, Category(word)))
    if member == "sensitivity" and word in frozenset(Sensitivity):
        return lower_first(sensitivity_name(lang, Sensitivity(word)))
    if member == "purpose":
        return lower_first(purpose_name(lang, word))
    if member == "data_period":
        side, _, day = word.partition(" ")
        return t(lang, f"request.data_{side}", date=fmt_date(lang, day))
    if member in ("topic", "code"):
        return topic_name(lang, word)
    if member == "use_condition":
        kept = word.removeprefix("not ")
        return (
            use_name(lang, kept)
            if kept == word
            else t(lang, "request.no_condition", what=use_name(lang, kept))
        )
    key = f"request.{member}.{word}"
    return t(lang, key) if has(lang, key) else word


def left_out(lang: str, row: RequestRow) -> str:
    """Say what is asked and not given by this app, whatever the answer."""
    return t(lang, "asked.not_offered", what=join(_word(lang, "action", one) for one in row.not_offered))


def refusal(lang: str, code: str) -> str:
    """Say why a request cannot be taken in."""
    key = f"request.refused.{code}"
    return t(lang, key if has(lang, key) else "request.refused.request_invalid")
