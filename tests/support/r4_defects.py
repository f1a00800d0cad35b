"""Good R4 resources of invented people, and what can be done wrong to them: one defect each.

The kinds of defects are those of a comparison of validators (strings for numbers, codes outside required
bindings, broken dates, ...), rebuilt. ``UNUSUAL`` is valid R4 that careless validators refuse.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Final

Body = dict[str, Any]
GONE: Final = object()

OBSERVATION: Body = {
    "resourceType": "Observation",
    "id": "o1",
    "meta": {"lastUpdated": "2024-02-29T08:00:00.123+01:00", "profile": ["http://example.org/p"]},
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Synthetic</div>'},
    "contained": [{"resourceType": "Practitioner", "id": "pr", "gender": "female"}],
    "extension": [{"url": "http://example.org/e", "valueBoolean": True}],
    "status": "final",
    "category": [{"coding": [{"system": "http://example.org/c", "code": "vital-signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}], "text": "Weight"},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2024-02-29",
    "valueQuantity": {"value": 72.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    "component": [{"code": {"text": "Part"}, "valueInteger": 3}],
}
PATIENT: Body = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": "http://example.org/number", "value": "1"}],
    "active": True,
    "name": [{"use": "official", "family": "Synthetisch", "given": ["Anna", "Bea"]}],
    "gender": "female",
    "birthDate": "1980-02-29",
    "multipleBirthInteger": 2,
    "photo": [{"contentType": "image/png", "data": "aGVsbG8="}],
    "contact": [{"telecom": [{"system": "phone", "value": "1", "rank": 1}]}],
    "communication": [{"language": {"text": "nl"}}],
}
CONSENT: Body = {
    "resourceType": "Consent",
    "id": "c1",
    "status": "active",
    "scope": {"text": "Synthetic"},
    "category": [{"text": "Synthetic"}],
    "provision": {"type": "permit", "period": {"start": "2024-01-01"}, "class": [{"code": "x"}]},
}
QUESTIONNAIRE: Body = {
    "resourceType": "Questionnaire",
    "id": "q1",
    "status": "active",
    "item": [{"linkId": "1", "text": "?", "type": "group", "item": [{"linkId": "1.1", "type": "string"}]}],
}
CONDITION: Body = {
    "resourceType": "Condition",
    "id": "x1",
    "clinicalStatus": {
        "coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"},
        ]
    },
    "code": {"text": "Synthetic"},
    "subject": {"reference": "Patient/p1"},
}
PROVENANCE: Body = {
    "resourceType": "Provenance",
    "id": "v1",
    "target": [{"reference": "Patient/p1"}],
    "recorded": "2024-02-29T08:00:00Z",
    "agent": [{"who": {"display": "Synthetic"}}],
}
BUNDLE: Body = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"fullUrl": "urn:uuid:0a4f8f3e-1c6e-4a7c-9d8e-3f3c2b1a0d9e", "resource": PATIENT}],
}
GOOD = (OBSERVATION, PATIENT, CONSENT, QUESTIONNAIRE, CONDITION, PROVENANCE, BUNDLE)


@dataclass(frozen=True, slots=True)
class Defect:
    """One change that makes a good resource wrong, and what has to be said about it."""

    name: str
    base: Body
    at: tuple[str | int, ...]
    value: object
    expected: str
    fatal: bool = False

    @property
    def body(self) -> Body:
        """The resource with the defect."""
        return changed(self.base, self.at, self.value)


def changed(base: Body, at: tuple[str | int, ...], value: object) -> Body:
    """Give a copy with one member set, or taken away with ``GONE``."""
    body: Any = copy.deepcopy(base)
    owner = body
    for step in at[:-1]:
        owner = owner[step]
    if value is GONE:
        del owner[at[-1]]
    else:
        owner[at[-1]] = value
    return body  # type: ignore[no-any-return]


DEFECTS: tuple[Defect, ...] = (
    # what must be there
    Defect("no status", OBSERVATION, ("status",), GONE, "Observation.status: missing", fatal=True),
    Defect("no code", OBSERVATION, ("code",), GONE, "Observation.code: missing", fatal=True),
    Defect(
        "no code of a part",
        OBSERVATION,
        ("component", 0, "code"),
        GONE,
        "Observation.component[0].code: missing",
    ),
    Defect(
        "no linkId", QUESTIONNAIRE, ("item", 0, "item", 0, "linkId"), GONE, "item[0].item[0].linkId: missing"
    ),
    Defect("no div", OBSERVATION, ("text", "div"), GONE, "Observation.text.div: missing"),
    Defect("no url", OBSERVATION, ("extension", 0, "url"), GONE, "Observation.extension[0].url: missing"),
    Defect("no agent", PROVENANCE, ("agent",), GONE, "Provenance.agent: missing", fatal=True),
    # codes of required bindings
    Defect("status", OBSERVATION, ("status",), "finished", "Observation.status: unknown_code"),
    Defect("status in capitals", OBSERVATION, ("status",), "FINAL", "Observation.status: unknown_code"),
    Defect("gender", PATIENT, ("gender",), "F", "Patient.gender: unknown_code"),
    Defect("name use", PATIENT, ("name", 0, "use"), "legal", "Patient.name[0].use: unknown_code"),
    Defect("provision type", CONSENT, ("provision", "type"), "allow", "Consent.provision.type: unknown_code"),
    Defect(
        "item type",
        QUESTIONNAIRE,
        ("item", 0, "item", 0, "type"),
        "text-line",
        "item[0].item[0].type: unknown_code",
    ),
    Defect(
        "telecom system",
        PATIENT,
        ("contact", 0, "telecom", 0, "system"),
        "mobile",
        "telecom[0].system: unknown_code",
    ),
    Defect(
        "bound concept",
        CONDITION,
        ("clinicalStatus", "coding", 0, "code"),
        "actief",
        "Condition.clinicalStatus: unknown_code",
    ),
    Defect(
        "bound concept of another system",
        CONDITION,
        ("clinicalStatus", "coding", 0, "system"),
        "http://example.org",
        "Condition.clinicalStatus: unknown_code",
    ),
    Defect("text status", OBSERVATION, ("text", "status"), "made", "Observation.text.status: unknown_code"),
    # one of a choice
    Defect(
        "two values of a part",
        OBSERVATION,
        ("component", 0, "valueString"),
        "3",
        "Observation.component[0].value[x]: two_choices",
    ),
    Defect(
        "two values", OBSERVATION, ("valueString",), "72.5", "Observation.value[x]: two_choices", fatal=True
    ),
    Defect(
        "two times",
        OBSERVATION,
        ("effectivePeriod",),
        {"start": "2024"},
        "Observation.effective[x]: two_choices",
        fatal=True,
    ),
    Defect(
        "value of a type that is not allowed",
        OBSERVATION,
        ("valueDecimal",),
        1.5,
        "Observation.valueDecimal: unknown_element",
    ),
    Defect(
        "extension with value and extensions",
        OBSERVATION,
        ("extension", 0, "extension"),
        [{"url": "x", "valueCode": "y"}],
        "Observation.extension[0]: extension",
    ),
    Defect(
        "extension with nothing",
        OBSERVATION,
        ("extension", 0, "valueBoolean"),
        GONE,
        "Observation.extension[0]: extension",
    ),
    Defect(
        "extension with nothing but an id",
        OBSERVATION,
        ("extension", 0),
        {"id": "e", "url": "http://example.org/e"},
        "Observation.extension[0]: extension",
    ),
    Defect(
        "a value and the twin of another",
        OBSERVATION,
        ("_valueString",),
        {"id": "v"},
        "Observation.value[x]: two_choices",
        fatal=True,
    ),
    # kinds of JSON values
    Defect(
        "decimal as text",
        OBSERVATION,
        ("valueQuantity", "value"),
        "72.5",
        "Observation.valueQuantity.value: wrong_type",
    ),
    Defect("boolean as text", PATIENT, ("active",), "true", "Patient.active: wrong_type"),
    Defect("boolean as number", PATIENT, ("active",), 1, "Patient.active: wrong_type"),
    Defect("date as number", PATIENT, ("birthDate",), 320630400, "Patient.birthDate: wrong_type"),
    Defect("text as number", PATIENT, ("name", 0, "family"), 7, "Patient.name[0].family: wrong_type"),
    Defect(
        "whole number with a fraction",
        PATIENT,
        ("multipleBirthInteger",),
        2.5,
        "Patient.multipleBirthInteger: wrong_type",
    ),
    Defect(
        "one for a list",
        PATIENT,
        ("name",),
        {"family": "Synthetisch"},
        "Patient.name: wrong_form",
        fatal=True,
    ),
    Defect(
        "list for one", OBSERVATION, ("code",), [{"text": "W"}], "Observation.code: wrong_form", fatal=True
    ),
    Defect(
        "text for an object",
        OBSERVATION,
        ("subject",),
        "Patient/p1",
        "Observation.subject: wrong_form",
        fatal=True,
    ),
    Defect(
        "object for a text",
        PATIENT,
        ("birthDate",),
        {"value": "1980"},
        "Patient.birthDate: wrong_form",
        fatal=True,
    ),
    # nothing where something must be
    Defect("empty list", PATIENT, ("name", 0, "given"), [], "Patient.name[0].given: empty"),
    Defect("empty object", OBSERVATION, ("subject",), {}, "Observation.subject: empty"),
    Defect("empty text", PATIENT, ("name", 0, "family"), "", "Patient.name[0].family: empty"),
    Defect("null", PATIENT, ("gender",), None, "Patient.gender: empty"),
    Defect(
        "null in a list without its twin",
        PATIENT,
        ("name", 0, "given", 1),
        None,
        "Patient.name[0].given[1]: empty",
    ),
    Defect("twins of nothing", PATIENT, ("name", 0, "_given"), [None, None], "Patient.name[0]._given: empty"),
    Defect("empty base64", PATIENT, ("photo", 0, "data"), "", "Patient.photo[0].data: empty"),
    # forms of texts and numbers
    Defect("id of 65 characters", PATIENT, ("id",), "a" * 65, "Patient.id: bad_id", fatal=True),
    Defect("id with underscore", PATIENT, ("id",), "p_1", "Patient.id: bad_id", fatal=True),
    Defect(
        "address with a blank",
        OBSERVATION,
        ("code", "coding", 0, "system"),
        "http://loinc org",
        "Observation.code.coding[0].system: bad_text",
    ),
    Defect(
        "code with a blank at its end",
        OBSERVATION,
        ("code", "coding", 0, "code"),
        "29463-7 ",
        "Observation.code.coding[0].code: bad_text",
    ),
    Defect("31 February", PATIENT, ("birthDate",), "1980-02-31", "Patient.birthDate: bad_text"),
    Defect("date the Dutch way", PATIENT, ("birthDate",), "29-02-1980", "Patient.birthDate: bad_text"),
    Defect(
        "time without zone",
        OBSERVATION,
        ("effectiveDateTime",),
        "2024-02-29T08:00:00",
        "Observation.effectiveDateTime: bad_text",
    ),
    Defect("instant without time", PROVENANCE, ("recorded",), "2024-02-29", "Provenance.recorded: bad_text"),
    Defect("broken base64", PATIENT, ("photo", 0, "data"), "aGVsbG8", "Patient.photo[0].data: bad_text"),
    Defect("rank 0", PATIENT, ("contact", 0, "telecom", 0, "rank"), 0, "telecom[0].rank: bad_number"),
    # what the standard does not know, and what is inside
    Defect("unknown element", PATIENT, ("birthdate",), "1980-02-29", "Patient.birthdate: unknown_element"),
    Defect(
        "unknown element inside",
        PATIENT,
        ("name", 0, "first"),
        "Anna",
        "Patient.name[0].first: unknown_element",
    ),
    Defect(
        "contained is wrong",
        OBSERVATION,
        ("contained", 0, "gender"),
        "V",
        "contained[0].gender: unknown_code",
    ),
    Defect(
        "contained is no resource",
        OBSERVATION,
        ("contained", 0, "resourceType"),
        "Doctor",
        "Observation.contained[0]: not_a_resource",
    ),
    Defect(
        "contained in contained",
        OBSERVATION,
        ("contained", 0, "contained"),
        [{"resourceType": "Basic", "code": {"text": "x"}}],
        "Observation.contained[0]: contained",
    ),
    Defect(
        "resource in an entry is wrong",
        BUNDLE,
        ("entry", 0, "resource", "gender"),
        "F",
        "Bundle.entry[0].resource.gender: unknown_code",
    ),
    Defect(
        "twins of another number",
        PATIENT,
        ("name", 0, "_given"),
        [{"id": "a"}],
        "Patient.name[0]._given: twin",
    ),
    Defect("twin that is a text", PATIENT, ("_id",), "507f1f77", "Patient._id: twin"),
    Defect("no R4 type", PATIENT, ("resourceType",), "Patients", "resourceType: not_a_resource", fatal=True),
)

_REASON: Body = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}
UNUSUAL: tuple[tuple[str, Body], ...] = (
    (
        "a required status is told by its twin only",
        {**changed(OBSERVATION, ("status",), GONE), "_status": _REASON},
    ),
    (
        "a value is told by its twin only",
        {**changed(OBSERVATION, ("valueQuantity",), GONE), "_valueString": _REASON},
    ),
    (
        "an extension has its value in the twin",
        changed(OBSERVATION, ("extension", 0), {"url": "http://example.org/e", "_valueString": _REASON}),
    ),
    (
        "null in a list with its twin",
        {**PATIENT, "name": [{"given": ["Anna", None], "_given": [None, _REASON]}]},
    ),
    ("nulls only, with twins", {**PATIENT, "name": [{"given": [None], "_given": [_REASON]}]}),
    ("a year is a date", {**PATIENT, "birthDate": "1980"}),
    ("a month is a date", {**OBSERVATION, "effectiveDateTime": "2024-02"}),
    ("a second of 60 and a zone of +14:00", {**PROVENANCE, "recorded": "2016-12-31T23:59:60+14:00"}),
    ("a no-break space in a text", {**PATIENT, "name": [{"text": "Anna\u00a0Synthetisch"}]}),
    (
        "a code of two words",
        changed(OBSERVATION, ("category", 0, "coding", 0, "code"), "vital signs"),
    ),
    (
        "a whole number as decimal, and an exponent",
        {**OBSERVATION, "valueQuantity": {"value": 7200000000000000000000}},
    ),
    ("a text with line ends, quotes and braces", {**PATIENT, "name": [{"text": 'a\n\t"{}" \\ ]'}]}),
    ("base64 in lines", {**PATIENT, "photo": [{"data": "aGVs\nbG8="}]}),
    ("an extension with an id", {**PATIENT, "extension": [{"id": "e", "url": "u", "valueCode": "c"}]}),
    (
        "an extension of a primitive",
        {**PATIENT, "_birthDate": {"extension": [{"url": "u", "valueDateTime": "1980-02-29T08:00:00Z"}]}},
    ),
)
