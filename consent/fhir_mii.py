"""The broad consent of the German MII, policy by policy, for a person to read.

Such a Consent is closed at the root and opened per policy code, each with a period of its own: collecting
five years, storing and using thirty. It names no recipient and no subject of research, so it is never a
working grant here; what can be done is to show exactly what somebody signed.

`read_policies` gives every policy in the order of the form: its code, what it means as far as our table
knows it, whether it is permitted, and from when until when. A policy whose period cannot be read is open
never. The period says when the *policy* works, `dataPeriod` which data it is about.

Source: MII CodeSystem urn:oid:2.16.840.1.113883.3.1937.777.24.5.3 and profile mii-pr-consent-einwilligung
(github.com/medizininformatik-initiative/kerndatensatzmodul-consent, CC BY 4.0; codes and durations only);
guide consent.md sections 1.1, 1.2 (TORCH) and 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from consent.codes import Effect
from consent.dates import instant_text
from consent.fhir_provision import codings, provision_period
from consent.rules import Period
from crypto.canonical import JsonValue

SYSTEM: Final = "urn:oid:2.16.840.1.113883.3.1937.777.24.5.3"
BROAD_CONSENT: Final = "2.16.840.1.113883.3.1937.777.24.2.184"
_ROOT: Final = SYSTEM.removeprefix("urn:oid:")


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
