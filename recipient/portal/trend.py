"""One line over time as chart, sentence and table; for a score also what it means."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pgo.health.prom.meaning import Meaning, meaning_of
from pgo.health.record.printed import printed_unit
from pgo.health.record.series import Point, Series
from recipient.look import Item
from recipient.portal.charts import Limits, line_chart
from recipient.portal.heads import head_of
from recipient.portal.measures import dots_of, is_score, lowest_and_highest, spoken, with_unit
from recipient.portal.ranges import outside, range_of
from recipient.portal.said import by_patient
from recipient.portal.text import day_text, number_text, shown
from recipient.portal.view import View


def trend_page(view: View, series: Series) -> dict[str, Any]:
    """Gather one line, newest row first."""
    known = {item.id: item for item in view.look.items}
    newest = known[series.points[-1].record_id]
    meaning = meaning_of(series.code) if is_score(newest) else None
    limits, range_words = _limits(view, series, newest, meaning)
    dots = dots_of(series.points)
    subtitle = _subtitle(view, series)
    said = " ".join(filter(None, (subtitle, range_words)))
    return {
        "head": head_of(view),
        "trend": {
            "title": shown(series.title),
            "subtitle": subtitle,
            "range": range_words,
            "is_score": is_score(newest),
            "meaning": meaning_words(view, meaning, series.points[-1]) if meaning else None,
            "chart": line_chart(
                dots, lang=view.lang, title=shown(series.title), description=said, limits=limits
            )
            if dots
            else "",
            "rows": [_row(view, point, series, known[point.record_id]) for point in reversed(series.points)],
        },
    }


def meaning_words(view: View, meaning: Meaning, newest: Point) -> dict[str, Any]:
    """Word the scale, its better end, its bands and where they come from."""
    band = meaning.band_of(newest.value)
    return {
        "range": view.say("score.range", low=_plain(view, meaning.low), high=_plain(view, meaning.high)),
        "direction": view.say("score.higher_better" if meaning.higher_is_better else "score.higher_worse"),
        "bands": [
            {
                "span": f"{_plain(view, one.low)}–{_plain(view, one.high)}",
                "words": view.say(f"band.{one.word}"),
                "here": one is band,
            }
            for one in meaning.bands
        ],
        "band": view.say(f"band.{band.word}") if band else "",
        "source": meaning.source,
    }


def _limits(view: View, series: Series, newest: Item, meaning: Meaning | None) -> tuple[Limits | None, str]:
    """Give what is drawn behind the line: a score's scale, or the normal values of the newest result."""
    if meaning is not None:
        steps = tuple(float(band.low) for band in meaning.bands[1:])
        return Limits(scale=(float(meaning.low), float(meaning.high)), steps=steps), ""
    if is_score(newest):
        return None, ""  # the ends of a scale are not normal values
    found = range_of(newest.resource.body, series)
    if found is None:
        return None, ""
    words = view.say("trend.range", range=number_text(view.lang, printed_unit(shown(found.words))))
    return Limits(low=_float(found.low), high=_float(found.high)), words


def _subtitle(view: View, series: Series) -> str:
    words = {"n": len(series.points), "first": day_text(view.lang, series.points[0].at)}
    if len(series.points) == 1:
        return view.say("trend.subtitle_one", **words)
    low, high = lowest_and_highest(series.points)
    return view.say(
        "trend.subtitle",
        last=day_text(view.lang, series.points[-1].at),
        low=with_unit(view, low, series),
        high=with_unit(view, high, series),
        **words,
    )


def _row(view: View, point: Point, series: Series, item: Item) -> dict[str, Any]:
    body = item.resource.body
    found = None if is_score(item) else range_of(body, series)
    flag = outside(body, point, series) if not is_score(item) else ""
    return {
        "id": point.record_id,
        "when": day_text(view.lang, point.at),
        "value": spoken(view, point, series),
        "unit": printed_unit(shown(series.unit)),
        "flag": view.say(f"flag.{flag}") if flag else "",
        "range": number_text(view.lang, printed_unit(shown(found.words))) if found else "",
        "original": number_text(view.lang, shown(point.original)),
        "by_patient": by_patient(body) and not is_score(item),
    }


def _plain(view: View, value: Decimal) -> str:
    return number_text(view.lang, f"{value.normalize():f}")


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
