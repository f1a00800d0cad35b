"""Read Data Use Ontology terms as limits on research, or say why a person must look.

1. A data set has one permission term. None or several: review.
2. Only a disease-specific permission becomes a limit here, with the diseases named beside it. Terms
   for any research at all are too wide for a grant: broad consent here is delimited.
3. What DUO leaves open stays closed: commercial use, methods and origins are opted in, never implied.
4. `terms_of` says limits in terms again; `label_of` gives the short name under which a term has words.
5. A term this table does not know, or that says what no member holds, is never dropped: review.

>>> read_duo([("DUO:0000007", ["E11"]), ("DUO:0000021", [])]).use.ethics_required
True

Table: assets/codes/duo.json (source and licence there). Source of the rules: guide consent.md
sections 1.2 (DUOS: abstain rather than guess) and 2.2.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from consent.dates import parse_day
from consent.errors import InvalidDocument
from consent.research import ResearchUse

_ASSET: Final = Path(__file__).resolve().parent.parent / "assets" / "codes" / "duo.json"


@dataclass(frozen=True, slots=True)
class DuoReading:
    """Limits, and what a person must look at; with anything in `review`, `use` is no offer."""

    use: ResearchUse
    review: tuple[str, ...]


def read_duo(terms: Iterable[tuple[str, Sequence[str]]]) -> DuoReading:
    """Read terms with the values named beside them.

    Args:
        terms: identifier such as "DUO:0000007" and its values (diseases, regions, a day), untrusted.
    """
    use, review, permissions = ResearchUse(), set[str](), 0
    for term, values in terms:
        row = _terms().get(term)
        if row is None:
            review.add("unknown-term")
            continue
        permissions += bool(row.get("permission"))
        if "review" in row:
            review.add(row["review"])
        use = replace(use, **row.get("use", {}))
        if "value" in row:
            use, missing = _with_values(use, row["value"], values)
            review |= missing
    if permissions != 1:
        review.add("permission")
    return DuoReading(use, tuple(sorted(review)))


def terms_of(use: ResearchUse) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Say limits in terms with the values beside them, sorted; DUO has no term for training models.

    A permission term is among them only when topics delimit the research.
    """
    found: dict[str, tuple[str, ...]] = {}
    for term, row in _terms().items():
        member = row.get("value")
        if member is not None and getattr(use, member):
            found[term] = _values(getattr(use, member))
        elif "use" in row and all(getattr(use, name) == said for name, said in row["use"].items()):
            found[term] = ()
    if "DUO:0000018" in found:  # not-for-profit and non-commercial in one; its parts say no more
        found.pop("DUO:0000045")
        found.pop("DUO:0000046")
    return tuple(sorted(found.items()))


def label_of(term: str) -> str:
    """Return the short name of a term of the table, such as "DS"; "" for another one."""
    return str(_terms().get(term, {}).get("label", ""))


def _values(value: Any) -> tuple[str, ...]:
    return (value.isoformat(),) if isinstance(value, date) else tuple(sorted(value))


def _with_values(use: ResearchUse, member: str, values: Sequence[str]) -> tuple[ResearchUse, set[str]]:
    if not values or not all(values):
        return use, {"no-value"}
    if member == "moratorium":
        try:
            return replace(use, moratorium=max(parse_day(day) for day in values)), set()
        except InvalidDocument:
            return use, {"no-value"}
    found = frozenset(values)
    return (replace(use, topics=found) if member == "topics" else replace(use, regions=found)), set()


@cache
def _terms() -> Mapping[str, Mapping[str, Any]]:
    terms: dict[str, dict[str, Any]] = json.loads(_ASSET.read_text(encoding="utf-8"))["terms"]
    return terms
