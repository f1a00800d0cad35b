"""The hard floors: what no grant can go below. Data only, to be reviewed as one page.

Consent never widens law, so a decision is the engine's answer AND these rows. **The rows on age,
representation and death need the eye of a lawyer**; they are engineering assumptions with a source.

1. `FLOORS`: per kind of purpose, the least de-identification, the duties that always come along,
   whether sensitive clusters must be named one by one, and how long a recipient may act without
   hearing from the patient.
2. `CATEGORY_CLUSTERS`: kinds of data that are sensitive by themselves.
3. `AGE_BANDS`: who signs a permit for whom. Any one of them may deny or withdraw.
4. `GROUNDS`: what each ground of representation can do.

Sources: GDPR art. 9 and 89; Dutch civil code book 7, art. 447, 450 and 465 (WGBO: under 12, 12 to 16,
16 and older, representation); guide consent.md sections 2.3, 2.4, 2.5 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from consent.codes import (
    RESEARCH_DUTY,
    RESEARCH_FLOOR,
    RESEARCH_PURPOSES,
    Category,
    Deidentification,
    Sensitivity,
)
from consent.records import Basis


@dataclass(frozen=True, slots=True)
class Floor:
    """One row. `purposes` None applies to every question."""

    name: str
    purposes: frozenset[str] | None
    deidentification: Deidentification
    obligations: frozenset[str]
    clusters_by_name: bool
    fresh_for: timedelta


FLOORS: Final[tuple[Floor, ...]] = (
    Floor("any", None, Deidentification.NONE, frozenset(), False, timedelta(days=30)),
    # Demand of the client: researchers never get traceable data, and may not trace them back.
    Floor("research", RESEARCH_PURPOSES, RESEARCH_FLOOR, frozenset({RESEARCH_DUTY}), True, timedelta(days=7)),
)


def floor_for(purpose: Iterable[str]) -> Floor:
    """Join every row that applies to these purposes: the strictest of each column."""
    asked = frozenset(purpose)
    rows = [row for row in FLOORS if row.purposes is None or not row.purposes.isdisjoint(asked)]
    return Floor(
        name="+".join(row.name for row in rows),
        purposes=asked,
        deidentification=max((row.deidentification for row in rows), key=lambda level: level.rank),
        obligations=frozenset[str]().union(*(row.obligations for row in rows)),
        clusters_by_name=any(row.clusters_by_name for row in rows),
        fresh_for=min(row.fresh_for for row in rows),
    )


FRESH_CARE: Final = FLOORS[0].fresh_for
FRESH_RESEARCH: Final = FLOORS[1].fresh_for

# Whatever a record is coded with, these kinds of data count as this cluster (consent.md 2.2, `cats`).
CATEGORY_CLUSTERS: Final[Mapping[Category, Sensitivity]] = MappingProxyType(
    {Category.GENETICS: Sensitivity.GENETIC}
)

SELF: Final = "self"
PARENT: Final = "parent"
PROXY: Final = "proxy"


@dataclass(frozen=True, slots=True)
class AgeBand:
    """Whose signatures a permit needs when it is signed at this age; `until_age` is not included."""

    from_age: int
    until_age: int
    permit_needs: frozenset[str]


AGE_BANDS: Final[tuple[AgeBand, ...]] = (
    AgeBand(0, 12, frozenset({PARENT})),
    AgeBand(12, 16, frozenset({PARENT, SELF})),
    AgeBand(16, 200, frozenset({SELF})),
)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a ground of representation can do.

    Attributes:
        acts_as: the party whose signature it gives.
        permits: whether it can permit at all; it can always deny and withdraw.
        lapses_at: age of the subject at which its permits stop working, None for never.
        research_lapses_at: the same for research, unless the subject signed too.
    """

    acts_as: str
    permits: bool
    lapses_at: int | None
    research_lapses_at: int | None


GROUNDS: Final[Mapping[Basis, Ground]] = MappingProxyType(
    {
        Basis.PARENT: Ground(PARENT, True, 16, 12),
        Basis.MINOR_AND_PARENT: Ground(PARENT, True, 16, 12),
        Basis.MENTOR: Ground(PROXY, True, None, None),
        Basis.CURATOR: Ground(PROXY, True, None, None),
        Basis.WRITTEN_PROXY: Ground(PROXY, True, None, None),
        # After death only what the person granted for that case (`after_death`) works.
        Basis.DECEASED: Ground(PROXY, False, None, None),
    }
)
# A prompt this long before a representative's permits lapse (guide consent.md section 2.4).
PROMPT_BEFORE_LAPSE: Final = timedelta(days=60)
