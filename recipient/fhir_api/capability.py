"""What ``GET /fhir/metadata`` says: types, interactions and parameters from the one table, and how to log in.

Promises: the statement is made from what the code uses, so it cannot promise more; it is public and the same
for everybody, and says nothing about patients.

Source: FHIR R4 http.html#capabilities, capabilitystatement.html; SMART App Launch 2.2.0 conformance.html.
"""

from __future__ import annotations

import json
from datetime import datetime

from recipient.fhir_api.parameters import DATE, STRING, TOKEN, TYPES, Parameter, patient_names
from recipient.instants import instant_text

_SMART = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_EXACT = (
    "A resource is returned as the bytes its source wrote, so its id is the id at the source. The address "
    "here stands in Bundle.entry.link[self]; fullUrl is the address at the source, or a urn:uuid."
)
_WORDS = {
    TOKEN: "Token.",
    DATE: "Date with the prefixes of FHIR R4.",
    STRING: "Beginning of a part of the name.",
}


def capability_statement(*, base: str, tokens: str, name: str, version: str, since: datetime) -> bytes:
    """Write the CapabilityStatement.

    Args:
        base: address of the API.
        tokens: address of the token endpoint.
        name: of the recipient, as on its card.
        version: of this program.
        since: when this instance was set up.
    """
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant_text(since),
        "kind": "instance",
        "software": {"name": "recipient", "version": version},
        "implementation": {"description": name, "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Read only. Each answer passes the patient's consent and is logged.",
                "security": _security(tokens),
                "resource": [_resource(kind) for kind in TYPES],
            }
        ],
    }
    return json.dumps(statement, ensure_ascii=False).encode()


def _security(tokens: str) -> dict[str, object]:
    coding = {"system": _SERVICE, "code": "SMART-on-FHIR"}
    return {
        "cors": False,
        "service": [
            {"coding": [coding], "text": "SMART Backend Services: client credentials, private_key_jwt"}
        ],
        "extension": [{"url": _SMART, "extension": [{"url": "token", "valueUri": tokens}]}],
    }


def _resource(kind: str) -> dict[str, object]:
    patients = [
        {"name": name, "type": "reference", "documentation": "Needed: whose share."}
        for name in patient_names(kind)
    ]
    found: dict[str, object] = {
        "type": kind,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "documentation": _EXACT,
        "versioning": "no-version",
        "readHistory": False,
        "updateCreate": False,
        "conditionalRead": "full-support",
        "searchParam": [
            {"name": "_id", "type": "token", "documentation": "Id here, or id at the source."},
            {"name": "_lastUpdated", "type": "date", "documentation": "When it arrived here."},
            *patients,
            *(_parameter(one) for one in TYPES[kind].values()),
        ],
    }
    if kind == "Patient":
        definition = "http://hl7.org/fhir/OperationDefinition/Patient-everything"
        found["operation"] = [
            {
                "name": "everything",
                "definition": definition,
                "documentation": "With _type, _since and _count; for one patient.",
            }
        ]
    return found


def _parameter(parameter: Parameter) -> dict[str, object]:
    return {"name": parameter.name, "type": parameter.kind, "documentation": _WORDS[parameter.kind]}
