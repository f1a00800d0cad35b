"""What a patient threw away goes here too, and nothing comes back with a message that was late.

Promises:
1. a removal deletes the records it names, whatever else is shared, in the transaction of its receipt;
2. naming what is not held is no error: asking twice is asking once;
3. pushes and removals have their effect in the order in which the patient's app started them: one with a
   lower number than the highest that was taken in (column ``sender.taken``) was given up by its app long ago,
   and is refused as ``late``. So a delayed copy brings back neither a record that was thrown away nor an
   older version of one.

Source: GDPR articles 17 and 19; ``sync.removal``; ``sync.outbox`` (a number is given at the first start).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from recipient import data_keys, holdings
from recipient.store import Store
from sync.errors import RemoteRuleError


def take_in_order(store: Store, sub: str, *, sequence: int) -> None:
    """Let a push or removal have its effect only after all that were started before it (promise 3).

    Raises:
        RemoteRuleError: ``late``.
    """
    if store.run("UPDATE sender SET taken = ? WHERE sub = ? AND taken <= ?", (sequence, sub, sequence)) == 0:
        raise RemoteRuleError("late")


def remove(store: Store, sub: str, references: Iterable[str], *, at: datetime) -> int:
    """Delete the named records of a sender, inside the caller's transaction; return how many were held."""
    held = sum(
        store.run("DELETE FROM resource WHERE sub = ? AND reference = ?", (sub, reference))
        for reference in references
    )
    if held:
        data_keys.reseal(store, sub)  # copies of the database must not open what was thrown away either
    holdings.touch(store, sub, at=at)
    return held
