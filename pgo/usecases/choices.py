"""From what the patient ticked to a grant, and back; the starting points per kind of recipient.

Rules:
1. The preview and the signature are made from the same grant: ``grant_of`` is the only way to one.
2. A grant names recipient, purpose, action, categories and both ends of its period; nothing is left open.
3. The recipient may look (action ``view``), or keep a copy where that is ticked. Research is granted only as
   the answer to a request that says about what: a topic or a condition, and what goes is de-identified.
   Passing on, using again and writing are not offered.
4. What is left out (a record, an author) is a carve-out of the rule that would have let it go; when only
   single records are chosen, the rule names them and nothing else goes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

from consent.codes import PERMIT_ACTIONS, Action, Category, Deidentification, Sensitivity
from consent.errors import ConsentError
from consent.records import By, Grant, GrantId, RecordHash, Shown
from consent.research import ResearchUse, Study, least_study
from consent.rule_json import research_use_from_json, research_use_to_json
from consent.rules import ActorRef, DatePeriod, Period, Rule, deny_rule, is_purpose, is_research, permit_rule
from pgo.errors import InputRefused

MAX_DAYS = 5 * 366
"""Grants always end (guide security 3.4); a longer one is signed anew."""

MAX_SINGLE = 300
"""Single records in one choice; somebody who wants more means a kind, a time or an author."""

ACTION = Action.VIEW
CARE_ACTIONS = frozenset({Action.VIEW, Action.COPY})
RESEARCH_ACTIONS = frozenset({Action.EXTRACT, Action.RECONTACT})


@dataclass(frozen=True, slots=True)
class Use:
    """What a recipient would do with a record: purpose, action, and for research the study it is for."""

    purpose: str = "TREAT"
    action: Action = ACTION
    study: Study | None = None


@dataclass(frozen=True, slots=True)
class ShareChoice:
    """What the patient ticked.

    Attributes:
        recipient_id: whom.
        categories: kinds of data; empty is refused.
        sensitivity: sensitive clusters opted in, empty for none.
        purpose: v3-ActReason code such as ``TREAT``.
        period: first and last day on which the grant works, both included.
        data_from: only data from this day on; None for all.
        keep_text: also send narrative and free text.
        data_until: only data up to and with this day; None for all.
        only: nothing but these records (``Type/id`` as their source names them); empty for all.
        left_out: these records do not go.
        without_authors: nothing these authors wrote goes (references as in the records), nor what nobody
            is named for; who the patient is goes all the same.
        actions: what the recipient may do; of ``CARE_ACTIONS``, or for research of ``RESEARCH_ACTIONS``.
        codes: only data about these conditions or treatments ("system|code" or a range); empty for all.
        research: about what, and which uses; only with a research purpose.
    """

    recipient_id: str
    categories: frozenset[Category]
    sensitivity: frozenset[Sensitivity]
    purpose: str
    period: tuple[date, date]
    data_from: date | None = None
    keep_text: bool = False
    data_until: date | None = None
    only: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    without_authors: frozenset[str] = frozenset()
    actions: frozenset[Action] = frozenset({ACTION})
    codes: frozenset[str] = frozenset()
    research: ResearchUse | None = None

    @property
    def is_research(self) -> bool:
        """Whether it is for research, by its purpose."""
        return is_research({self.purpose})

    @property
    def use(self) -> Use:
        """The question that decides whether a record goes; research as the study that asks for the least."""
        study = least_study(self.research) if self.is_research else None
        return Use(self.purpose, self.asked_action, study)

    @property
    def asked_action(self) -> Action:
        """The action that decides whether a record goes."""
        return Action.EXTRACT if self.is_research else ACTION


@dataclass(frozen=True, slots=True)
class Preset:
    """A starting point for a choice: text key suffix, categories, clusters, purpose, days it lasts."""

    key: str
    categories: frozenset[Category]
    sensitivity: frozenset[Sensitivity]
    purpose: str
    days: int


_MEDICATION = frozenset({Category.DEMOGRAPHICS, Category.MEDICATIONS, Category.ALLERGIES})
_CARE = _MEDICATION | {
    *(Category.PROBLEMS, Category.VITALS, Category.LABS, Category.VACCINATIONS, Category.PROCEDURES),
    *(Category.ENCOUNTERS, Category.DOCUMENTS, Category.IMAGING, Category.CAREPLANS, Category.DIRECTIVES),
    *(Category.QUESTIONNAIRES, Category.SELF_MEASURED, Category.SOCIAL, Category.FAMILY_HISTORY),
}
_MEASUREMENTS = frozenset(
    {Category.DEMOGRAPHICS, Category.VITALS, Category.LABS, Category.QUESTIONNAIRES, Category.SELF_MEASURED}
)
UNDATED = frozenset({Category.DEMOGRAPHICS, Category.ADMIN, Category.ALLERGIES})
"""Kinds without a clinical date, or whose date says nothing about their use: no start day cuts them."""

_WHO = frozenset({Category.DEMOGRAPHICS, Category.ADMIN})
"""Who the patient is has no author that matters: leaving out what a hospital wrote keeps the name on it."""

_NONE = frozenset[Sensitivity]()
_PRESETS: Mapping[str, tuple[Preset, ...]] = MappingProxyType(
    {
        "clinic": (
            Preset("care", _CARE, _NONE, "TREAT", 90),
            Preset("medication", _MEDICATION, _NONE, "TREAT", 90),
            Preset("measurements", _MEASUREMENTS, _NONE, "TREAT", 90),
        ),
        "registry": (Preset("registry", _MEASUREMENTS | _MEDICATION, _NONE, "HQUALIMP", 365),),
    }
)


def presets(kind: str) -> tuple[Preset, ...]:
    """Starting points for a kind of recipient (``clinic`` or ``registry``), the usual one first."""
    return _PRESETS.get(kind, _PRESETS["clinic"])


def check_choice(choice: ShareChoice, *, today: date) -> None:
    """Refuse a choice that cannot become a grant.

    Raises:
        InputRefused: ``choice_invalid`` with ``fields``.
    """
    first, last = choice.period
    fields: dict[str, str] = {}
    if not choice.categories:
        fields["categories"] = "nothing"
    if last < today:
        fields["period"] = "past"
    elif last < first:
        fields["period"] = "dates"
    elif (last - first).days > MAX_DAYS or (first - today).days > MAX_DAYS:
        fields["period"] = "long"
    if not is_purpose(choice.purpose):
        fields["purpose"] = "unknown"
    elif not _is_delimited(choice):
        fields["purpose"] = "research"
    if not choice.actions <= _offered(choice) or choice.asked_action not in _covered(choice):
        fields["actions"] = "nothing"
    if choice.data_from is not None and choice.data_from > today:
        fields["data_from"] = "data_from"
    elif choice.data_from and choice.data_until and choice.data_until < choice.data_from:
        fields["data_until"] = "data_dates"
    singled = (choice.only, choice.left_out, choice.without_authors, choice.codes)
    if max(map(len, singled)) > MAX_SINGLE:
        fields["records"] = "too_many"
    if choice.only and choice.only <= choice.left_out:
        fields["records"] = "nothing"
    if fields:
        raise InputRefused("choice_invalid", fields=fields)


def _is_delimited(choice: ShareChoice) -> bool:
    """Broad consent is delimited: research names a topic, or the conditions and treatments it is about."""
    if not choice.is_research:
        return choice.research is None
    return choice.research is not None and bool(choice.research.topics or choice.codes)


def _offered(choice: ShareChoice) -> frozenset[Action]:
    return RESEARCH_ACTIONS if choice.is_research else CARE_ACTIONS


def _covered(choice: ShareChoice) -> frozenset[Action]:
    return frozenset[Action]().union(*(PERMIT_ACTIONS[action] for action in choice.actions))


@dataclass(frozen=True, slots=True)
class GrantFrame:
    """What a grant needs beside the choice; ``period`` as instants, end excluded; ``answers`` a request."""

    grant_id: str
    subject: str
    by: By
    at: datetime
    period: tuple[datetime, datetime]
    seen: frozenset[RecordHash]
    lang: str
    shown_text: str
    answers: str | None = None


def grant_of(choice: ShareChoice, frame: GrantFrame, *, actor: ActorRef) -> Grant:
    """The grant that says exactly what was ticked.

    Raises:
        InputRefused: ``choice_invalid``, consent does not take the combination.
    """
    try:
        return Grant(
            id=GrantId(frame.grant_id),
            subject=frame.subject,
            by=frame.by,
            at=frame.at,
            period=Period(*frame.period),
            rules=_rules(choice, actor),
            seen=frame.seen,
            shown=Shown(frame.lang, "sha256:" + hashlib.sha256(frame.shown_text.encode("utf-8")).hexdigest()),
            answers=frame.answers,
            review_by=min(frame.at + timedelta(days=365), frame.period[1]),
        )
    except ConsentError as exc:
        raise InputRefused("choice_invalid", fields={"categories": "nothing"}) from exc


def _rules(choice: ShareChoice, actor: ActorRef) -> tuple[Rule, ...]:
    parts: list[tuple[frozenset[Category], DatePeriod | None]] = [(choice.categories, None)]
    if choice.data_from is not None or choice.data_until is not None:
        parts = [
            (choice.categories, DatePeriod(choice.data_from, choice.data_until)),
            (choice.categories & UNDATED, None),
        ]
    return tuple(
        permit_rule(
            actor=[actor],
            purpose=[choice.purpose],
            action=choice.actions,
            category=categories,
            sensitivity=choice.sensitivity,
            deidentification=Deidentification.DEID if choice.is_research else Deidentification.NONE,
            code=choice.codes or None,
            research_use=choice.research,
            data_period=data_period,
            instance=choice.only or None,
            exception=_carve_outs(choice),
        )
        for categories, data_period in parts
        if categories
    )


def _carve_outs(choice: ShareChoice) -> tuple[Rule, ...]:
    found: list[Rule] = []
    if choice.left_out:
        found.append(deny_rule(instance=choice.left_out))
    if choice.without_authors:
        found.append(deny_rule(author=choice.without_authors, category=frozenset(Category) - _WHO))
    return tuple(found)


def choice_text(choice: ShareChoice) -> str:
    """Write a choice for the column beside the signed token."""
    first, last = choice.period
    return json.dumps(
        {
            "recipient": choice.recipient_id,
            "categories": sorted(choice.categories),
            "sensitivity": sorted(choice.sensitivity),
            "purpose": choice.purpose,
            "period": [first.isoformat(), last.isoformat()],
            "data_from": None if choice.data_from is None else choice.data_from.isoformat(),
            "keep_text": choice.keep_text,
            "data_until": None if choice.data_until is None else choice.data_until.isoformat(),
            "only": sorted(choice.only),
            "left_out": sorted(choice.left_out),
            "without_authors": sorted(choice.without_authors),
            "actions": sorted(choice.actions),
            "codes": sorted(choice.codes),
            "research": None if choice.research is None else research_use_to_json(choice.research),
        }
    )


def choice_from(text: str) -> ShareChoice:
    """Read what ``choice_text`` wrote, also when it could say less."""
    value = json.loads(text)
    first, last = value["period"]
    until, research = value.get("data_until"), value.get("research")
    return ShareChoice(
        recipient_id=value["recipient"],
        categories=frozenset(map(Category, value["categories"])),
        sensitivity=frozenset(map(Sensitivity, value["sensitivity"])),
        purpose=value["purpose"],
        period=(date.fromisoformat(first), date.fromisoformat(last)),
        data_from=None if value["data_from"] is None else date.fromisoformat(value["data_from"]),
        keep_text=value["keep_text"] is True,
        data_until=None if until is None else date.fromisoformat(until),
        only=frozenset(value.get("only", ())),
        left_out=frozenset(value.get("left_out", ())),
        without_authors=frozenset(value.get("without_authors", ())),
        actions=frozenset(map(Action, value.get("actions", (ACTION,)))),
        codes=frozenset(value.get("codes", ())),
        research=None if research is None else research_use_from_json(research),
    )
