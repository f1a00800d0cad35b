"""After an update of the program: make the index of older records anew from their kept bytes.

Rules:
1. The bytes of a record are never touched; titles, dates, values and numbers for charts are made again.
2. A part at a time, each in a transaction of its own, so that nobody waits; a part that was done before a
   crash or a lock is done again and gives the same.
3. What lies in the trash is made anew too: it can come back.
"""

from __future__ import annotations

from pgo.health.record.index import INDEX_VERSION
from pgo.usecases.content import index_columns, measured_numbers, stored_resource, vault_resolver
from pgo.usecases.session import Session

_VERSION = "index_version"
_PART = 200


def refresh_index(session: Session) -> int:
    """Make the index anew when an older program made it.

    Returns:
        How many records were made anew; 0 when the index is of this program.

    Raises:
        Locked: the vault was locked meanwhile; the next opening begins again.
    """
    store = session.store
    if store.settings.get(_VERSION) == INDEX_VERSION:
        return 0
    numbers = store.records.reading.all_ids()
    for start in range(0, len(numbers), _PART):
        _refresh(session, numbers[start : start + _PART])
    with session.store.write(session.now()):
        session.store.settings.put(_VERSION, INDEX_VERSION)
    if numbers:
        session.changed()
    return len(numbers)


def _refresh(session: Session, numbers: list[int]) -> None:
    store = session.store
    resolve = vault_resolver(store)
    made = []
    for number, full_url, raw in store.records.raws(numbers):
        resource = stored_resource(raw, full_url)
        made.append((number, index_columns(resource, resolve), measured_numbers(resource)))
    with store.write(session.now()):
        for number, columns, measured in made:
            store.records.reindex(number, columns, measured)
