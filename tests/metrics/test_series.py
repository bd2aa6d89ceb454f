"""Charts' data: the step, the numbers, COP as sum over sum, and questions that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.devices.options import HomeOptions
from apps.metrics.apps import default_store, use_store
from apps.metrics.csv_lines import csv_lines
from apps.metrics.series import (
    QueryInvalid,
    as_table,
    history,
    step_for,
)
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

from .data import home_of

START = datetime(2026, 1, 1, tzinfo=UTC)
AT = int(START.timestamp())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    yield opened
    opened.close()


def row(measurement: str, seconds: int, circuit: str = "", **values: float) -> Row:
    return Row(site=1, measurement=measurement, device="X", at=AT + seconds, values=values, circuit=circuit)


def after(**delta: float) -> datetime:
    return START + timedelta(**delta)


@pytest.mark.parametrize(
    ("range_s", "points", "native_s", "step_s"),
    [
        (3600, 1000, 10, 10),
        (86_400, 1000, 10, 120),
        (86_400, 1000, 300, 300),
        (7 * 86_400, 1000, 10, 900),
        (31 * 86_400, 1000, 10, 3600),
        (365 * 86_400, 1000, 10, 43_200),
        (3653 * 86_400, 1000, 10, 7 * 86_400),
        (3653 * 86_400, 5000, 10, 86_400),
        (86_400, 10, 10, 10_800),
        (60, 1000, 300, 300),
    ],
)
def test_the_step_is_the_shortest_that_keeps_to_the_points(
    range_s: int, points: int, native_s: int, step_s: int
) -> None:
    assert step_for(AT, AT + range_s, points, native_s) == step_s


@given(
    start=st.integers(0, 4_000_000_000),
    length=st.integers(1, 4_102_444_800),
    points=st.integers(10, 5000),
)
def test_never_more_than_the_points_come_back(start: int, length: int, points: int) -> None:
    step_s = step_for(start, start + length, points, 10)
    assert -(-(start + length) // step_s) - start // step_s <= points


def test_a_chart_has_unit_times_means_and_extremes(store: SqliteStore) -> None:
    store.write([row("meter", 10 * index, power_w=value) for index, value in enumerate([100, 300, 50])])
    found = history(home_of(store), ["power_w"], START, after(seconds=40))
    assert found.step_s == 10
    line = found.series["power_w"]
    assert line.unit == "W"
    assert line.time == [AT, AT + 10, AT + 20, AT + 30]
    assert line.mean == line.min == line.max == [100, 300, 50, None]


@pytest.mark.parametrize("points", [1000, 10])
def test_power_is_that_of_the_channels_whose_role_it_is_now(store: SqliteStore, points: int) -> None:
    """Written while all three channels were the heat pump's; later minutes, which no poll saw, too."""
    polled = {"power_w": 820.0, "power_a_w": 410.0, "power_b_w": 205.0, "power_c_w": 205.0}
    metered = {"energy_wh": 12.0, "energy_a_wh": 6.0, "energy_b_wh": 3.0, "energy_c_wh": 3.0}
    store.write([row("meter", seconds, "", **polled) for seconds in range(0, 600, 10)])
    store.write([row("meter_minute", seconds, "", **metered) for seconds in range(600, 1200, 60)])

    def power_w(**roles: str) -> list[float | None]:
        home = home_of(store, HomeOptions(channel_roles={"a": "heat_pump", **roles}))
        line = history(home, ["power_w"], START, after(seconds=1200), points).series["power_w"]
        assert (line.min, line.max) == (line.mean, line.mean)
        return [line.mean[0], line.mean[-1]]

    assert power_w(b="heat_pump", c="heat_pump") == [820.0, 720.0]
    assert power_w(b="house", c="house") == [410.0, 360.0]
    assert power_w(b="heating_rod", c="house") == [615.0, 540.0]


def test_power_of_a_meter_without_channels_is_its_total(store: SqliteStore) -> None:
    store.write([row("meter", 0, power_w=820.0), row("meter", 10, power_w=820.0, power_a_w=410.0)])
    home = home_of(store, HomeOptions(channel_roles={"a": "heat_pump", "b": "house", "c": "house"}))
    assert history(home, ["power_w"], START, after(seconds=20)).series["power_w"].mean == [820.0, 410.0]


def test_all_lines_share_the_grid_of_the_slowest(store: SqliteStore) -> None:
    store.write([row("meter", 10 * index, power_w=100 + index) for index in range(60)])
    store.write([row("heat_pump", 0, outside_temperature_c=-3.5)])
    found = history(home_of(store), ["power_w", "outside_temperature_c"], START, after(minutes=10))
    assert found.step_s == 300
    assert found.series["power_w"].time == found.series["outside_temperature_c"].time == [AT, AT + 300]
    assert found.series["power_w"].mean == [114.5, 144.5]
    assert found.series["power_w"].min == [100, 130]
    assert found.series["power_w"].max == [129, 159]
    assert found.series["outside_temperature_c"].mean == [-3.5, None]


def test_the_first_step_may_begin_before_the_range(store: SqliteStore) -> None:
    found = history(home_of(store), ["cop"], after(seconds=200), after(seconds=301))
    assert found.series["cop"].time == [AT, AT + 300]
    assert (found.start, found.end) == (after(seconds=200), after(seconds=301))


def heat_and_cop(seconds: int, heat_wh: float, electricity_wh: float) -> list[Row]:
    return [
        row("cop", seconds, value=round(heat_wh / electricity_wh, 2)),
        row(
            "interval",
            seconds,
            full_thermal_energy_wh=heat_wh,
            full_electrical_energy_wh=electricity_wh,
            full_delta_t_thermal_energy_wh=heat_wh / 2,
            full_delta_t_electrical_energy_wh=electricity_wh,
        ),
    ]


def test_the_cop_of_a_step_is_heat_over_electricity_not_a_mean_of_ratios(store: SqliteStore) -> None:
    store.write([*heat_and_cop(0, 100, 50), *heat_and_cop(300, 600, 100)])
    found = history(home_of(store), ["cop", "cop_delta_t"], START, after(hours=1), points=10)
    assert found.step_s == 600
    assert found.series["cop"].mean[0] == pytest.approx(700 / 150)
    assert (found.series["cop"].min[0], found.series["cop"].max[0]) == (2, 6)
    assert found.series["cop_delta_t"].mean[0] == pytest.approx(350 / 150)
    assert found.series["cop"].mean[1:] == [None] * 5


def test_at_the_length_of_an_interval_the_cop_is_the_stored_one(store: SqliteStore) -> None:
    store.write([*heat_and_cop(0, 100, 50), *heat_and_cop(300, 600, 100)])
    found = history(home_of(store), ["cop"], START, after(minutes=10))
    assert found.step_s == 300
    assert found.series["cop"].mean == [2, 6]


@pytest.mark.parametrize(("heat_wh", "electricity_wh"), [(300, 99.9), (0, 500)])
def test_there_is_no_cop_without_energy_or_heat(
    store: SqliteStore, heat_wh: float, electricity_wh: float
) -> None:
    store.write(heat_and_cop(0, heat_wh, electricity_wh))
    assert history(home_of(store), ["cop"], START, after(hours=1), points=10).series["cop"].mean == [None] * 6


def test_csv_has_local_times_and_empty_cells_for_what_is_missing(store: SqliteStore) -> None:
    store.write([row("meter", 0, power_w=100), row("meter", 10, power_w=0)])
    found = history(home_of(store), ["power_w", "power_a_w"], START, after(seconds=20))
    assert list(csv_lines(*as_table(found, ZoneInfo("Europe/Berlin")))) == [
        "time,power_w,power_w_min,power_w_max,power_a_w,power_a_w_min,power_a_w_max\r\n",
        "2026-01-01T01:00:00+01:00,100.0,100.0,100.0,,,\r\n",
        "2026-01-01T01:00:10+01:00,0.0,0.0,0.0,,,\r\n",
    ]


def test_a_text_that_a_spreadsheet_would_run_is_quoted() -> None:
    assert list(csv_lines(["a"], [["=1+1"], [-1.5], ["x"]])) == ["a\r\n", "'=1+1\r\n", "-1.5\r\n", "x\r\n"]


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"names": []}, "series", "Name at least one series"),
        ({"names": ["power"]}, "series", "Unknown series power; available: buffer_temperature_c, "),
        ({"names": ["power_w.1"]}, "series", "Unknown series"),
        ({"names": ["supply_temperature_c.x"]}, "series", "Unknown series"),
        ({"names": ["supply_temperature_c."]}, "series", "Unknown series"),
        ({"names": ["power_w"] * 51}, "series", "At most 50 series"),
        ({"end": START}, "to", "later than the start"),
        ({"start": START.replace(tzinfo=None)}, "from", "needs a UTC offset"),
        ({"end": after(hours=1).replace(tzinfo=None)}, "to", "needs a UTC offset"),
        ({"start": datetime(1969, 12, 31, 23, tzinfo=UTC)}, "from", "between 1970 and 2100"),
        ({"end": datetime(2100, 1, 1, 1, tzinfo=UTC)}, "to", "between 1970 and 2100"),
        ({"start": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))}, "from", "between"),
        ({"points": 9}, "points", "between 10 and 5000"),
        ({"points": 5001}, "points", "between 10 and 5000"),
    ],
)
def test_nonsense_is_refused_with_the_field_named(
    store: SqliteStore, changed: dict[str, Any], field: str, message: str
) -> None:
    asked: dict[str, Any] = {"names": ["power_w"], "start": START, "end": after(hours=1), "points": 1000}
    with pytest.raises(QueryInvalid, match=message) as caught:
        history(home_of(store), **{**asked, **changed})
    assert caught.value.field == field


def test_a_store_can_be_used_instead_of_the_settings_one(store: SqliteStore, db: None) -> None:
    usual = default_store()
    with use_store(store):
        assert default_store() is store
    assert default_store() is usual
