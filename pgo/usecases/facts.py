"""Consent facts of all records: read once per change, made anew when the table of codes changed."""

from __future__ import annotations

from consent.catalog import Catalog
from consent.errors import InvalidDocument
from consent.facts import ResourceFacts
from consent.outcome import Permit
from consent.plan import Plan
from consent.plan_cells import cells_of, is_certain
from pgo.store.protocols import VaultStore
from pgo.usecases.content import classify_again
from pgo.usecases.session import Session

Facts = tuple[tuple[int, ResourceFacts], ...]


def all_facts(session: Session) -> Facts:
    """(record number, facts) of all records outside the trash, newest record first."""
    store = session.store
    return session.remembered("facts", store.records.stamp(), lambda: _read(store))


def catalog_of(session: Session) -> Catalog:
    """The facts of `all_facts`, in their order, ready to be asked about together."""
    facts, stamp = all_facts(session), session.store.records.stamp()
    return session.remembered("catalog", stamp, lambda: Catalog(one for _, one in facts))


def permitted_now(session: Session, plan: Plan) -> dict[int, Permit]:
    """Every record outside the trash that a plan permits, and how: the same answers as asking one by one.

    One join of the plan's cells with the index of record keys; only what a cell leaves open is decided by
    itself, from the stored facts.
    """
    store = session.store
    _complete_keys(store)
    with store.read():
        keys = store.records.consent
        kinds = _kinds(store)
        cells = cells_of(plan, kinds)
        found: dict[int, Permit] = {}
        single = keys.named(plan.named)
        for number, first, last, place in keys.join(cells):
            cell = cells[place]
            if cell.permit is None or not is_certain(cell, first, last):
                single.add(number)
            else:
                found[number] = cell.permit
        left_open = keys.facts_of(single)
    for number in left_open:
        found.pop(number, None)
    for number, answer in zip(left_open, plan.permits(Catalog(left_open.values())), strict=True):
        if answer is not None:
            found[number] = answer
    return found


def _complete_keys(store: VaultStore) -> None:
    """Make the keys that an older program left out, and all anew after a new table of codes."""
    missing = store.records.consent.missing()
    if missing:
        with store.write(store.newest_at()):
            store.records.consent.put(missing)
            if store.records.consent.missing():
                store.records.set_facts(classify_again(store))
    try:
        _kinds(store)
    except InvalidDocument as exc:
        if exc.reason != "stale_table":
            raise
        with store.write(store.newest_at()):
            store.records.set_facts(classify_again(store))


def _kinds(store: VaultStore) -> list[tuple[int, ResourceFacts]]:
    return [(number, ResourceFacts.from_json(text)) for number, text in store.records.consent.kinds()]


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
