"""How a measured value is printed for people: units as they are written by hand, no digits of a computer.

The record itself is never changed and always shown in full; this is for lists, tiles and charts.

>>> printed_unit("10*9/L"), printed_unit("mm[Hg]"), printed_unit("mL/min/{1.73_m2}")
('10⁹/L', 'mmHg', 'mL/min/(1.73 m2)')
>>> printed_unit("5100 umol/L")
'5100 µmol/L'
>>> brief_number("182.0769821926957 cm")
'182.08 cm'

Source: UCUM, table of units in print symbol form and section 2.2 §12 (curly braces are annotations),
https://ucum.org/ucum
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_PRINTED: Final = (("mm[Hg]", "mmHg"), ("[degF]", "°F"), ("/uL", "/µL"))
_CELSIUS: Final = re.compile(r"\bCel\b")
_ANNOTATION: Final = re.compile(r"\{([^{}]*)\}")
_MICRO: Final = re.compile(r"\bu(?=(?:mol|g|L|l|kat|m|U)\b)")
_POWER_OF_TEN: Final = re.compile(r"10\*(\d+)")
_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LONG_FRACTION: Final = re.compile(r"-?\d+\.\d{5,}")


def printed_unit(text: str) -> str:
    """Return a UCUM unit, or a value with its unit, the way people write it; others unchanged."""
    for code, printed in _PRINTED:
        text = text.replace(code, printed)
    text = _ANNOTATION.sub(lambda found: f"({found.group(1).replace('_', ' ')})", text)
    text = _CELSIUS.sub("°C", text)
    text = _MICRO.sub("µ", text)
    return _POWER_OF_TEN.sub(lambda found: "10" + found.group(1).translate(_RAISED), text)


def brief_number(text: str) -> str:
    """Round fractions of five digits and more, which only a computer writes; shorter ones stay."""
    return _LONG_FRACTION.sub(_rounded, text)


def _rounded(number: re.Match[str]) -> str:
    value = Decimal(number.group())
    if abs(value) >= 1:
        return f"{value:.2f}"
    return f"{value:.3g}" if "e" not in f"{value:.3g}" else number.group()
