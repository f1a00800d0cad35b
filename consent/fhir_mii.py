"""The broad consent of the German MII, policy by policy: reading it for a person, and writing ours so.

Such a Consent is closed at the root and opened per policy code, each with a period of its own: collecting
five years, storing and using thirty. It names no recipient and no subject of research, so it is never a
working grant here; what can be done is to show exactly what somebody signed.

1. `read_policies` gives every policy in the order of the form: its code, what it means as far as our table
   knows it, whether it is permitted, and from when until when. A policy whose period cannot be read is open
   never. The period says when the *policy* works, `dataPeriod` which data it is about.
2. `grant_to_mii` writes a research permit in that shape: one policy per thing allowed, none longer than the
   grant, data from before it only by the codes for that, use outside the EU and contact only by their own.
   What the codes cannot say (recipient, topics, de-identification) stands in our modifier extension on every
   policy, so a reader that does not know it must refuse (FHIR R4 section 2.6.0.2). A permit with carve-outs
   beside it is not written: the shape has no place for them.

Source: MII CodeSystem urn:oid:2.16.840.1.113883.3.1937.777.24.5.3 and profile mii-pr-consent-einwilligung
(github.com/medizininformatik-initiative/kerndatensatzmodul-consent, CC BY 4.0; codes and durations only);
guide consent.md sections 1.1, 1.2 (TORCH) and 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from consent.codes import Action, Effect
from consent.dates import instant_text
from consent.fhir import fhir_period, grant_header, rule_extension
from consent.fhir_provision import codings, provision_period
from consent.records import Grant
from consent.research import REGIONS
from consent.rules import Period, Rule, is_research
from crypto.canonical import JsonValue

SYSTEM: Final = "urn:oid:2.16.840.1.113883.3.1937.777.24.5.3"
BROAD_CONSENT: Final = "2.16.840.1.113883.3.1937.777.24.2.184"
_ROOT: Final = SYSTEM.removeprefix("urn:oid:")
_CATEGORIES: Final = "https://www.medizininformatik-initiative.de/fhir/modul-consent/CodeSystem/mii-cs-consent-consent_category"


class Act(StrEnum):
    """What a policy is about."""

    COLLECT = "collect"
    STORE = "store"
    USE = "use"
    LINK = "link"
    OUTSIDE_EU = "outside_eu"
    RECONTACT = "recontact"


class Matter(StrEnum):
    """What it is done with."""

    NAMES = "names"
    RECORDS = "records"
    INSURANCE = "insurance"
    SAMPLES = "samples"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the code system; `years` from the day of signing, None where the form sets no term."""

    act: Act
    matter: Matter
    years: int | None
    before: bool = False


def _row(act: Act, matter: Matter, years: int | None, *, before: bool = False) -> Meaning:
    return Meaning(act, matter, years, before)


# Last part of the code; property period-of-validity of the code system. `before`: data from before signing.
MEANINGS: Final[Mapping[int, Meaning]] = {
    2: _row(Act.COLLECT, Matter.NAMES, 30),
    3: _row(Act.STORE, Matter.NAMES, 30),
    4: _row(Act.LINK, Matter.NAMES, 30),
    5: _row(Act.USE, Matter.NAMES, 30),
    6: _row(Act.COLLECT, Matter.RECORDS, 5),
    7: _row(Act.STORE, Matter.RECORDS, 30),
    8: _row(Act.USE, Matter.RECORDS, 30),
    9: _row(Act.LINK, Matter.RECORDS, 30),
    11: _row(Act.COLLECT, Matter.INSURANCE, None, before=True),
    12: _row(Act.STORE, Matter.INSURANCE, 30, before=True),
    13: _row(Act.USE, Matter.INSURANCE, 30, before=True),
    15: _row(Act.COLLECT, Matter.INSURANCE, 5),
    16: _row(Act.STORE, Matter.INSURANCE, 30),
    17: _row(Act.USE, Matter.INSURANCE, 30),
    19: _row(Act.COLLECT, Matter.SAMPLES, 5),
    20: _row(Act.STORE, Matter.SAMPLES, 30),
    22: _row(Act.USE, Matter.SAMPLES, 30),
    23: _row(Act.LINK, Matter.SAMPLES, 30),
    25: _row(Act.COLLECT, Matter.SAMPLES, 5),
    27: _row(Act.RECONTACT, Matter.PERSON, 30),
    28: _row(Act.RECONTACT, Matter.PERSON, 30),
    29: _row(Act.RECONTACT, Matter.PERSON, 30),
    31: _row(Act.RECONTACT, Matter.PERSON, 30),
    37: _row(Act.RECONTACT, Matter.PERSON, 30),
    45: _row(Act.STORE, Matter.RECORDS, 30, before=True),
    46: _row(Act.USE, Matter.RECORDS, 30, before=True),
    47: _row(Act.LINK, Matter.RECORDS, 30, before=True),
    49: _row(Act.OUTSIDE_EU, Matter.RECORDS, 30),
    51: _row(Act.STORE, Matter.SAMPLES, 30, before=True),
    52: _row(Act.USE, Matter.SAMPLES, 30, before=True),
    53: _row(Act.LINK, Matter.SAMPLES, 30, before=True),
    55: _row(Act.OUTSIDE_EU, Matter.SAMPLES, 30),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of a broad consent.

    Attributes:
        code: as written, the whole OID or whatever stands there.
        meaning: what our table knows of it, None for a module or a code it does not have.
        effect: permitted or refused; None where neither is said.
        period: when it works; None when it cannot be read, so never.
    """

    code: str
    meaning: Meaning | None
    effect: Effect | None
    period: Period | None

    def permits(self, at: datetime) -> bool:
        """Say whether the person permitted this for this moment."""
        return (
            self.effect is Effect.PERMIT
            and self.period is not None
            and self.period.from_at <= at < self.period.until_at
        )


def is_mii(consent: Mapping[str, object]) -> bool:
    """Say whether the Consent is in the category of the broad consent."""
    categories = consent.get("category")
    found = [code for one in categories for _, code in codings(one)] if isinstance(categories, list) else []
    return BROAD_CONSENT in found


def read_policies(consent: Mapping[str, object]) -> tuple[Policy, ...]:
    """Read the policies of a broad consent, untrusted, in the order of the form."""
    root = consent.get("provision")
    children = root.get("provision") if isinstance(root, Mapping) else None
    found: list[Policy] = []
    for child in children if isinstance(children, list) else ():
        if isinstance(child, Mapping):
            found.extend(_policies(child))
    return tuple(found)


def _policies(child: Mapping[str, object]) -> list[Policy]:
    concepts = child.get("code")
    named = [pair for one in concepts for pair in codings(one)] if isinstance(concepts, list) else []
    effect = {"permit": Effect.PERMIT, "deny": Effect.DENY}.get(str(child.get("type")))
    period = provision_period(child)
    # One answer may be coded in several systems; only what the code system of the form says is a policy.
    return [Policy(code, _meaning(code), effect, period) for system, code in named if system == SYSTEM]


def _meaning(code: str) -> Meaning | None:
    last = code.removeprefix(f"{_ROOT}.")
    return MEANINGS.get(int(last)) if last.isascii() and last.isdigit() and len(last) < 4 else None


def policies_to_json(policies: tuple[Policy, ...]) -> list[JsonValue]:
    """Give the JSON value of policies; absent members are null."""
    return [
        {
            "code": policy.code,
            "act": None if policy.meaning is None else policy.meaning.act.value,
            "matter": None if policy.meaning is None else policy.meaning.matter.value,
            "before": None if policy.meaning is None else policy.meaning.before,
            "effect": None if policy.effect is None else policy.effect.value,
            "period": None
            if policy.period is None
            else [instant_text(policy.period.from_at), instant_text(policy.period.until_at)],
        }
        for policy in policies
    ]


def grant_to_mii(grant: Grant) -> tuple[dict[str, Any], ...]:
    """Write the research permits of a grant as broad consents, one each; see the rules of this module.

    Raises:
        InvalidDocument: a rule has members of a newer version.
    """
    if any(rule.effect is Effect.DENY or rule.exception for rule in grant.rules):
        return ()
    research = [rule for rule in grant.rules if is_research(rule.purpose or ())]
    return tuple(_consent(grant, rule, place) for place, rule in enumerate(research))


def _consent(grant: Grant, rule: Rule, place: int) -> dict[str, Any]:
    codes = sorted(_codes(grant, rule))
    children = [_provision(grant, rule, code) for code in codes]
    header = grant_header(grant, f"mii-{place}", scope="research")
    header["category"] = [
        {"coding": [{"system": "http://loinc.org", "code": "57016-8"}]},
        {"coding": [{"system": _CATEGORIES, "code": BROAD_CONSENT}]},
    ]
    period = fhir_period(grant.period.from_at, grant.period.until_at)
    return header | {"provision": {"type": "deny", "period": period, "provision": children}}


def _codes(grant: Grant, rule: Rule) -> set[int]:
    """Name the policies that a research permit allows, and no other."""
    found: set[int] = set()
    action = rule.action or frozenset()
    if action & {Action.EXTRACT, Action.REUSE, Action.COPY}:
        first = None if rule.data_period is None else rule.data_period.first
        last = None if rule.data_period is None else rule.data_period.last
        found |= {7, 8}
        if last is None or last >= grant.period.from_at.date():
            found.add(6)
        if first is None or first < grant.period.from_at.date():
            found |= {45, 46}
        regions = frozenset[str]() if rule.research_use is None else rule.research_use.regions
        if not regions or not regions <= REGIONS["EEA"] | {"EEA"}:
            found.add(49)
    if Action.RECONTACT in action:
        found.add(29)
    return found


def _provision(grant: Grant, rule: Rule, code: int) -> dict[str, Any]:
    start, years = grant.period.from_at, MEANINGS[code].years or 0
    until = min(grant.period.until_at, _after(start, years))
    found: dict[str, Any] = {
        "modifierExtension": [rule_extension(rule)],
        "type": "permit",
        "period": fhir_period(start, until),
        "code": [{"coding": [{"system": SYSTEM, "code": f"{_ROOT}.{code}"}]}],
    }
    days = {} if rule.data_period is None else {"start": rule.data_period.first, "end": rule.data_period.last}
    told = {name: day.isoformat() for name, day in days.items() if isinstance(day, date)}
    return found | {"dataPeriod": told} if told else found


def _after(start: datetime, years: int) -> datetime:
    """The same day so many years later; 29 February becomes 1 March."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, month=3, day=1)
