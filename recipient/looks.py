"""When a person looked at a patient before, so that what came since stands out.

Promises: "new" is per person; looking again within half an hour is the same visit, so that going back to a
page does not wipe out what was new on it; counting never opens a record.

Callers that change something hold ``store.transaction()``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from recipient.instants import instant_text, parse_instant
from recipient.store import Store

VISIT = timedelta(minutes=30)


def last_look(store: Store, account_id: int, sub: str) -> datetime | None:
    """Return when this person opened this patient last, None for never."""
    row = store.row("SELECT at FROM last_look WHERE account = ? AND sub = ?", (account_id, sub))
    return parse_instant(row[0]) if row else None


def since(store: Store, account_id: int, sub: str, *, at: datetime) -> datetime | None:
    """Return the end of this person's visit before this one, None when this is the first."""
    row = store.row("SELECT at, since FROM last_look WHERE account = ? AND sub = ?", (account_id, sub))
    if row is None:
        return None
    before = parse_instant(row[0])
    if at - before >= VISIT:
        return before
    return parse_instant(row[1]) if row[1] else None


def note_look(store: Store, account_id: int, sub: str, *, at: datetime) -> datetime | None:
    """Note that this person opens this patient now; return what ``since`` says about this visit."""
    found = since(store, account_id, sub, at=at)
    store.run(
        "INSERT INTO last_look (account, sub, at, since) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (account, sub) DO UPDATE SET at = excluded.at, since = excluded.since",
        (account_id, sub, instant_text(at), instant_text(found) if found else None),
    )
    return found


def count_newer(store: Store, sub: str, moment: datetime | None) -> int:
    """Count the resources of a sender that came after a moment; None counts all."""
    text = instant_text(moment) if moment else ""
    row = store.row("SELECT count(*) FROM resource WHERE sub = ? AND received_at > ?", (sub, text))
    return int(row[0]) if row else 0


def counts_newer(store: Store, account_id: int) -> Mapping[str, int]:
    """Count, for each sender with any, what came after this person's last look."""
    rows: Iterable[tuple[str, int]] = [
        (row[0], int(row[1]))
        for row in store.rows(
            "SELECT resource.sub, count(*) FROM resource "
            "LEFT JOIN last_look ON last_look.sub = resource.sub AND last_look.account = ? "
            "WHERE resource.received_at > coalesce(last_look.at, '') GROUP BY resource.sub",
            (account_id,),
        )
    ]
    return dict(rows)
