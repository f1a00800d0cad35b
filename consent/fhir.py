"""Export grants as FHIR R4 Consent, in the one shape on which all readings agree.

1. One Consent per permit rule: root `provision.type` permit with every limit at the root, the
   recipient as actor in role IRCP, always a purpose; carve-outs as children of type deny; no
   grandchildren, no child with the root's type. A deny is a Consent of its own as well, because it
   holds against every grant: root deny, no children.
2. What R4 cannot hold (sensitivity opt-in, de-identification, duties, research use) stands in one
   modifier extension, so a reader that does not know it must refuse (FHIR R4 section 2.6.0.2).
3. Our periods end before `until_at`; a FHIR Period includes its end, so one second is taken off.

Reading such a Consent back is `consent.fhir_import`, which never makes a working grant either.

Sources: FHIR R4 Consent (https://hl7.org/fhir/R4/consent.html); guide consent.md section 4.1.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any, Final

from consent.codes import ANY, Action, ActorKind, Category, Effect, Sensitivity
from consent.dates import instant_text
from consent.document import SignedRecord
from consent.records import Grant
from consent.rule_json import rule_to_json
from consent.rules import ActorRef, DatePeriod, Rule, is_research
from consent.type_table import TYPES

LIMITS_URL: Final = "urn:pgo:consent:limits:1"
_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
_ACTOR_TYPE: Final = {
    ActorKind.PERSON: "Practitioner",
    ActorKind.ORG: "Organization",
    ActorKind.TREATING_ROLE: "PractitionerRole",
    ActorKind.ORGTYPE: "Organization",
    ActorKind.CARETEAM: "CareTeam",
    ActorKind.REGISTRY: "Organization",
    ActorKind.PROJECT: "Organization",
    ActorKind.CARER: "RelatedPerson",
}
_ACTION_CODE: Final = {
    Action.VIEW: "access",
    Action.COPY: "collect",
    Action.EXTRACT: "disclose",
    Action.REUSE: "use",
    Action.RESHARE: "disclose",
    Action.WRITE: "correct",
}
_LABEL: Final = {
    Sensitivity.SUBSTANCE: "ETH",
    Sensitivity.MENTAL: "PSY",
    Sensitivity.HIV: "HIV",
    Sensitivity.STD: "STD",
    Sensitivity.SEXUAL: "SEX",
    Sensitivity.VIOLENCE: "SDV",
    Sensitivity.GENETIC: "GDIS",
    Sensitivity.DISABILITY: "COGN",
    Sensitivity.TABOO: "TBOO",
}


def grant_to_fhir(grant: Grant) -> tuple[dict[str, Any], ...]:
    """Export the permits of a grant as R4 Consent resources, one per permit rule, in rule order.

    A carve-out within a carve-out has no place of its own in this shape: the outer one stands as if
    it were whole, which withholds more, and the modifier extension says the rest.

    Raises:
        InvalidDocument: a rule has members of a newer version.
    """
    denies = [rule for rule in grant.rules if rule.effect is Effect.DENY]
    permits = [rule for rule in grant.rules if rule.effect is Effect.PERMIT]
    return tuple(_permit(grant, rule, denies, place) for place, rule in enumerate(permits))


def denies_to_fhir(grant: Grant) -> tuple[dict[str, Any], ...]:
    """Export the denies of a grant, which hold against every grant: root deny, no children.

    Raises:
        InvalidDocument: a rule has members of a newer version.
    """
    denies = [rule for rule in grant.rules if rule.effect is Effect.DENY]
    return tuple(
        _consent(grant, {"type": "deny"} | limits_of(rule), f"deny-{place}", research=False)
        for place, rule in enumerate(denies)
    )


def signed_to_fhir(signed: SignedRecord) -> dict[str, Any]:
    """Export a signed grant with its proof: a collection of Consents, the text shown, the signature.

    The signature over the record as sent travels in `Provenance.signature`; it proves the record, not
    the FHIR form of it.

    Raises:
        TypeError: the record is no grant.
        InvalidDocument: as `grant_to_fhir`.
    """
    grant = signed.record
    if not isinstance(grant, Grant):
        raise TypeError("only grants have a Consent")
    version = signed.hash.removeprefix("sha256:")
    consents = [*grant_to_fhir(grant), *denies_to_fhir(grant)]
    for place, consent in enumerate(consents):
        consent["id"] = f"{version[:48]}-{place}"
        consent["meta"] = {"versionId": version}
        if grant.shown is not None:
            consent["sourceReference"] = {"reference": f"DocumentReference/{version}"}
    resources = [*consents, *_shown(grant, version), _provenance(signed, consents)]
    entries = [{"fullUrl": f"urn:pgo:{r['resourceType']}:{r['id']}", "resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _shown(grant: Grant, version: str) -> list[dict[str, Any]]:
    """Name the text the person read by its hash; the text itself stays with the person."""
    if grant.shown is None:
        return []
    document = {
        "resourceType": "DocumentReference",
        "id": version,
        "status": "current",
        "identifier": [{"system": "urn:pgo:shown-text", "value": grant.shown.text_hash}],
        "content": [{"attachment": {"contentType": "text/plain", "language": grant.shown.lang}}],
    }
    return [document]


def _provenance(signed: SignedRecord, consents: list[dict[str, Any]]) -> dict[str, Any]:
    """Carry the JWS (RFC 7515) of the record; `data` is base64 of the compact form, as R4 asks."""
    who = {"identifier": {"system": "urn:pgo:key", "value": signed.kid}}
    return {
        "resourceType": "Provenance",
        "id": f"{signed.hash.removeprefix('sha256:')[:48]}-signature",
        "target": [{"reference": f"Consent/{consent['id']}"} for consent in consents],
        "recorded": instant_text(signed.record.at),
        "agent": [{"who": who}],
        "signature": [
            {
                "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7"}],
                "when": instant_text(signed.record.at),
                "who": who,
                "sigFormat": "application/jose",
                "data": base64.b64encode(signed.token.encode("ascii")).decode("ascii"),
            }
        ],
    }


def _permit(grant: Grant, rule: Rule, denies: list[Rule], place: int) -> dict[str, Any]:
    provision: dict[str, Any] = {"type": "permit"} | limits_of(rule)
    children = [{"type": "deny"} | limits_of(child) for child in (*rule.exception, *denies)]
    if children:
        provision["provision"] = children
    return _consent(grant, provision, str(place), research=is_research(rule.purpose or ()))


def _consent(grant: Grant, provision: dict[str, Any], place: str, *, research: bool) -> dict[str, Any]:
    provision["period"] = _fhir_period(grant.period.from_at, grant.period.until_at)
    found = _grant_header(grant, place, scope="research" if research else "patient-privacy")
    return found | {"provision": provision}


def _grant_header(grant: Grant, place: str, *, scope: str) -> dict[str, Any]:
    """Give what a Consent says of a grant beside its provision: whose, when, who signed."""
    found: dict[str, Any] = {
        "resourceType": "Consent",
        "identifier": [{"system": "urn:pgo:grant", "value": f"{grant.id}#{place}"}],
        "status": "active",
        "scope": {"coding": [{"system": _SCOPE, "code": scope}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"identifier": {"system": "urn:pgo:subject", "value": grant.subject}},
        "dateTime": instant_text(grant.at),
        "policyRule": {"coding": [{"system": _ACT_CODE, "code": "OPTIN"}]},
    }
    if grant.by.role == "representative":
        signer = {"system": "urn:pgo:key", "value": grant.by.kid}
        found["performer"] = [{"type": "RelatedPerson", "identifier": signer}]
    return found


def limits_of(rule: Rule) -> dict[str, Any]:
    """Give the elements of `Consent.provision` that state the limits of one rule.

    Raises:
        InvalidDocument: the rule has members of a newer version.
    """
    found: dict[str, Any] = {"modifierExtension": [_rule_extension(rule)]}
    if rule.actor is not None:
        found["actor"] = [_actor(ref) for ref in sorted(rule.actor)]
    if rule.action is not None:
        codes = sorted({_ACTION_CODE[action] for action in rule.action if action in _ACTION_CODE})
        if codes:
            found["action"] = [{"coding": [{"system": _ACTION, "code": code}]} for code in codes]
    if rule.purpose is not None:
        reason = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
        found["purpose"] = [{"system": reason, "code": code} for code in sorted(rule.purpose)]
    labels = rule.security_label if rule.effect is Effect.DENY else rule.sensitivity
    if labels is not None and labels != ANY:
        # Our labeller writes N on what it found not sensitive, so a permit's root list reaches it.
        codes_of = sorted(_LABEL[Sensitivity(label)] for label in labels)
        found["securityLabel"] = [{"system": _ACT_CODE, "code": code} for code in codes_of]
        if rule.effect is Effect.PERMIT:
            normal = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
            found["securityLabel"].insert(0, {"system": normal, "code": "N"})
    if rule.category is not None and rule.category != ANY:
        found["class"] = [{"system": _RESOURCE_TYPES, "code": name} for name in _types_of(rule.category)]
    if rule.code is not None:
        found["code"] = [_concept(code) for code in sorted(rule.code)]
    if rule.data_period is not None:
        found["dataPeriod"] = _days(rule.data_period)
    data = [("instance", name) for name in sorted(rule.instance or ())]
    data += [("authoredby", name) for name in sorted(rule.author or ())]
    data += [("related", name) for name in sorted(rule.encounter or ())]
    if data:
        found["data"] = [{"meaning": meaning, "reference": _reference(name)} for meaning, name in data]
    return found


def _rule_extension(rule: Rule) -> dict[str, Any]:
    """Say the whole rule once more in our own words: what the elements beside it cannot hold is here."""
    return {
        "url": LIMITS_URL,
        "valueString": json.dumps(rule_to_json(rule), sort_keys=True, separators=(",", ":")),
    }


def _actor(ref: ActorRef) -> dict[str, Any]:
    role = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
    identifier = {"system": f"urn:pgo:actor:{ref.kind}", "value": ref.value}
    return {
        "role": {"coding": [{"system": role, "code": "IRCP"}]},
        "reference": {"type": _ACTOR_TYPE[ActorKind(ref.kind)], "identifier": identifier},
    }


def _types_of(categories: frozenset[Category]) -> list[str]:
    """Resource types that can carry these categories; the extension says which of them are meant."""
    named = {name for name, found in TYPES.items() if found & categories}
    mixed = categories & {Category.VITALS, Category.LABS, Category.QUESTIONNAIRES, Category.SOCIAL}
    mixed |= categories & {Category.SELF_MEASURED, Category.GENETICS, Category.PROBLEMS, Category.IMAGING}
    extra = {"Observation"} if mixed else set()
    extra |= (
        {"DiagnosticReport"} if categories & {Category.LABS, Category.GENETICS, Category.IMAGING} else set()
    )
    extra |= {"Consent"} if Category.DIRECTIVES in categories else set()
    return sorted(named | extra)


def _concept(code: str) -> dict[str, Any]:
    system, _, value = code.rpartition("|")
    return {"coding": [{"system": system, "code": value} if system else {"code": value}]}


def _reference(name: str) -> dict[str, Any]:
    system, bar, value = name.partition("|")
    return {"identifier": {"system": system, "value": value}} if bar else {"reference": name}


def _fhir_period(from_at: datetime, until_at: datetime) -> dict[str, str]:
    """Write a period of ours, whose end is excluded, as a FHIR Period, which includes it."""
    return {"start": instant_text(from_at), "end": instant_text(until_at - timedelta(seconds=1))}


def _days(period: DatePeriod) -> dict[str, str]:
    found = {"start": period.first, "end": period.last}
    return {name: day.isoformat() for name, day in found.items() if day is not None}
