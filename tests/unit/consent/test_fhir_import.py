"""A foreign Consent becomes what no reading contradicts, and never a working grant."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fhir.resources.R4B.consent import Consent as R4Consent
from hypothesis import given
from hypothesis import strategies as st

from consent.codes import Action, Category, Effect, Sensitivity
from consent.fhir_import import (
    Dialect,
    Directive,
    Outcome,
    Proposal,
    Review,
    import_consent,
    outcome_to_json,
)
from consent.fhir_provision import Doubt
from consent.model import ActorRef, DatePeriod, Period, deny_rule
from pgo.health.record.reader import read_records
from pgo.health.record.resource import Refused
from tests.support.consent_builders import (
    CLINIC,
    OTHER,
    a_grant,
    a_permit,
    exported,
    instant,
)

V3 = "http://terminology.hl7.org/CodeSystem"


def foreign(**provision: Any) -> dict[str, Any]:
    """A complete Consent as another Dutch system might write it."""
    root: dict[str, Any] = {
        "type": "permit",
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
        "actor": [
            {
                "role": {"coding": [{"system": f"{V3}/v3-ParticipationType", "code": "IRCP"}]},
                "reference": {
                    "identifier": {"system": "http://fhir.nl/fhir/NamingSystem/ura", "value": "00000123"}
                },
            }
        ],
        "purpose": [{"system": f"{V3}/v3-ActReason", "code": "TREAT"}],
        "action": [{"coding": [{"system": f"{V3}/consentaction", "code": "access"}]}],
        "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "AllergyIntolerance"}],
    }
    root |= provision
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": f"{V3}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "policyRule": {"coding": [{"system": f"{V3}/v3-ActCode", "code": "OPTIN"}]},
        "provision": {name: value for name, value in root.items() if value is not None},
    }


def doubts(consent: dict[str, Any]) -> set[Doubt]:
    outcome = import_consent(consent)
    assert isinstance(outcome, Review)
    return set(outcome.doubts)


def test_a_complete_permit_becomes_a_proposal() -> None:
    consent = foreign()
    R4Consent.model_validate(consent)
    expected = a_permit(actor=[CLINIC], action=[Action.VIEW], category=[Category.ALLERGIES])
    assert import_consent(consent) == Proposal(
        Dialect.GENERIC, (expected,), Period(instant(2026), instant(2027))
    )


def test_a_child_of_type_deny_is_a_carve_out_in_both_readings() -> None:
    outcome = import_consent(
        foreign(
            provision=[{"type": "deny", "securityLabel": [{"system": f"{V3}/v3-ActCode", "code": "PSY"}]}]
        )
    )
    assert isinstance(outcome, Proposal)
    assert outcome.rules[0].exception == (deny_rule(security_label=[Sensitivity.MENTAL]),)


def test_the_profile_names_the_dialect() -> None:
    pcf = foreign() | {
        "meta": {"profile": ["https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentBasic"]}
    }
    outcome = import_consent(pcf)
    assert isinstance(outcome, Proposal)
    assert outcome.dialect is Dialect.PCF


@pytest.mark.parametrize(
    ("changed", "doubt"),
    [
        ({"type": None}, Doubt.ROOT_WITHOUT_TYPE),
        ({"actor": None}, Doubt.NO_RECIPIENT),
        ({"purpose": None}, Doubt.NO_PURPOSE),
        ({"purpose": [{"code": "RESEARCHISH"}]}, Doubt.PURPOSE),
        ({"purpose": [{"code": "HRESCH"}]}, Doubt.RESEARCH_NOT_DELIMITED),
        ({"period": None}, Doubt.NO_PERIOD),
        ({"period": {"start": "2026-01-01"}}, Doubt.NO_PERIOD),
        ({"action": [{"coding": [{"code": "dance"}]}]}, Doubt.ACTION),
        ({"class": [{"code": "Observation"}]}, Doubt.CLASS),
        ({"class": [{"code": "Condition"}]}, Doubt.CLASS),
        ({"securityLabel": [{"code": "QQQ"}]}, Doubt.LABEL),
        ({"securityLabel": [{"code": "R"}]}, Doubt.LABEL),
        ({"code": [{"text": "diabetes"}]}, Doubt.CODE),
        ({"data": [{"meaning": "dependents", "reference": {"reference": "Patient/1"}}]}, Doubt.DATA),
        ({"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]}, Doubt.MODIFIER),
        ({"someNewMember": 1}, Doubt.MODIFIER),
        ({"dataPeriod": {"start": "soon"}}, Doubt.BAD_SHAPE),
        ({"dataPeriod": {"start": 2020}}, Doubt.BAD_SHAPE),
        ({"dataPeriod": "2020"}, Doubt.BAD_SHAPE),
        ({"period": {"start": "2026-01-01T99:00:00Z", "end": "2027"}}, Doubt.NO_PERIOD),
        ({"period": {"start": 2026, "end": 2027}}, Doubt.NO_PERIOD),
        ({"period": {"start": "2027", "end": "2026"}}, Doubt.NO_PERIOD),
        ({"actor": [{"reference": {"display": "the doctor"}}]}, Doubt.ACTOR_ROLE),
        ({"purpose": "TREAT"}, Doubt.BAD_SHAPE),
        ({"type": "deny", "code": [{"text": "diabetes"}]}, Doubt.CODE),
        ({"type": "deny", "class": [{"code": "Dream"}]}, Doubt.CLASS),
        ({"type": "deny", "purpose": [{"code": "RESEARCHISH"}]}, Doubt.PURPOSE),
        ({"type": "deny", "data": [{"meaning": "related"}]}, Doubt.DATA),
        ({"type": "deny", "provision": [{"type": "deny"}]}, Doubt.CHILD_LIKE_ROOT),
        ({"type": "deny", "provision": [{}]}, Doubt.CHILD_WITHOUT_TYPE),
        ({"provision": [{"type": "permit", "purpose": [{"code": "COC"}]}]}, Doubt.CHILD_LIKE_ROOT),
        ({"provision": [{"purpose": [{"code": "COC"}]}]}, Doubt.CHILD_WITHOUT_TYPE),
        (
            {
                "provision": [
                    {"type": "deny", "purpose": [{"code": "COC"}], "provision": [{"type": "permit"}]}
                ]
            },
            Doubt.NESTED,
        ),
        ({"provision": "all"}, Doubt.BAD_SHAPE),
        ({"type": "deny", "provision": [{"type": "permit"}]}, Doubt.DENY_WITH_PERMITS),
    ],
)
def test_what_is_not_clear_goes_to_a_person(changed: dict[str, Any], doubt: Doubt) -> None:
    assert doubt in doubts(foreign(**changed))


@pytest.mark.parametrize(
    ("changed", "doubt"),
    [
        ({"status": "inactive"}, Doubt.NOT_ACTIVE),
        ({"decision": "permit"}, Doubt.NOT_R4),
        ({"modifierExtension": [{"url": "urn:x"}]}, Doubt.MODIFIER),
        ({"provision": None}, Doubt.NO_PROVISION),
    ],
)
def test_doubts_about_the_whole_consent(changed: dict[str, Any], doubt: Doubt) -> None:
    assert doubt in doubts(foreign() | changed)


def test_a_bare_reference_names_nobody() -> None:
    consent = foreign()
    consent["provision"]["actor"][0]["reference"] = {"reference": "Organization/1"}
    assert doubts(consent) == {Doubt.NO_RECIPIENT}


@pytest.mark.parametrize(
    "identifier",
    [
        {"system": "urn:pgo:actor:wizard", "value": "1"},
        {"system": "urn:x", "value": "1"},
        {"system": "http://fhir.nl/fhir/NamingSystem/big"},
        {"value": "1"},
    ],
)
def test_a_number_of_an_unknown_kind_names_nobody(identifier: dict[str, str]) -> None:
    consent = foreign()
    consent["provision"]["actor"][0]["reference"]["identifier"] = identifier
    assert doubts(consent) == {Doubt.NO_RECIPIENT}


def test_limits_on_records_writers_and_codes_are_read() -> None:
    consent = foreign(
        period={"start": "2026-01-01T00:00:00+01:00", "end": "2026-12-31T23:59:59"},
        code=[{"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}],
        data=[
            {"meaning": "instance", "reference": {"reference": "Observation/1"}},
            {"meaning": "authoredby", "reference": {"reference": "Practitioner/2"}},
        ],
        action=[{"coding": [{"code": "disclose"}]}],
    )
    outcome = import_consent(consent)
    assert isinstance(outcome, Proposal)
    (rule,) = outcome.rules
    assert rule.instance == frozenset({"Observation/1"})
    assert rule.author == frozenset({"Practitioner/2"})
    assert rule.code == frozenset({"http://loinc.org|4548-4"})
    assert rule.action == frozenset({Action.EXTRACT})
    assert outcome.period == Period(instant(2025, 12, 31).replace(hour=23), instant(2027))
    consent["provision"] |= {"type": "deny"}
    strict = import_consent(consent)
    assert isinstance(strict, Proposal)
    assert strict.rules[0].action == frozenset({Action.EXTRACT, Action.RESHARE})
    assert strict.rules[0].code == frozenset({"http://loinc.org|4548-4"})


def test_an_outcome_is_told_as_json() -> None:
    directive = foreign()
    directive["scope"]["coding"][0]["code"] = "adr"
    found = [outcome_to_json(import_consent(c)) for c in (directive, foreign(), foreign(type=None))]
    assert [value["outcome"] for value in found] == ["directive", "proposal", "review"]
    assert json.loads(json.dumps(found)) == found


def test_a_custodian_is_no_recipient() -> None:
    consent = foreign()
    consent["provision"]["actor"][0]["role"]["coding"][0]["code"] = "CST"
    assert Doubt.ACTOR_ROLE in doubts(consent)


def test_a_pure_deny_is_taken_over_and_loses_only_limits_it_cannot_state() -> None:
    deny = foreign(type="deny", period={"start": "2026-01-01", "end": "2026-12-31"})
    outcome = import_consent(deny)
    assert isinstance(outcome, Proposal)
    assert [rule.effect for rule in outcome.rules] == [Effect.DENY]
    assert outcome.rules[0].category == frozenset({Category.ALLERGIES})
    unclear = import_consent(foreign(type="deny", securityLabel=[{"code": "QQQ"}]))
    assert isinstance(unclear, Review)
    assert unclear.denies[0].security_label is None


def test_an_untyped_root_withholds_and_permits_nothing() -> None:
    outcome = import_consent(foreign(type=None))
    assert isinstance(outcome, Review)
    assert [rule.effect for rule in outcome.denies] == [Effect.DENY]


@pytest.mark.parametrize("scope", ["treatment", "adr"])
def test_a_wish_about_care_is_clinical_data_never_policy(scope: str) -> None:
    consent = foreign()
    consent["scope"]["coding"][0]["code"] = scope
    assert import_consent(consent) == Directive()


def test_a_dutch_agb_number_needs_to_say_whose_it_is() -> None:
    consent = foreign()
    reference = consent["provision"]["actor"][0]["reference"]
    reference["identifier"]["system"] = "http://fhir.nl/fhir/NamingSystem/agb-z"
    assert doubts(consent) == {Doubt.NO_RECIPIENT}
    reference["type"] = "Organization"
    outcome = import_consent(consent)
    assert isinstance(outcome, Proposal)
    assert outcome.rules[0].actor == frozenset({ActorRef("org", "agb:00000123")})


def test_the_last_day_of_a_period_is_included() -> None:
    outcome = import_consent(
        foreign(period={"start": "2026", "end": "2026-06"}, dataPeriod={"start": "2020", "end": "2021-02"})
    )
    assert isinstance(outcome, Proposal)
    assert outcome.period == Period(instant(2026), instant(2026, 7))
    assert outcome.rules[0].data_period == DatePeriod(date(2020, 1, 1), date(2021, 2, 28))
    without_end = import_consent(foreign(dataPeriod={"start": "2020"}))
    assert isinstance(without_end, Proposal)
    assert without_end.rules[0].data_period == DatePeriod(date(2020, 1, 1), None)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.sampled_from(["permit", "deny", "Consent", "2026", "?"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*sorted(foreign()["provision"]), "provision"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_odd_content_never_raises_and_never_permits(provision: Any) -> None:
    outcome = import_consent(foreign() | {"provision": provision})
    assert isinstance(outcome, Review) or all(
        rule.effect is Effect.DENY or (rule.actor and rule.purpose) for rule in _rules(outcome)
    )


ODD: tuple[Any, ...] = (None, True, 0, -1, "", "?", "2026", "permit", "deny", [], {}, ["?"], [None], {"a": 1})


def mutated(value: Any, dice: Random) -> Any:
    """A copy with one to three places replaced, removed or wrapped."""
    changed = {"": copy.deepcopy(value)}
    for _ in range(dice.randint(1, 3)):
        holder: Any = changed
        key: Any = ""
        while isinstance(holder[key], dict | list) and holder[key] and dice.random() < 0.8:
            holder = holder[key]
            key = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        if key != "":
            holder[key] = dice.choice([copy.deepcopy(dice.choice(ODD)), [holder[key]]])
    return changed[""]


@pytest.mark.parametrize("seed", range(20))
def test_no_broken_consent_raises_or_loses_who_it_is_for(seed: int) -> None:
    dice = Random(seed)
    whole = [foreign(), foreign(type="deny"), *exported(a_grant(a_permit(), deny_rule(actor=[OTHER])))]
    for _ in range(100):
        outcome = import_consent(mutated(dice.choice(whole), dice))
        assert json.dumps(outcome_to_json(outcome))
        for rule in _rules(outcome):
            assert rule.effect is Effect.DENY or (rule.actor and rule.purpose)


def _rules(outcome: Outcome) -> tuple[Any, ...]:
    return outcome.rules if isinstance(outcome, Proposal) else ()


def consents_in(folder: Path) -> Iterator[dict[str, Any]]:
    """Every Consent of a folder; JSON is taken as it is, XML as our reader gives it (STU3 converted)."""
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.suffix in (".json", ".xml") else b""
        if b"Consent" not in data:
            continue
        if path.suffix == ".json":
            value = json.loads(data)
            found = [entry.get("resource") for entry in value.get("entry", ())] or [value]
        else:
            try:
                found = [dict(resource.body) for resource in read_records(data, name=path.name).resources]
            except Refused:
                continue
        yield from (item for item in found if item.get("resourceType") == "Consent")


@pytest.mark.data
def test_every_published_consent_at_hand_gets_an_outcome(shared_data: Path) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    seen: Counter[Doubt] = Counter()
    for folder in ("hl7-r4-examples", "nl", "consent-and-labels"):
        for consent in consents_in(shared_data / folder):
            outcome = import_consent(consent)
            counts[folder, type(outcome).__name__] += 1
            seen.update(outcome.doubts if isinstance(outcome, Review) else ())
    assert counts == {
        ("hl7-r4-examples", "Review"): 6,
        ("nl", "Directive"): 11,
        ("consent-and-labels", "Review"): 2,
    }
    # Not one of the examples of the standard says its type at the root; the MII form names no recipient.
    assert seen[Doubt.ROOT_WITHOUT_TYPE] == 6
    assert seen[Doubt.RESEARCH_NOT_DELIMITED] == 2
