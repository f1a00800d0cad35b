"""Objections: "nobody ever sees ..." and "this one never sees ...", signed, listed, taken back.

Rules:
1. An objection is a signed deny in the ledger; it beats every permission, older and newer (guide consent.md
   2.1 P1 and P5), and ends only when the patient lifts it.
2. Signing and lifting write ledger, journal and outbox in one transaction: what waits to be sent is decided
   anew, and every recipient it concerns gets a new statement. A statement says what is allowed, never what
   is held back or why.
3. What an objection would change is computed by the consent engine from the very rules that are signed.
4. Objecting is never harder than granting: no reason is asked, nothing goes over the network here.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from consent.codes import Category, Effect, Sensitivity
from consent.decision import Deny, Permit
from consent.document import SignedRecord, sign_record
from consent.effective import effective
from consent.ledger import Ledger
from consent.records import By, Grant, GrantId, RecordHash, Shown, Target, Withdrawal
from consent.rules import ActorRef, Period, Rule, deny_rule
from crypto.chain import GENESIS
from crypto.keys import SigningKey
from pgo.errors import InputRefused, NotFound
from pgo.store.journal import Event
from pgo.store.ledger import LedgerRow
from pgo.store.protocols import VaultStore
from pgo.usecases.cards import party_of
from pgo.usecases.choices import Use, choice_from
from pgo.usecases.consenting import by_this_device, load_ledger, recipients_in_force, sign, subject_of
from pgo.usecases.facts import Facts, all_facts
from pgo.usecases.parcels import may_send, plan_for
from pgo.usecases.queue import cancel_pushes, queue_push, queue_statement
from pgo.usecases.read import RecordRow, record_row
from pgo.usecases.recipients import RecipientRow, recipient_row
from pgo.usecases.session import Session

_FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)
"""An objection has no end of its own: the patient lifts it (guide consent.md 2.1 P5)."""


@dataclass(frozen=True, slots=True)
class ObjectionChoice:
    """What nobody, or one recipient, may ever see.

    Attributes:
        recipient_id: whom it is about, None for everybody.
        categories: kinds of data.
        sensitivity: sensitive subjects.
        record_id: number of one record.
    """

    recipient_id: str | None = None
    categories: frozenset[Category] = field(default_factory=frozenset)
    sensitivity: frozenset[Sensitivity] = field(default_factory=frozenset)
    record_id: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectionRow:
    """An objection as signed.

    Attributes:
        id: its id in the ledger.
        recipient: whom it is about, None for everybody.
        categories: kinds of data it holds back.
        sensitivity: sensitive subjects it holds back.
        records: single records it holds back, as far as they are (still) in this vault.
        everything: it holds back everything (from one recipient).
        signed_at: when.
        lifted_at: when it was taken back, None while it holds.
    """

    id: str
    recipient: RecipientRow | None
    categories: frozenset[Category]
    sensitivity: frozenset[Sensitivity]
    records: tuple[RecordRow, ...]
    everything: bool
    signed_at: datetime
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ObjectionEffect:
    """What an objection would change today.

    Attributes:
        records: records it is about.
        total: all records looked at.
        lost: recipients with something now, and how many records each would see no longer.
    """

    records: int
    total: int
    lost: tuple[tuple[RecipientRow, int], ...]


def objections(session: Session) -> tuple[ObjectionRow, ...]:
    """All objections, those in force first, each part newest first."""
    store = session.store
    ledger = load_ledger(store)
    lifted = _lifted(ledger)
    signed = [one for one in ledger.records if is_objection(one)]
    rows = [objection_row(session, one, lifted.get(_id(one))) for one in signed]
    rows.sort(key=lambda row: row.signed_at, reverse=True)
    return tuple(sorted(rows, key=lambda row: row.lifted_at is not None))


def effect(session: Session, choice: ObjectionChoice) -> ObjectionEffect:
    """What this objection would change, computed from the rules that would be signed.

    Raises:
        InputRefused: ``objection_invalid`` with ``fields``.
        NotFound: unknown recipient or record.
    """
    store = session.store
    ledger = load_ledger(store)
    grant = _grant(session, choice, seen=frozenset(ledger.heads))
    draft = _with_draft(ledger, grant)
    facts = all_facts(session)
    lost: list[tuple[RecipientRow, int]] = []
    for recipient_id in recipients_in_force(store, at=session.now()):
        row = recipient_row(store.recipients.get(recipient_id))
        before, after = (seen_by(session, one, recipient_id, facts=facts) for one in (ledger, draft))
        lost.append((row, len(before - after)))
    touched = _touched(session, grant, facts, recipient_id=choice.recipient_id)
    return ObjectionEffect(records=touched, total=len(facts), lost=tuple(lost))


def object_to(session: Session, choice: ObjectionChoice, *, lang: str, shown_text: str) -> str:
    """Sign an objection; it holds at once. Returns its id.

    Args:
        session: the open vault.
        choice: what is held back, and from whom.
        lang: language of the text shown.
        shown_text: the exact words the patient read; only their hash is kept.

    Raises:
        InputRefused: ``objection_invalid`` with ``fields``.
        NotFound: unknown recipient or record.
    """
    store, at = session.store, session.now()
    with store.write(at):
        ledger = load_ledger(store)
        grant = _grant(session, choice, seen=frozenset(ledger.heads), words=(lang, shown_text))
        _append(store, sign(store, grant, ledger))
        store.journal.add(Event.OBJECTION_SIGNED, at=at, objection=grant.id)
        tell(store, choice.recipient_id, at=at)
    session.changed()
    return grant.id


def lift(session: Session, objection_id: str) -> None:
    """Take an objection back; what was granted works again. Doing it twice changes nothing.

    Raises:
        NotFound: no such objection.
    """
    store, at = session.store, session.now()
    with store.write(at):
        ledger = load_ledger(store)
        found = next((one for one in ledger.records if is_objection(one) and _id(one) == objection_id), None)
        if found is None:
            raise NotFound("objection")
        if objection_id in _lifted(ledger):
            return
        lifting = Withdrawal(
            target=Target("lift", (objection_id,)),
            subject=subject_of(store),
            by=by_this_device(store),
            at=at,
            seen=frozenset(ledger.heads),
        )
        _append(store, sign(store, lifting, ledger))
        store.journal.add(Event.OBJECTION_LIFTED, at=at, objection=objection_id)
        tell(store, _recipient_of(store, found), at=at)
    session.changed()


def is_objection(signed: SignedRecord) -> bool:
    """Whether a record of the ledger only holds back."""
    return isinstance(signed.record, Grant) and all(
        rule.effect is Effect.DENY for rule in signed.record.rules
    )


def objections_in_force(ledger: Ledger, *, at: datetime) -> tuple[SignedRecord, ...]:
    """The signed objections that hold now."""
    biting = {hash_ for hash_, _ in effective(ledger, at).denies}
    return tuple(one for one in ledger.records if one.hash in biting and is_objection(one))


def seen_by(session: Session, ledger: Ledger, recipient_id: str, *, facts: Facts) -> frozenset[int]:
    """Numbers of the records a recipient may have now under a ledger."""
    store, at = session.store, session.now()
    actor = party_of(store.recipients.get(recipient_id)).actor
    found: set[int] = set()
    for use in uses_of(store, recipient_id):
        plan = plan_for(actor, use, ledger, at=at)
        found.update(number for number, one in facts if may_send(plan.decide(one)))
    return frozenset(found)


def uses_of(store: VaultStore, recipient_id: str) -> tuple[Use, ...]:
    """The uses for which anything was ever granted to a recipient."""
    rows = [row for row in store.ledger.grants() if row.recipient_id == recipient_id]
    return tuple(sorted({choice_from(row.choice or "").use for row in rows}, key=repr))


def tell(store: VaultStore, recipient_id: str | None, *, at: datetime) -> None:
    """Decide anew what waits, and queue the new statement, for one recipient or for all concerned.

    Concerned is who has something in force, or was ever told anything: the statement it holds says too much
    or too little now. Runs inside the caller's transaction.
    """
    in_force = frozenset(recipients_in_force(store, at=at))
    for stored in store.recipients.all():
        if recipient_id is not None and stored.id != recipient_id:
            continue
        if stored.id not in in_force and not store.statements.of(stored.id):
            continue
        cancel_pushes(store, stored.id)
        queue_statement(store, stored.id, at=at)
        if stored.id in in_force:
            queue_push(store, stored.id, at=at)


def _touched(session: Session, grant: Grant, facts: Facts, *, recipient_id: str | None) -> int:
    """How many records the rules bite, asked of the engine with a ledger that holds nothing else."""
    store = session.store
    some_actor = ActorRef("org", "nobody-in-particular")
    actor = some_actor if recipient_id is None else party_of(store.recipients.get(recipient_id)).actor
    alone = _with_draft(Ledger.of_verified([], subject=grant.subject), replace(grant, seen=frozenset()))
    plan = plan_for(actor, Use(), alone, at=session.now())
    return sum(1 for _, one in facts if _is_denied(plan.decide(one)))


def _is_denied(decision: Permit | Deny) -> bool:
    return isinstance(decision, Deny) and bool(decision.basis)


def _with_draft(ledger: Ledger, grant: Grant) -> Ledger:
    """The ledger as it would be: the draft stands in a chain of its own, under a key thrown away at once."""
    key = SigningKey.generate()
    draft = replace(grant, by=replace(grant.by, kid=key.public.id))
    signed = sign_record(draft, key, position=0, previous=GENESIS)
    return Ledger.of_verified([*ledger.records, signed], subject=ledger.subject)


def _grant(
    session: Session,
    choice: ObjectionChoice,
    *,
    seen: frozenset[RecordHash],
    words: tuple[str, str] | None = None,
) -> Grant:
    store, at = session.store, session.now()
    by: By = by_this_device(store)
    shown = None
    if words is not None:
        shown = Shown(words[0], "sha256:" + hashlib.sha256(words[1].encode("utf-8")).hexdigest())
    return Grant(
        id=GrantId(str(uuid.uuid4())),
        subject=subject_of(store),
        by=by,
        at=at,
        period=Period(at, _FOR_EVER),
        rules=_rules(session, choice),
        seen=seen,
        shown=shown,
    )


def _rules(session: Session, choice: ObjectionChoice) -> tuple[Rule, ...]:
    """One deny per part of the choice: each part alone is enough to hold a record back."""
    actor: list[ActorRef] | None = None
    if choice.recipient_id is not None:
        actor = [party_of(session.store.recipients.get(choice.recipient_id)).actor]
    rules: list[Rule] = []
    if choice.categories:
        rules.append(deny_rule(actor=actor, category=choice.categories))
    if choice.sensitivity:
        rules.append(deny_rule(actor=actor, security_label=choice.sensitivity))
    if choice.record_id is not None:
        rules.append(deny_rule(actor=actor, instance=[_reference(session, choice.record_id)]))
    if not rules and actor is not None:
        rules.append(deny_rule(actor=actor))
    if not rules:
        # Without a subject it would hold everything back from everybody, which nobody ticks by leaving
        # things open.
        raise InputRefused("objection_invalid", fields={"what": "nothing"})
    return tuple(rules)


def _reference(session: Session, record_id: int) -> str:
    for number, facts in all_facts(session):
        if number == record_id:
            if facts.reference is None:
                raise InputRefused("objection_invalid", fields={"record": "without_id"})
            return facts.reference
    raise NotFound("record")


def _grant_in(signed: SignedRecord) -> Grant:
    if not isinstance(signed.record, Grant):
        raise TypeError("only grants object")
    return signed.record


def _id(signed: SignedRecord) -> str:
    return str(_grant_in(signed).id)


def _lifted(ledger: Ledger) -> dict[str, datetime]:
    """Objection id to the instant it was lifted."""
    return {
        one.record.target.values[0]: one.record.at
        for one in reversed(ledger.records)
        if isinstance(one.record, Withdrawal) and one.record.target.kind == "lift"
    }


def _recipient_of(store: VaultStore, signed: SignedRecord) -> str | None:
    """The recipient an objection is about; None for everybody, and for one no longer known here."""
    actors = {ref for rule in _grant_in(signed).rules for ref in rule.actor or ()}
    return next((one.id for one in store.recipients.all() if party_of(one).actor in actors), None)


def objection_row(session: Session, signed: SignedRecord, lifted_at: datetime | None = None) -> ObjectionRow:
    """What the screens show of an objection."""
    store, grant = session.store, _grant_in(signed)
    about = _recipient_of(store, signed)
    references = frozenset(name for rule in grant.rules for name in rule.instance or ())
    found = store.records.rows(store.records.ids_by_reference(references).values())
    named = [rule.category for rule in grant.rules if isinstance(rule.category, frozenset)]
    labels = [rule.security_label for rule in grant.rules if rule.security_label is not None]
    return ObjectionRow(
        id=grant.id,
        recipient=None if about is None else recipient_row(store.recipients.get(about)),
        categories=frozenset[Category]().union(*named),
        sensitivity=frozenset[Sensitivity]().union(*labels),
        records=tuple(record_row(row, today=session.today()) for row in found.values()),
        everything=not (references or named or labels),
        signed_at=grant.at,
        lifted_at=lifted_at,
    )


def _append(store: VaultStore, signed: SignedRecord) -> None:
    # Neither grant id nor choice: those columns find shares again; objections are read from the ledger.
    store.ledger.add(
        LedgerRow(
            position=store.ledger.head()[0],
            hash=signed.hash,
            token=signed.token,
            grant_id=None,
            recipient_id=None,
            choice=None,
            signed_at=signed.record.at,
        )
    )
