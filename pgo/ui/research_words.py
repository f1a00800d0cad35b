"""What a grant for research, or one with limits asked for, means in plain words.

Rules:

1. A topic is named by the narrowest group this app has words for; a code that is only part of that group is
   named as such, with its code. The words are ours; the groups are ranges of ICD-10 and ATC.
2. Every use that is opted in by itself is said: those given, and those not given.
3. What leaves the vault for research is said before the signature, and what that cannot prevent as well.

It imports no Flet: the words are tested without a screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from consent.codes import Action
from consent.research import CONDITIONS, OPT_INS, ResearchUse
from consent.topics import inside
from consent.tri import YES
from pgo.ui.text import catalogue, fmt_date, t
from pgo.usecases.choices import ShareChoice

USES: Final = (*OPT_INS, Action.RECONTACT.value)
"""Uses of research that each need a yes of their own, in the order they are shown."""

_ATC: Final = "http://www.whocc.no/atc|"
_GROUP: Final = "topic."
_ATC_GROUP: Final = "topic.atc."


@lru_cache(maxsize=1024)
def topic_name(lang: str, topic: str) -> str:
    """Name a topic or a code: "diabetes", "part of: diabetes (code E11)", "something with the code X"."""
    code = topic.rpartition("|")[2]
    around = [(key, group) for key, group in _groups(lang) if inside(topic, group) == YES]
    if not around:
        return t(lang, "topic.unknown", code=code)
    key, group = next((pair for pair in around if _is_narrowest(pair[1], around)), around[0])
    what = t(lang, key)
    return what if inside(group, topic) == YES else t(lang, "topic.part", what=what, code=code)


def _groups(lang: str) -> Iterable[tuple[str, str]]:
    """Key of a text and the group it names."""
    for key in catalogue(lang):
        if key.startswith(_ATC_GROUP):
            yield key, _ATC + key.removeprefix(_ATC_GROUP)
        elif key.startswith(_GROUP) and key[len(_GROUP)].isupper():
            yield f"topic.{key.removeprefix(_GROUP)}", key.removeprefix(_GROUP)


def _is_narrowest(group: str, around: Iterable[tuple[str, str]]) -> bool:
    return all(inside(group, other) == YES for _, other in around)


def topic_names(lang: str, topics: Iterable[str]) -> str:
    """Write a list of topics."""
    return "; ".join(sorted(topic_name(lang, topic) for topic in topics))


def use_name(lang: str, name: str) -> str:
    """Name one use of research."""
    return t(lang, f"use.{name}")


def upper_first(text: str) -> str:
    """As a label that stands by itself."""
    return text[:1].upper() + text[1:]


def who_sentence(lang: str, choice: ShareChoice, *, name: str) -> str:
    """Say who gets something and what they may do with it."""
    if choice.is_research:
        return t(lang, "share.say.who_research", name=name)
    return t(lang, "share.say.who_copy" if Action.COPY in choice.actions else "share.say.who", name=name)


def limit_sentences(lang: str, choice: ShareChoice) -> tuple[str, ...]:
    """Say what the data must be about, and everything a grant says of research."""
    lines: list[str] = []
    if choice.codes:
        lines.append(t(lang, "share.say.codes", list=topic_names(lang, choice.codes)))
    if choice.is_research:
        lines += [*_research(lang, choice, choice.research or ResearchUse())]
        lines += [t(lang, "share.say.unnamed_data"), t(lang, "share.say.rare")]
    return tuple(lines)


def _research(lang: str, choice: ShareChoice, use: ResearchUse) -> Iterable[str]:
    if use.topics:
        yield t(lang, "share.say.about", list=topic_names(lang, use.topics))
    given = [name for name in OPT_INS if getattr(use, name)]
    given += [Action.RECONTACT.value] if Action.RECONTACT in choice.actions else []
    rest = [name for name in USES if name not in given]
    if not given:
        yield t(lang, "share.say.uses_none")
    else:
        yield t(lang, "share.say.uses", list=_names(lang, given))
        if rest:
            yield t(lang, "share.say.uses_rest", list=_names(lang, rest))
    conditions = [name for name in CONDITIONS if getattr(use, name)]
    if conditions:
        yield t(lang, "share.say.conditions", list=_names(lang, conditions))
    if use.regions:
        yield t(lang, "share.say.regions", list="; ".join(sorted(use.regions)))
    if use.moratorium is not None:
        yield t(lang, "share.say.moratorium", date=fmt_date(lang, use.moratorium))
    if use.return_results:
        yield t(lang, "share.say.results")


def _names(lang: str, names: Iterable[str]) -> str:
    return "; ".join(use_name(lang, name) for name in names)
