"""Axes of a line chart: where the marks lie and what they say.

Pure arithmetic, so that a test can hold it:

1. Value axis: round steps (1, 2 or 5 times a power of ten), at most seven lines, all data inside.
2. Time axis: marks on whole days, months or years, evenly numbered 0, 1, 2 ... (the chart control only
   draws labels on multiples of its spacing), all data inside.
3. A date known to the month or the year lies in the middle of it: the least wrong place.

>>> nice_ticks(61.0, 83.5)
(60.0, 65.0, 70.0, 75.0, 80.0, 85.0)
>>> time_axis(dt.date(2019, 5, 2), dt.date(2024, 3, 1), most=4).labels("nl")
('2019', '2021', '2023', '2025')
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal

from pgo.ui.records.say import say_short_date

_MOST_STEPS = 6
_DAY_STEPS = (1, 2, 7, 14)
_MONTH_STEPS = (1, 2, 3, 6)
_YEAR_STEPS = (1, 2, 5, 10, 20, 50)


def nice_ticks(low: float, high: float) -> tuple[float, ...]:
    """Return round values that enclose ``low`` and ``high``, ascending, at least two."""
    if high <= low:
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    step = _round_step((high - low) / (_MOST_STEPS - 1))
    digits = max(0, -math.floor(math.log10(step)))
    first, last = math.floor(round(low / step, 9)), math.ceil(round(high / step, 9))
    return tuple(round(n * step, digits) for n in range(first, last + 1))


def _round_step(rough: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(rough))
    fits = (f * power for f in (1.0, 2.0, 5.0) if rough <= f * power * (1 + 1e-9))
    return next(fits, 10.0 * power)


def tick_text(value: float, lang: str) -> str:
    """Return a mark without needless zeros, with the decimal sign of the language."""
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if lang == "nl" else text


def place_day(iso: str) -> dt.datetime | None:
    """Return where a FHIR date lies in time (naive, as its source wrote it); None when it is no date."""
    try:
        if len(iso) == 4:
            return dt.datetime(int(iso), 7, 1)  # noqa: DTZ001 - the source wrote no zone
        if len(iso) == 7:
            return dt.datetime(int(iso[:4]), int(iso[5:7]), 15)  # noqa: DTZ001
        written = dt.datetime.fromisoformat(iso[:10])
    except ValueError:
        return None
    try:
        return written + dt.timedelta(hours=int(iso[11:13]), minutes=int(iso[14:16]))
    except ValueError:
        return written


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Marks ``0 .. count`` on whole units; ``step`` units apart, from ``origin`` (units since year 0)."""

    unit: Literal["day", "month", "year"]
    origin: int
    step: int
    count: int

    def place(self, at: dt.datetime) -> float:
        """Return where an instant lies between mark 0 and mark ``count``."""
        return (_in_units(self.unit, at) - self.origin) / self.step

    def labels(self, lang: str) -> tuple[str, ...]:
        """Return the text of each mark, in order."""
        return tuple(self._label(lang, self.origin + n * self.step) for n in range(self.count + 1))

    def _label(self, lang: str, units: int) -> str:
        if self.unit == "year":
            return str(units)
        if self.unit == "month":
            return say_short_date(lang, f"{units // 12:04d}-{units % 12 + 1:02d}")
        return " ".join(say_short_date(lang, dt.date.fromordinal(units).isoformat()).split(" ")[:2])


def time_axis(first: dt.date, last: dt.date, *, most: int) -> TimeAxis:
    """Return the finest axis of at most ``most`` steps that holds both days."""
    start = dt.datetime.combine(first, dt.time())
    end = dt.datetime.combine(last, dt.time(23, 59))
    plans: tuple[tuple[Literal["day", "month", "year"], tuple[int, ...]], ...] = (
        ("day", _DAY_STEPS),
        ("month", _MONTH_STEPS),
        ("year", _YEAR_STEPS),
    )
    for unit, steps in plans:
        low, high = _in_units(unit, start), _in_units(unit, end)
        for step in steps:
            origin = math.floor(low)
            count = max(1, math.ceil((high - origin) / step))
            if count <= most:
                return TimeAxis(unit, origin, step, count)
    years = math.ceil(_in_units("year", end)) - first.year
    return TimeAxis("year", first.year, math.ceil(years / most), most)


def _in_units(unit: str, at: dt.datetime) -> float:
    part_of_day = (at.hour * 60 + at.minute) / 1440
    if unit == "day":
        return at.toordinal() + part_of_day
    if unit == "month":
        return at.year * 12 + at.month - 1 + (at.day - 1 + part_of_day) / 31
    return at.year + (at.timetuple().tm_yday - 1 + part_of_day) / 366
