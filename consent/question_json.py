"""Read questions from JSON, one per line: who asks what, for which purpose, about which resource.

1. The text "?" says that a fact is unknown; it may stand for a whole member or beside known values.
   A fact that is left out is unknown too. Unknown facts only ever lead to less.
2. An empty list says "known, and there is none": an actor without organisation, a resource in no
   sensitive cluster. Where nothing known is no answer (codes, dates, authors) it counts as unknown.
3. A resource is either a FHIR resource, classified here, or the facts themselves.
4. Everything else is refused: unknown members, wrong types, codes outside the closed lists.

The format is described member by member in docs/consent-format.md; this module is its only reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, TypeVar

from consent.classify import classify
from consent.codes import Action, ActorKind, Category, Sensitivity
from consent.dates import DateInterval, parse_fhir_date, parse_instant
from consent.decision import Question
from consent.errors import InvalidDocument, UnknownCode
from consent.facts import ResourceFacts
from consent.record_json import read_object
from consent.research import OPT_INS, Study
from consent.rules import ActorRef
from consent.sensitive_codes import read_labels
from consent.study_json import study_from_json
from consent.type_table import ALL_CATEGORIES

E = TypeVar("E", bound=Enum)

UNKNOWN: Final = "?"
NONE: Final = "-"
MAX_QUESTION_BYTES: Final = 1024 * 1024
MAX_ITEMS: Final = 1000
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MEMBERS: Final = frozenset({"at", "known_as_of", "actor", "purpose", "action", "resource", "research"})
_ACTOR_LISTS: Final = frozenset(kind.value for kind in ActorKind if kind is not ActorKind.TREATING_ROLE)
_CLUSTERS: Final = frozenset(cluster.value for cluster in Sensitivity)
_FACTS: Final = frozenset({"category", "security_label", "code", "time", "author", "instance", "encounter"})
_STUDY_FLAGS: Final = (*OPT_INS, "nonprofit", "ethics")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the moment it is asked for, and up to when the log is known (None: all of it)."""

    at: datetime
    question: Question
    known_as_of: datetime | None = None


def parse_question(line: bytes) -> Asked:
    """Read one line of a question file, untrusted.

    Raises:
        InvalidDocument: not strict JSON, not an object of this shape.
        UnknownCode: an action, category or actor kind outside the closed lists.
    """
    value = read_object(line, max_bytes=MAX_QUESTION_BYTES)
    _only(value, _MEMBERS, "question")
    if "resource" not in value:
        raise InvalidDocument("without_resource")
    purpose, unsure = _texts(value, "purpose")
    action, any_action = _texts(value, "action")
    question = Question(
        actor=_actor(value.get("actor", UNKNOWN)),
        # A purpose that may be more than is said is not known; the engine says so by the empty set.
        purpose=frozenset() if unsure else purpose,
        action=frozenset() if any_action else _each(action, Action, "action"),
        facts=resource_facts(value["resource"]),
        study=_study(value["research"]) if "research" in value else None,
    )
    known = parse_moment(value["known_as_of"]) if "known_as_of" in value else None
    return Asked(parse_moment(value.get("at")), question, known)


def parse_moment(value: object) -> datetime:
    """Read an instant; a plain day is its first instant in UTC.

    Raises:
        InvalidDocument: neither.
    """
    if isinstance(value, str) and _DAY.fullmatch(value):
        return parse_instant(f"{value}T00:00:00Z")
    return parse_instant(value)


def _actor(value: object) -> frozenset[ActorRef]:
    """Read who asks. A kind left out is unsaid; "?" and the empty list are said by name."""
    if value == UNKNOWN:
        return frozenset(ActorRef(kind, UNKNOWN) for kind in ActorKind)
    said = _mapping(value, "actor")
    _only(said, _ACTOR_LISTS | {"role", "treating"}, "actor")
    found: set[ActorRef] = set()
    for kind in sorted(_ACTOR_LISTS & said.keys()):
        names, unsure = _texts(said, kind)
        found |= {ActorRef(kind, name) for name in names}
        if unsure or not names:
            found.add(ActorRef(kind, UNKNOWN if unsure else NONE))
    return frozenset(found | _treating(said))


def _treating(said: Mapping[str, object]) -> set[ActorRef]:
    """Read role and treatment relationship: a rule on a treating role needs both."""
    kind = ActorKind.TREATING_ROLE
    treating = said.get("treating", UNKNOWN)
    if treating != UNKNOWN and not isinstance(treating, bool):
        raise InvalidDocument("treating")
    if treating is False:
        return {ActorRef(kind, NONE)}
    if "role" not in said:
        return set()
    roles, unsure = _texts(said, "role")
    found = {ActorRef(kind, name) for name in roles} if treating is True else set()
    if unsure or treating is not True:
        return found | {ActorRef(kind, UNKNOWN)}
    return found or {ActorRef(kind, NONE)}


def resource_facts(value: object) -> ResourceFacts:
    """Read a resource: FHIR when it says `resourceType`, else its facts, else "?".

    Raises:
        InvalidDocument: none of these.
        UnknownCode: a category outside the closed list.
    """
    if value == UNKNOWN:
        value = {}
    facts = _mapping(value, "resource")
    if "resourceType" in facts:
        return classify(facts)
    _only(facts, _FACTS, "resource")
    names, unsure = _texts(facts, "category")
    categories = _each(names, Category, "category")
    labels, unread = _texts(facts, "security_label")
    named = frozenset(Sensitivity(label) for label in labels & _CLUSTERS)
    clusters, unnamed = read_labels(labels - _CLUSTERS)
    codes, other = _texts(facts, "code")
    return ResourceFacts(
        resource_type="",
        reference=_instance(facts.get("instance", UNKNOWN)),
        categories=categories,
        possible_categories=ALL_CATEGORIES - categories if unsure else frozenset(),
        sensitivity=named | clusters,
        sensitivity_unknown=unread or unnamed,
        # "?" beside known codes stands for a code of no known family, which is MAYBE to every rule.
        codes=codes | {UNKNOWN} if other and codes else codes,
        dates=_dates(facts.get("time", UNKNOWN)),
        author=_known(facts, "author"),
        encounter=_known(facts, "encounter"),
    )


def _known(facts: Mapping[str, object], name: str) -> frozenset[str]:
    names, unsure = _texts(facts, name)
    return frozenset() if unsure else names


def _instance(value: object) -> str | None:
    if value == UNKNOWN:
        return None
    if not isinstance(value, str) or not value:
        raise InvalidDocument("instance")
    return value


def _dates(value: object) -> tuple[DateInterval, ...]:
    """Read the days the clinical date may lie on: one FHIR date, or [first, last] with open sides."""
    if value == UNKNOWN:
        return ()
    pair = value if isinstance(value, list) else [value, value]
    if len(pair) != 2:
        raise InvalidDocument("time")
    sides = [None if side in (None, UNKNOWN) else _interval(side) for side in pair]
    first = None if sides[0] is None else sides[0].first
    last = None if sides[1] is None else sides[1].last
    if first is not None and last is not None and first > last:
        raise InvalidDocument("time")
    return () if first is None and last is None else (DateInterval(first, last),)


def _interval(value: object) -> DateInterval:
    if not isinstance(value, str):
        raise InvalidDocument("time")
    return parse_fhir_date(value)


def _study(value: object) -> Study:
    """Read what a study says of itself; topics and region may be one text or a list."""
    if value == UNKNOWN:
        value = dict.fromkeys(("topics", "region", *_STUDY_FLAGS), UNKNOWN)
    said = _mapping(value, "research")
    _only(said, frozenset({"topics", "region", *_STUDY_FLAGS}), "research")
    study = {name: said[name] for name in _STUDY_FLAGS if name in said}
    for name, member in (("topics", "topics"), ("region", "regions")):
        if name in said:
            known, unsure = _texts(said, name)
            study[member] = UNKNOWN if unsure else sorted(known)
    return study_from_json(study)


def _texts(value: Mapping[str, object], name: str) -> tuple[frozenset[str], bool]:
    """Read a text or list of texts; gives what is known and whether more may hold."""
    found = value.get(name, UNKNOWN)
    items = found if isinstance(found, list) else [found]
    if len(items) > MAX_ITEMS or not all(isinstance(item, str) and item for item in items):
        raise InvalidDocument(name)
    known = frozenset(str(item) for item in items)
    return known - {UNKNOWN}, UNKNOWN in known


def _each(names: frozenset[str], read: Callable[[str], E], name: str) -> frozenset[E]:
    try:
        return frozenset(read(text) for text in names)
    except ValueError as exc:
        raise UnknownCode(name) from exc


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidDocument(name)
    return value


def _only(value: Mapping[str, object], known: frozenset[str], name: str) -> None:
    if not value.keys() <= known:
        raise InvalidDocument(f"unknown_member_{name}")
