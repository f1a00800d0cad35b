"""Decisions of the consent engine in plain words (B1), Dutch and English.

Every reason, duty and dimension has a text of its own; texts lie in assets/locale/<lang>.consent.json.
Codes of a question (a purpose, an actor) are shown as they were asked: who asks in codes reads codes.
"""

from __future__ import annotations

from consent.codes import Deidentification, Effect
from consent.decision import Decision, Deny, Missing, Permit
from consent.duo import label_of, terms_of
from consent.errors import ConsentError
from consent.fhir_import import Directive, Outcome, Proposal, Review
from consent.fhir_mii import Policy
from consent.rules import Rule
from pgo.ui.text import fmt_moment, has, t

_EMPTY = "–"


def explain_decision(lang: str, number: int, decision: Decision) -> str:
    """Say one decision in a few sentences, on one line.

    Args:
        lang: "nl" or "en".
        number: line of the question.
        decision: what the engine answered.
    """
    match decision:
        case Permit():
            parts = _permit_parts(lang, decision)
        case Deny():
            parts = _deny_parts(lang, decision)
    if decision.valid_until is not None:
        parts.append(t(lang, "consent.say.until", moment=fmt_moment(lang, decision.valid_until)))
    return f"{number}. " + " ".join(parts)


def explain_error(lang: str, number: int, error: ConsentError) -> str:
    """Say that a question could not be read."""
    return f"{number}. " + t(lang, "consent.say.unreadable", code=error.code, reason=error.reason)


def explain_outcome(lang: str, number: int, outcome: Outcome) -> str:
    """Say what a FHIR Consent would become, one line per rule or doubt."""
    match outcome:
        case Directive():
            lines = [t(lang, "consent.import.directive")]
        case Proposal():
            first, last = fmt_moment(lang, outcome.period.from_at), fmt_moment(lang, outcome.period.until_at)
            lines = [
                t(lang, "consent.import.proposal"),
                t(lang, "consent.import.period", first=first, last=last),
            ]
            lines += [_rule(lang, rule) for rule in outcome.rules]
        case Review():
            lines = [t(lang, "consent.import.review")]
            lines += [t(lang, f"consent.doubt.{doubt.value}") for doubt in outcome.doubts]
            if outcome.denies:
                lines.append(t(lang, "consent.import.denies"))
            lines += [_rule(lang, rule) for rule in outcome.denies]
            if outcome.policies:
                lines.append(t(lang, "consent.import.policies"))
            lines += [_policy(lang, policy) for policy in outcome.policies]
    return f"{number}. " + "\n   ".join(lines)


def reason_text(lang: str, reason: str) -> str:
    """Say one reason of the closed list."""
    return t(lang, f"consent.reason.{reason}")


def _permit_parts(lang: str, permit: Permit) -> list[str]:
    parts = [t(lang, "consent.say.yes"), t(lang, "consent.say.basis", n=len(permit.basis))]
    if permit.deidentification is not Deidentification.NONE:
        parts.append(t(lang, f"consent.deid.{permit.deidentification.value}"))
    parts += [_duty(lang, code) for code in sorted(permit.obligations)]
    return parts


def _deny_parts(lang: str, deny: Deny) -> list[str]:
    parts = [t(lang, "consent.say.no"), reason_text(lang, deny.reason.value)]
    parts += [_gap(lang, missing) for missing in deny.missing]
    if deny.ask:
        parts.append(t(lang, "consent.say.ask"))
    return parts


def _duty(lang: str, code: str) -> str:
    # Some duties carry a value behind a colon, such as a date.
    plain, _, value = code.partition(":")
    if value and has(lang, f"consent.duty.{plain}.day"):
        return t(lang, f"consent.duty.{plain}.day", day=value)
    key = f"consent.duty.{plain}"
    words = t(lang, key) if has(lang, key) else t(lang, "consent.duty.other", code=plain)
    return f"{words} ({value})" if value else words


def _gap(lang: str, missing: Missing) -> str:
    key = f"consent.dim.{missing.dimension}"
    name = t(lang, key) if has(lang, key) else missing.dimension
    return t(
        lang,
        "consent.say.gap",
        name=name,
        asked=", ".join(missing.asked) or _EMPTY,
        granted=", ".join(missing.granted) or _EMPTY,
    )


def _rule(lang: str, rule: Rule) -> str:
    """Say a rule with the codes it names; "anyone" and "everything" where it names none."""
    words = {
        "who": _names(lang, [f"{ref.kind} {ref.value}" for ref in rule.actor or ()], "anyone"),
        "why": _names(lang, list(rule.purpose or ()), "any_purpose"),
        "what": _names(
            lang,
            [] if isinstance(rule.category, str) else [str(c) for c in rule.category or ()],
            "everything",
        ),
    }
    text = t(lang, f"consent.import.{rule.effect.value}", **words)
    labels = rule.sensitivity if rule.effect is Effect.PERMIT else rule.security_label
    if labels and not isinstance(labels, str):
        text += " " + t(lang, "consent.import.labels", names=", ".join(sorted(labels)))
    if rule.exception:
        text += " " + t(lang, "consent.import.exceptions", n=len(rule.exception))
    if rule.research_use is not None:
        text += "".join(f" {_duo(lang, *term)}" for term in terms_of(rule.research_use))
    return text


def _duo(lang: str, term: str, values: tuple[str, ...]) -> str:
    """Say one limit on research (Data Use Ontology)."""
    return t(lang, f"consent.duo.{label_of(term)}", names=", ".join(values))


def _policy(lang: str, policy: Policy) -> str:
    """Say one answer of a broad consent: what, whether, from when until when."""
    if policy.meaning is None:
        what = t(lang, "consent.mii.unknown", code=policy.code)
    else:
        matter = t(lang, f"consent.mii.matter.{policy.meaning.matter.value}")
        what = t(lang, f"consent.mii.act.{policy.meaning.act.value}", what=matter)
        what += " " + t(lang, "consent.mii.before") if policy.meaning.before else ""
    answer = "none" if policy.effect is None else policy.effect.value
    text = t(lang, f"consent.mii.answer.{answer}", what=what)
    if policy.period is None:
        return f"{text} {t(lang, 'consent.mii.no_period')}"
    first, last = (fmt_moment(lang, at) for at in (policy.period.from_at, policy.period.until_at))
    return f"{text} {t(lang, 'consent.import.period', first=first, last=last)}"


def _names(lang: str, names: list[str], otherwise: str) -> str:
    return ", ".join(sorted(names)) or t(lang, f"consent.import.{otherwise}")
