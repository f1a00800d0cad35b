"""The shapes of a questionnaire, its answers and its scores.

Rules:

1. Texts come per language; ``words(texts, lang)`` gives the asked language, else the questionnaire's own.
2. An answer is a plain value that can be kept as JSON: for a choice the ``key`` of the option, for a whole
   number ``int``, for a decimal number its text with a point, for a date its ISO text, for a tick ``bool``,
   and a tuple or list of these when the question may be answered more than once.
3. ``Answers`` maps link id to answer. A missing entry means not answered; there is no second way to say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Texts: TypeAlias = Mapping[str, str]
Answers: TypeAlias = Mapping[str, object]


class QuestionnaireError(Exception):
    """A Questionnaire we cannot use. ``code`` is stable; ``detail`` is a link id or a rule."""

    def __init__(self, code: str, detail: str = "") -> None:
        """Keep code and detail."""
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail


class QuestionKind(StrEnum):
    """What kind of answer a question takes; ``GROUP`` and ``DISPLAY`` take none."""

    GROUP = "group"
    DISPLAY = "display"
    CHOICE = "choice"
    INTEGER = "integer"
    DECIMAL = "decimal"
    STRING = "string"
    BOOLEAN = "boolean"
    DATE = "date"


class Operator(StrEnum):
    """Source: value set questionnaire-enable-operator, https://hl7.org/fhir/R4/valueset-questionnaire-enable-operator.html."""

    EXISTS = "exists"
    EQUAL = "="
    NOT_EQUAL = "!="
    GREATER = ">"
    LESS = "<"
    GREATER_OR_EQUAL = ">="
    LESS_OR_EQUAL = "<="


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a choice. A draft keeps ``key``; a plain text has neither ``system`` nor ``code``."""

    key: str
    texts: Texts
    system: str = ""
    code: str = ""
    ordinal: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EnableWhen:
    """One condition: the answer to ``question`` compared with ``answer`` (key of an option for codings)."""

    question: str
    operator: Operator
    answer: bool | int | Decimal | str


@dataclass(frozen=True, slots=True)
class Question:
    """One item. ``low`` and ``high`` are the words at the ends of a scale, when it has them."""

    link_id: str
    kind: QuestionKind
    texts: Texts
    required: bool = False
    repeats: bool = False
    multi_line: bool = False
    hidden: bool = False
    options: tuple[Option, ...] = ()
    enable_when: tuple[EnableWhen, ...] = ()
    enable_any: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    max_length: int | None = None
    low: Texts | None = None
    high: Texts | None = None
    items: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """How one score is made: the mean of the named questions, each brought to 0-100.

    ``least`` is how many of them must be answered; ``version`` names the rule as published.
    """

    code: str
    texts: Texts
    questions: tuple[str, ...]
    higher_is_better: bool
    least: int
    version: str


@dataclass(frozen=True, slots=True)
class Score:
    """One score, 0-100. ``answered`` of ``asked`` questions went into it."""

    code: str
    texts: Texts
    value: Decimal
    higher_is_better: bool
    answered: int
    asked: int
    version: str


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """A parsed questionnaire; ``language`` is that of its plain texts, ``languages`` are all it speaks."""

    id: str
    url: str
    version: str
    language: str
    languages: tuple[str, ...]
    titles: Texts
    introductions: Texts
    items: tuple[Question, ...]
    rules: tuple[ScoreRule, ...]
    interval_days: int | None = None

    def walk(self) -> Iterator[Question]:
        """Give every item in order, parents before children."""
        waiting = list(reversed(self.items))
        while waiting:
            item = waiting.pop()
            yield item
            waiting.extend(reversed(item.items))

    def question(self, link_id: str) -> Question | None:
        """Find an item by its link id."""
        return next((item for item in self.walk() if item.link_id == link_id), None)


def words(texts: Texts, lang: str) -> str:
    """Give the text in a language, else in the questionnaire's own, else any; empty when there is none."""
    return texts.get(lang) or texts.get("") or next(iter(texts.values()), "")
