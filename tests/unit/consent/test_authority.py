"""Representatives, second signatures, age, death and the life of device keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest

from consent.authority import age_on, birthday
from consent.decision import (
    Capabilities,
    Decision,
    Deny,
    Permit,
    Question,
    Reason,
    decide,
    grants_in_force,
    lapses,
)
from consent.document import SignedRecord, sign_record
from consent.errors import InvalidDocument
from consent.floors import AGE_BANDS, FLOORS, GROUNDS, floor_for
from consent.ledger import Ledger
from consent.model import (
    Action,
    Authority,
    Basis,
    By,
    Category,
    Cosignature,
    Deidentification,
    Grant,
    Period,
    Record,
    Target,
    deny_rule,
    parse_record,
    record_payload,
)
from consent.statement import build_statement
from crypto.chain import GENESIS
from crypto.keys import SigningKey
from tests.support.consent_builders import (
    CLINIC,
    KEY,
    NOW,
    REGISTRY,
    SECOND_KEY,
    SUBJECT,
    YEAR,
    a_grant,
    a_permit,
    a_withdrawal,
    facts,
    instant,
    key_record,
)

ROOT, MINOR, PARENT = SigningKey.from_seed(bytes([9] * 32)), KEY, SECOND_KEY
CARE = Question(frozenset({CLINIC}), frozenset({"TREAT"}), frozenset({Action.VIEW}), facts())
STUDY = Question(frozenset({REGISTRY}), frozenset({"HRESCH"}), frozenset({Action.VIEW}), facts())
RESEARCH = a_permit(actor=[REGISTRY], purpose=["HRESCH"], deidentification=Deidentification.DEID)


class Family:
    """A log of really signed records by root, minor and parent; each has seen all before it."""

    def __init__(self, **members: Any) -> None:
        self.records: list[SignedRecord] = []
        said: dict[str, Any] = {
            "id": "auth",
            "representative": PARENT.public.id,
            "basis": Basis.PARENT,
            "subject": SUBJECT,
            "by": By(ROOT.public.id),
            "at": instant(2020),
            "period": Period(instant(2019), instant(2040)),
            "born_on": date(2016, 6, 15),
        }
        self.add(Authority(**(said | members)), ROOT)

    def add(self, record: Record, key: SigningKey, **members: Any) -> SignedRecord:
        own = key is not PARENT
        by = By(key.public.id) if own else By(key.public.id, "representative", "auth")
        chain = [r for r in self.records if r.kid == key.public.id]
        told = replace(record, by=by, seen=frozenset(r.hash for r in self.records), **members)
        signed = sign_record(told, key, position=len(chain), previous=chain[-1].hash if chain else GENESIS)
        self.records.append(signed)
        return signed

    def cosign(self, target: SignedRecord, key: SigningKey) -> None:
        base = Cosignature(
            target=target.hash,
            subject=SUBJECT,
            by=By("x"),
            at=target.record.at,
            seen=frozenset({target.hash}),
        )
        self.add(base, key)

    @property
    def ledger(self) -> Ledger:
        keys = [ROOT.public, MINOR.public, PARENT.public]
        return Ledger.of([r.token for r in self.records], keys=keys, subject=SUBJECT)

    def ask(self, question: Question = CARE, *, at: datetime = NOW) -> Decision:
        return decide(self.ledger, question, at=at)


LONG = Period(instant(2020), instant(2040))


def a_long_grant(*rules: Any, **members: Any) -> Grant:
    return a_grant(*rules, period=LONG, **members)


def test_a_parent_permits_for_a_child_under_twelve() -> None:
    family = Family()
    family.add(a_long_grant(), PARENT)
    assert isinstance(family.ask(at=instant(2027)), Permit)


def test_a_child_under_twelve_alone_permits_nothing() -> None:
    family = Family()
    family.add(a_long_grant(), MINOR)
    assert reason(family.ask()) is Reason.AUTHORITY_LAPSED


def test_between_twelve_and_sixteen_both_must_sign() -> None:
    family = Family(basis=Basis.MINOR_AND_PARENT)
    grant = family.add(a_long_grant(at=instant(2030)), MINOR)
    assert reason(family.ask(at=instant(2031))) is Reason.AUTHORITY_LAPSED
    family.cosign(grant, PARENT)
    answer = family.ask(at=instant(2031))
    assert isinstance(answer, Permit)
    assert set(answer.basis) == {grant.hash, family.records[-1].hash}


def test_a_parents_permit_lapses_on_the_sixteenth_birthday_and_the_answer_says_when() -> None:
    family = Family()
    family.add(a_long_grant(), PARENT)
    before = family.ask(at=datetime(2032, 6, 14, 23, tzinfo=UTC))
    assert isinstance(before, Permit)
    assert before.valid_until == datetime(2032, 6, 15, tzinfo=UTC)
    assert reason(family.ask(at=datetime(2032, 6, 15, tzinfo=UTC))) is Reason.AUTHORITY_LAPSED


def test_what_a_parent_permitted_is_known_to_lapse_beforehand() -> None:
    family = Family()
    grant = family.add(a_long_grant(), PARENT)
    twelve, sixteen = (datetime(year, 6, 15, tzinfo=UTC) for year in (2028, 2032))
    assert lapses(family.ledger, instant(2027)) == {grant.record.id: twelve}  # type: ignore[union-attr]
    assert lapses(family.ledger, twelve) == {grant.record.id: sixteen}  # type: ignore[union-attr]
    assert lapses(family.ledger, sixteen) == {}
    own = Family(basis=Basis.MENTOR, born_on=None)
    own.add(a_long_grant(), MINOR)
    assert lapses(own.ledger, NOW) == {}
    short = Family(basis=Basis.MENTOR, born_on=None, period=Period(instant(2020), instant(2030)))
    short.add(a_grant(), PARENT)
    assert lapses(short.ledger, NOW) == {}


def test_research_permitted_by_a_parent_lapses_at_twelve_unless_the_minor_signed_too() -> None:
    family = Family()
    grant = family.add(a_long_grant(RESEARCH), PARENT)
    assert isinstance(family.ask(STUDY, at=instant(2028)), Permit)
    assert reason(family.ask(STUDY, at=instant(2029))) is Reason.AUTHORITY_LAPSED
    family.cosign(grant, MINOR)
    assert isinstance(family.ask(STUDY, at=instant(2029)), Permit)


def test_the_sixteen_year_old_signs_alone() -> None:
    family = Family()
    family.add(a_long_grant(at=instant(2033)), MINOR)
    assert isinstance(family.ask(at=instant(2034)), Permit)


def test_either_alone_denies_and_withdraws() -> None:
    for key in (MINOR, PARENT):
        family = Family()
        family.add(a_long_grant(), PARENT)
        family.add(a_long_grant(deny_rule(category=[Category.LABS]), grant_id="no"), key)
        assert reason(family.ask()) is Reason.DENIED
        family = Family()
        family.add(a_long_grant(), PARENT)
        family.add(a_withdrawal(Target("all")), key)
        assert reason(family.ask()) is Reason.WITHDRAWN


def test_a_representative_lifts_only_what_a_representative_denied() -> None:
    for denier, outcome in ((PARENT, Permit), (ROOT, Deny)):
        family = Family(basis=Basis.MENTOR, born_on=None)
        family.add(a_long_grant(deny_rule(category=[Category.LABS]), grant_id="no"), denier)
        family.add(a_long_grant(), PARENT)
        family.add(a_withdrawal(Target("lift", ("no",))), PARENT)
        assert isinstance(family.ask(), outcome)


@pytest.mark.parametrize("basis", [Basis.MENTOR, Basis.CURATOR, Basis.WRITTEN_PROXY])
def test_a_proxy_permits_within_its_period_and_scope(basis: Basis) -> None:
    members = {"basis": basis, "born_on": None, "period": YEAR, "scope": (a_permit(),)}
    family = Family(**members)
    family.add(a_long_grant(a_permit(category=[Category.LABS, Category.PROBLEMS])), PARENT)
    assert isinstance(family.ask(), Permit)
    problems = replace(CARE, facts=facts([Category.PROBLEMS]))
    assert reason(family.ask(problems)) is Reason.AUTHORITY_LAPSED
    assert reason(family.ask(at=YEAR.until_at)) is Reason.AUTHORITY_LAPSED


def test_what_lies_beyond_an_authority_is_in_no_statement() -> None:
    family = Family(basis=Basis.MENTOR, born_on=None, scope=(a_permit(),))
    family.add(a_long_grant(a_permit(category=[Category.LABS, Category.PROBLEMS])), PARENT)
    assert scope_of(family.ledger) == 0
    family.add(a_long_grant(grant_id="within"), PARENT)
    assert scope_of(family.ledger) == 1


def scope_of(ledger: Ledger) -> int:
    built = build_statement(
        ledger,
        audience_actor=CLINIC,
        audience_id="a",
        subject="s",
        reply_key="r",
        sequence=1,
        previous=None,
        at=NOW,
    )
    return len(built.scope)


def test_an_authority_that_was_ended_permits_nothing_more() -> None:
    family = Family(basis=Basis.MENTOR, born_on=None)
    family.add(a_long_grant(), PARENT)
    assert isinstance(family.ask(), Permit)
    family.add(a_withdrawal(Target("authority", ("auth",))), ROOT)
    assert reason(family.ask()) is Reason.AUTHORITY_LAPSED
    family.add(a_long_grant(grant_id="later"), PARENT)
    assert isinstance(family.ask(), Deny)


def test_named_cosigners_must_sign() -> None:
    family = Family(basis=Basis.CURATOR, born_on=None, cosigners=frozenset({ROOT.public.id}))
    grant = family.add(a_long_grant(), PARENT)
    assert isinstance(family.ask(), Deny)
    family.cosign(grant, ROOT)
    assert isinstance(family.ask(), Permit)


def test_nobody_appoints_themselves_and_a_representatives_key_never_is_the_subject() -> None:
    family = Family(basis=Basis.MENTOR, born_on=None)
    forged = replace(family.records[0].record, by=By(PARENT.public.id))
    own = sign_record(forged, PARENT, position=0, previous=GENESIS)
    family.records[:] = [own]
    family.add(a_long_grant(), PARENT)
    assert isinstance(family.ask(), Deny)
    family = Family(basis=Basis.MENTOR, born_on=None)
    claim = a_long_grant(by=By(PARENT.public.id), seen=frozenset({family.records[0].hash}))
    family.records.append(sign_record(claim, PARENT, position=0, previous=GENESIS))
    assert reason(family.ask()) is Reason.AUTHORITY_LAPSED


def test_after_death_only_what_was_granted_for_it_works() -> None:
    family = Family(basis=Basis.DECEASED, born_on=None, period=Period(instant(2026, 3), instant(2080)))
    family.add(a_long_grant(), MINOR)
    assert isinstance(family.ask(at=instant(2026, 2)), Permit)
    assert reason(family.ask()) is Reason.AUTHORITY_LAPSED
    family.add(a_long_grant(grant_id="after", after_death=True), MINOR)
    assert isinstance(family.ask(), Permit)
    family.add(a_long_grant(grant_id="by-heir", after_death=True), PARENT)
    assert [grant.id for grant in grants_in_force(family.ledger, NOW)] == ["after"]


def test_the_tables_cover_every_age_and_ground_without_gap() -> None:
    edges = [(band.from_age, band.until_age) for band in AGE_BANDS]
    assert edges == sorted(edges)
    assert edges[0][0] == 0
    assert all(end == start for (_, end), (start, _) in pairwise(edges))
    assert set(GROUNDS) == set(Basis)


def test_floors_join_to_the_strictest() -> None:
    joined = floor_for(["TREAT", "HRESCH"])
    assert joined.deidentification is Deidentification.DEID
    assert joined.obligations == {"NORELINK"}
    assert joined.fresh_for == min(row.fresh_for for row in FLOORS)
    assert joined.clusters_by_name
    assert floor_for(["TREAT"]).deidentification is Deidentification.NONE


def test_birthdays_on_a_leap_day() -> None:
    assert birthday(date(2016, 2, 29), 12) == datetime(2028, 2, 29, tzinfo=UTC)
    assert birthday(date(2016, 2, 29), 16) == datetime(2032, 2, 29, tzinfo=UTC)
    assert birthday(date(2016, 2, 29), 15) == datetime(2031, 3, 1, tzinfo=UTC)
    assert age_on(date(2016, 2, 29), date(2031, 2, 28)) == 14


def test_where_records_disagree_on_the_birth_date_each_asks_for_its_signatures() -> None:
    family = Family()
    family.add(a_long_grant(), PARENT)
    assert isinstance(family.ask(), Permit)
    told = replace(family.records[0].record, id="other", born_on=date(1990, 1, 1))  # type: ignore[call-arg]
    family.add(told, ROOT)
    assert reason(family.ask()) is Reason.AUTHORITY_LAPSED


@pytest.mark.parametrize("born_on", [date(1, 1, 1), date(2400, 1, 1), date(9999, 12, 31)])
def test_a_birth_date_that_cannot_be_stops_no_deny(born_on: date) -> None:
    family = Family(born_on=born_on)
    family.add(a_long_grant(), PARENT)
    assert isinstance(family.ask(), Permit) == (born_on.year > 2026)
    family.add(a_long_grant(deny_rule(), grant_id="no"), PARENT)
    assert reason(family.ask()) is Reason.DENIED


def test_a_key_that_signed_twice_for_one_place_neither_cosigns_nor_appoints() -> None:
    for key, place in ((PARENT, 0), (ROOT, 0)):
        family = Family(basis=Basis.MINOR_AND_PARENT)
        grant = family.add(a_long_grant(at=instant(2030)), MINOR)
        family.cosign(grant, PARENT)
        assert isinstance(family.ask(at=instant(2031)), Permit)
        twin = replace(a_long_grant(grant_id="twin"), by=By(key.public.id))
        family.records.append(sign_record(twin, key, position=place, previous=GENESIS))
        assert reason(family.ask(at=instant(2031))) is Reason.AUTHORITY_LAPSED
    family = Family(basis=Basis.CURATOR, born_on=None, cosigners=frozenset({ROOT.public.id}))
    grant = family.add(a_long_grant(), PARENT)
    family.cosign(grant, ROOT)
    twin = replace(a_long_grant(grant_id="twin"), by=By(ROOT.public.id))
    second = family.records[-1]
    assert isinstance(family.ask(), Permit)
    family.records.append(sign_record(twin, ROOT, position=1, previous=second.previous))
    assert isinstance(family.ask(), Deny)


# Device keys


def test_new_records_read_back_to_themselves() -> None:
    family = Family(scope=(a_permit(),), cosigners=frozenset({"k"}))
    grant = family.add(a_long_grant(after_death=True), PARENT)
    family.cosign(grant, MINOR)
    rotate = key_record("rotate", KEY, ROOT, replaces="old", from_position=3)
    for record in (*(signed.record for signed in family.records), rotate):
        assert parse_record(record_payload(record)) == record


@pytest.mark.parametrize(
    "spoil",
    [
        {"basis": Basis.PARENT, "born_on": None},
        {"representative": ""},
        {"scope": (deny_rule(category=[Category.LABS]),)},
        {"cosigners": frozenset({""})},
    ],
)
def test_an_authority_that_says_too_little_is_refused(spoil: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument):
        Family(**spoil)


def test_a_cosignature_must_have_seen_what_it_signs() -> None:
    with pytest.raises(InvalidDocument, match="cosignature_unseen"):
        Cosignature(target=Family().records[0].hash, subject=SUBJECT, by=By("x"), at=NOW)


# Duties the caller cannot keep


def test_a_duty_the_caller_cannot_keep_turns_the_permit_into_a_refusal() -> None:
    family = Family(born_on=None, basis=Basis.MENTOR)
    family.add(a_long_grant(a_permit(obligation=["AUDIT"])), MINOR)
    able = Capabilities(frozenset({"AUDIT"}))
    assert isinstance(decide(family.ledger, CARE, at=NOW, capabilities=able), Permit)
    refused = decide(family.ledger, CARE, at=NOW, capabilities=Capabilities(frozenset()))
    assert reason(refused) is Reason.OBLIGATION_UNMET
    assert isinstance(refused, Deny)
    assert refused.missing[0].asked == ("AUDIT",)


def test_identity_the_caller_cannot_strip_turns_the_permit_into_a_refusal() -> None:
    family = Family(born_on=None, basis=Basis.MENTOR)
    family.add(a_long_grant(RESEARCH), MINOR)
    weak = Capabilities(frozenset({"NORELINK"}), Deidentification.PSEUD)
    assert reason(decide(family.ledger, STUDY, at=NOW, capabilities=weak)) is Reason.DEID_FLOOR


def reason(decision: Decision) -> Reason | None:
    return decision.reason if isinstance(decision, Deny) else None
