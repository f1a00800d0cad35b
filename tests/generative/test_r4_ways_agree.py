"""What the fast way of the R4 validator accepts, the walk accepts: good resources, damaged at random.

The other direction does not hold and need not: what the fast way cannot tell goes to the walk.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from random import Random
from typing import Any

from pgo.health.fhir_r4 import validate
from pgo.health.fhir_r4.quick import certainly_fine
from pgo.health.fhir_r4.walk import Walk
from tests.support.r4_defects import GOOD, UNUSUAL, Body
from tests.support.scale import cases, many

CASES = 8_000
SCALARS = (
    None,
    "",
    " ",
    "x y",
    "a\tb",
    "a ",
    "\u00a0",
    "http://a b",
    "final",
    "x",
    "2024",
    "2024-02-30",
    "aGVs",
)
OTHERS = (0, -1, 1.5, True, [], {}, [None], [{}], {"id": "x"}, {"extension": [{"url": "u"}]}, [{"id": "x"}])
VALUES = ("valueString", "valueCode", "_valueString", "_valueCode", "valueQuantity", "effectivePeriod")


def places(value: Any) -> list[Any]:
    """Every object and list below a value, itself included."""
    found = [value]
    for child in value.values() if isinstance(value, dict) else value:
        if isinstance(child, dict | list):
            found += places(child)
    return found


def damage(body: Body, dice: Random) -> None:
    """One random change somewhere."""
    place = dice.choice([one for one in places(body) if one] or [body])
    key = dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
    new = copy.deepcopy(dice.choice((*SCALARS, *OTHERS)))
    kind = dice.randrange(7 if isinstance(place, dict) else 3)
    if kind == 0:
        del place[key]
    elif kind in (1, 2):
        place[key] = new
    elif kind == 3:
        place[f"_{key}"] = new
    elif kind == 4:
        place[f"_{key}"] = place.pop(key)
    elif kind == 5:
        place[dice.choice(VALUES)] = new
    else:
        place["id"] = "x"


def test_what_the_fast_way_accepts_has_no_issue() -> None:
    bases = [*GOOD, *(body for _, body in UNUSUAL)]
    fine: Counter[bool] = Counter()
    for seed in many(cases(CASES)):
        dice = Random(seed)
        body = copy.deepcopy(dice.choice(bases))
        for _ in range(dice.choice((1, 1, 1, 2))):
            damage(body, dice)
        kind = body.get("resourceType")
        if not isinstance(kind, str):
            continue
        accepted = certainly_fine(kind, json.dumps(body).encode())
        fine[accepted] += 1
        if accepted:
            assert Walk(validate).resource(body) == (), (seed, body)
    # Vacuous otherwise: damage that never leaves anything good would prove nothing.
    assert fine[True] > 0.05 * fine.total()
