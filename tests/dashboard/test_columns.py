"""Axes and columns as data: even ticks, what a column is, hours of a day on the days when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from apps.dashboard.charts.axes import ValueAxis, even_axis
from apps.dashboard.charts.columns import BLANK, cells_of, column_of, dot_sizes, hour_cells
from apps.dashboard.charts.lines import Gap, LineData, PlotData, line_chart
from apps.dashboard.charts.periods import Axis, Interval, IntervalsSpec, ScatterSpec

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400


@pytest.mark.parametrize(
    ("values", "axis"),
    [
        ([0.0, 23.4], ValueAxis(minimum=0, maximum=25, step=5, decimals=0)),
        ([0.0, 161.4], ValueAxis(minimum=0, maximum=200, step=50, decimals=0)),
        ([0.31, 2.4], ValueAxis(minimum=0, maximum=2.5, step=0.5, decimals=1)),
        ([0.0003], ValueAxis(minimum=0, maximum=0.0003, step=0.0001, decimals=4)),
        ([0.0], ValueAxis(minimum=0, maximum=1, step=0.2, decimals=1)),
        ([None], ValueAxis(minimum=0, maximum=1, step=0.2, decimals=1)),
    ],
)
def test_an_amount_begins_at_zero_in_even_steps(values: list[float | None], axis: ValueAxis) -> None:
    assert even_axis(values, from_zero=True) == axis


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [(36.1, 49.8, (35, 50)), (-6.9, 38.1, (-10, 40)), (20.9, 21.1, (18, 24)), (0.0, 100.0, (0, 100))],
)
def test_temperatures_fill_their_axis_and_a_flat_line_stays_flat(
    low: float, high: float, ends: tuple[float, float]
) -> None:
    axis = even_axis([low, None, high], least_span=5)
    assert (axis.minimum, axis.maximum) == ends


@pytest.mark.parametrize("high", [0.0007, 0.3, 1.0, 4.99, 5.01, 17.0, 99.0, 4100.0])
def test_never_more_than_six_ticks_all_with_the_decimals_that_they_need(high: float) -> None:
    axis = even_axis([0.0, high], from_zero=True)
    ticks = [axis.minimum + n * axis.step for n in range(round(axis.maximum / axis.step) + 1)]
    assert len(ticks) <= 6 and ticks[-1] >= high
    assert all(round(tick, axis.decimals) == pytest.approx(tick, abs=1e-12) for tick in ticks)
    assert len({f"{tick:.{axis.decimals}f}" for tick in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("days", "kind"),
    [(1, ""), (4, ""), (7, "hour"), (14, "day"), (31, "day"), (92, "week"), (366, "week"), (1461, "month"),
     (11_000, "year")],
)  # fmt: skip
def test_a_column_is_what_is_looked_for_at_that_scale(days: int, kind: str) -> None:
    assert column_of(0, days * DAY) == kind


def _day(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=BERLIN).timestamp())


def test_the_hour_that_autumn_has_twice_is_their_mean_and_the_one_that_spring_skips_is_blank() -> None:
    autumn = (_day(2026, 10, 25), _day(2026, 10, 26))
    steps = [(at, 1.0 if at < autumn[0] + 3 * 3600 else 3.0) for at in range(*autumn, 3600)]
    (cells,) = hour_cells(steps, autumn, BERLIN, 0, autumn[1])
    assert cells[:4] == (1.0, 1.0, 2.0, 3.0)
    spring = (_day(2026, 3, 29), _day(2026, 3, 30))
    (cells,) = hour_cells([(at, 1.0) for at in range(*spring, 3600)], spring, BERLIN, 0, spring[1])
    assert cells[:4] == (1.0, 1.0, BLANK, 1.0)


def test_unknown_is_told_from_what_is_not_yet() -> None:
    edges = (_day(2026, 11, 1), _day(2026, 11, 2))
    steps: list[tuple[int, float | None]] = [(at, 0.5) for at in range(*edges, 3600)]
    steps[5] = (steps[5][0], None)
    (cells,) = hour_cells(steps, edges, BERLIN, steps[2][0], steps[20][0])
    assert cells[:6] == (BLANK, BLANK, 0.5, 0.5, 0.5, None)
    assert cells[19:22] == (0.5, BLANK, BLANK)


@pytest.mark.parametrize(("usual", "step"), [(2.66, 0.5), (3.01, 1.0), (0.4, 0.1), (0.0, 0.02)])
def test_six_even_shades_reach_the_usual_hours_and_a_rare_one_is_said_to_be_beyond(
    usual: float, step: float
) -> None:
    cells = cells_of("", ["day"], [[usual] * 200 + [None, BLANK]])
    assert (cells.step, cells.is_open) == (step, False)
    cells = cells_of("", ["day"], [[usual] * 200 + [9.0, None, BLANK]])
    assert (cells.step, cells.is_open) == (step, True)


def test_clouds_and_intervals_have_even_ticks_too() -> None:
    cloud = ScatterSpec(
        x=Axis(unit="°C", minimum=-5, maximum=30), y=Axis(unit="", minimum=20, maximum=45), sets=[]
    ).data
    assert cloud["x"] == {"unit": "°C", "minimum": -10, "maximum": 30, "step": 10}
    assert cloud["y"] == {"unit": "", "minimum": 20, "maximum": 45, "step": 5}
    rows = [Interval(label="", middle=4.0, colour="accent", low=3.1, high=4.9)]
    band = IntervalsSpec(rows=rows, minimum=3.0, maximum=5.0, unit="", decimals=1).data
    assert (band["minimum"], band["maximum"], band["step"]) == (3.0, 5.0, 0.5)


def test_the_area_of_a_dot_follows_its_electricity() -> None:
    assert dot_sizes([20.0, 5.0, None]) == (6.5, 4.2, 2.0)


def test_the_same_gap_has_the_same_letter_in_every_plot() -> None:
    def plot(name: str, values: list[float | None], cause: str) -> PlotData:
        times = [300 * n for n in range(len(values))]
        line = LineData(name=name, label=name, colour="s-power", time=times, values=values)
        return PlotData(name=name, title=name, unit="", decimals=0, lines=[line], cause=cause)

    known: list[float | None] = [1.0]
    first, both = [*known, *[None] * 3, *known * 9], [*known * 8, *[None] * 4, *known]
    spec = line_chart(
        [plot("one", first, "silent"), plot("two", both, "silent"), plot("three", both, "silent")],
        start=0, end=3900, now=3900, step_s=300, zone=UTC, tick_label=lambda _local, _style: "",
    )  # fmt: skip
    assert [[gap.letter for gap in plot.gaps] for plot in spec.plots] == [["A"], ["B"], ["B"]]
    assert spec.plots[0].gaps == (Gap(start=300, end=1200, cause="silent"),)
