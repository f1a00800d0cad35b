"""Read an R4 Consent of another program: what it would become here, for a person to look at.

Nothing here is a working grant; a person signs one after reading it. Published Consents disagree on
what they mean, so what counts is what no reading contradicts:

1. A treatment or advance directive (scope treatment or adr) says what care somebody wants. It is
   clinical data, never policy: `Directive`.
2. Permits are what both readings permit, denies are what either denies. The readings: a child's own
   `type` counts (R4), or polarity turns round at each level (IHE PCF 1.1, appendix P).
3. `Proposal`: complete and unambiguous. `Review`: everything else, with the reasons and with the denies
   that either reading holds. A Review has no permits.
4. Our own export (`consent.fhir`) comes back as the rules it was made from, if its elements say the
   same as its extension.
5. The MII broad consent has a root deny that means "closed unless opened", no objection; its permits
   are policy codes for research by nobody in particular, so it is a Review, which shows each policy with
   its own period (`consent.fhir_mii`).

Never raises for odd content. Sources: FHIR R4 Consent (https://hl7.org/fhir/R4/consent.html); IHE
ITI PCF 1.1; MII Kerndatensatz module Consent; Nictiz zib2020 nl-core-TreatmentDirective2 and
-AdvanceDirective2; guide consent.md sections 1.1 and 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from consent.classify import classify
from consent.codes import Category, Effect
from consent.dates import instant_text
from consent.errors import ConsentError
from consent.fhir_mii import Policy, is_mii, policies_to_json, read_policies
from consent.fhir_provision import Doubt, codings, is_ours, provision_period, read_provision
from consent.rule_json import rule_to_json
from consent.rules import Period, Rule, check_rule, is_research
from crypto.canonical import JsonValue

_SCOPES_OF_CARE = frozenset({"treatment", "adr"})
_MII = "kerndatensatz", "medizininformatik-initiative.de/fhir/modul-consent"


class Dialect(StrEnum):
    """Whose Consent this looks like."""

    OURS = "ours"
    PCF = "ihe-pcf"
    MII = "mii-broad-consent"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Directive:
    """A wish about care: it goes to the record, not to the rules."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Rules that no reading contradicts. Signing them is up to the person."""

    dialect: Dialect
    rules: tuple[Rule, ...]
    period: Period


@dataclass(frozen=True, slots=True)
class Review:
    """Not clear enough to offer for signing.

    Attributes:
        dialect: whose Consent this looks like.
        doubts: every reason, sorted.
        denies: what some reading withholds; a person may choose to keep it.
        policies: of a broad consent, every policy somebody answered.
    """

    dialect: Dialect
    doubts: tuple[Doubt, ...]
    denies: tuple[Rule, ...]
    policies: tuple[Policy, ...] = ()


Outcome: TypeAlias = Directive | Proposal | Review


def import_consent(consent: Mapping[str, object]) -> Outcome:
    """Say what one Consent resource would become.

    Args:
        consent: an R4 Consent as read from JSON, untrusted.
    """
    if _is_directive(consent):
        return Directive()
    dialect = _dialect(consent)
    doubts = _doubts_about_the_whole(consent)
    root = consent.get("provision")
    if not isinstance(root, Mapping):
        return Review(dialect, _sorted(doubts | {Doubt.NO_PROVISION}), ())
    tree = _read_tree(root, dialect)
    doubts |= tree.doubts
    period = provision_period(root)
    if period is None:
        doubts.add(Doubt.NO_PERIOD)
    rules, broken = _checked((*tree.permits, *tree.denies))
    doubts |= broken
    if dialect is not Dialect.OURS:
        # Our own signed rules may name a registry without a topic; a stranger's may not.
        doubts = doubts.union(*(_gaps(rule) for rule in tree.permits))
    if dialect is Dialect.MII:
        # Its codes name modules of the form, not conditions: research about anything.
        doubts.add(Doubt.RESEARCH_NOT_DELIMITED)
    if doubts or period is None or not rules:
        withheld, _ = _checked((*tree.denies, *tree.cuts))
        policies = read_policies(consent) if dialect is Dialect.MII else ()
        return Review(dialect, _sorted(doubts or {Doubt.NOTHING_READ}), withheld, policies)
    return Proposal(dialect, rules, period)


def outcome_to_json(outcome: Outcome) -> dict[str, JsonValue]:
    """Give the JSON value of an outcome; rules are written as in a grant."""
    match outcome:
        case Directive():
            return {"outcome": "directive"}
        case Proposal():
            return {
                "outcome": "proposal",
                "dialect": outcome.dialect.value,
                "period": [instant_text(outcome.period.from_at), instant_text(outcome.period.until_at)],
                "rules": [rule_to_json(rule) for rule in outcome.rules],
            }
        case Review():  # pragma: no branch (mypy: nothing else is left)
            return {
                "outcome": "review",
                "dialect": outcome.dialect.value,
                "doubts": [doubt.value for doubt in outcome.doubts],
                "denies": [rule_to_json(rule) for rule in outcome.denies],
                **({"policies": policies_to_json(outcome.policies)} if outcome.policies else {}),
            }


def _is_directive(consent: Mapping[str, object]) -> bool:
    if not _SCOPES_OF_CARE.isdisjoint(code for _, code in codings(consent.get("scope"))):
        return True
    # STU3 has no scope; the Dutch profiles name the directive.
    facts = classify(consent)
    return Category.DIRECTIVES in facts.categories and Category.ADMIN not in facts.categories


def _dialect(consent: Mapping[str, object]) -> Dialect:
    meta = consent.get("meta")
    profiles = meta.get("profile") if isinstance(meta, Mapping) else None
    names = [p for p in profiles if isinstance(p, str)] if isinstance(profiles, list) else []
    if any(mark in name for name in names for mark in _MII) or is_mii(consent):
        return Dialect.MII
    if any("ihe.net" in name and "PCF" in name.upper() for name in names):
        return Dialect.PCF
    root = consent.get("provision")
    if isinstance(root, Mapping) and is_ours(root):
        return Dialect.OURS
    return Dialect.GENERIC


def _doubts_about_the_whole(consent: Mapping[str, object]) -> set[Doubt]:
    doubts: set[Doubt] = set()
    if consent.get("resourceType") != "Consent" or "decision" in consent or "except" in consent:
        doubts.add(Doubt.NOT_R4)
    if consent.get("status") != "active":
        doubts.add(Doubt.NOT_ACTIVE)
    if consent.get("modifierExtension") or "implicitRules" in consent:
        # FHIR R4 section 2.6.0.2: who does not know a modifier must not act on what it modifies.
        doubts.add(Doubt.MODIFIER)
    return doubts


@dataclass(slots=True)
class _Tree:
    """What a provision tree says under both readings.

    Attributes:
        permits: what both permit.
        denies: what either withholds from every grant.
        cuts: what either withholds from these permits.
        doubts: where they differ, or where we cannot read them.
    """

    permits: tuple[Rule, ...] = ()
    denies: tuple[Rule, ...] = ()
    cuts: tuple[Rule, ...] = ()
    doubts: set[Doubt] = field(default_factory=set)


def _read_tree(root: Mapping[str, object], dialect: Dialect) -> _Tree:
    children = root.get("provision", [])
    if not isinstance(children, list) or not all(isinstance(child, Mapping) for child in children):
        return _Tree(doubts={Doubt.BAD_SHAPE})
    kind = root.get("type")
    if kind == "permit":
        tree = _permit_tree(root, children)
    elif kind == "deny":
        tree = _deny_tree(root, children, dialect)
    else:
        # One reading takes the polarity from policyRule, the other takes the root as its exception.
        tree = _Tree(doubts={Doubt.ROOT_WITHOUT_TYPE})
        tree.denies = _denies((root, *children), tree.doubts)
    if any("provision" in child for child in children):
        tree.doubts.add(Doubt.NESTED)
    return tree


def _permit_tree(root: Mapping[str, object], children: list[Mapping[str, object]]) -> _Tree:
    reading = read_provision(root, Effect.PERMIT)
    doubts = set(reading.doubts)
    for child in children:
        kind = child.get("type")
        if kind != "deny":
            # Permit under permit widens in one reading and withholds in the other.
            doubts.add(Doubt.CHILD_LIKE_ROOT if kind == "permit" else Doubt.CHILD_WITHOUT_TYPE)
    cuts = _denies(tuple(children), doubts)
    if not set(reading.rule.exception) <= set(cuts):
        doubts.add(Doubt.LIMITS_DIFFER)
    # What a deny says of duties means nothing in a carve-out.
    exceptions = tuple(replace(cut, obligation=frozenset(), deidentification=None) for cut in cuts)
    return _Tree((replace(reading.rule, exception=exceptions),), (), cuts, doubts)


def _deny_tree(root: Mapping[str, object], children: list[Mapping[str, object]], dialect: Dialect) -> _Tree:
    tree = _Tree()
    permits: list[Rule] = []
    for child in children:
        if child.get("type") != "permit":
            alike = child.get("type") == "deny"
            tree.doubts.add(Doubt.CHILD_LIKE_ROOT if alike else Doubt.CHILD_WITHOUT_TYPE)
            continue
        reading = read_provision(child, Effect.PERMIT)
        tree.doubts |= reading.doubts
        permits.append(reading.rule)
    tree.permits = tuple(permits)
    if dialect is not Dialect.MII:
        tree.denies = _denies((root,), tree.doubts)
        if children:
            # A base to be opened, or an objection with exceptions? Published Consents mean both.
            tree.doubts.add(Doubt.DENY_WITH_PERMITS)
    return tree


def _denies(provisions: tuple[Mapping[str, object], ...], doubts: set[Doubt]) -> tuple[Rule, ...]:
    found: list[Rule] = []
    for provision in provisions:
        reading = read_provision(provision, Effect.DENY)
        doubts |= reading.doubts
        found.append(reading.rule)
    return tuple(found)


def _checked(rules: tuple[Rule, ...]) -> tuple[tuple[Rule, ...], set[Doubt]]:
    """Keep the rules the schema allows; what it refuses needs a person."""
    kept: list[Rule] = []
    doubts: set[Doubt] = set()
    for rule in rules:
        try:
            check_rule(rule)
        except ConsentError as exc:
            doubts.add(_BROKEN.get(exc.reason, Doubt.NOT_COMPLETE))
        else:
            kept.append(rule)
    return tuple(kept), doubts


_BROKEN = {
    "research_not_delimited": Doubt.RESEARCH_NOT_DELIMITED,
    "permit_without_actor": Doubt.NO_RECIPIENT,
    "permit_without_purpose": Doubt.NO_PURPOSE,
    "empty_actor": Doubt.NO_RECIPIENT,
    "empty_purpose": Doubt.NO_PURPOSE,
}


def _gaps(rule: Rule) -> set[Doubt]:
    """Name what a foreign permit leaves open that a grant of ours must say."""
    doubts: set[Doubt] = set()
    if not rule.actor:
        doubts.add(Doubt.NO_RECIPIENT)
    if not rule.purpose:
        doubts.add(Doubt.NO_PURPOSE)
    use = rule.research_use
    if is_research(rule.purpose or ()) and not rule.code and (use is None or not use.topics):
        doubts.add(Doubt.RESEARCH_NOT_DELIMITED)
    return doubts


def _sorted(doubts: set[Doubt]) -> tuple[Doubt, ...]:
    return tuple(sorted(doubts))
