"""Charts as data: where lines break, what is a gap, where the marks stand."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson
import pytest

from apps.dashboard.charts.axes import time_ticks
from apps.dashboard.charts.lines import (
    Gap,
    LineData,
    Marker,
    PlotData,
    Run,
    broken_line,
    gaps_in,
    line_chart,
    spark_path,
    state_runs,
)

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_THIRD_HOUR = ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "00:00"]


def plain(local: datetime, style: str) -> str:
    return f"{local:%d %H:%M} {style}"


def stamp(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type]


def test_one_missing_step_does_not_tear_the_line() -> None:
    assert broken_line([0, 300, 600], [1.0, None, 2.0], 300) == ([0, 600], [1.0, 2.0])


def test_two_missing_steps_tear_the_line_with_a_single_null() -> None:
    assert broken_line([0, 300, 600, 900, 1200], [1.0, None, None, None, 2.0], 300) == (
        [0, 300, 1200],
        [1.0, None, 2.0],
    )


def test_zero_is_a_value_and_not_a_hole() -> None:
    assert broken_line([0, 300], [0.0, 0.0], 300) == ([0, 300], [0.0, 0.0])


def test_a_line_without_values_is_empty() -> None:
    assert broken_line([0, 300], [None, None], 300) == ([], [])


def test_gaps_are_found_before_between_and_after_the_values() -> None:
    assert gaps_in([1500, 1800, 6000], 0, 9000, 300, "silent") == (
        Gap(start=0, end=1500, cause="silent"),
        Gap(start=2100, end=6000, cause="silent"),
        Gap(start=6300, end=9000, cause="silent"),
    )


def test_the_newest_step_still_to_come_is_no_gap() -> None:
    assert gaps_in([0, 300, 600], 0, 1300, 300, "silent") == ()


def test_without_any_value_the_whole_range_is_one_gap() -> None:
    assert gaps_in([], 0, 9000, 300, "silent") == (Gap(start=0, end=9000, cause="silent"),)


def test_neighbouring_steps_of_one_state_are_one_run() -> None:
    states = ["off", "off", "space", "none", "none", "none", "off"]
    assert state_runs([300 * n for n in range(7)], states, 300, 2000, 750) == (
        Run(start=0, end=600, state="off"),
        Run(start=600, end=900, state="space"),
        Run(start=900, end=1800, state="none"),
        Run(start=1800, end=2000, state="off"),
    )


def test_a_lone_unknown_step_takes_the_state_before_it() -> None:
    states = ["space", "none", "space", "off"]
    assert state_runs([0, 300, 600, 900], states, 300, 1200, 750) == (
        Run(start=0, end=900, state="space"),
        Run(start=900, end=1200, state="off"),
    )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # 25 October 2026 has 25 hours: 02:00 comes twice, the marks stay at round local times
        ((2026, 10, 24, 22), (2026, 10, 25, 23), EVERY_THIRD_HOUR),
        # 29 March 2026 has 23 hours
        ((2026, 3, 28, 23), (2026, 3, 29, 22), EVERY_THIRD_HOUR),
    ],
)
def test_marks_stand_at_round_local_times_when_the_clock_changes(
    start: tuple[int, ...], end: tuple[int, ...], expected: list[str]
) -> None:
    ticks = time_ticks(stamp(*start), stamp(*end), BERLIN, plain)
    assert [tick.label.split()[1] for tick in ticks] == expected
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)


def test_a_skipped_local_hour_has_no_mark() -> None:
    ticks = time_ticks(stamp(2026, 3, 29, 0), stamp(2026, 3, 29, 4), BERLIN, plain)
    assert [tick.label for tick in ticks if "02:" in tick.label] == []


def test_midnight_is_written_as_a_date_and_a_year_begins_with_its_number() -> None:
    day = time_ticks(stamp(2026, 11, 23, 11), stamp(2026, 11, 24, 11), BERLIN, plain)
    assert [tick.label for tick in day if tick.label.endswith("day")] == ["24 00:00 day"]
    year = time_ticks(
        stamp(2025, 11, 30), stamp(2026, 11, 30), BERLIN, lambda local, style: f"{local.month} {style}"
    )
    assert [tick.label for tick in year][:3] == ["12 month_short", "1 year", "2 month_short"]


def test_thirty_years_have_few_marks() -> None:
    assert 10 <= len(time_ticks(stamp(1996, 1, 1), stamp(2026, 1, 1), BERLIN, plain)) <= 32


def plot(*lines: LineData, gaps_of: str = "") -> PlotData:
    return PlotData(
        name="power", title="Power", unit="kW", decimals=2, lines=lines, cause="meter silent", gaps_of=gaps_of
    )


def line(name: str, values: list[float | None]) -> LineData:
    return LineData(
        name=name, label=name, colour="s-power", time=[300 * n for n in range(len(values))], values=values
    )


def test_the_future_is_not_a_gap() -> None:
    spec = line_chart(
        [plot(line("power_w", [1.0] * 10))],
        start=0, end=6000, now=3000, step_s=300, zone=BERLIN, tick_label=plain,
    )  # fmt: skip
    assert spec.plots[0].gaps == ()


def test_gaps_are_those_of_the_named_line_else_where_all_are_missing() -> None:
    meter = line("power_w", [1.0, None, None, None, 1.0])
    heat = line("heat", [2.0] * 5)
    of_meter = line_chart(
        [plot(meter, heat, gaps_of="power_w")],
        start=0, end=1500, now=1500, step_s=300, zone=BERLIN, tick_label=plain,
    )  # fmt: skip
    of_all = line_chart(
        [plot(meter, heat)], start=0, end=1500, now=1500, step_s=300, zone=BERLIN, tick_label=plain
    )
    assert of_meter.plots[0].gaps == (Gap(start=300, end=1200, cause="meter silent"),)
    assert of_all.plots[0].gaps == ()


def test_what_the_lines_of_a_plot_cannot_tell_is_told_beside_them() -> None:
    cop = PlotData(
        name="cop", title="COP", unit="", decimals=2, cause="",
        lines=[line("cop", [4.0, None, None, None, None, None, None, None])],
        known=[0, 300, 600, 900, 2100],
    )  # fmt: skip
    spec = line_chart([cop], start=0, end=2400, now=2400, step_s=300, zone=BERLIN, tick_label=plain)
    assert spec.plots[0].gaps == (Gap(start=1200, end=2100, cause=""),)


def test_at_most_twenty_markers_are_drawn_and_the_rest_counted() -> None:
    markers = [Marker(number=n, at=n, text="note") for n in range(1, 28)]
    spec = line_chart([], markers, start=0, end=6000, now=6000, step_s=300, zone=BERLIN, tick_label=plain)
    assert (len(spec.markers), spec.more_markers) == (20, 7)


@pytest.mark.parametrize(
    ("at", "until", "shown"),
    [
        (0, None, True),
        (6000, None, False),
        (-300, None, False),
        (-300, 300, True),
        (-300, 0, False),
        (5999, 9000, True),
    ],
)
def test_a_mark_is_shown_where_it_stands_and_a_stretch_where_it_reaches(
    at: int, until: int | None, shown: bool
) -> None:
    assert Marker(number=1, at=at, text="comfort", until=until).touches(0, 6000) is shown


def test_the_data_of_a_chart_is_plain_json() -> None:
    spec = line_chart(
        [plot(line("power_w", [1.0, None, None, None, 2.0]))],
        start=0, end=1500, now=1500, step_s=300, zone=BERLIN, tick_label=plain,
    )  # fmt: skip
    data = orjson.loads(orjson.dumps(spec.data))
    assert (data["kind"], data["zone"], data["step_s"]) == ("time", "Europe/Berlin", 300)
    assert data["plots"][0]["lines"][0]["values"] == [1.0, None, 2.0]


def test_smallest_and_largest_values_follow_the_points_that_are_kept() -> None:
    ranged = LineData(
        name="power_w", label="Power", colour="s-power", time=[0, 300, 600], values=[1.0, None, 3.0],
        low=[0.5, None, 2.0], high=[2.0, None, 4.0],
    )  # fmt: skip
    spec = line_chart([plot(ranged)], start=0, end=900, now=900, step_s=300, zone=BERLIN, tick_label=plain)
    drawn = spec.plots[0].lines[0]
    assert (drawn.time, drawn.low, drawn.high) == ((0, 600), (0.5, 2.0), (2.0, 4.0))


def test_a_small_curve_is_torn_where_data_is_missing_and_never_leaves_its_box() -> None:
    path = spark_path([0, 300, 600, 900, 1200, 1500], [20.0, 21.0, None, None, None, 22.0], 0, 1500, 300)
    assert path == "M0.0 28.5L20.0 15.0M100.0 1.5"


def test_a_curve_of_less_than_two_points_is_not_drawn() -> None:
    assert spark_path([0, 300], [20.0, None], 0, 600, 300) == ""
