"""Bring a number from one UCUM unit into another, where the factor is certain, and refuse everything else.

Rules:

1. Both units are in the table that the library made (``tools/make_unit_factors.py``); what is not in it is
   not converted. So nothing is converted between mass and moles, without a dimension, or from a unit that the
   source did not write as UCUM.
2. A converted number keeps as many digits as the source wrote, three at least: it is never more exact than
   what was measured.

>>> convert(Decimal("75"), "mg/dL", "g/L"), convert(Decimal("5.4"), "mmol/l", "mmol/L")
(Decimal('0.75'), Decimal('5.4'))
>>> convert(Decimal("5.4"), "mmol/L", "mg/dL") is None
True

Source: UCUM, https://ucum.org/ucum; docs/adr/0013-unit-factors-are-made-at-build-time.md.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

from pgo.health.assets import load_table

_TABLE = "codes/unit-factors.json"
_FEWEST_DIGITS = 3


def dimension(unit: str) -> str:
    """Name the dimension of a UCUM unit; empty when it is not in the table."""
    row = load_table(_TABLE)["units"].get(unit)
    return str(row[0]) if row else ""


def convert(value: Decimal, source: str, target: str) -> Decimal | None:
    """Bring a number into another unit.

    Args:
        value: A finite number.
        source: UCUM code of its unit.
        target: UCUM code of the wanted unit.

    Returns:
        The number, or None when there is no certain factor.
    """
    units = load_table(_TABLE)["units"]
    one, other = units.get(source), units.get(target)
    if one is None or other is None or one[0] != other[0]:
        return None
    first, second = Decimal(one[1]), Decimal(other[1])
    if first == second:
        return value
    digits = max(len(value.as_tuple().digits), _FEWEST_DIGITS)
    with localcontext(Context(prec=28)):
        exact = value * first / second
    with localcontext(Context(prec=digits, rounding=ROUND_HALF_EVEN)):
        rounded = +exact
    return _plain(rounded)


def _plain(value: Decimal) -> Decimal:
    """Drop zeros that nobody measured, without the exponent form."""
    shorter = value.normalize()
    exponent = shorter.as_tuple().exponent
    return shorter.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else shorter
