"""Who was affected: which patients' data an account, or anybody, saw in a span of time.

For the day something went wrong (GDPR articles 33 and 34: within 72 hours, whose data, of which kinds). The
answer comes from the access log and names patients by handle only; the portal shows who a handle is, and
looking there is a look again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recipient.instants import instant_text
from recipient.store import Store
from sync.access import REFUSED
from sync.access_full import parse_line


@dataclass(frozen=True, slots=True)
class Affected:
    """One patient, and what was seen of them by whom.

    Attributes:
        handle: the patient's address in the portal.
        accounts: names of the accounts that looked, sorted.
        categories: kinds of data that were shown, sorted; none when every look was refused.
        looks, refused: how many of each.
        first_at, last_at: instants as text, UTC.
    """

    handle: str
    accounts: tuple[str, ...]
    categories: tuple[str, ...]
    looks: int
    refused: int
    first_at: str
    last_at: str


def affected(
    store: Store, *, since: datetime, until: datetime | None = None, account: str | None = None
) -> tuple[Affected, ...]:
    """Return every patient whose data were looked at in a span, by handle.

    Args:
        store: open store.
        since: start, included.
        until: end, excluded; None for now.
        account: log-in name of one account; None for all.
    """
    sql = (
        "SELECT sender.handle, account.name, access_event.at, access_event.categories, access_line.line "
        "FROM access_event JOIN sender ON sender.sub = access_event.sub "
        "JOIN account ON account.id = access_event.account "
        "LEFT JOIN access_line ON access_line.sub = access_event.sub "
        "AND access_line.sequence = access_event.sequence WHERE access_event.at >= ?"
    )
    values = [instant_text(since)]
    if until is not None:
        sql, values = sql + " AND access_event.at < ?", [*values, instant_text(until)]
    if account is not None:
        sql, values = sql + " AND account.name = ?", [*values, account]
    found: dict[str, list[tuple[str, str, str, str | None]]] = {}
    for handle, *look in store.rows(sql + " ORDER BY access_event.at, sender.handle", values):
        found.setdefault(handle, []).append((look[0], look[1], look[2], look[3]))
    return tuple(_affected(handle, looks) for handle, looks in sorted(found.items()))


def _affected(handle: str, looks: list[tuple[str, str, str, str | None]]) -> Affected:
    refused = sum(1 for _, _, _, line in looks if _is_refused(line))
    return Affected(
        handle=handle,
        accounts=tuple(sorted({name for name, _, _, _ in looks})),
        categories=tuple(sorted({kind for _, _, kinds, _ in looks for kind in kinds.split()})),
        looks=len(looks) - refused,
        refused=refused,
        first_at=looks[0][1],
        last_at=looks[-1][1],
    )


def _is_refused(line: str | None) -> bool:
    details = parse_line(line).details if line else None
    return details is not None and details.outcome == REFUSED
