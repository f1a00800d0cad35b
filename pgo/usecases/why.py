"""Who could see this record now, and for everybody else: by which rule not.

Rules:
1. Each answer is the consent engine's, asked with the signed ledger of this moment; nothing is guessed.
2. Who may see it and who has it are two questions: a recipient may still have to receive or to erase.
3. For a refusal the nearest permission is named with what it lacks, or the objections that hold it back.
"""

from __future__ import annotations

from dataclasses import dataclass

from consent.decision import Decision, Deny, Missing, Permit, Question, Reason, decide
from consent.facts import ResourceFacts
from consent.ledger import Ledger
from consent.records import Grant, RecordHash
from pgo.errors import NotFound
from pgo.usecases.cards import party_of
from pgo.usecases.choices import Use
from pgo.usecases.consenting import load_ledger
from pgo.usecases.facts import all_facts
from pgo.usecases.objections import is_objection, uses_of
from pgo.usecases.parcels import may_send
from pgo.usecases.read import RecordRow, record_row
from pgo.usecases.reasons import WhyNot, reason_of
from pgo.usecases.recipients import RecipientRow, recipient_row
from pgo.usecases.session import Session


@dataclass(frozen=True, slots=True)
class WhyRow:
    """One recipient and this record.

    Attributes:
        recipient: who.
        may_see: whether something signed lets it see the record now.
        has_it: whether it confirmed to hold the record.
        reason: why not; None when it may.
        missing: in what the nearest permission falls short.
        share_id: the share that permits it or comes nearest, None when there is none.
        objections: ids of the objections that hold it back.
    """

    recipient: RecipientRow
    may_see: bool
    has_it: bool
    reason: WhyNot | None
    missing: tuple[Missing, ...]
    share_id: str | None
    objections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """A record and every recipient known here, those that may see it first."""

    record: RecordRow
    rows: tuple[WhyRow, ...]


def why(session: Session, record_id: int) -> Why:
    """Ask for every recipient.

    Raises:
        NotFound: no such record outside the trash.
    """
    store = session.store
    stored = store.records.row(record_id)
    facts = next((one for number, one in all_facts(session) if number == record_id), None)
    if stored is None or facts is None:
        raise NotFound("record")
    ledger = load_ledger(store)
    rows = [_row(session, ledger, one.id, record_id, facts) for one in store.recipients.all()]
    rows.sort(key=lambda row: (not row.may_see, row.recipient.name))
    return Why(record_row(stored, today=session.today()), tuple(rows))


def _row(session: Session, ledger: Ledger, recipient_id: str, record_id: int, facts: ResourceFacts) -> WhyRow:
    store = session.store
    recipient = store.recipients.get(recipient_id)
    held = store.deliveries.held(recipient_id).get(record_id)
    answer = _answer(session, ledger, recipient_id, facts)
    by_hash = {one.hash: one.record for one in ledger.records}
    grants = [(hash_, by_hash[hash_]) for hash_ in answer.basis if hash_ in by_hash]
    against = _objecting(ledger, answer)
    own = {row.grant_id for row in store.ledger.grants() if row.recipient_id == recipient_id}
    return WhyRow(
        recipient=recipient_row(recipient),
        may_see=may_send(answer),
        has_it=held is not None and not held.refused,
        reason=_reason(answer),
        missing=answer.missing if isinstance(answer, Deny) else (),
        share_id=next(
            (str(one.id) for _, one in grants if isinstance(one, Grant) and one.id in own),
            None,  # the nearest permission may be somebody else's
        ),
        objections=tuple(str(one.id) for hash_, one in grants if isinstance(one, Grant) and hash_ in against),
    )


def _answer(session: Session, ledger: Ledger, recipient_id: str, facts: ResourceFacts) -> Decision:
    """The best answer over the uses this recipient was ever granted."""
    actor = party_of(session.store.recipients.get(recipient_id)).actor
    answers = [
        decide(
            ledger,
            Question(frozenset({actor}), frozenset({use.purpose}), frozenset({use.action}), facts, use.study),
            at=session.now(),
        )
        for use in uses_of(session.store, recipient_id) or (Use(),)
    ]
    return min(answers, key=lambda answer: not isinstance(answer, Permit))


def _reason(answer: Decision) -> WhyNot | None:
    if isinstance(answer, Deny):
        return reason_of(answer)
    return None if may_send(answer) else Reason.OBLIGATION_UNMET


def _objecting(ledger: Ledger, answer: Decision) -> frozenset[RecordHash]:
    """The objections among what an answer rests on."""
    basis = frozenset(answer.basis)
    return frozenset(one.hash for one in ledger.records if one.hash in basis and is_objection(one))
