"""What goes beside the records: who they are about, on what terms they lie there, and the proof of that.

1. The anchor: a Patient with nothing but the pairwise key as identifier. Two servers share nothing of it.
2. One Consent per region of the statement in force. The statement says what *this* recipient may, and
   nothing of what is withheld or of others; the ledger and the grant itself never go (consent.statement).
3. The signed statement is the `sourceAttachment` of every Consent, and the signature of the Provenance where
   the server takes one. It is signed with the pairwise key that the anchor names.
4. A withdrawal makes every Consent inactive, with a root deny and the statement that permits nothing.

Sources: FHIR R4 consent.html, provenance.html#Provenance.signature (`sigFormat`, base64 of the JWS);
RFC 7515 section 9.2 (media type application/jose); guide consent.md section 4.1.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from consent.codes import Effect
from consent.dates import instant_text
from consent.fhir import limits_of
from consent.rules import Rule, is_research
from consent.statement import Statement
from crypto.naming import Names
from sync.bundle import SUBJECT_SYSTEM
from sync.fhir_server.names import TAG_SYSTEM, name_of

ANCHOR: Final = "anchor"
MAX_CONSENTS: Final = 200
_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_SIGNATURE: Final = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7"}  # consent


def anchor_name(names: Names) -> str:
    """Name of the anchor Patient."""
    return f"Patient/{names.of(ANCHOR)}"


def first_consent(names: Names) -> str:
    """Name of the Consent that is there whenever anything ever was: it carries the newest statement."""
    return _consent_name(names, 0)


def controls(
    statement: Statement, token: str, names: Names, *, consents_before: int
) -> tuple[dict[str, Any], ...]:
    """Make everything that goes beside the records, in sending order.

    Args:
        statement: in force now; it may permit nothing.
        token: the same, signed.
        names: of this recipient.
        consents_before: how many Consents the server may have of us; those beyond the regions of this
            statement become inactive.
    """
    anchor = anchor_name(names)
    tag = {"tag": [{"system": TAG_SYSTEM, "code": anchor.partition("/")[2]}]}
    patient = {
        "resourceType": "Patient",
        "id": anchor.partition("/")[2],
        "meta": tag,
        "identifier": [{"system": SUBJECT_SYSTEM, "value": statement.issuer}],
    }
    count = max(len(statement.scope), consents_before, 1)
    consents = [
        _consent(statement, token, names, place, {"meta": tag, "patient": {"reference": anchor}})
        for place in range(min(count, MAX_CONSENTS))
    ]
    return (patient, *consents, _provenance(statement, token, names, consents, tag))


def token_in(consent: Mapping[str, Any]) -> str | None:
    """The signed statement in a Consent that came back, not yet verified; None when there is none."""
    attachment = consent.get("sourceAttachment")
    data = attachment.get("data") if isinstance(attachment, Mapping) else None
    try:
        return base64.b64decode(data, validate=True).decode("ascii") if isinstance(data, str) else None
    except ValueError:
        return None


def _consent_name(names: Names, place: int) -> str:
    return f"Consent/{names.of(f'consent/{place}')}"


def _consent(
    statement: Statement, token: str, names: Names, place: int, common: Mapping[str, Any]
) -> dict[str, Any]:
    rule = statement.scope[place] if place < len(statement.scope) else None
    research = rule is not None and is_research(rule.purpose or ())
    scope = "research" if research else "patient-privacy"
    return {
        "resourceType": "Consent",
        "id": _consent_name(names, place).partition("/")[2],
        "meta": common["meta"],
        "status": "inactive" if rule is None else "active",
        "scope": {"coding": [{"system": _SCOPE, "code": scope}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": common["patient"],
        "dateTime": instant_text(statement.issued_at),
        "sourceAttachment": {"contentType": "application/jose", "data": _base64(token)},
        "policyRule": {"coding": [{"system": _ACT_CODE, "code": "OPTIN"}]},
        "provision": {"type": "deny"} if rule is None else _provision(statement, rule),
    }


def _provision(statement: Statement, rule: Rule) -> dict[str, Any]:
    # Our periods exclude their end, a FHIR Period includes it (consent.fhir, rule 3).
    end = statement.until_at - timedelta(seconds=1)
    period = {"start": instant_text(statement.issued_at), "end": instant_text(end)}
    found = {"type": "permit"} | limits_of(rule) | {"period": period}
    children = [{"type": "deny"} | limits_of(one) for one in rule.exception if one.effect is Effect.DENY]
    return found | ({"provision": children} if children else {})


def _provenance(
    statement: Statement, token: str, names: Names, consents: list[dict[str, Any]], tag: Mapping[str, Any]
) -> dict[str, Any]:
    who = {"identifier": {"system": SUBJECT_SYSTEM, "value": statement.issuer}}
    at = instant_text(statement.issued_at)
    return {
        "resourceType": "Provenance",
        "id": names.of("provenance"),
        "meta": dict(tag),
        "target": [{"reference": name_of(consent)} for consent in consents],
        "recorded": at,
        "agent": [{"who": who}],
        "signature": [
            {
                "type": [_SIGNATURE],
                "when": at,
                "who": who,
                "sigFormat": "application/jose",
                "data": _base64(token),
            }
        ],
    }


def _base64(token: str) -> str:
    return base64.b64encode(token.encode("ascii")).decode("ascii")
