"""A grant as FHIR Consent, in the one shape on which all readings agree."""

from __future__ import annotations

from datetime import date
from typing import Any

from fhir.resources.R4B.consent import Consent as R4Consent

from consent.codes import (
    Action,
    Deidentification,
)
from consent.fhir import grant_to_fhir
from consent.model import (
    ANY,
    Category,
    DatePeriod,
    Sensitivity,
    deny_rule,
)
from tests.support.consent_builders import (
    OTHER,
    REGISTRY,
    a_grant,
    a_permit,
)


def test_export_has_the_shape_on_which_all_readings_agree() -> None:
    research = a_permit(
        actor=[REGISTRY],
        purpose=["HRESCH"],
        action=[Action.EXTRACT, Action.RECONTACT],
        deidentification=Deidentification.DEID,
        code=["http://hl7.org/fhir/sid/icd-10|E11"],
        data_period=DatePeriod(date(2020, 1, 1), None),
        instance=["Observation/1"],
        author=["urn:agb|1"],
    )
    wide = a_permit(category=ANY, sensitivity=ANY, exception=[deny_rule(actor=[OTHER])])
    opted = a_permit(category=[Category.DIRECTIVES, Category.LABS], sensitivity=[Sensitivity.HIV])
    talk = a_permit(action=[Action.RECONTACT], category=[Category.ALLERGIES])
    deny = deny_rule(category=[Category.GENETICS], security_label=[Sensitivity.MENTAL])
    grant = a_grant(research, wide, opted, talk, deny)
    consents = grant_to_fhir(grant)
    assert len(consents) == 4
    for consent in consents:
        _valid_r4(consent)
        root = consent["provision"]
        assert root["type"] == "permit"
        assert root["actor"]
        assert root["purpose"]
        assert root["modifierExtension"]
        assert root["period"] == {"start": "2026-01-01T00:00:00Z", "end": "2026-12-31T23:59:59Z"}
        assert {child["type"] for child in root["provision"]} == {"deny"}
        assert not any("provision" in child for child in root["provision"])
    assert consents[0]["scope"]["coding"][0]["code"] == "research"
    assert consents[0]["provision"]["data"][1]["reference"]["identifier"]["value"] == "1"
    assert [label["code"] for label in consents[2]["provision"]["securityLabel"]] == ["N", "HIV"]
    assert {"Consent", "Observation"} <= {c["code"] for c in consents[2]["provision"]["class"]}
    assert "provision" not in grant_to_fhir(a_grant())[0]["provision"]


def _valid_r4(consent: dict[str, Any]) -> None:
    R4Consent.model_validate(consent)
