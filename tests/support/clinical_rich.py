"""One synthetic patient with a bit of all a clinician's page shows, marked as test data (HTEST)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from pgo.health.record import remarks
from tests.support import clinical

_HTEST = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]}
_WHO = {"reference": "Patient/p1"}
_SNOMED = "http://snomed.info/sct"
_MP9 = "http://nictiz.nl/fhir/StructureDefinition/"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
NARRATIVE = (
    '<div xmlns="http://www.w3.org/1999/xhtml"><h2>Ontslagbrief</h2><p>Opname wegens <b>koorts</b>.</p>'
    '<table><tr><th>Dag</th><th>Temp.</th></tr><tr><td colspan="2">39,2</td></tr></table></div>'
)


def resource(kind: str, id_: str, **members: Any) -> dict[str, Any]:
    """A resource about the one patient."""
    return {"resourceType": kind, "id": id_, "meta": _HTEST, **members}


def result(
    id_: str, day: str, value: str, *, text: str, code: str, unit: str, kind: str = "laboratory", **more: Any
) -> bytes:
    """A result as bytes, its number exactly as written; ``more`` are further members."""
    body = json.loads(clinical.lab(id_, day, "0", code=code, text=text, unit=unit))
    body["category"][0]["coding"][0]["code"] = kind
    body |= more
    body["valueQuantity"]["value"] = "@"
    return json.dumps(body).replace('"@"', value).encode()


def normal(low: float | None, high: float | None, unit: str) -> list[dict[str, Any]]:
    """Normal values as a laboratory writes them."""
    ends = {
        name: {"value": end, "unit": unit} for name, end in (("low", low), ("high", high)) if end is not None
    }
    return [ends]


def medicine(kind: str, id_: str, name: str, category: str, day: str, **more: Any) -> dict[str, Any]:
    """One building block of the Dutch medication process about one treatment."""
    treatment = {"system": "urn:test:mbh", "value": name}
    return resource(
        kind,
        id_,
        extension=[{"url": f"{_MP9}ext-PharmaceuticalTreatment.Identifier", "valueIdentifier": treatment}],
        category=[{"coding": [{"system": _SNOMED, "code": category, "display": _STEPS[category]}]}],
        medicationCodeableConcept={"text": name},
        subject=_WHO,
        **{_WRITTEN[kind]: day},
        **more,
    )


_STEPS = {"33633005": "Medicatieafspraak", "373784005": "Verstrekking", "422979000": "Gebruik"}
_WRITTEN = {
    "MedicationRequest": "authoredOn",
    "MedicationDispense": "whenHandedOver",
    "MedicationStatement": "dateAsserted",
}


def _dose(times: int, words: str) -> list[dict[str, Any]]:
    repeat = {"frequency": times, "period": 1, "periodUnit": "d"}
    amount = {"value": 1, "unit": "stuk", "system": "http://unitsofmeasure.org", "code": "1"}
    return [{"text": words, "timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": amount}]}]


def medicines() -> list[dict[str, Any]]:
    """One medicine in three steps of which the last differs, and one only the patient knows of."""
    name = "Metoprolol tablet mga 50 mg"
    period = {"start": "2025-11-03"}
    prk = {"coding": [{"system": "urn:oid:2.16.840.1.113883.2.4.4.10", "code": "67903"}], "text": name}
    agreed = medicine(
        "MedicationRequest",
        "ma1",
        name,
        "33633005",
        "2025-11-03",
        status="active",
        intent="order",
        requester={"display": "Huisarts M. Bakker"},
        dosageInstruction=_dose(2, "2 maal per dag 1 stuk"),
    )
    agreed["extension"].append({"url": f"{_MP9}ext-TimeInterval.Period", "valuePeriod": period})
    given = medicine(
        "MedicationDispense",
        "mve1",
        name,
        "373784005",
        "2026-01-12",
        status="completed",
        quantity={"value": 180, "unit": "stuk"},
        performer=[{"actor": {"display": "Apotheek De Vijzel"}}],
    )
    takes = medicine(
        "MedicationStatement",
        "mgb1",
        name,
        "422979000",
        "2026-02-20",
        status="active",
        effectivePeriod=period,
        informationSource=_WHO,
        dosage=_dose(1, "1 maal per dag 1 stuk"),
    )
    for one in (agreed, given, takes):
        one["medicationCodeableConcept"] = prk
    own = resource(
        "MedicationStatement",
        "mgb2",
        status="active",
        medicationCodeableConcept={"text": "Paracetamol 500 mg"},
        subject=_WHO,
        effectivePeriod={"start": "2026-02-01"},
        dateAsserted="2026-02-01",
        informationSource=_WHO,
        dosage=[{"text": "Zo nodig 1 tablet, hooguit 4 per dag"}],
    )
    return [agreed, given, takes, own, clinical.medication("m2", "Atorvastatine 20 mg", status="stopped")]


def results() -> list[dict[str, Any] | bytes]:
    """Laboratory, measurements of the patient, and scores with a published meaning."""
    lab = [
        result(
            f"k{index}",
            day,
            value,
            text="Kalium",
            code="2823-3",
            unit="mmol/L",
            referenceRange=normal(3.5, 5.0, "mmol/L"),
        )
        for index, (day, value) in enumerate(
            (("2025-06-02", "4.2"), ("2025-11-03", "4.9"), ("2026-02-10", "5.6"))
        )
    ]
    crp = json.loads(result("crp", "2026-02-10", "5", text="CRP", code="1988-5", unit="mg/L"))
    crp["valueQuantity"]["comparator"] = "<"
    weight = [
        result(
            f"w{index}",
            day,
            value,
            text="Gewicht",
            code="29463-7",
            unit="kg",
            kind="vital-signs",
            performer=[_WHO],
        )
        for index, (day, value) in enumerate(
            (("2025-12-01", "78.4"), ("2026-01-15", "77.9"), ("2026-02-22", "76.2"))
        )
    ]
    phq = [
        {
            **clinical.score(f"phq{index}", day, value),
            "code": {
                "coding": [{"system": "http://loinc.org", "code": "44261-6"}],
                "text": "PHQ-9 totaalscore",
            },
        }
        for index, (day, value) in enumerate((("2025-10-01", 17), ("2025-12-01", 12), ("2026-02-01", 8)))
    ]
    return [*lab, crp, *weight, *phq]


def papers() -> list[dict[str, Any]]:
    """A letter with a file and a narrative, a wish, vaccinations, an alert."""
    wish = resource(
        "Consent",
        "b1",
        status="active",
        scope={
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]
        },
        category=[{"coding": [{"system": _SNOMED, "code": "129125009"}]}],
        patient=_WHO,
        dateTime="2024-05-01",
        provision={"type": "deny", "code": [{"text": "Reanimatie"}]},
    )
    letter = resource(
        "DocumentReference",
        "d1",
        status="current",
        type={"text": "Ontslagbrief"},
        description="Ontslagbrief interne geneeskunde",
        subject=_WHO,
        date="2026-02-12T10:00:00Z",
        author=[{"display": "Internist T. de Graaf"}],
        text={"status": "generated", "div": NARRATIVE},
        content=[{"attachment": {"contentType": "application/pdf", "title": "Brief", "data": _b64(PDF)}}],
    )
    shots = [
        resource(
            "Immunization",
            f"v{index}",
            status="completed",
            vaccineCode={"text": name},
            patient=_WHO,
            occurrenceDateTime=day,
        )
        for index, (name, day) in enumerate((("Influenza", "2025-10-20"), ("COVID-19", "2025-10-20")))
    ]
    alert = resource(
        "Flag",
        "f1",
        status="active",
        code={"text": "Pacemaker"},
        subject=_WHO,
        period={"start": "2021-04-01"},
    )
    return [wish, letter, *shots, alert]


def words() -> list[dict[str, Any]]:
    """A remark and a request for correction, made by the patient's own code."""
    at = datetime(2026, 2, 25, 8, 0, tzinfo=UTC)
    about = remarks.Target("AllergyIntolerance/a1", "AllergyIntolerance", "Penicilline")
    remark = remarks.build_remark(
        "Kreeg jeuk en bulten, in 2015.", about, id="r1", subject="Patient/p1", at=at
    )
    asked = remarks.Asked("Er staat dat ik rook.", "Ik ben in 2019 gestopt.", "Huisarts M. Bakker")
    target = remarks.Target("Condition/c2", "Condition", "Hypertensie")
    parts = remarks.build_request(asked, target, ids=("r2", "t2"), subject="Patient/p1", at=at)
    return [json.loads(remark), *(json.loads(part) for part in parts)]


def rich_record() -> list[dict[str, Any] | bytes]:
    """One patient with something of everything."""
    severe = {**clinical.allergy("a1", "Penicilline"), "criticality": "high"}
    return [
        clinical.patient(),
        severe,
        {**clinical.allergy("a2", "Pinda"), "asserter": _WHO, "code": {"text": "Pinda"}},
        clinical.condition("c1", "Diabetes mellitus type 2"),
        clinical.condition("c2", "Hypertensie", code="38341003", start="2020-09-12"),
        *medicines(),
        *results(),
        *papers(),
        *words(),
    ]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
