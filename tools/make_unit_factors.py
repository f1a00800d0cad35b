"""Make assets/codes/unit-factors.json: by which factor a UCUM unit goes into the base units of its dimension.

The figures come from the library ``ucumvert`` (the UCUM grammar and definitions, version 2.2) on top of
``pint``, to 13 digits; nothing is typed in here but the list of units to look up. The program itself
only reads the table, so that a phone needs no unit library and a unit that is not in it is never converted
(docs/adr/0013-unit-factors-are-made-at-build-time.md).

Left out on purpose, whatever the library answers:
1. Units without a dimension (``%``, ``mmol/mol``): a share of mass is no share of moles.
2. ``eq``: how many moles one is depends on the charge of the ion; UCUM counts it as one.
3. Units on a scale with its own zero (``Cel``) and units on a logarithmic scale.
4. Anything with an annotation (``mL/min/{1.73_m2}``): what stands in braces may change the meaning.
International units are a dimension of their own: they go into each other and into nothing else.

Run: ``python tools/make_unit_factors.py`` (writes), ``--check`` (compares). Needs the development group.

Sources: https://ucum.org/ucum (sections 2.4, 3.2, 4.4), https://github.com/dalito/ucumvert (MIT).
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ucumvert import PintUcumRegistry

TABLE = Path(__file__).resolve().parents[1] / "assets" / "codes" / "unit-factors.json"
_LITRES = ("L", "dL", "cL", "mL", "uL", "nL", "pL", "fL", "l", "dl", "cl", "ml", "ul", "nl", "pl", "fl")
_PER = ("L", "dL", "mL", "uL", "l", "dl", "ml", "ul")
_MASSES = ("kg", "g", "mg", "ug", "ng", "pg", "fg")
_MOLES = ("mol", "mmol", "umol", "nmol", "pmol", "fmol")
_INTERNATIONAL = ("k[IU]", "[IU]", "m[IU]", "u[IU]", "k[iU]", "[iU]", "m[iU]", "u[iU]")
_ACTIVITY = ("kU", "U", "mU", "kat", "ukat", "nkat")
_COUNTS = ("10*3", "10*6", "10*9", "10*12")
UNITS = tuple(
    dict.fromkeys(
        (
            *_LITRES,
            *(*_MASSES, "[lb_av]", "[oz_av]", "[stone_av]"),
            *("m", "dm", "cm", "mm", "um", "nm", "[in_i]", "[ft_i]", "m2", "cm2", "mm2"),
            *("mm[Hg]", "kPa", "Pa", "hPa", "mbar", "bar", "cm[H2O]"),
            *("s", "ms", "min", "h", "d", "wk"),
            *("/s", "/min", "/h", "/d", "/wk", "Hz"),
            *("kJ", "J", "kcal", "cal", "W", "kW"),
            *(f"{mass}/{volume}" for mass in _MASSES for volume in _PER),
            *(f"{moles}/{volume}" for moles in _MOLES for volume in _PER),
            *(f"{units}/{volume}" for units in _INTERNATIONAL for volume in _PER),
            *(f"{units}/{volume}" for units in _ACTIVITY for volume in _PER),
            *(f"{count}/{volume}" for count in _COUNTS for volume in _PER),
            *(f"/{volume}" for volume in _PER),
            *("mg/mmol", "g/mol", "ug/mmol", "mg/g{creat}", "kg/m2", "g/m2", "g/cm2"),
            *("mL/min", "L/min", "mL/s", "L/s", "L/h", "mL/h", "ml/min", "l/min"),
            *("g/d", "mg/d", "mmol/d", "umol/d", "mL/d", "L/d", "g/(24.h)", "mg/(24.h)", "mmol/(24.h)"),
            *("mm/h", "m/s", "km/h", "mosm/kg", "mmol/kg", "ug/kg", "mg/kg"),
        )
    )
)
_REFUSED = ("{", "%", "eq", "Cel", "[deg", "pH", "[arb", "osm")


def made() -> dict[str, Any]:
    """Look every unit up; leave out what has no certain factor."""
    registry = PintUcumRegistry()
    units: dict[str, list[str]] = {}
    for code in UNITS:
        if any(part in code for part in _REFUSED):
            continue
        base = (1 * registry.from_ucum(code)).to_base_units()
        dimension = _dimension(code, base)
        if dimension:
            units[code] = [dimension, f"{float(base.magnitude):.13g}"]
    return {
        "source": "UCUM 2.2 through ucumvert and pint",
        "versions": {name: version(name) for name in ("pint", "ucumvert")},
        "units": dict(sorted(units.items())),
    }


def _dimension(code: str, base: Any) -> str:
    """Name the dimension; counted things and international units keep a name of their own beside it."""
    own = "international" if "[iu]" in code.lower() else ""
    count = "count" if "10*" in code or (code[0] == "/" and code[1:] in _PER) else ""
    powers = " ".join(f"{name}^{float(power):g}" for name, power in sorted(base.dimensionality.items()))
    return " ".join(filter(None, (own, count, powers))) if powers else ""


def main() -> int:
    """Write the table, or compare it with what is written."""
    text = json.dumps(made(), indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv[1:]:
        same = TABLE.read_text(encoding="utf-8") == text
        print("unit factors: as made" if same else "unit factors: differ, run tools/make_unit_factors.py")
        return 0 if same else 1
    TABLE.write_text(text, encoding="utf-8")
    print(f"{TABLE.name}: {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
