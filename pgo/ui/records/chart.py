"""The line chart of one series, its words and its table.

A chart alone tells nothing to somebody who cannot see it, so three things always come together: the drawing
with a text alternative, a sentence about what is not drawn, and a table with every value and its record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import flet as ft
import flet_charts as fch

from pgo.health.record.printed import printed_unit
from pgo.ui.hooks import use_app
from pgo.ui.records.axis import TimeAxis, nice_ticks, tick_text, time_axis
from pgo.ui.records.frame import quiet
from pgo.ui.records.plot import Dot, Plot, build_plot, dot_text, in_words, thinned
from pgo.ui.records.rows import line, open_record, value_text
from pgo.ui.records.say import say_moment, say_value
from pgo.ui.room import use_layout
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.widgets import described, icon_button, list_section, muted, secondary_button

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pgo.health.record.series import Point, Series

ROWS_AT_FIRST: Final = 12
_MORE_ROWS: Final = 50


@component
def SeriesChart(series: Series, *, low: float | None = None, high: float | None = None) -> ft.Control:
    """Draw a series with its text alternative.

    Args:
        series: one code in one unit.
        low: lowest possible value when the scale is fixed (a score), else from the data.
        high: highest possible value, likewise.
    """
    app, layout = use_app(), use_layout()
    plot = build_plot(series.points)
    controls: list[ft.Control] = []
    if plot.dots:
        drawing = _drawing(app, plot, wide=layout.wide, bounds=(low, high))
        controls += [
            *_unit_line(app, series),
            described(in_words(app.lang, series, plot), _with_room(app, drawing)),
        ]
    else:
        controls.append(quiet(app.t("series.nothing_to_draw")))
    if plot.bounds:
        controls.append(quiet(app.t("series.bounds", n=plot.bounds)))
    converted = sum(1 for point in series.points if point.original)
    if converted:
        unit = printed_unit(series.unit)
        controls.append(quiet(app.t("series.converted", n=converted, unit=unit)))
    if plot.undated:
        controls.append(quiet(app.t("series.undated", n=plot.undated)))
    return ft.Column(controls, spacing=12, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _with_room(app: AppState, drawing: ft.Control) -> ft.Control:
    """Leave room for the halves of labels that stand on the edges of the drawing."""
    return ft.Container(drawing, padding=ft.Padding.only(top=8, right=26 * app.prefs.text_scale))


def _unit_line(app: AppState, series: Series) -> list[ft.Control]:
    return [muted(app.t("series.unit", unit=printed_unit(series.unit)))] if series.unit else []


def _drawing(
    app: AppState, plot: Plot, *, wide: bool, bounds: tuple[float | None, float | None]
) -> fch.LineChart:
    dots = thinned(plot.dots)
    low = min(dot.height for dot in dots) if bounds[0] is None else bounds[0]
    high = max(dot.height for dot in dots) if bounds[1] is None else bounds[1]
    ticks = nice_ticks(low, high)
    marks = max(1, int((6 if wide else 3) / app.prefs.text_scale))  # larger labels need more room each
    times = time_axis(dots[0].at.date(), dots[-1].at.date(), most=marks)
    return fch.LineChart(
        height=280 if wide else 230,
        min_y=ticks[0],
        max_y=ticks[-1],
        min_x=0,
        max_x=times.count,
        animation=0,  # animation=False paints a grey box (flet-charts 1.0.5)
        interactive=True,
        tooltip=fch.LineChartTooltip(
            bgcolor=ft.Colors.INVERSE_SURFACE,
            fit_inside_horizontally=True,
            fit_inside_vertically=True,
            max_width=220,
        ),
        left_axis=_value_axis(app, ticks),
        bottom_axis=_time_axis(app, times),
        horizontal_grid_lines=fch.ChartGridLines(
            interval=ticks[1] - ticks[0], color=ft.Colors.OUTLINE_VARIANT, width=1
        ),
        border=ft.Border(bottom=ft.BorderSide(1, ft.Colors.OUTLINE)),
        data_series=[_line(app, dots, times)],
    )


def _value_axis(app: AppState, ticks: tuple[float, ...]) -> fch.ChartAxis:
    texts = [tick_text(tick, app.lang) for tick in ticks]
    return fch.ChartAxis(
        label_size=(16 + 9 * max(map(len, texts))) * app.prefs.text_scale,
        label_spacing=ticks[1] - ticks[0],
        labels=[
            fch.ChartAxisLabel(value=tick, label=_axis_text(text, right=True))
            for tick, text in zip(ticks, texts, strict=True)
        ],
    )


def _time_axis(app: AppState, times: TimeAxis) -> fch.ChartAxis:
    return fch.ChartAxis(
        label_size=30 * app.prefs.text_scale,
        label_spacing=1,
        labels=[
            fch.ChartAxisLabel(value=place, label=_axis_text(label))
            for place, label in enumerate(times.labels(app.lang))
        ],
    )


def _line(app: AppState, dots: tuple[Dot, ...], times: TimeAxis) -> fch.LineChartData:
    return fch.LineChartData(
        color=ft.Colors.PRIMARY,
        stroke_width=2.5,
        rounded_stroke_cap=True,
        rounded_stroke_join=True,
        point=_circle(dots),
        points=[_point(app, dot, times.place(dot.at), dots) for dot in dots],
    )


def _circle(dots: tuple[Dot, ...], *, is_open: bool = False) -> fch.ChartCirclePoint:
    """A filled circle for what the source wrote, an open one for what was converted."""
    radius = 4 if len(dots) < 60 else 2
    if is_open:
        ground = ft.Colors.SURFACE_CONTAINER_LOW
        return fch.ChartCirclePoint(
            radius=radius, color=ground, stroke_color=ft.Colors.PRIMARY, stroke_width=2
        )
    return fch.ChartCirclePoint(radius=radius, color=ft.Colors.PRIMARY, stroke_width=0)


def _point(app: AppState, dot: Dot, place: float, dots: tuple[Dot, ...]) -> fch.LineChartDataPoint:
    converted = bool(dot.point.original)
    return fch.LineChartDataPoint(
        x=place,
        y=dot.height,
        point=_circle(dots, is_open=True) if converted else None,
        tooltip=fch.LineChartDataPointTooltip(
            text=dot_text(app.lang, dot), text_style=ft.TextStyle(color=ft.Colors.ON_INVERSE_SURFACE)
        ),
    )


def _axis_text(text: str, *, right: bool = False) -> ft.Control:
    label = ft.Text(
        text, theme_style=ft.TextThemeStyle.BODY_SMALL, color=ft.Colors.ON_SURFACE_VARIANT, no_wrap=True
    )
    if not right:
        return ft.Container(label, padding=ft.Padding.only(top=8))
    return ft.Container(label, padding=ft.Padding.only(right=8), alignment=ft.Alignment.CENTER_RIGHT)


@component
def SeriesTable(series: Series) -> ft.Control:
    """All values, newest first, each with the way to its record; long lists open in steps."""
    app, layout = use_app(), use_layout()
    shown, set_shown = ft.use_state(ROWS_AT_FIRST)
    newest = tuple(reversed(series.points))
    rows = newest[:shown]
    controls = [_table(app, rows) if layout.wide else list_section([_row(app, point) for point in rows])]
    left = len(newest) - shown
    if left > 0:
        more = secondary_button(
            app.t("series.more", n=min(left, _MORE_ROWS)),
            lambda: set_shown(shown + _MORE_ROWS),
            key="series-more",
        )
        controls.append(ft.Row([more]))
    return ft.Column(controls, spacing=12, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _row(app: AppState, point: Point) -> ft.Control:
    """One value on a phone: the whole row opens its record."""
    words = about_point(app, point)
    return line(
        [ft.Text(say_moment(app.lang, point.at)), *([muted(words, small=True)] if words else [])],
        key=f"point-{point.record_id}",
        trailing=value_text(app, point.text),
        on_click=open_record(point.record_id),
    )


def about_point(app: AppState, point: Point) -> str:
    """Return what the source wrote when it was converted, and in how many records the value stands."""
    parts = []
    if point.original:
        parts.append(app.t("series.written", value=say_value(app.lang, point.original)))
    if point.others:
        parts.append(app.t("series.sources", n=len(point.others) + 1))
    return " · ".join(parts)


def _table(app: AppState, points: Sequence[Point]) -> ft.Control:
    with_words = any(about_point(app, point) for point in points)
    table = ft.DataTable(
        column_spacing=40,
        horizontal_margin=4,
        data_row_min_height=48,
        data_row_max_height=72 * app.prefs.text_scale,
        columns=[
            ft.DataColumn(label=ft.Text(app.t("series.column.date"))),
            ft.DataColumn(label=ft.Text(app.t("series.column.value"))),
            *([ft.DataColumn(label=ft.Text(app.t("series.column.remark")))] if with_words else []),
            ft.DataColumn(label=ft.Text(app.t("series.column.record"))),
        ],
        rows=[_table_row(app, point, with_words=with_words) for point in points],
    )
    return ft.Row([table], scroll=ft.ScrollMode.AUTO)


def _table_row(app: AppState, point: Point, *, with_words: bool) -> ft.DataRow:
    day = say_moment(app.lang, point.at)
    return ft.DataRow(
        key=f"point-{point.record_id}-{point.at}",
        cells=[
            ft.DataCell(ft.Text(day)),
            ft.DataCell(value_text(app, point.text)),
            *([ft.DataCell(muted(about_point(app, point)))] if with_words else []),
            ft.DataCell(
                icon_button(
                    ft.Icons.CHEVRON_RIGHT_ROUNDED,
                    app.t("series.open", date=day),
                    open_record(point.record_id),
                    key=f"point-{point.record_id}",
                )
            ),
        ],
    )
