"""Grants as FHIR Consents, and back: the same rules, the same decisions."""

from __future__ import annotations

import copy
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle as R4Bundle
from fhir.resources.R4B.consent import Consent as R4Consent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.codes import ANY, Category
from consent.decision import Permit, decide
from consent.fhir import grant_to_fhir, signed_to_fhir
from consent.fhir_import import (
    Proposal,
    Review,
    import_consent,
)
from consent.fhir_provision import Doubt
from consent.ledger import Ledger
from consent.model import ActorRef, By, deny_rule
from tests.support.consent_builders import (
    KEY,
    NOW,
    OTHER,
    SUBJECT,
    a_grant,
    a_ledger,
    a_permit,
    a_withdrawal,
    chained,
    exported,
)
from tests.support.consent_strategies import World, denies, likely, permits


def test_a_representative_is_named_as_the_one_who_gave_it() -> None:
    grant = replace(a_grant(), by=By("k9", "representative", "a1"))
    (consent,) = grant_to_fhir(grant)
    R4Consent.model_validate(consent)
    assert consent["performer"][0]["type"] == "RelatedPerson"


V3 = "http://terminology.hl7.org/CodeSystem"


def doubts(consent: dict[str, Any]) -> set[Doubt]:
    outcome = import_consent(consent)
    assert isinstance(outcome, Review)
    return set(outcome.doubts)


def test_our_export_is_believed_only_when_its_elements_say_the_same() -> None:
    (consent,) = exported(a_grant())
    assert isinstance(import_consent(consent), Proposal)
    changes: tuple[dict[str, Any], ...] = (
        {"purpose": [{"system": f"{V3}/v3-ActReason", "code": "HRESCH"}]},
        {"actor": []},
        {"class": None},
        {"modifierExtension": [{"url": "urn:pgo:consent:limits:1", "valueString": "{}"}]},
        {"modifierExtension": [{"url": "urn:pgo:consent:limits:1", "valueString": "\ud800"}]},
    )
    for change in changes:
        tampered = copy.deepcopy(consent)
        tampered["provision"] |= change
        assert Doubt.LIMITS_DIFFER in doubts(tampered)
    without_cut = copy.deepcopy(exported(a_grant(a_permit(exception=[deny_rule(actor=[OTHER])])))[0])
    del without_cut["provision"]["provision"]
    assert Doubt.LIMITS_DIFFER in doubts(without_cut)


def test_no_hospitals_except_mine_survives_the_export() -> None:
    own = replace(a_permit(), deidentification=None, sensitivity=None)
    deny = deny_rule(actor=[ActorRef("orgtype", "V4")], exception=[replace(own, category=None)])
    grant = a_grant(a_permit(), deny)
    outcomes = [import_consent(consent) for consent in exported(grant)]
    assert all(isinstance(outcome, Proposal) for outcome in outcomes)
    rules = [rule for outcome in outcomes if isinstance(outcome, Proposal) for rule in outcome.rules]
    assert deny in rules


def test_a_signed_grant_is_exported_with_its_proof() -> None:
    (signed,) = chained(a_grant(a_permit(), deny_rule(category=[Category.GENETICS])))
    bundle = signed_to_fhir(signed)
    R4Bundle.model_validate(bundle)
    kinds = Counter(entry["resource"]["resourceType"] for entry in bundle["entry"])
    assert kinds == {"Consent": 2, "DocumentReference": 1, "Provenance": 1}
    provenance = bundle["entry"][-1]["resource"]
    assert provenance["signature"][0]["sigFormat"] == "application/jose"
    (withdrawal,) = chained(a_withdrawal(target()))
    with pytest.raises(TypeError):
        signed_to_fhir(withdrawal)


def target() -> Any:
    from consent.model import Target

    return Target("all")


PERMITTED: list[bool] = []


@given(st.data())
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_law_18_export_and_import_give_the_same_decisions(data: st.DataObject) -> None:
    known = [rule for rule in data.draw(st.lists(permits(), min_size=1, max_size=2)) if not rule.unknown]
    grant = a_grant(*(known or [a_permit()]), *data.draw(st.lists(denies(), max_size=1)))
    question = data.draw(likely(World(tuple(chained(grant)))))
    back: list[Any] = []
    for consent in exported(grant):
        R4Consent.model_validate(consent)
        outcome = import_consent(json.loads(json.dumps(consent)))
        if isinstance(outcome, Proposal):
            assert outcome.period == grant.period
            back += outcome.rules
        else:
            # A deny without any limit leaves nothing of the permit it would be a carve-out of.
            assert isinstance(outcome, Review)
            assert outcome.doubts == (Doubt.NOT_COMPLETE,)
    again = a_ledger(a_grant(*back)) if back else Ledger.of([], keys=[KEY.public], subject=SUBJECT)
    one, other = decide(a_ledger(grant), question, at=NOW), decide(again, question, at=NOW)
    assert type(one) is type(other)
    PERMITTED.append(isinstance(one, Permit))
    if isinstance(one, Permit) and isinstance(other, Permit):
        assert one.obligations == other.obligations
        assert one.deidentification == other.deidentification


def test_law_18_was_tried_on_permits_too() -> None:
    """Runs after the law above: a law over denials alone would prove little."""
    assert sum(PERMITTED) > 0.2 * len(PERMITTED)


def test_any_category_and_any_cluster_come_back() -> None:
    rule = a_permit(category=ANY, sensitivity=ANY)
    outcome = import_consent(exported(a_grant(rule))[0])
    assert isinstance(outcome, Proposal)
    assert outcome.rules == (rule,)
