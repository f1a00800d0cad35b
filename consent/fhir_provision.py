"""Read the limits of one R4 `Consent.provision` as a rule, with every doubt on the way.

1. An element we know becomes a member of the rule. What a permit would lose or gain by our reading is
   a doubt; a deny loses the limit it could not state, so it withholds more.
2. A recipient is an actor in role IRCP or PRCP that carries an identifier we know. A bare reference
   names nobody outside the system it came from.
3. `class` lists resource types. A category is permitted when all its types are listed and no other
   type is; it is denied when any is.
4. No `action` in a permit means every action, so looking and copying are inside both readings.
5. A FHIR Period includes its end; ours excludes it.
6. Our own extension is taken at its word only when the elements beside it say the same.

Sources: FHIR R4 Consent and its value sets; Dutch identifiers of https://simplifier.net/nictiznlcore
(NamingSystem ura, big, agb-z, uzi-nr-pers); guide consent.md sections 1.1 and 4.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, cast

from consent.codes import ANY, PURPOSES, Action, AnyOf, Category, Deidentification, Effect, Sensitivity
from consent.dates import parse_fhir_date
from consent.errors import ConsentError, InvalidDocument, UnknownCode
from consent.fhir import LIMITS_URL, limits_of
from consent.record_json import read_object
from consent.rule_json import rule_from_json
from consent.rules import ActorRef, DatePeriod, Period, Rule
from consent.sensitive_codes import read_labels
from consent.type_table import TYPES

_MAX_EXTENSION_BYTES: Final = 64 * 1024


class Doubt(StrEnum):
    """Why a person must look; a closed list, with a text of its own for each."""

    ACTION = "action"
    ACTOR_ROLE = "actor-role"
    BAD_SHAPE = "bad-shape"
    CHILD_LIKE_ROOT = "child-like-root"
    CHILD_WITHOUT_TYPE = "child-without-type"
    CLASS = "class"
    CODE = "code"
    DATA = "data"
    DENY_WITH_PERMITS = "deny-with-permits"
    LABEL = "label"
    LIMITS_DIFFER = "limits-differ"
    MODIFIER = "modifier"
    NESTED = "nested"
    NO_PERIOD = "no-period"
    NO_PROVISION = "no-provision"
    NO_PURPOSE = "no-purpose"
    NO_RECIPIENT = "no-recipient"
    NOTHING_READ = "nothing-read"
    NOT_ACTIVE = "not-active"
    NOT_COMPLETE = "not-complete"
    NOT_R4 = "not-r4"
    PURPOSE = "purpose"
    RESEARCH_NOT_DELIMITED = "research-not-delimited"
    ROOT_WITHOUT_TYPE = "root-without-type"


_RECIPIENT_ROLES: Final = frozenset({"IRCP", "PRCP"})
# consentaction codes; `disclose` may be a delivery or a passing on, so a permit takes the narrower.
_ACTIONS: Final = {
    "access": frozenset({Action.VIEW}),
    "collect": frozenset({Action.COPY}),
    "use": frozenset({Action.REUSE}),
    "disclose": frozenset({Action.EXTRACT}),
    "correct": frozenset({Action.WRITE}),
}
_EVERY_READING: Final = frozenset({Action.VIEW, Action.COPY})
_NAMED_BY: Final = {
    "http://fhir.nl/fhir/NamingSystem/ura": ("org", "ura"),
    "http://fhir.nl/fhir/NamingSystem/big": ("person", "big"),
    "http://fhir.nl/fhir/NamingSystem/uzi-nr-pers": ("person", "uzi"),
}
_AGB: Final = "http://fhir.nl/fhir/NamingSystem/agb-z"
_OUR_ACTOR: Final = "urn:pgo:actor:"
_KNOWN: Final = frozenset(
    {"id", "extension", "type", "period", "actor", "action", "securityLabel", "purpose", "class", "code"}
    | {"dataPeriod", "data", "provision", "modifierExtension"}
)


@dataclass(slots=True)
class Reading:
    """A rule read from a provision, and what is doubtful about it."""

    rule: Rule
    doubts: set[Doubt] = field(default_factory=set)


def is_ours(provision: Mapping[str, object]) -> bool:
    """Say whether the provision carries the extension of our own export."""
    return _our_extension(provision) is not None


def read_provision(provision: Mapping[str, object], effect: Effect) -> Reading:
    """Read one provision without its children.

    Args:
        provision: untrusted.
        effect: how it is to be read; a permit loses what is in doubt, a deny its limit.
    """
    text = _our_extension(provision)
    if text is not None:
        return _own_rule(provision, text, effect)
    reading = Reading(Rule(effect=effect))
    if provision.get("modifierExtension") or not provision.keys() <= _KNOWN:
        reading.doubts.add(Doubt.MODIFIER)
    reading.rule = Rule(
        effect=effect,
        actor=_actors(provision, reading),
        purpose=_purposes(provision, reading),
        action=_actions(provision, reading),
        category=_categories(provision, reading),
        code=_codes(provision, reading),
        data_period=_data_period(provision, reading),
        **_labels(provision, reading),
        **_data(provision, reading),
    )
    if effect is Effect.PERMIT:
        reading.rule = replace(reading.rule, deidentification=Deidentification.NONE)
    return reading


def provision_period(provision: Mapping[str, object]) -> Period | None:
    """Read when a Consent works; None when a side is missing or cannot be read."""
    value = provision.get("period")
    if not isinstance(value, Mapping):
        return None
    try:
        start, end = _instant(value.get("start"), after=False), _instant(value.get("end"), after=True)
        return Period(start, end)
    except (ConsentError, OverflowError):
        return None


def _instant(value: object, *, after: bool) -> datetime:
    """Read a FHIR date or dateTime as the instant it begins, or the one after it ends."""
    if not isinstance(value, str):
        raise InvalidDocument("not_a_date")
    days = parse_fhir_date(value)
    if "T" in value:
        try:
            at = datetime.fromisoformat(value)
        except ValueError as exc:
            raise InvalidDocument("not_a_date") from exc
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return (at + timedelta(seconds=1) if after else at).astimezone(UTC)
    day = cast("date", days.last if after else days.first)  # what was read has both ends
    return datetime.combine(day + timedelta(days=1) if after else day, time(), UTC)


def _our_extension(provision: Mapping[str, object]) -> str | None:
    extensions = provision.get("modifierExtension")
    if isinstance(extensions, list) and len(extensions) == 1 and isinstance(extensions[0], Mapping):
        text = extensions[0].get("valueString")
        if extensions[0].get("url") == LIMITS_URL and isinstance(text, str):
            return text
    return None


def _own_rule(provision: Mapping[str, object], text: str, effect: Effect) -> Reading:
    """Take our own words back, when the elements say the same."""
    try:
        rule = rule_from_json(read_object(text.encode("utf-8"), max_bytes=_MAX_EXTENSION_BYTES))
        beside = {k: v for k, v in provision.items() if k not in ("type", "period", "provision")}
        if rule.effect is effect and not rule.unknown and limits_of(rule) == beside:
            return Reading(rule)
    except (ConsentError, UnicodeEncodeError):
        pass
    return Reading(Rule(effect=effect), {Doubt.LIMITS_DIFFER})


def _actors(provision: Mapping[str, object], reading: Reading) -> frozenset[ActorRef] | None:
    if "actor" not in provision:
        return None
    found: set[ActorRef] = set()
    for actor in _objects(provision, "actor", reading):
        roles = {code for _, code in codings(actor.get("role"))}
        ref = _actor_ref(actor.get("reference"))
        if roles.isdisjoint(_RECIPIENT_ROLES):
            reading.doubts.add(Doubt.ACTOR_ROLE)
        elif ref is None:
            reading.doubts.add(Doubt.NO_RECIPIENT)
        else:
            found.add(ref)
    return frozenset(found) or None


def _actor_ref(reference: object) -> ActorRef | None:
    identifier = reference.get("identifier") if isinstance(reference, Mapping) else None
    if not isinstance(reference, Mapping) or not isinstance(identifier, Mapping):
        return None
    system, value = identifier.get("system"), identifier.get("value")
    if not isinstance(system, str) or not isinstance(value, str) or not value:
        return None
    try:
        if system.startswith(_OUR_ACTOR):
            return ActorRef(system.removeprefix(_OUR_ACTOR), value)
        if system == _AGB:
            kind = {"Organization": "org", "Practitioner": "person"}.get(str(reference.get("type")))
            return None if kind is None else ActorRef(kind, f"agb:{value}")
    except UnknownCode:
        return None
    kind_and_prefix = _NAMED_BY.get(system)
    return None if kind_and_prefix is None else ActorRef(kind_and_prefix[0], f"{kind_and_prefix[1]}:{value}")


def _purposes(provision: Mapping[str, object], reading: Reading) -> frozenset[str] | None:
    if "purpose" not in provision:
        return None
    codes = _code_texts(provision, "purpose", reading)
    known = codes & PURPOSES
    if len(known) < len(codes):
        reading.doubts.add(Doubt.PURPOSE)
        return known or None if reading.rule.effect is Effect.PERMIT else None
    return known or None


def _actions(provision: Mapping[str, object], reading: Reading) -> frozenset[Action] | None:
    permit = reading.rule.effect is Effect.PERMIT
    if "action" not in provision:
        return _EVERY_READING if permit else None
    codes = {code for concept in _objects(provision, "action", reading) for _, code in codings(concept)}
    if not codes or not codes <= _ACTIONS.keys():
        reading.doubts.add(Doubt.ACTION)
        return None
    found = frozenset[Action]().union(*(_ACTIONS[code] for code in codes))
    return found if permit or "disclose" not in codes else found | {Action.RESHARE}


def _categories(provision: Mapping[str, object], reading: Reading) -> frozenset[Category] | AnyOf | None:
    permit = reading.rule.effect is Effect.PERMIT
    if "class" not in provision:
        return ANY if permit else None
    types = _code_texts(provision, "class", reading)
    if not permit:
        touched = frozenset(c for name in types for c in TYPES.get(name, frozenset()))
        if types <= TYPES.keys():
            return touched or None
        reading.doubts.add(Doubt.CLASS)
        return None
    whole = frozenset(c for c in Category if (of := _types_of(c)) and of <= types)
    said = frozenset[str]().union(*(_types_of(category) for category in whole))
    if said != types:
        reading.doubts.add(Doubt.CLASS)
    return whole or None


def _types_of(category: Category) -> frozenset[str]:
    return frozenset(name for name, found in TYPES.items() if category in found)


def _codes(provision: Mapping[str, object], reading: Reading) -> frozenset[str] | None:
    if "code" not in provision:
        return None
    found: set[str] = set()
    for concept in _objects(provision, "code", reading):
        named = {f"{system}|{code}" for system, code in codings(concept) if system}
        if not named:
            reading.doubts.add(Doubt.CODE)
        found |= named
    if Doubt.CODE in reading.doubts and reading.rule.effect is Effect.DENY:
        return None
    return frozenset(found) or None


def _labels(provision: Mapping[str, object], reading: Reading) -> dict[str, Any]:
    """A permit opts in to the clusters it names; a deny strikes them."""
    permit = reading.rule.effect is Effect.PERMIT
    if "securityLabel" not in provision:
        return {"sensitivity": frozenset[Sensitivity]()} if permit else {}
    codes = _code_texts(provision, "securityLabel", reading)
    named, unread = read_labels(code.upper() for code in codes)
    if unread:
        reading.doubts.add(Doubt.LABEL)
    if permit:
        return {"sensitivity": named}
    return {"security_label": named} if named and not unread else {}


def _data_period(provision: Mapping[str, object], reading: Reading) -> DatePeriod | None:
    value = provision.get("dataPeriod")
    if value is None:
        return None
    try:
        if not isinstance(value, Mapping) or not value.keys() <= {"start", "end", "id"}:
            raise InvalidDocument("data_period")
        start, end = _day(value.get("start"), last=False), _day(value.get("end"), last=True)
        return DatePeriod(start, end)
    except ConsentError:
        reading.doubts.add(Doubt.BAD_SHAPE)
        return None


def _day(value: object, *, last: bool) -> date | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidDocument("not_a_date")
    days = parse_fhir_date(value)
    return days.last if last else days.first


def _data(provision: Mapping[str, object], reading: Reading) -> dict[str, Any]:
    members: dict[str, set[str]] = {}
    for data in _objects(provision, "data", reading) if "data" in provision else ():
        reference = data.get("reference")
        text = reference.get("reference") if isinstance(reference, Mapping) else None
        member = {"instance": "instance", "authoredby": "author"}.get(str(data.get("meaning")))
        if member is None or not isinstance(text, str) or not text:
            reading.doubts.add(Doubt.DATA)
        else:
            members.setdefault(member, set()).add(text)
    if Doubt.DATA in reading.doubts and reading.rule.effect is Effect.DENY:
        return {}
    return {name: frozenset(values) for name, values in members.items()}


def _objects(value: Mapping[str, object], name: str, reading: Reading) -> list[Mapping[str, object]]:
    found = value.get(name)
    items = found if isinstance(found, list) else [found]
    objects = [item for item in items if isinstance(item, Mapping)]
    if len(objects) < len(items) or not isinstance(found, list):
        reading.doubts.add(Doubt.BAD_SHAPE)
    return objects


def _code_texts(value: Mapping[str, object], name: str, reading: Reading) -> frozenset[str]:
    """Codes of a list of Codings; one without a code is "?", which no list knows."""
    codes = [coding.get("code") for coding in _objects(value, name, reading)]
    return frozenset(code if isinstance(code, str) else "?" for code in codes)


def codings(concept: object) -> Iterator[tuple[str, str]]:
    """Yield system and code of every coding of a CodeableConcept; the system may be empty."""
    found = concept.get("coding") if isinstance(concept, Mapping) else None
    for coding in found if isinstance(found, list) else ():
        code = coding.get("code") if isinstance(coding, Mapping) else None
        if isinstance(code, str):
            system = coding.get("system")
            yield (system if isinstance(system, str) else ""), code
