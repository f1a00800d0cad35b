"""Which statement a recipient gets next.

A recipient takes statement N + 1 only when it names statement N (guide consent.md section 3, step 5). A
statement that was sent without a receipt may or may not have arrived. Two things must hold all the same: a
withdrawal never waits behind an older, wider statement, and the line never gets stuck.

Rules:
1. The head is the newest statement known to have arrived. The next one carries its number plus one and
   names it.
2. While nothing changed and it is fresh, a statement is used again.
3. When something changed and the last one was never acknowledged, a new one takes its number: if the older
   never arrived, this one is taken; if it did, the recipient says "rolled back", and that tells us it
   arrived.
4. Then the older ones of that number are tried as the head, newest first, until one fits.
"""

from __future__ import annotations

from datetime import UTC, datetime

from consent.ledger import Ledger
from consent.statement import Statement, build_statement, sign_statement, statement_hash
from crypto.keys import Pairwise, derive_pairwise
from pgo.store.protocols import VaultStore
from pgo.store.statements import StatementState, StoredStatement
from pgo.usecases.parcels import Party
from pgo.usecases.sent import may_hold

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_ARRIVED = (StatementState.ACKNOWLEDGED, StatementState.ASSUMED)


def pairwise_for(store: VaultStore, recipient_id: str) -> Pairwise:
    """The patient's keys towards one recipient; no other recipient can link them."""
    return derive_pairwise(store.identity_seed(), recipient_id)


def current_statement(store: VaultStore, card: Party, ledger: Ledger, *, at: datetime) -> StoredStatement:
    """The statement to send now; makes one when none fits. Runs inside the caller's transaction."""
    made = store.statements.of(card.id)
    length = len(ledger.records)
    head = next((one for one in made if one.state in _ARRIVED), None)
    number = head.sequence + 1 if head is not None else 1
    waiting = next((one for one in made if one.sequence == number and one.state is StatementState.SENT), None)
    for one in (waiting, head):
        if one is None or one.state is StatementState.ASSUMED:
            continue
        if one.ledger_length == length and at < one.refresh_at:
            return one
        break
    store.statements.add(card.id, _build(store, card, ledger, head=head, at=at))
    return store.statements.of(card.id)[0]


def acknowledged(store: VaultStore, recipient_id: str, token_in: bytes) -> None:
    """A receipt came for a message that carried a statement: it arrived."""
    carried = carried_in(store, recipient_id, token_in)
    if carried is not None:
        store.statements.set_state(carried.id, StatementState.ACKNOWLEDGED)


def try_another_head(store: VaultStore, recipient_id: str, token_in: bytes, *, rolled_back: bool) -> bool:
    """Learn from a refusal (rules 3 and 4). Returns whether another statement is worth trying."""
    carried = carried_in(store, recipient_id, token_in)
    if carried is None or carried.state is not StatementState.SENT:
        return False
    store.statements.set_state(carried.id, StatementState.REFUTED)
    made = store.statements.of(recipient_id)
    if rolled_back:
        number = carried.sequence
    else:
        guess = next((one for one in made if one.state is StatementState.ASSUMED), None)
        if guess is None or guess.sequence != carried.sequence - 1:
            return False
        store.statements.set_state(guess.id, StatementState.REFUTED)
        number = guess.sequence
    left = [one for one in made if one.sequence == number and one.state is StatementState.SENT]
    if not left:
        return False
    store.statements.set_state(left[0].id, StatementState.ASSUMED)
    return True


def carried_in(store: VaultStore, recipient_id: str, payload: bytes) -> StoredStatement | None:
    """The statement that a message carries; a token is base64url and stands in a message as it is."""
    return next(
        (one for one in store.statements.of(recipient_id) if one.token.encode("ascii") in payload), None
    )


def is_acknowledged(store: VaultStore, recipient_id: str, *, ledger_length: int) -> bool:
    """Whether the recipient confirmed a statement that knew this much of the ledger."""
    return any(
        one.state is StatementState.ACKNOWLEDGED and one.ledger_length >= ledger_length
        for one in store.statements.of(recipient_id)
    )


def needs_refresh(store: VaultStore, recipient_id: str, *, at: datetime) -> bool:
    """Whether the recipient's newest statement runs out soon or is over."""
    made = store.statements.of(recipient_id)
    return bool(made) and at >= made[0].refresh_at


def _build(
    store: VaultStore, card: Party, ledger: Ledger, *, head: StoredStatement | None, at: datetime
) -> StoredStatement:
    keys = pairwise_for(store, card.id)
    statement = build_statement(
        ledger,
        audience_actor=card.actor,
        audience_id=card.id,
        subject=keys.signing.public.text,
        reply_key=keys.opening.public.text,
        sequence=head.sequence + 1 if head is not None else 1,
        previous=head.hash if head is not None else None,
        at=at,
        held=may_hold(store, card.id),
    )
    token = sign_statement(statement, keys.signing)
    return StoredStatement(
        id=0,
        sequence=statement.sequence,
        hash=statement_hash(token),
        token=token,
        ledger_length=len(ledger.records),
        refresh_at=_refresh_at(statement),
        state=StatementState.SENT,
    )


def _refresh_at(statement: Statement) -> datetime:
    """Half-way to going stale; at its end when something changes there; never when it permits nothing."""
    if not statement.scope:
        return _NEVER
    if statement.next_update_at >= statement.until_at:
        return statement.until_at
    return statement.issued_at + (statement.next_update_at - statement.issued_at) / 2
