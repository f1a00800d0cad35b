"""One event that several providers wrote down, once on the timeline.

The timeline tells what happened, so less is folded here than in the lists of things (``merge``): records of
one thing make one line only when they are of one type, of one day, under one code, and say the same about
whether it still holds. An agreement and the dispense that follows it are two events, and so are two episodes
of one illness.
"""

from __future__ import annotations

from collections.abc import Mapping

from pgo.health.record.sameness import JOINED
from pgo.store.record_types import StoredRow
from pgo.usecases.merge import Pair, things_among
from pgo.usecases.session import Session

_DAY = 10  # characters of an ISO date


def echoes(session: Session) -> Mapping[int, tuple[int, ...]]:
    """Number of a record to the numbers of those that tell the same event, where there are any."""
    store = session.store
    apart = store.records.reading.apart.all()
    return session.remembered("echoes", (store.records.stamp(), apart), lambda: _find(session, apart))


def _find(session: Session, apart: frozenset[Pair]) -> dict[int, tuple[int, ...]]:
    # A vault may hold a hundred thousand records: only those that could be equal to another one are opened.
    alike = session.store.records.reading.alike(kind.value for kind in JOINED)
    groups = [thing.record_ids for thing in things_among(session, alike, apart) if len(thing.record_ids) > 1]
    rows = session.store.records.rows(number for group in groups for number in group)
    events: dict[tuple[object, ...], list[int]] = {}
    for place, group in enumerate(groups):
        for number in group:
            events.setdefault((place, *_event(rows[number])), []).append(number)
    return {first: tuple(rest) for first, *rest in map(sorted, events.values()) if rest}


def _event(row: StoredRow) -> tuple[str, str, str]:
    return row.type, row.columns.start[:_DAY], row.columns.status
