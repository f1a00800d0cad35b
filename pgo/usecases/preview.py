"""What a choice would show a recipient today, and what stays behind and why.

Rules:
1. All numbers are the consent engine's, computed from the very grant that would be signed.
2. Objections in force count: they beat the grant, so what they hold back is not promised to anybody.
3. Other permissions of the same recipient do not count: the preview says what this choice does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from consent.catalog import Catalog
from consent.codes import Category, Sensitivity
from consent.decision import Decision, Deny, Reason
from consent.effective import effective
from consent.ledger import Ledger
from consent.matching import needed_clusters
from consent.plan import Plan, compile_plan
from consent.records import Grant
from consent.rules import ActorRef, Rule
from crypto.keys import SigningKey
from pgo.usecases.choices import ShareChoice
from pgo.usecases.consenting import ledger_of_one
from pgo.usecases.facts import Facts, all_facts, catalog_of
from pgo.usecases.objections import ObjectionRow, objection_row, objections_in_force
from pgo.usecases.parcels import may_send
from pgo.usecases.read import Page, RecordRow, record_row
from pgo.usecases.reasons import WhyNot, reason_of
from pgo.usecases.session import Session

_SAMPLE = 5


@dataclass(frozen=True, slots=True)
class Conflict:
    """An objection that holds back part of what was ticked, and how many records."""

    objection: ObjectionRow
    records: int


@dataclass(frozen=True, slots=True)
class SharePreview:
    """What a choice would show the recipient today.

    Attributes:
        total: records looked at, without the trash.
        permitted: of those, how many the recipient would see.
        held_back: reason to number.
        by_category: category to (permitted, total).
        sample: up to five permitted records, newest first.
        by_cluster: sensitive subject to (permitted, total).
        held: (record number, reason) of everything that stays behind, newest first.
        conflicts: objections that hold back what was ticked.
    """

    total: int
    permitted: int
    held_back: Mapping[WhyNot, int]
    by_category: Mapping[Category, tuple[int, int]]
    sample: tuple[RecordRow, ...]
    by_cluster: Mapping[Sensitivity, tuple[int, int]] = field(default_factory=dict)
    held: tuple[tuple[int, WhyNot], ...] = field(default=(), repr=False)
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A grant as it would be signed, the key of its draft, who it is for, and the ledger it would join."""

    grant: Grant
    key: SigningKey
    actor: ActorRef
    choice: ShareChoice
    ledger: Ledger


def count(session: Session, draft: Draft) -> SharePreview:
    """Ask the engine about every record."""
    facts = all_facts(session)
    denies = [rule for _, rule in effective(draft.ledger, session.now()).denies]
    plan = _plan(session, draft, denies)
    held: list[tuple[int, WhyNot]] = []
    permitted: list[int] = []
    seen: Counter[Category | Sensitivity] = Counter()
    passed: Counter[Category | Sensitivity] = Counter()
    for (number, one), answer in zip(facts, plan.outcomes(catalog_of(session)), strict=True):
        about = one.categories | needed_clusters(one)
        seen.update(about)
        if may_send(answer):
            permitted.append(number)
            passed.update(about)
        else:
            held.append((number, _why_not(answer)))
    return SharePreview(
        total=len(facts),
        permitted=len(permitted),
        held_back=dict(Counter(reason for _, reason in held).most_common()),
        by_category={one: (passed[one], seen[one]) for one in Category if seen[one]},
        sample=_rows(session, permitted[:_SAMPLE]),
        by_cluster={one: (passed[one], seen[one]) for one in Sensitivity if seen[one]},
        held=tuple(held),
        conflicts=_conflicts(session, draft, facts) if denies else (),
    )


def held_page(
    session: Session, preview: SharePreview, reason: WhyNot | None = None, *, offset: int = 0, limit: int = 50
) -> Page:
    """The records that stay behind, newest first, as one window.

    Args:
        session: the open vault.
        preview: as ``share.preview`` gave it.
        reason: only those held back for this reason; None for all.
        offset: first row.
        limit: most rows.
    """
    numbers = [number for number, why in preview.held if reason is None or why == reason]
    return Page(len(numbers), offset, _rows(session, numbers[offset : offset + limit]))


def _plan(session: Session, draft: Draft, denies: Iterable[Rule]) -> Plan:
    """The choice with denies beside it: they beat it, exactly as they do from a grant of their own."""
    grant = replace(draft.grant, rules=(*draft.grant.rules, *denies))
    return compile_plan(
        ledger_of_one(grant, draft.key),
        actor=[draft.actor],
        purpose=[draft.choice.purpose],
        action=[draft.choice.asked_action],
        at=max(session.now(), grant.period.from_at),
        study=draft.choice.use.study,
    )


def _why_not(answer: Decision) -> WhyNot:
    if isinstance(answer, Deny):
        return reason_of(answer)
    return Reason.OBLIGATION_UNMET  # a duty this program cannot meet: as deliver decides


def _conflicts(session: Session, draft: Draft, facts: Facts) -> tuple[Conflict, ...]:
    ticked = _plan(session, draft, ()).permits(catalog_of(session))
    wanted = Catalog(one for (_, one), permit in zip(facts, ticked, strict=True) if may_send(permit))
    found: list[Conflict] = []
    for signed in objections_in_force(draft.ledger, at=session.now()):
        rules = signed.record.rules if isinstance(signed.record, Grant) else ()
        plan = _plan(session, draft, rules)
        lost = sum(1 for permit in plan.permits(wanted) if not may_send(permit))
        if lost:
            found.append(Conflict(objection_row(session, signed), lost))
    return tuple(found)


def _rows(session: Session, numbers: list[int]) -> tuple[RecordRow, ...]:
    rows = session.store.records.rows(numbers)
    return tuple(record_row(rows[one], today=session.today()) for one in numbers if one in rows)
