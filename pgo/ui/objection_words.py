"""Objections in plain sentences: what is held back, from whom, and what that changes.

The sentences before signing are the ones whose hash is signed; the list shows them again from the same
functions. It imports no Flet: the words are tested without a screen.
"""

from __future__ import annotations

from pgo.ui.sharing_words import (
    CATEGORY_ORDER,
    SENSITIVITY_ORDER,
    category_name,
    join,
    lower_first,
    sensitivity_name,
)
from pgo.ui.text import fmt_date, t
from pgo.usecases.objections import ObjectionChoice, ObjectionEffect, ObjectionRow


def _what(lang: str, about: ObjectionChoice | ObjectionRow, *, titles: tuple[str, ...]) -> str:
    parts = [lower_first(category_name(lang, one)) for one in CATEGORY_ORDER if one in about.categories]
    parts += [
        t(lang, "objection.subject", subject=lower_first(sensitivity_name(lang, one)))
        for one in SENSITIVITY_ORDER
        if one in about.sensitivity
    ]
    parts += [t(lang, "objection.record", title=title) for title in titles]
    return join(parts)


def title(lang: str, row: ObjectionRow) -> str:
    """Say an objection in one sentence."""
    name = None if row.recipient is None else row.recipient.name
    titles = tuple(
        t(lang, "share.two_facts", first=one.title, second=fmt_date(lang, one.start[:10]))
        if one.start
        else one.title
        for one in row.records
    )
    return _sentence(lang, _what(lang, row, titles=titles), name=name, everything=row.everything)


def sentence(lang: str, choice: ObjectionChoice, *, name: str | None, record: str = "") -> str:
    """Say a choice in one sentence, as `title` says it once it is signed.

    Args:
        lang: language of the sentence.
        choice: what was ticked.
        name: the recipient's name, None for everybody.
        record: title of the one record it is about.
    """
    what = _what(lang, choice, titles=(record,) if record else ())
    return _sentence(lang, what, name=name, everything=not what)


def _sentence(lang: str, what: str, *, name: str | None, everything: bool) -> str:
    if name is None:
        return t(lang, "objection.nobody", what=what or t(lang, "objection.unknown"))
    if everything:
        return t(lang, "objection.nothing_for", name=name)
    return t(lang, "objection.not_for", name=name, what=what or t(lang, "objection.unknown"))


def meaning(lang: str) -> tuple[str, ...]:
    """Say what every objection means."""
    keys = ("objection.beats", "objection.at_once", "objection.read_already", "objection.lift_any_time")
    return tuple(t(lang, key) for key in keys)


def shown_text(lang: str, said: str) -> str:
    """Return the exact words above the signature; the objection keeps their hash."""
    return "\n".join((said, *meaning(lang)))


def effect_sentences(lang: str, effect: ObjectionEffect) -> tuple[str, ...]:
    """Say what an objection changes today."""
    lines = [t(lang, "objection.about", n=effect.records, total=effect.total)]
    for recipient, lost in effect.lost:
        key = "objection.loses" if lost else "objection.loses_nothing"
        lines.append(t(lang, key, n=lost, name=recipient.name))
    return tuple(lines)
