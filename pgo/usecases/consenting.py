"""The ledger of this vault: load it verified, sign into it, ask who is in force.

Rules:
1. The ledger is verified as a whole whenever it is read; a signature that does not hold is ``StoreDamaged``.
2. One device key signs; it derives from the identity seed of the vault and never leaves it.
3. A new record lists everything this device has seen, so a later grant acknowledges an earlier withdrawal.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from consent.decision import grants_in_force
from consent.document import SignedRecord, sign_record
from consent.errors import ConsentError
from consent.ledger import Ledger
from consent.records import By, Grant, Record
from crypto.chain import GENESIS
from crypto.kdf import derive
from crypto.keys import SigningKey
from pgo.errors import StoreDamaged
from pgo.store.protocols import VaultStore

_DEVICE_LABEL = "pgo/1/device"


def device_key(store: VaultStore) -> SigningKey:
    """The key that signs the ledger on this device."""
    return SigningKey.from_seed(derive(store.identity_seed(), _DEVICE_LABEL))


def subject_of(store: VaultStore) -> str:
    """Whose consent this is, inside the vault; recipients only ever see a pairwise key."""
    return store.vault_id


def load_ledger(store: VaultStore) -> Ledger:
    """All signed records, verified.

    Raises:
        StoreDamaged: ``ledger``, a signature or the chain does not hold.
    """
    try:
        return Ledger.of(store.ledger.tokens(), keys=[device_key(store).public], subject=subject_of(store))
    except ConsentError as exc:
        raise StoreDamaged("ledger") from exc


def by_this_device(store: VaultStore) -> By:
    """Who signs: the patient with this device's key."""
    return By(kid=device_key(store).public.id)


def sign(store: VaultStore, record: Record, ledger: Ledger) -> SignedRecord:
    """Sign a record at the end of this device's chain."""
    key = device_key(store)
    position, previous = ledger.head(key.public.id)
    return sign_record(record, key, position=position + 1, previous=previous)


def ledger_of_one(grant: Grant, key: SigningKey) -> Ledger:
    """A ledger that holds just this grant: what it would mean, before it is signed for real."""
    signed = sign_record(grant, key, position=0, previous=GENESIS)
    return Ledger.of_verified([signed], subject=grant.subject)


def recipients_in_force(store: VaultStore, *, at: datetime) -> tuple[str, ...]:
    """Ids of recipients with at least one grant that works now."""
    in_force = _ids(grants_in_force(load_ledger(store), at))
    found = {row.recipient_id for row in store.ledger.grants() if row.grant_id in in_force}
    return tuple(sorted(recipient_id for recipient_id in found if recipient_id is not None))


def count_in_force(store: VaultStore, *, at: datetime) -> int:
    """How many grants work now."""
    return len(_ids(grants_in_force(load_ledger(store), at)))


def _ids(grants: Iterable[Grant]) -> frozenset[str]:
    return frozenset(str(grant.id) for grant in grants)
