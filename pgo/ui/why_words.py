"""Why somebody may or may not see a record, in plain sentences that name the rule.

It imports no Flet: the words are tested without a screen.
"""

from __future__ import annotations

from typing import Final

from consent.codes import Category, Sensitivity
from consent.decision import Reason
from pgo.ui.sharing_words import category_name, join, lower_first, sensitivity_name
from pgo.ui.text import has, t
from pgo.usecases.why import WhyRow

_NOTHING_SHARED: Final = frozenset({Reason.NO_GRANT, Reason.RECIPIENT})


def verdict(lang: str, row: WhyRow) -> str:
    """Say who may see it now, and whether they have it."""
    name = row.recipient.name
    if row.may_see:
        return t(lang, "why.sees_has" if row.has_it else "why.sees_waits", name=name)
    return t(lang, "why.not_had" if row.has_it else "why.not", name=name)


def by_rule(lang: str, row: WhyRow) -> str:
    """Say by which rule not; '' for somebody who may see it."""
    if row.reason is None:
        return ""
    name = row.recipient.name
    if row.reason in _NOTHING_SHARED:
        return t(lang, "why.rule.nothing_shared", name=name)
    detail = _lacking(lang, row)
    if row.reason is Reason.CATEGORY and detail:
        return t(lang, "why.rule.category_named", what=detail)
    if row.reason is Reason.SENSITIVE and detail:
        return t(lang, "why.rule.sensitive_named", what=detail)
    key = f"why.rule.{row.reason}"
    return t(lang, key if has(lang, key) else "why.rule.other", name=name)


def _lacking(lang: str, row: WhyRow) -> str:
    """Name the kinds or subjects that were not switched on."""
    names: list[str] = []
    for miss in row.missing:
        open_ones = set(miss.asked) - set(miss.granted)
        if miss.dimension == "category" and row.reason is Reason.CATEGORY:
            names += [category_name(lang, one) for one in Category if one.value in open_ones]
        if miss.dimension == "sensitivity" and row.reason is Reason.SENSITIVE:
            names += [sensitivity_name(lang, one) for one in Sensitivity if one.value in open_ones]
    return join(map(lower_first, names))
