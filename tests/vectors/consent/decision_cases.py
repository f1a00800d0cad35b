"""Single rules of consent as vectors: a small log, one question, the answer; and logs to be refused.

Written by hand from the guide, sections 1.4 and 2.1 to 2.4; see generate_decisions.
"""

# ruff: noqa: E501 - one vector per row reads as the table it is

from __future__ import annotations

from typing import Any

from consent.document import sign_record
from consent.model import Target
from consent.record_json import record_to_json
from crypto.canonical import canonical_bytes
from crypto.chain import GENESIS
from crypto.signing import sign_jws
from tests.support.consent_builders import KEY, SECOND_KEY, SUBJECT, a_grant, a_withdrawal, instant

Json = dict[str, Any]
ORG, ICD = ["org", "ura:00000123"], "http://hl7.org/fhir/sid/icd-10|"
REGISTRY = ["registry", "dm-regio"]
PERMIT: Json = {"decision": "PERMIT"}


DEVICE: Json = {"kid": "device", "role": "self"}
REVOKED: Json = {
    "hash": "k1",
    "kind": "key",
    "action": "revoke",
    "kid": "device",
    "from_position": 1,
    "at": "2026-01-01",
}


def permit(**changed: Any) -> Json:
    """A treatment permit of labs to one organisation."""
    rule: Json = {
        "effect": "permit",
        "actor": [ORG],
        "purpose": ["TREAT"],
        "action": ["copy"],
        "category": ["labs"],
        "sensitivity": [],
        "deidentification": "none",
    }
    return rule | changed


def research(**changed: Any) -> Json:
    said: Json = {
        "actor": [REGISTRY],
        "purpose": ["HRESCH"],
        "action": ["extract"],
        "deidentification": "deid",
        "research_use": {"topics": ["E10-E14"]},
    }
    return permit(**(said | changed))


def deny(**members: Any) -> Json:
    return {"effect": "deny"} | members


def grant(*rules: Json, **changed: Any) -> Json:
    record: Json = {
        "hash": "g1",
        "kind": "grant",
        "id": "g",
        "at": "2026-01-01",
        "period": ["2026-01-01", "2027-01-01"],
        "rules": list(rules) or [permit()],
    }
    return record | changed


def stop(*target: str, **changed: Any) -> Json:
    return {"hash": "w1", "kind": "withdrawal", "at": "2026-02-01", "target": list(target)} | changed


def log(*records: Json) -> Json:
    return {"subject": "s", "records": list(records)}


def ask(resource: Json | None = None, **changed: Any) -> Json:
    facts: Json = {
        "category": ["labs"],
        "security_label": [],
        "code": [f"{ICD}E11"],
        "time": ["2025-05-01", "2025-05-01"],
        "author": "Practitioner/p1",
        "encounter": "Encounter/e1",
        "instance": "Observation/o1",
    }
    asked: Json = {
        "at": "2026-06-01",
        "actor": {"org": ["ura:00000123"]},
        "purpose": ["TREAT"],
        "action": ["view"],
        "resource": facts | (resource or {}),
    }
    return asked | changed


def study(*topics: str, purpose: str = "DSRCH", **said: Any) -> Json:
    return ask(
        actor={"registry": ["dm-regio"]},
        purpose=[purpose],
        action=["extract"],
        research={"topics": list(topics)} | said,
    )


def no(reason: str, **more: Any) -> Json:
    return {"decision": "DENY", "reason": reason} | more


NO_LABS = grant(deny(category=["labs"]), hash="d1", id="d")
AGAIN = grant(hash="g2", seen=["g1", "w1"], at="2026-03-01")
OLD = grant(permit(category=["problems"]), hash="g2", seen=["g1"], at="2026-02-01")
OTHER_HEAD = grant(permit(category=["labs", "problems"]), hash="g2", at="2026-02-01")
CUT = permit(actor=[["orgtype", "V4"], ORG], exception=[deny(actor=[["orgtype", "V6"]])])
MINE = deny(actor=[["orgtype", "V4"]], exception=[{"effect": "permit", "actor": [ORG]}])
MINE_LOG = log(grant(), grant(MINE, hash="d1", id="d"))
TREATING = permit(actor=[["treating_role", "01.015"]])
BOTH = permit(actor=[ORG], purpose=["TREAT", "HQUALIMP"], action=["copy", "extract"])

CASES: tuple[tuple[str, Json, Json, Json], ...] = (
    ("nothing is permitted without a grant", log(), ask(), no("no-grant", basis=[])),
    ("a grant permits what it names", log(grant()), ask(), PERMIT | {"valid_until": "2027-01-01T00:00:00Z"}),
    ("another recipient", log(grant()), ask(actor={"org": ["ura:9"]}), no("recipient")),
    ("an asker who does not say the organisation", log(grant()), ask(actor={}), no("recipient")),
    ("an asker without organisation", log(grant()), ask(actor={"org": []}), no("recipient")),
    ("another kind of data", log(grant()), ask({"category": ["problems"]}), no("category")),
    ("a kind nobody knows", log(grant()), ask({"category": "?"}), no("unclassified")),
    ("a resource of two kinds needs both", log(grant()), ask({"category": ["labs", "genetics"]}), no("category")),
    ("a sensitive cluster needs opting in", log(grant()), ask({"security_label": ["hiv"]}), no("sensitive-not-opted-in")),
    ("unknown clusters are not permitted", log(grant()), ask({"security_label": "?"}), no("unclassified")),
    ("a general label could be any cluster", log(grant()), ask({"security_label": ["R"]}), no("unclassified")),
    ("a specific label explains a general one", log(grant(permit(sensitivity=["hiv"]))), ask({"security_label": ["R", "HIV"]}), PERMIT),
    ("a label N removes nothing", log(grant()), ask({"security_label": ["N", "PSY"]}), no("sensitive-not-opted-in")),
    ("copy covers view", log(grant()), ask(action=["view"]), PERMIT),
    ("view does not cover copy", log(grant(permit(action=["view"]))), ask(action=["copy"]), no("action")),
    ("every action asked must be covered", log(grant()), ask(action=["view", "write"]), no("action")),
    ("every purpose asked must be covered", log(grant()), ask(purpose=["TREAT", "HRESCH"]), no("purpose")),
    ("TREAT covers coordination of care", log(grant()), ask(purpose=["COC"]), PERMIT),
    ("TREAT covers emergency care", log(grant()), ask(purpose=["ETREAT"]), PERMIT),
    ("TREAT does not cover trials", log(grant()), ask(purpose=["CLINTRL"]), no("purpose")),
    ("TREAT does not cover population health", log(grant()), ask(purpose=["POPHLTH"]), no("purpose")),
    ("ETREAT does not cover breaking the glass", log(grant(permit(purpose=["ETREAT"]))), ask(purpose=["BTG"]), no("purpose")),
    ("operations do not cover training of models", log(grant(permit(purpose=["HOPERAT"]))), ask(purpose=["MLTRAINING"]), no("purpose")),
    ("research does not cover trials", log(grant(research())), study("E11", purpose="CLINTRCH"), no("purpose")),
    ("a deny of research also denies training of models", log(grant(permit(purpose=["MLTRAINING"], actor=[REGISTRY], deidentification="deid")), grant(deny(purpose=["HRESCH"]), hash="d1", id="d")), study("E11", purpose="MLTRAINING"), no("denied-by-patient", basis=["d1"])),
    ("two purposes and two actions", log(grant(BOTH)), ask(purpose=["TREAT", "HQUALIMP"], action=["view", "extract"]), PERMIT),
    ("unknown purpose", log(grant()), ask(purpose="?"), no("purpose")),
    ("before the period", log(grant(period=["2026-07-01", "2027-01-01"])), ask(), no("not-yet-valid")),
    ("the last instant of the period", log(grant()), ask(at="2026-12-31T23:59:59Z"), PERMIT),
    ("the end of the period is excluded", log(grant()), ask(at="2027-01-01T00:00:00Z"), no("expired")),
    ("the clock set back does not help", log(grant(period=["2026-01-01", "2026-03-01"]), stop("lift", "x", at="2026-04-01")), ask(at="2026-02-01"), no("expired")),
    ("inside the data period", log(grant(permit(data_period=["2025-01-01", None]))), ask({"time": "2025"}), PERMIT),
    ("a year that may lie before the data period", log(grant(permit(data_period=["2025-02-01", None]))), ask({"time": "2025"}), no("data-period")),
    ("no date is inside no data period", log(grant(permit(data_period=["2025-01-01", None]))), ask({"time": "?"}), no("data-period")),
    ("a deny bites where the date may overlap", log(grant(), grant(deny(data_period=[None, "2025-02-01"]), hash="d1", id="d")), ask({"time": "2025"}), no("denied-by-patient")),
    ("a narrower code is about the granted one", log(grant(permit(code=["E10-E14"]))), ask({"code": ["E11.9"]}), PERMIT),
    ("a broader code is not", log(grant(permit(code=["E11"]))), ask({"code": ["E10-E14"]}), no("about")),
    ("a piece of a code is no ancestor", log(grant(permit(code=["E1"]))), ask({"code": ["E11"]}), no("about")),
    ("a treatment by its ATC group", log(grant(permit(code=["A10"]))), ask({"code": ["http://www.whocc.no/atc|A10BA02"]}), PERMIT),
    ("a deny beats a permit", log(grant(), NO_LABS), ask(), no("denied-by-patient", basis=["d1"])),
    ("order of records does not matter", log(NO_LABS, grant()), ask(), no("denied-by-patient", basis=["d1"])),
    ("a deny of looking denies keeping", log(grant(), grant(deny(action=["view"]), hash="d1", id="d")), ask(action=["copy"]), no("denied-by-patient")),
    ("a deny of keeping leaves looking", log(grant(), grant(deny(action=["copy"]), hash="d1", id="d")), ask(action=["view"]), PERMIT),
    ("a deny on something unknown bites", log(grant(), grant(deny(author=["Practitioner/p2"]), hash="d1", id="d")), ask({"author": "?"}), no("denied-by-patient")),
    ("a deny on another author does not", log(grant(), grant(deny(author=["Practitioner/p2"]), hash="d1", id="d")), ask(), PERMIT),
    ("one record is withheld", log(grant(), grant(deny(instance=["Observation/o1"]), hash="d1", id="d")), ask(), no("denied-by-patient")),
    ("one visit is withheld", log(grant(), grant(deny(encounter=["Encounter/e1"]), hash="d1", id="d")), ask(), no("denied-by-patient")),
    ("no hospitals, except mine: mine", MINE_LOG, ask(actor={"org": ["ura:00000123"], "orgtype": ["V4"]}), PERMIT),
    ("no hospitals, except mine: another", log(grant(permit(actor=[["org", "ura:9"]])), grant(MINE, hash="d1", id="d")), ask(actor={"org": ["ura:9"], "orgtype": ["V4"]}), no("denied-by-patient")),
    ("no hospitals, except mine: unknown organisation", MINE_LOG, ask(actor={"org": "?", "orgtype": ["V4"]}), no("denied-by-patient")),
    ("a carve-out of a permit cuts when it may apply", log(grant(CUT)), ask(), no("denied-by-patient")),
    ("a carve-out of a permit that does not apply", log(grant(CUT)), ask(actor={"org": ["ura:00000123"], "orgtype": ["V4"]}), PERMIT),
    ("a treating role needs the relationship", log(grant(TREATING)), ask(actor={"role": ["01.015"], "treating": True}), PERMIT),
    ("a role without the relationship", log(grant(TREATING)), ask(actor={"role": ["01.015"], "treating": False}), no("recipient")),
    ("a role with an unknown relationship", log(grant(TREATING)), ask(actor={"role": ["01.015"]}), no("recipient")),
    ("a withdrawal ends the grant", log(grant(), stop("grant", "g")), ask(), no("withdrawn")),
    ("a withdrawal of all ends every grant", log(grant(), stop("all")), ask(), no("withdrawn")),
    ("a withdrawal by recipient", log(grant(), stop("actor", *ORG)), ask(), no("withdrawn")),
    ("a withdrawal by purpose", log(grant(), stop("purpose", "TREAT")), ask(), no("withdrawn")),
    ("a withdrawal beats a later grant that had not seen it", log(grant(at="2026-03-01"), stop("grant", "g")), ask(), no("withdrawn")),
    ("granting again after having seen it works", log(grant(), stop("grant", "g"), AGAIN), ask(), PERMIT | {"basis": ["g2"]}),
    ("what was known before the withdrawal", log(grant(), stop("grant", "g")), ask(known_as_of="2026-01-15"), PERMIT),
    ("a deny ends only by a lift that saw it", log(grant(), NO_LABS, stop("lift", "d", seen=["d1"])), ask(), PERMIT),
    ("a lift that did not see the deny", log(grant(), NO_LABS, stop("lift", "d")), ask(), no("denied-by-patient")),
    ("a newer version replaces the older", log(grant(), OLD), ask(), no("category", basis=["g2"])),
    ("two versions permit what both permit", log(grant(), OTHER_HEAD), ask(), PERMIT | {"basis": ["g1", "g2"]}),
    ("two versions do not permit what one permits", log(grant(), OTHER_HEAD), ask({"category": ["problems"]}), {"decision": "DENY"}),
    ("a version whose past is missing permits nothing", log(grant(seen=["lost"])), ask(), no("incomplete-history")),
    ("a deny whose past is missing still bites", log(grant(), NO_LABS | {"seen": ["lost"]}), ask(), no("denied-by-patient")),
    ("a permit of an unknown member is void", log(grant(permit(colour="blue"))), ask(), no("use-condition")),
    ("an unknown member leaves a deny as wide as without it", log(grant(), grant(deny(colour="blue"), hash="d1", id="d")), ask(), no("denied-by-patient")),
    ("research strips identity and forbids linking", log(grant(research())), study("E11"), PERMIT | {"deid": "deid", "obligations": ["NORELINK"]}),
    ("research asks at least de-identification", log(grant(research(deidentification="pseud"))), study("E11"), PERMIT | {"deid": "deid"}),
    ("a topic outside is asked for again", log(grant(research())), study("C50"), no("topic", ask=True)),
    ("all topics must be inside", log(grant(research())), study("E11", "C50"), no("topic", ask=True)),
    ("no topic lies inside nothing", log(grant(research())), study(), no("topic")),
    ("an unknown topic", log(grant(research())), study("?"), no("topic")),
    ("commercial use is opted in", log(grant(research())), study("E11", commercial=True), no("use-condition")),
    ("commercial use opted in", log(grant(research(research_use={"topics": ["E11"], "commercial": True}))), study("E11", commercial=True), PERMIT),
    ("unknown commercial use", log(grant(research())), study("E11", commercial="?"), no("use-condition")),
    ("training of models is opted in", log(grant(research())), study("E11", train_models=True), no("use-condition")),
    ("methods research is opted in", log(grant(research())), study("E11", methods=True), no("use-condition")),
    ("ethics approval that is not there", log(grant(research(research_use={"topics": ["E11"], "ethics_required": True}))), study("E11"), no("use-condition")),
    ("ethics approval that is there", log(grant(research(research_use={"topics": ["E11"], "ethics_required": True}))), study("E11", ethics=True), PERMIT),
    ("a region inside a region", log(grant(research(research_use={"topics": ["E11"], "regions": ["EU"]}))), study("E11", region="NL"), PERMIT),
    ("a region outside", log(grant(research(research_use={"topics": ["E11"], "regions": ["EU"]}))), study("E11", region="US"), no("use-condition")),
    ("duties of all that permits are joined", log(grant(permit(obligation=["NORDSCLCD"])), grant(permit(obligation=["AUDIT"], deidentification="pseud"), hash="g2", id="h")), ask(), PERMIT | {"obligations": ["AUDIT", "NORDSCLCD"], "deid": "pseud", "basis": ["g1", "g2"]}),
    ("a key that signed two records for one place is frozen", log(grant(by=DEVICE), grant(by=DEVICE, hash="g2", id="h", position=0)), ask(), no("fork")),
    ("a frozen key's deny holds", log(grant(), grant(deny(), by=DEVICE, hash="g2", id="h"), grant(by=DEVICE, hash="g3", id="i", position=0)), ask(), no("denied-by-patient")),
    ("another key is untouched by it", log(grant(), grant(by=DEVICE, hash="g2", id="h"), grant(by=DEVICE, hash="g3", id="i", position=0)), ask(), PERMIT | {"basis": ["g1"]}),
    ("a split is settled by distrusting the key from there", log(grant(by=DEVICE), grant(by=DEVICE, hash="g2", id="h"), grant(by=DEVICE, hash="g3", id="i", position=1), REVOKED), ask(), PERMIT | {"basis": ["g1", "k1"]}),
    ("a duty may carry a day", log(grant(permit(obligation=["DELAU:2027-01-01"])), grant(permit(obligation=["DELAU", "DELAU:2026-12-01"]), hash="g2", id="h")), ask(), PERMIT | {"obligations": ["DELAU", "DELAU:2026-12-01", "DELAU:2027-01-01"]}),
    ("a day where no duty has one voids a permit", log(grant(permit(obligation=["AUDIT:2027-01-01"]))), ask(), no("use-condition")),
    ("everything unknown", log(grant()), {"at": "2026-06-01", "actor": "?", "purpose": "?", "action": "?", "resource": "?"}, {"decision": "DENY"}),
)  # fmt: skip


def _signed(*records: Any, **changed: Any) -> Json:
    return {"subject": SUBJECT, "keys": [KEY.public.text], "records": list(records)} | changed


_FIRST = sign_record(a_grant(), KEY, position=0, previous=GENESIS)
_SECOND = sign_record(
    a_withdrawal(Target("grant", ("g1",)), at=instant(2026, 2)), KEY, position=1, previous=_FIRST.hash
)
_BODY: Json = {"position": 0, "previous": GENESIS, "record": record_to_json(a_grant())}


def _token(body: Json, key: Any = KEY, typ: str = "pgo-grant+jws") -> str:
    return sign_jws(canonical_bytes(body), key, typ=typ)


def _record(**changed: Any) -> Json:
    return _BODY | {"record": record_to_json(a_grant()) | changed}


_FLOAT = canonical_bytes(_record(at=1)).replace(b'"at":1', b'"at":1.5')
_TWICE = canonical_bytes(_BODY).replace(b'{"position"', b'{"position":0,"position"')

REFUSALS: tuple[tuple[str, Json, bool, str, str], ...] = (
    ("forged", _signed(_FIRST.token[:-8] + "AAAAAAAA"), True, "not_trusted", "signature"),
    ("truncated", _signed(_FIRST.token[:-20]), True, "not_trusted", "not_a_token"),
    ("signed by a key that is not trusted", _signed(_token(_BODY, SECOND_KEY)), True, "not_trusted", "unknown_key"),
    ("no token", _signed("x.y"), True, "not_trusted", "not_a_token"),
    ("type of another kind", _signed(_token(_BODY, typ="pgo-key+jws")), True, "invalid_document", "typ"),
    ("foreign type", _signed(_token(_BODY, typ="JWT")), True, "not_trusted", "typ"),
    ("another person's record", _signed(_FIRST.token, subject="another"), True, "not_trusted", "subject"),
    ("a record in between is missing", _signed(_SECOND.token), True, "not_trusted", "gap"),
    ("newer version", _signed(_token(_record(version=2))), True, "invalid_document", "version"),
    ("unknown member", _signed(_token(_record(colour="blue"))), True, "invalid_document", "unknown_member"),
    ("unknown kind", _signed(_token(_record(kind="wish"))), True, "unknown_code", "kind"),
    ("a number with a fraction", _signed(sign_jws(_FLOAT, KEY, typ="pgo-grant+jws")), True, "invalid_document", "not_an_instant"),
    ("a member twice", _signed(sign_jws(_TWICE, KEY, typ="pgo-grant+jws")), True, "invalid_document", "malformed"),
    ("a key of low order", _signed(_FIRST.token, keys=["A" * 43]), True, "not_trusted", "weak_key"),
    ("plain record without hash", log({k: v for k, v in grant().items() if k != "hash"}), False, "invalid_document", "hash"),
    ("permit without purpose", log(grant({k: v for k, v in permit().items() if k != "purpose"})), False, "invalid_document", "permit_without_purpose"),
    ("research about anything", log(grant(research(research_use={}, actor=[ORG]))), False, "invalid_document", "research_not_delimited"),
    ("research with identity", log(grant(research(deidentification="none"))), False, "invalid_document", "research_identified"),
    ("research with any cluster", log(grant(research(sensitivity="any"))), False, "invalid_document", "research_sensitivity_any"),
    ("an empty period", log(grant(period=["2026-01-01", "2026-01-01"])), False, "invalid_document", "empty_period"),
    ("records that had seen each other", log(grant(seen=["w1"]), stop("all", seen=["g1"])), False, "not_trusted", "causal_cycle"),
    ("an unknown withdrawal", log(stop("moon")), False, "invalid_document", "target"),
)  # fmt: skip
