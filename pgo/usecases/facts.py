"""Consent facts of all records: read once per change, made anew when the table of codes changed."""

from __future__ import annotations

from consent.errors import InvalidDocument
from consent.facts import ResourceFacts
from pgo.store.protocols import VaultStore
from pgo.usecases.content import classify_again
from pgo.usecases.session import Session

Facts = tuple[tuple[int, ResourceFacts], ...]


def all_facts(session: Session) -> Facts:
    """(record number, facts) of all records outside the trash, newest record first."""
    store = session.store
    return session.remembered("facts", store.records.stamp(), lambda: _read(store))


def _read(store: VaultStore) -> Facts:
    try:
        return _parsed(store)
    except InvalidDocument as exc:
        if exc.reason != "stale_table":
            raise
    with store.write(store.newest_at()):
        store.records.set_facts(classify_again(store))
    return _parsed(store)


def _parsed(store: VaultStore) -> Facts:
    return tuple((record_id, ResourceFacts.from_json(text)) for record_id, text in store.records.facts())
