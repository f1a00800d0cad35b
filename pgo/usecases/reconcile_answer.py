"""What a recipient's answer after a restore means for the grants that came back with the backup.

Rules:
1. A statement we remember making means that nothing this recipient knows of was changed after the backup.
2. One we do not remember was made after it. A grant goes on only when that statement names it among those it
   rests on, and everything the grant permits now lies inside that statement. So a grant that was taken back
   stays taken back, also where a later one permits the same; one that was narrowed is not widened again; and
   one it cannot speak of (not in force yet) does not go on either. Structural and one-sided
   (``consent.attenuation``): in doubt the grant is withdrawn, never kept.
3. The statement becomes the head of our own line, so that the next one follows it; what the recipient holds
   is forgotten, so that what is still permitted is sent again as it is now.
4. What was given after the backup is not in this vault, so it could be neither seen nor stopped here: the
   recipient is told that it ended. The person can give it again.
5. A grant signed after the restore is the person's newest word: no older statement takes it back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from consent.attenuation import attenuate
from consent.codes import Erase
from consent.effective import effective
from consent.errors import InvalidDocument
from consent.ledger import Ledger
from consent.records import Grant, GrantId, Target, Withdrawal
from consent.rules import Rule
from consent.scope import positive_scope
from consent.statement import Statement, basis_name
from pgo.store.backups import RestoreRow
from pgo.store.journal import Event
from pgo.store.ledger import LedgerRow
from pgo.store.protocols import VaultStore
from pgo.store.statements import StatementState, StoredStatement
from pgo.usecases.consenting import by_this_device, load_ledger, recipients_in_force, sign, subject_of
from pgo.usecases.parcels import Party
from pgo.usecases.queue import cancel_pushes, queue_push, queue_statement
from pgo.usecases.sent import may_hold
from sync.head import Head

SAME, KEPT, WITHDRAWN, NEW = "same", "kept", "withdrawn", "new"
"""What an answer came to: nothing happened since the backup; a newer statement that still covers everything;
one that does not; a recipient that never heard of us."""

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_NO_LENGTH = -1
"""Of our ledger, for a statement made by one that is lost: so it is never used again as it is."""


def settle(store: VaultStore, card: Party, head: Head, *, at: datetime) -> tuple[str, int]:
    """Take over what a recipient holds; runs inside the caller's transaction.

    Returns:
        What it came to, and how many grants were withdrawn.
    """
    if head.statement is None:
        return NEW, 0
    ours = next((one for one in store.statements.of(card.id) if one.hash == head.hash), None)
    if ours is not None:  # rule 1
        store.statements.set_state(ours.id, StatementState.ACKNOWLEDGED)
        return SAME, 0
    gone = no_longer_given(store, card, head.statement, at=at)  # rule 2
    store.statements.add(card.id, _adopted(head))  # rule 3
    store.deliveries.forget(card.id, store.deliveries.held(card.id))
    for grant_id in gone:
        _withdraw(store, card.id, grant_id, erase=_erase(head.statement), at=at)
    cancel_pushes(store, card.id)
    in_force = card.id in recipients_in_force(store, at=at)
    if gone or (head.statement.scope and not in_force):  # rule 4
        queue_statement(store, card.id, at=at)
    if in_force:
        queue_push(store, card.id, at=at)
    return (WITHDRAWN if gone else KEPT), len(gone)


def no_longer_given(store: VaultStore, card: Party, known: Statement, *, at: datetime) -> tuple[GrantId, ...]:
    """Grants to this recipient that do not go on under a statement made after the backup (rule 2)."""
    ledger, withdrawn = load_ledger(store), store.ledger.withdrawals()
    restore = store.backups.last_restore()
    came_back = {
        GrantId(row.grant_id or "")
        for row in store.ledger.grants()
        if row.recipient_id == card.id
        and row.grant_id not in withdrawn
        and (restore is None or _came_with_it(row, restore))
    }
    live = came_back & _not_over(ledger, at)
    regions = _regions(ledger, card, at=at, store=store)
    return tuple(sorted(grant for grant in live if not _goes_on(grant, regions.get(grant, ()), known)))


def _came_with_it(row: LedgerRow, restore: RestoreRow) -> bool:
    """Rule 5, by the place in the ledger: a clock that went back gives both the same time."""
    if restore.ledger_length is None:
        return row.signed_at <= restore.at
    return row.position < restore.ledger_length


def _goes_on(grant: GrantId, regions: Collection[Rule], known: Statement) -> bool:
    named = known.basis is None or basis_name(known.issuer, grant) in known.basis
    return named and bool(regions) and attenuate(regions, known.scope)


def _not_over(ledger: Ledger, at: datetime) -> frozenset[GrantId]:
    records = (signed.record for signed in ledger.records)
    return frozenset(one.id for one in records if isinstance(one, Grant) and at < one.period.until_at)


def _regions(ledger: Ledger, card: Party, *, at: datetime, store: VaultStore) -> Mapping[GrantId, list[Rule]]:
    """What each grant in force permits this recipient now; nothing at all when it cannot be said."""
    found: dict[GrantId, list[Rule]] = {}
    try:
        for head, rule in positive_scope(effective(ledger, at), card.actor, held=may_hold(store, card.id)):
            found.setdefault(head.grant.id, []).append(rule)
    except InvalidDocument:
        return {}
    return found


def _adopted(head: Head) -> StoredStatement:
    return StoredStatement(
        id=0,
        sequence=head.sequence,
        hash=head.hash,
        token=head.token,
        ledger_length=_NO_LENGTH,
        refresh_at=_NEVER,
        state=StatementState.ACKNOWLEDGED,
    )


def _erase(known: Statement) -> Erase:
    """As ordered by the withdrawal the recipient knows; where something else is left, erase the rest."""
    return Erase.DELETE if known.scope else known.erase


def _withdraw(store: VaultStore, recipient_id: str, grant_id: GrantId, *, erase: Erase, at: datetime) -> None:
    ledger = load_ledger(store)
    withdrawal = Withdrawal(
        target=Target("grant", (grant_id,)),
        subject=subject_of(store),
        by=by_this_device(store),
        at=at,
        erase=erase,
        seen=frozenset(ledger.heads),
    )
    signed = sign(store, withdrawal, ledger)
    store.ledger.add(
        LedgerRow(
            position=store.ledger.head()[0],
            hash=signed.hash,
            token=signed.token,
            grant_id=grant_id,
            recipient_id=recipient_id,
            choice=None,
            signed_at=at,
        )
    )
    store.journal.add(Event.GRANT_WITHDRAWN, at=at, grant=grant_id, recipient=recipient_id)
