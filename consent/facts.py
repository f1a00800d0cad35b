"""What consent knows about one resource: categories, clusters, codes, dates, authors.

Facts are computed once by `consent.classify`, kept beside the record and handed to `decide`.
They hold no free text. `from_json` refuses facts of another table version, so that a changed
classification is never mixed with an old one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from consent.codes import Category, Sensitivity
from consent.dates import DateInterval, parse_day
from consent.errors import InvalidDocument

TABLE_VERSION: Final = "cat-2026.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFacts:
    """Facts of one resource.

    Attributes:
        resource_type: FHIR type name as found.
        reference: "Type/id", None when the resource has no id.
        categories: what it certainly is.
        possible_categories: what it may be besides; empty when the type table is sure.
        sensitivity: clusters found by code, label or link.
        sensitivity_unknown: more clusters may hold that nobody has looked for.
        codes: "system|code" of clinical codings.
        dates: every clinical date, as days it may lie on; empty when none is given.
        author: references or "system|value" of who wrote or performed it.
        encounter: references of the encounter it belongs to.
        opaque: its content cannot be read by a table (document, attachment, free text, unknown type).
    """

    resource_type: str
    reference: str | None = None
    categories: frozenset[Category] = frozenset()
    possible_categories: frozenset[Category] = frozenset()
    sensitivity: frozenset[Sensitivity] = frozenset()
    sensitivity_unknown: bool = False
    codes: frozenset[str] = frozenset()
    dates: tuple[DateInterval, ...] = ()
    author: frozenset[str] = frozenset()
    encounter: frozenset[str] = frozenset()
    opaque: bool = False

    def to_json(self) -> str:
        """Write the facts in one deterministic line, for a cache column."""
        value: dict[str, Any] = {
            "table": TABLE_VERSION,
            "type": self.resource_type,
            "reference": self.reference,
            "categories": sorted(self.categories),
            "possible": sorted(self.possible_categories),
            "sensitivity": sorted(self.sensitivity),
            "unknown": self.sensitivity_unknown,
            "codes": sorted(self.codes),
            "dates": [[_day_text(d.first), _day_text(d.last)] for d in self.dates],
            "author": sorted(self.author),
            "encounter": sorted(self.encounter),
            "opaque": self.opaque,
        }
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ResourceFacts:
        """Read facts back.

        Raises:
            InvalidDocument: reason "stale_table" when another table version made them (classify
                again), "facts" when it is not our own writing.
        """
        try:
            value = json.loads(text)
            if value["table"] != TABLE_VERSION:
                raise InvalidDocument("stale_table")
            return cls(
                resource_type=value["type"],
                reference=value["reference"],
                categories=frozenset(map(Category, value["categories"])),
                possible_categories=frozenset(map(Category, value["possible"])),
                sensitivity=frozenset(map(Sensitivity, value["sensitivity"])),
                sensitivity_unknown=value["unknown"],
                codes=frozenset(value["codes"]),
                dates=tuple(DateInterval(_day(first), _day(last)) for first, last in value["dates"]),
                author=frozenset(value["author"]),
                encounter=frozenset(value["encounter"]),
                opaque=value["opaque"],
            )
        except (ValueError, KeyError, TypeError) as exc:
            raise InvalidDocument("facts") from exc


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: object) -> date | None:
    return None if text is None else parse_day(text)
