"""The grant in view, in words: what for, what, until when, by which key.

Promises: what stands here comes from the statement the patient signed and from nothing else. It lists what is
shared and never hints at what is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from consent.codes import ANY, AnyOf, Category, Sensitivity
from consent.rules import DatePeriod
from crypto.keys import VerifyKey
from recipient.glass import rules_for
from recipient.holdings import Holding
from recipient.portal.people import soon_words
from recipient.portal.text import catalogue, date_text, instant_words, t


@dataclass(frozen=True, slots=True)
class GrantHead:
    """The grant as the head of a page shows it; ``ends_soon`` says in words that it is about to end."""

    purpose: str
    until: str
    ends_soon: str
    scope: tuple[str, ...]
    sensitive: tuple[str, ...]
    data_period: str
    confirmed: str
    fingerprint: str


def grant_head(holding: Holding, *, purpose: str, lang: str, at: datetime) -> GrantHead:
    """Word the part of the statement in force under which one looks for a purpose."""
    scope = rules_for(holding, purpose)
    purposes = sorted({code for rule in scope for code in rule.purpose or ()})
    until = holding.statement.until_at.astimezone()
    near = (until - at).days < 2
    return GrantHead(
        purpose=", ".join(_word(lang, "purpose", code) for code in purposes),
        until=instant_words(lang, until) if near else date_text(lang, until.date()),
        ends_soon=soon_words(lang, (until.date() - at.astimezone().date()).days),
        scope=_words(lang, "category", (rule.category for rule in scope), order=tuple(Category)),
        sensitive=_words(lang, "sensitivity", (rule.sensitivity for rule in scope), order=tuple(Sensitivity)),
        data_period=_data_period(lang, [rule.data_period for rule in scope]),
        confirmed=instant_words(lang, holding.statement.issued_at),
        fingerprint=VerifyKey.from_text(holding.sub).fingerprint(),
    )


def _words(
    lang: str,
    family: str,
    members: Iterable[frozenset[Category] | frozenset[Sensitivity] | AnyOf | None],
    *,
    order: tuple[Category, ...] | tuple[Sensitivity, ...],
) -> tuple[str, ...]:
    named: set[str] = set()
    for member in members:
        if member == ANY:
            return (t(lang, f"{family}.any"),)
        named.update(str(one) for one in member or ())
    return tuple(t(lang, f"{family}.{one}") for one in order if str(one) in named)


def _data_period(lang: str, periods: list[DatePeriod | None]) -> str:
    """Word the widest span of dates; empty when some rule has no limit."""
    if not periods or any(period is None for period in periods):
        return ""
    firsts = [period.first for period in periods if period]
    lasts = [period.last for period in periods if period]
    first = None if None in firsts else min(one for one in firsts if one)
    last = None if None in lasts else max(one for one in lasts if one)
    if first and last:
        return t(lang, "grant.between", first=date_text(lang, first), last=date_text(lang, last))
    if first:
        return t(lang, "grant.from", first=date_text(lang, first))
    return t(lang, "grant.to", last=date_text(lang, last)) if last else ""


def _word(lang: str, family: str, code: str) -> str:
    return catalogue(lang).get(f"{family}.{code}", code)
