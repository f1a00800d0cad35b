"""What a score means: its scale, which end is better, and the bands its makers published.

Promises: only scores named here, by code, get a meaning; the words of bands are keys, the text is the
screen's; a band says how the makers of the questionnaire name that part of the scale and is no diagnosis.

Sources stand beside each row. LOINC codes: https://loinc.org.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Final

from pgo.health.prom.questionnaire import SCORE_SYSTEM, own_questionnaires

_LOINC: Final = "http://loinc.org"


@dataclass(frozen=True, slots=True)
class Band:
    """A part of a scale, both ends included; ``word`` is a key such as ``mild``."""

    low: Decimal
    high: Decimal
    word: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """How to read a score.

    Attributes:
        low: lowest possible score.
        high: highest possible score.
        higher_is_better: which end is better.
        bands: parts of the scale in rising order; empty when nobody published any.
        source: where range, direction and bands are written down.
    """

    low: Decimal
    high: Decimal
    higher_is_better: bool
    bands: tuple[Band, ...]
    source: str

    def band_of(self, value: Decimal) -> Band | None:
        """Give the band a score lies in, None outside every band."""
        return next((band for band in self.bands if band.low <= value <= band.high), None)


def meaning_of(code: str) -> Meaning | None:
    """Give the meaning of a score by its code.

    Args:
        code: ``system|code`` of the Observation.
    """
    return _PUBLISHED.get(code) or _own().get(code)


def _meaning(high: int, source: str, *bands: tuple[int, int, str]) -> Meaning:
    return Meaning(
        Decimal(0),
        Decimal(high),
        higher_is_better=False,
        bands=tuple(Band(Decimal(first), Decimal(last), word) for first, last, word in bands),
        source=source,
    )


_PUBLISHED: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        f"{_LOINC}|44261-6": _meaning(
            27,
            "PHQ-9: Kroenke, Spitzer, Williams. J Gen Intern Med 2001;16:606-613",
            (0, 4, "minimal"),
            (5, 9, "mild"),
            (10, 14, "moderate"),
            (15, 19, "moderately_severe"),
            (20, 27, "severe"),
        ),
        f"{_LOINC}|70274-6": _meaning(
            21,
            "GAD-7: Spitzer, Kroenke, Williams, Löwe. Arch Intern Med 2006;166:1092-1097",
            (0, 4, "minimal"),
            (5, 9, "mild"),
            (10, 14, "moderate"),
            (15, 21, "severe"),
        ),
        # No bands: published cut-offs for pain differ per group of patients.
        f"{_LOINC}|72514-3": _meaning(10, "LOINC 72514-3, 0-10 verbal numeric rating"),
    }
)


@cache
def _own() -> Mapping[str, Meaning]:
    """The scores of the questionnaires that ship with the program; rule ``mean-0-100``, see ``scoring``."""
    return MappingProxyType(
        {
            f"{SCORE_SYSTEM}|{rule.code}": Meaning(
                Decimal(0),
                Decimal(100),
                higher_is_better=rule.higher_is_better,
                bands=(),
                source=f"{rule.code} {rule.version}, mean-0-100",
            )
            for questionnaire in own_questionnaires()
            for rule in questionnaire.rules
        }
    )
