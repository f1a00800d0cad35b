"""Everything that may be shown in order of time, with filters; what was entered in error is marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pgo.health.record.kinds import RecordKind
from recipient.look import Item
from recipient.portal.heads import head_of
from recipient.portal.lines import line_of, newest_first
from recipient.portal.view import View

KINDS = tuple(kind for kind in RecordKind if kind not in (RecordKind.PERSON, RecordKind.OTHER))
# How far back, by the word in the address.
_SPANS = {"1y": timedelta(days=365), "3y": timedelta(days=3 * 365)}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records; unknown words mean no filter. ``first`` is the number of records to skip."""

    kind: str = ""
    span: str = ""
    only_new: bool = False
    first: int = 0

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Filter:
        """Read a filter out of an address, untrusted."""
        start = query.get("from", "0")
        return cls(
            kind=query.get("kind", "") if query.get("kind", "") in {str(one) for one in KINDS} else "",
            span=query.get("span", "") if query.get("span", "") in _SPANS else "",
            only_new=query.get("new") == "1",
            first=int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 0,
        )

    def address(self, **changes: object) -> str:
        """Write the filter for an address, with these members changed."""
        said = {
            "kind": self.kind,
            "span": self.span,
            "new": "1" if self.only_new else "",
            "from": "",
        } | changes
        return "&".join(f"{name}={value}" for name, value in said.items() if value not in ("", None, 0))


def timeline_page(view: View, wanted: Filter, *, length: int) -> dict[str, Any]:
    """Gather one page of the timeline."""
    present = {item.index.kind for item in view.look.items}
    items = _chosen(view, wanted)
    first, total = wanted.first, len(items)
    page = items[first : first + length]
    return {
        "head": head_of(view),
        "filter": wanted,
        "kinds": [(str(kind), view.say(f"kind.{kind}")) for kind in KINDS if kind in present],
        "spans": [("", view.say("span.all")), *((one, view.say(f"span.{one}")) for one in _SPANS)],
        "has_new": any(view.is_new(item) for item in view.look.items),
        "total": total,
        "rows": [line_of(view, item, with_kind=not wanted.kind) for item in page],
        "newer": str(max(0, first - length)) if first > 0 else None,
        "older": str(first + length) if first + length < total else None,
    }


def newest(view: View, *, length: int) -> tuple[list[Item], int]:
    """Give the newest records of the timeline and how many it has."""
    items = _chosen(view, Filter())
    return items[:length], len(items)


def _chosen(view: View, wanted: Filter) -> list[Item]:
    kinds = {RecordKind(wanted.kind)} if wanted.kind else set(KINDS)
    found: Iterable[Item] = (item for item in view.look.items if item.index.kind in kinds)
    if wanted.only_new:
        found = (item for item in found if view.is_new(item))
    if wanted.span:
        day = (view.at - _SPANS[wanted.span]).date().isoformat()
        found = (
            item for item in found if item.index.start >= day[: len(item.index.start)] and item.index.start
        )
    return newest_first(found)


def _not_before(start: str, day: str) -> bool:
    """Compare at the precision of the record; what has no date is not of this time."""
    return bool(start) and start[: len(day)] >= day[: len(start)]
