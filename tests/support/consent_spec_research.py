"""The specification of consent, chapter on research: topics, opt-ins, conditions, asking again."""

from __future__ import annotations

from dataclasses import replace

from consent.model import Action, Category, Deidentification, Record, ResearchUse, Study, deny_rule
from tests.support.consent_builders import REGISTRY, a_grant, a_permit
from tests.support.consent_case import Case

_PERMIT = a_permit(
    actor=[REGISTRY],
    purpose=["HRESCH"],
    action=[Action.EXTRACT],
    category=[Category.LABS],
    deidentification=Deidentification.DEID,
)
_DIABETES = Study(topics=frozenset({"E11.9"}), regions=frozenset({"NL"}), nonprofit=True, ethics=True)


def _grant(**use: object) -> Record:
    limits = {"topics": frozenset({"E10-E14"})} | use
    return a_grant(replace(_PERMIT, research_use=ResearchUse(**limits)))  # type: ignore[arg-type]  # by name


def _case(sentence: str, outcome: str, *records: Record, study: Study | None = _DIABETES) -> Case:
    return Case(
        "Research",
        sentence,
        records or (_grant(),),
        outcome,
        actor=(REGISTRY,),
        purpose=("DSRCH",),
        action=(Action.EXTRACT,),
        study=study,
    )


def _study(**members: object) -> Study:
    return replace(_DIABETES, **members)  # type: ignore[arg-type]  # members named at the call


_DENY_CANCER = a_grant(deny_rule(research_use=ResearchUse(topics=frozenset({"C00-C97"}))), grant_id="no")
_DENY_COMMERCE = a_grant(deny_rule(research_use=ResearchUse(commercial=True)), grant_id="no")

RESEARCH: tuple[Case, ...] = (
    _case("A study on type 2 diabetes lies inside diabetes", "permit"),
    _case("A study that is not described is not inside any topic", "topic", study=None),
    _case("A study whose topic is unknown waits", "topic", study=_study(topics=None)),
    _case(
        "A study about nothing in particular is not inside a topic", "topic", study=_study(topics=frozenset())
    ),
    _case("One topic outside is enough to refuse", "topic", study=_study(topics=frozenset({"E11", "C50"}))),
    _case("A broader topic than granted is refused", "topic", study=_study(topics=frozenset({"E00-E90"}))),
    _case("Commercial use needs its own yes", "use-condition", study=_study(commercial=True)),
    _case(
        "Commercial use with its own yes is permitted",
        "permit",
        _grant(commercial=True),
        study=_study(commercial=True),
    ),
    _case("Perhaps commercial is not good enough", "use-condition", study=_study(commercial=None)),
    _case("Developing methods needs its own yes", "use-condition", study=_study(methods=True)),
    _case("Training models needs its own yes", "use-condition", study=_study(train_models=True)),
    _case(
        "Where ethics approval is asked for, it must be there",
        "use-condition",
        _grant(ethics_required=True),
        study=_study(ethics=False),
    ),
    _case(
        "Where only non-profit use is allowed, the study must be so",
        "use-condition",
        _grant(nonprofit_only=True),
        study=_study(nonprofit=None),
    ),
    _case("The Netherlands lie in the EU", "permit", _grant(regions=frozenset({"EU"}))),
    _case(
        "A study elsewhere is outside the region",
        "use-condition",
        _grant(regions=frozenset({"EU"})),
        study=_study(regions=frozenset({"US"})),
    ),
    _case("A deny of cancer research leaves diabetes research", "permit", _grant(), _DENY_CANCER),
    _case(
        "A deny of cancer research stops a study that does not say its topic",
        "denied-by-patient",
        _grant(),
        _DENY_CANCER,
        study=None,
    ),
    _case("A deny of commercial research leaves other research", "permit", _grant(), _DENY_COMMERCE),
    _case(
        "A deny of commercial research stops what may be commercial",
        "denied-by-patient",
        _grant(commercial=True),
        _DENY_COMMERCE,
        study=_study(commercial=None),
    ),
    Case("Research", "A deny of cancer research leaves treatment alone", (a_grant(), _DENY_CANCER), "permit"),
)
