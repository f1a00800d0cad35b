"""What was thrown away here goes at the recipients too.

Rules:
1. A record in the trash that ever was in a message for a recipient, and that it did not confirm to have
   erased since, is named in a removal. In doubt (a message that may have arrived) it is named.
2. What a removal names is decided when it is sent: a record that came back out of the trash by then is not
   in it. A removal that was sent before goes out again as it was; the record follows after it.
3. A recipient that never confirmed anything is not known to know us. It is asked to erase as soon as it
   confirms something: until then it would not know whose records are meant.
4. Only a verified receipt counts as erased.

Source: GDPR articles 17(2) and 19.
"""

from __future__ import annotations

from datetime import datetime

from pgo.store.protocols import VaultStore
from pgo.usecases.queue import queue_removal


def gone_for(store: VaultStore, recipient_id: str) -> tuple[str, ...]:
    """References of thrown-away records that a recipient may still hold, in order of their numbers."""
    if not store.deliveries.has_answered(recipient_id):  # rule 3
        return ()
    names = {int(name.rpartition("/r")[2]): name for name in store.outbox.ever_sent(recipient_id)}
    left = names.keys() - store.deliveries.confirmed_gone(recipient_id)
    left -= store.records.reading.present_among(left)
    return tuple(names[number] for number in sorted(left))


def records_removed(store: VaultStore, *, at: datetime) -> bool:
    """Queue a removal for every recipient that may hold something in the trash; tell whether there is one."""
    if not store.ledger.head()[0]:
        return False  # nobody was ever given anything
    asked = [stored.id for stored in store.recipients.all() if remove_there(store, stored.id, at=at)]
    return bool(asked)


def remove_there(store: VaultStore, recipient_id: str, *, at: datetime) -> bool:
    """Queue a removal for one recipient when there is something to remove; tell whether there is."""
    found = bool(gone_for(store, recipient_id))
    if found:
        queue_removal(store, recipient_id, at=at)
    return found
