"""Scores of questionnaires as tiles: the newest value with its place on the scale, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pgo.health.prom.meaning import meaning_of
from pgo.health.record.series import Series
from recipient.look import Item
from recipient.portal.measures import Tile, tiles_of
from recipient.portal.text import number_text
from recipient.portal.view import View


@dataclass(frozen=True, slots=True)
class ScoreTile:
    """A tile with what its score means; without a known meaning ``scale`` says just that."""

    tile: Tile
    scale: str
    band: str


def score_tiles(view: View, lines: Iterable[tuple[Series, Item]]) -> list[ScoreTile]:
    """Word the newest score of each line."""
    pairs = list(lines)
    return [
        _score(view, series, tile) for (series, _), tile in zip(pairs, tiles_of(view, pairs), strict=True)
    ]


def _score(view: View, series: Series, tile: Tile) -> ScoreTile:
    meaning = meaning_of(series.code)
    if meaning is None:
        return ScoreTile(tile, view.say("score.unknown"), "")
    band = meaning.band_of(series.points[-1].value)
    key = "score.short_better" if meaning.higher_is_better else "score.short_worse"
    low, high = (number_text(view.lang, f"{end.normalize():f}") for end in (meaning.low, meaning.high))
    return ScoreTile(tile, view.say(key, low=low, high=high), view.say(f"band.{band.word}") if band else "")
