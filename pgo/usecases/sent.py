"""What a recipient may have: every record that ever was in a message for it, arrived or not.

A statement that leaves out one record or one author must name what the recipient may already hold of it
(``consent.scope``, rule 4). So this is never too little: a message that was cancelled on its way counts, a
record in the trash counts, and what was erased since still counts.
"""

from __future__ import annotations

from consent.errors import InvalidDocument
from consent.facts import ResourceFacts
from pgo.store.protocols import VaultStore
from pgo.usecases.content import classify_again, stored_resource


def may_hold(store: VaultStore, recipient_id: str) -> tuple[ResourceFacts, ...]:
    """Facts of all records a recipient may have."""
    numbers = {int(name.rpartition("/r")[2]) for name in store.outbox.ever_sent(recipient_id)}
    if not numbers:
        return ()
    present = {number: text for number, text in store.records.facts() if number in numbers}
    try:
        found = [ResourceFacts.from_json(text) for text in present.values()]
    except InvalidDocument as exc:
        if exc.reason != "stale_table":
            raise
        again = classify_again(store)
        found = [ResourceFacts.from_json(again[number]) for number in present]
    return (*found, *_gone(store, numbers - present.keys()))


def _gone(store: VaultStore, numbers: set[int]) -> list[ResourceFacts]:
    """Records in the trash: only their name counts, everything else about them is unknown."""
    found = [stored_resource(raw, full_url) for _, full_url, raw in store.records.raws(numbers)]
    return [ResourceFacts(resource_type=one.type, reference=one.reference) for one in found]
