"""Read a FHIR R4 Questionnaire into our own shapes, once.

Rules:

1. Read are: group, display, choice (with its options in the file), integer, decimal, string, text, boolean,
   date; required, repeats, enableWhen with all operators, minValue, maxValue, maxLength, ordinalValue,
   hidden, and the translation extension on every text. An item of another type is refused, because skipping
   it could change the meaning of the answers.
2. A link id may occur once; a condition may only point at a question that exists.
3. Score rules are our own extension (``SCORE_RULE``); a questionnaire without one gets no scores. We never
   invent a score for somebody else's instrument.

Source: https://hl7.org/fhir/R4/questionnaire.html; extensions ordinalValue, translation, minValue, maxValue,
questionnaire-hidden of https://hl7.org/fhir/R4/extensibility-registry.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from crypto.canonical import parse_strict
from crypto.errors import Malformed
from pgo.health.prom.model import (
    EnableWhen,
    Operator,
    Option,
    Question,
    QuestionKind,
    Questionnaire,
    QuestionnaireError,
    ScoreRule,
    Texts,
)
from pgo.health.record.safe import obj, objs, text
from pgo.health.record.words import decimal_of

MAX_BYTES = 5_000_000
MAX_DEPTH = 12
MAX_ITEMS = 2_000

_HL7 = "http://hl7.org/fhir/StructureDefinition/"
ORDINAL = _HL7 + "ordinalValue"
TRANSLATION = _HL7 + "translation"
SCORE_RULE = "urn:pgo:fhir:score-rule"
SCALE_ENDS = "urn:pgo:fhir:scale-ends"
INTERVAL = "urn:pgo:fhir:interval-days"

_KINDS = {
    "group": QuestionKind.GROUP,
    "display": QuestionKind.DISPLAY,
    "choice": QuestionKind.CHOICE,
    "integer": QuestionKind.INTEGER,
    "decimal": QuestionKind.DECIMAL,
    "string": QuestionKind.STRING,
    "text": QuestionKind.STRING,
    "boolean": QuestionKind.BOOLEAN,
    "date": QuestionKind.DATE,
}


def parse_questionnaire(data: bytes) -> Questionnaire:
    """Read a Questionnaire.

    Args:
        data: JSON bytes, untrusted.

    Raises:
        QuestionnaireError: ``not_json``, ``not_a_questionnaire``, ``unsupported_item``,
        ``duplicate_link_id``,
            ``unknown_question``, ``no_options``, ``too_large``, ``bad_score_rule``.
    """
    try:
        body = parse_strict(data, max_bytes=MAX_BYTES)
    except Malformed as exc:
        raise QuestionnaireError("not_json", exc.reason) from exc
    if not isinstance(body, dict) or body.get("resourceType") != "Questionnaire":
        raise QuestionnaireError("not_a_questionnaire", "resourceType")
    language = text(body, "language")
    reader = _Reader(body, language)
    items = tuple(reader.item(raw, 1) for raw in objs(body, "item"))
    found = Questionnaire(
        id=text(body, "id"),
        url=text(body, "url"),
        version=text(body, "version"),
        language=language,
        languages=(),
        titles=reader.texts(body, "title"),
        introductions=reader.texts(body, "description"),
        items=items,
        rules=tuple(_rule(raw, reader) for raw in _extensions(body, SCORE_RULE)),
        interval_days=_whole(next(iter(_extensions(body, INTERVAL)), {}).get("valuePositiveInt")),
    )
    _check(found)
    return replace(found, languages=tuple(reader.seen))


class _Reader:
    """Reads items; remembers the languages seen and how many items there were."""

    def __init__(self, body: Mapping[str, Any], language: str) -> None:
        self._body = body
        self._language = language
        self._count = 0
        self.seen: list[str] = [language] if language else []

    def texts(self, holder: Mapping[str, Any], name: str) -> Texts:
        """Give a text element in all languages; the questionnaire's own also under the empty key."""
        own = text(holder, name)
        found = {"": own, self._language: own} if own else {}
        return {**found, **self._translations(_extensions(obj(holder, f"_{name}"), TRANSLATION))}

    def spoken(self, holder: Mapping[str, Any], url: str) -> Texts:
        """Give the texts of our own extensions: one part per language, each with ``lang`` and ``content``."""
        found = self._translations(_extensions(holder, url))
        own = found.get(self._language)
        return {"": own, **found} if own else found

    def _translations(self, parts: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        found = {}
        for part in parts:
            lang = text(_part(part, "lang"), "valueCode")
            content = _part(part, "content")
            words = text(content, "valueString") or text(content, "valueMarkdown")
            if lang and words:
                found[lang] = words
                if lang not in self.seen:
                    self.seen.append(lang)
        return found

    def item(self, raw: Mapping[str, Any], depth: int) -> Question:
        """Read one item with everything below it."""
        self._count += 1
        link_id, kind = text(raw, "linkId"), _KINDS.get(text(raw, "type"))
        if depth > MAX_DEPTH or self._count > MAX_ITEMS:
            raise QuestionnaireError("too_large", link_id)
        if not link_id or kind is None:
            raise QuestionnaireError("unsupported_item", link_id)
        ends = next(iter(_extensions(raw, SCALE_ENDS)), None)
        return Question(
            link_id=link_id,
            kind=kind,
            texts=self.texts(raw, "text"),
            required=raw.get("required") is True,
            repeats=raw.get("repeats") is True,
            multi_line=text(raw, "type") == "text",
            hidden=any(
                e.get("valueBoolean") is True for e in _extensions(raw, _HL7 + "questionnaire-hidden")
            ),
            options=self._options(raw, link_id) if kind is QuestionKind.CHOICE else (),
            enable_when=tuple(_condition(condition, link_id) for condition in objs(raw, "enableWhen")),
            enable_any=text(raw, "enableBehavior") == "any",
            minimum=_bound(raw, "minValue"),
            maximum=_bound(raw, "maxValue"),
            max_length=_whole(raw.get("maxLength")),
            low=self.spoken(ends, "low") if ends else None,
            high=self.spoken(ends, "high") if ends else None,
            items=tuple(self.item(inner, depth + 1) for inner in objs(raw, "item")),
        )

    def _options(self, raw: Mapping[str, Any], link_id: str) -> tuple[Option, ...]:
        options = [self._option(option) for option in objs(raw, "answerOption")]
        if not options:
            options = [self._coded(coding, coding) for coding in self._contained_codings(raw)]
        found = tuple(option for option in options if option is not None)
        if not found or len({option.key for option in found}) != len(found):
            raise QuestionnaireError("no_options", link_id)
        return found

    def _option(self, raw: Mapping[str, Any]) -> Option | None:
        coding = obj(raw, "valueCoding")
        if coding:
            return self._coded(coding, raw)
        plain = raw.get("valueInteger", raw.get("valueString", raw.get("valueDate")))
        if isinstance(plain, bool) or not isinstance(plain, int | str):
            return None
        own = self.texts(raw, "valueString") or {"": str(plain)}
        return Option(str(plain), own, ordinal=_ordinal(raw))

    def _coded(self, coding: Mapping[str, Any], holder: Mapping[str, Any]) -> Option | None:
        system, code = text(coding, "system"), text(coding, "code")
        own = self.texts(coding, "display") or {"": code}
        if not code and not own[""]:
            return None
        ordinal = _ordinal(coding)
        key = option_key(system, code or own[""])
        return Option(key, own, system, code, ordinal if ordinal is not None else _ordinal(holder))

    def _contained_codings(self, raw: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        """Give the codings of a value set that travels inside the file; others are not fetched."""
        address = text(raw, "answerValueSet")
        for contained in objs(self._body, "contained"):
            if address == f"#{text(contained, 'id')}":
                for include in objs(contained, "compose", "include"):
                    for concept in objs(include, "concept"):
                        yield {"system": text(include, "system"), **concept}


def option_key(system: str, code: str) -> str:
    """Name an option: ``system|code``, or the code alone when there is no system."""
    return f"{system}|{code}" if system else code


def _condition(raw: Mapping[str, Any], link_id: str) -> EnableWhen:
    try:
        operator = Operator(text(raw, "operator"))
    except ValueError:
        raise QuestionnaireError("unsupported_item", link_id) from None
    for name, value in raw.items():
        if name.startswith("answer"):
            return EnableWhen(text(raw, "question"), operator, _condition_value(value, link_id))
    raise QuestionnaireError("unsupported_item", link_id)


def _condition_value(value: object, link_id: str) -> bool | int | Decimal | str:
    if isinstance(value, bool | int | Decimal | str):
        return value
    if isinstance(value, Mapping):
        if text(value, "code"):
            return option_key(text(value, "system"), text(value, "code"))
        number = decimal_of(value.get("value"))
        if number is not None:
            return number
    raise QuestionnaireError("unsupported_item", link_id)


def _rule(raw: Mapping[str, Any], reader: _Reader) -> ScoreRule:
    parts = objs(raw, "extension")
    questions = tuple(text(part, "valueString") for part in parts if text(part, "url") == "question")
    least = _whole(_part(raw, "least").get("valuePositiveInt"))
    code, version = text(_part(raw, "code"), "valueCode"), text(_part(raw, "version"), "valueString")
    better = _part(raw, "higher-is-better").get("valueBoolean")
    if not (questions and least and code and version and isinstance(better, bool)):
        raise QuestionnaireError("bad_score_rule", code)
    return ScoreRule(code, reader.spoken(raw, "title"), questions, better, least, version)


def _check(questionnaire: Questionnaire) -> None:
    known: set[str] = set()
    for item in questionnaire.walk():
        if item.link_id in known:
            raise QuestionnaireError("duplicate_link_id", item.link_id)
        known.add(item.link_id)
    for item in questionnaire.walk():
        for condition in item.enable_when:
            if condition.question not in known:
                raise QuestionnaireError("unknown_question", item.link_id)
    for rule in questionnaire.rules:
        if not known.issuperset(rule.questions):
            raise QuestionnaireError("bad_score_rule", rule.code)


def _extensions(holder: Mapping[str, Any], url: str) -> list[Mapping[str, Any]]:
    return [item for item in objs(holder, "extension") if text(item, "url") == url]


def _part(holder: Mapping[str, Any] | None, url: str) -> Mapping[str, Any]:
    return next(iter(_extensions(holder, url)), {}) if holder else {}


def _ordinal(holder: Mapping[str, Any]) -> Decimal | None:
    return decimal_of(next(iter(_extensions(holder, ORDINAL)), {}).get("valueDecimal"))


def _bound(raw: Mapping[str, Any], name: str) -> Decimal | None:
    for item in _extensions(raw, _HL7 + name):
        for key in ("valueInteger", "valueDecimal"):
            if (number := decimal_of(item.get(key))) is not None:
                return number
    return None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
