"""One truth for every reader: chart, table, CSV link, /api/history, /api/energy and report agree.

The home has every kind of gap: an hour without the cloud, minutes without polls, an hour with neither
polls nor minutes, a lump, a stretch in which the compressor ran and no heat is known.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.test import Client

from apps.dashboard.charts.looks import DEFAULT_SERIES, LOOKS
from apps.devices.models import Site
from apps.metrics.grid import INTERVAL_S
from apps.metrics.models import Lump
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

from . import house
from .conftest import NOW

START = NOW - timedelta(days=3)
RANGES = {
    "two hours": (datetime(2026, 11, 22, 8, tzinfo=UTC), datetime(2026, 11, 22, 10, tzinfo=UTC)),
    "a day": (datetime(2026, 11, 21, 23, tzinfo=UTC), datetime(2026, 11, 22, 23, tzinfo=UTC)),
    "four days": (datetime(2026, 11, 19, 23, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC)),
}
USES = {
    "space": "electrical_energy_heating_kwh",
    "dhw": "electrical_energy_dhw_kwh",
    "standby": "standby_energy_kwh",
    "other": "electrical_energy_unclassified_kwh",
}
CLOUD_GAP = (datetime(2026, 11, 22, 8, tzinfo=UTC), datetime(2026, 11, 22, 11, tzinfo=UTC))
NO_POLLS = (datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 22, 14, tzinfo=UTC))
NOTHING = (datetime(2026, 11, 22, 14, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC))


@pytest.fixture
def torn(store: SqliteStore, site: Site, now: datetime) -> Iterator[Site]:
    house.set_up(site)
    house.fill(store, site, START, now, cloud_gap=CLOUD_GAP)
    store.write([*_minutes(site, START, now), *_rests(site, *CLOUD_GAP)])
    for measurement in ("meter", "meter_minute", "interval", "thermal_power_modulation", "cop"):
        store.delete(site.pk, measurement, *_seconds(NOTHING))
    store.delete(site.pk, "meter", *_seconds(NO_POLLS))
    Lump.objects.create(site=site, start=NOTHING[0], end=NOTHING[1], energy_wh=900.0, reason="gap")
    yield site


def _seconds(stretch: tuple[datetime, datetime]) -> tuple[int, int]:
    return int(stretch[0].timestamp()), int(stretch[1].timestamp())


def _minutes(site: Site, start: datetime, end: datetime) -> list[Row]:
    return [
        Row(
            site=site.pk,
            measurement="meter_minute",
            device="AABBCCDDEEFF",
            at=at,
            values={
                "energy_wh": (house.RUN_W if house.running(at) else house.REST_W) / 60,
                "provisional": 0.0,
            },
        )
        for at in range(int(start.timestamp()) // 60 * 60, int(end.timestamp()) // 60 * 60, 60)
    ]


def _power_w(at: int) -> float:
    return house.RUN_W if house.running(at) else house.REST_W


def _rests(site: Site, start: datetime, end: datetime) -> list[Row]:
    """While the compressor stands, heat is 0 without the cloud too."""
    rows = []
    for at in range(int(start.timestamp()), int(end.timestamp()), INTERVAL_S):
        if house.running(at):
            continue
        full: dict[str, float | None] = {
            "thermal_energy_modulation_wh": 0.0,
            "full_electrical_energy_wh": house.REST_W / 12,
            "full_thermal_energy_wh": 0.0,
        }
        rows.append(_derived(site, "interval", at, full))
        rows.append(_derived(site, "thermal_power_modulation", at, {"value": 0.0}))
    return rows


def _derived(site: Site, measurement: str, at: int, values: dict[str, float | None]) -> Row:
    return Row(site=site.pk, measurement=measurement, device="7571000000000000", at=at, values=values)


def _csv_of(client: Client, address: str) -> dict[str, dict[int, float | None]]:
    rows = list(csv.DictReader(io.StringIO(client.get(address).content.decode())))
    return {
        name: {
            int(datetime.fromisoformat(row["time"]).timestamp()): float(row[name]) if row[name] else None
            for row in rows
        }
        for name in DEFAULT_SERIES
    }


def _api(
    client: Client, start: datetime, end: datetime, points: int, names: Sequence[str] = DEFAULT_SERIES
) -> dict[str, dict[int, float | None]]:
    query = urlencode(
        {
            "series": ",".join(names),
            "from": start.isoformat(),
            "to": end.isoformat(),
            "points": points,
        }
    )
    answer = client.get(f"/api/history?{query}").json()
    return {
        name: dict(zip(line["time"], line["mean"], strict=True)) for name, line in answer["series"].items()
    }


def _chart(panel: object) -> dict[str, dict[int, float | None]]:
    spec = panel.spec  # type: ignore[attr-defined]
    return {
        line.name: dict(zip(line.time, line.values, strict=True))
        for plot in spec.plots
        for line in plot.lines
    }


def _page(client: Client, start: datetime, end: datetime) -> object:
    query = urlencode({"from": start.isoformat(), "to": end.isoformat()})
    return client.get(f"/history?{query}").context["panel"]


@pytest.mark.parametrize("name", RANGES)
def test_the_chart_draws_what_the_api_says(reader: Client, torn: Site, name: str) -> None:
    start, end = RANGES[name]
    panel = _page(reader, start, end)
    api = _api(reader, start, end, 800)
    if name == "two hours":  # power as it was measured, finer than the rest
        api |= _api(reader, start, end, 800, ["power_w"])
    for series, line in _chart(panel).items():
        factor = LOOKS[series].factor
        known = {at: value for at, value in api[series].items() if value is not None}
        drawn = {at: value for at, value in line.items() if value is not None}
        assert drawn.keys() == known.keys()
        assert all(value == pytest.approx(known[at] * factor, abs=0.001) for at, value in drawn.items())


@pytest.mark.parametrize("name", RANGES)
def test_the_download_says_what_the_api_says(reader: Client, torn: Site, name: str) -> None:
    start, end = RANGES[name]
    panel = _page(reader, start, end)
    downloaded = _csv_of(reader, panel.csv)  # type: ignore[attr-defined]
    api = _api(reader, start, end, 1000)
    for series in DEFAULT_SERIES:
        assert downloaded[series].keys() == api[series].keys()
        for at, value in downloaded[series].items():
            assert (value is None) == (api[series][at] is None)
            assert value is None or value == pytest.approx(api[series][at], abs=5e-5)


def test_the_table_says_what_the_api_says_by_the_hour(reader: Client, torn: Site) -> None:
    start, end = RANGES["a day"]
    table = _page(reader, start, end).table  # type: ignore[attr-defined]
    api = _api(reader, start, end, 24)
    edges = range(int(start.timestamp()), int(end.timestamp()), 3600)
    assert len(table.rows) == 24
    for index, series in enumerate(DEFAULT_SERIES):
        if series == "power_w":
            continue  # the table has its energy, which /api/energy knows
        shown = [row.cells[index] != "–" for row in reversed(table.rows)]
        assert shown == [api[series][edge] is not None for edge in edges]


def test_electricity_is_known_where_only_minutes_are_and_unknown_where_nothing_is(
    reader: Client, torn: Site
) -> None:
    start, end = RANGES["a day"]
    power = _api(reader, start, end, 24)["power_w"]
    assert power[int(NO_POLLS[0].timestamp())] == pytest.approx(
        sum(_power_w(int(NO_POLLS[0].timestamp()) + 60 * minute) for minute in range(60)) / 60,
        abs=0.5,
    )
    assert power[int(NOTHING[0].timestamp())] is None
    (gap,) = _page(reader, start, end).spec.plots[0].gaps  # type: ignore[attr-defined]
    assert (gap.start, gap.end) == _seconds(NOTHING)


def test_heat_of_an_hour_that_ran_without_the_cloud_is_unknown_and_zero_where_it_only_stood(
    reader: Client, torn: Site
) -> None:
    start, end = RANGES["a day"]
    heat = _api(reader, start, end, 24)["thermal_power_modulation_kw"]
    hours = range(*_seconds(CLOUD_GAP), 3600)
    ran = [any(house.running(at) for at in range(hour, hour + 3600, INTERVAL_S)) for hour in hours]
    assert [heat[hour] for hour in hours] == [None if running else 0.0 for running in ran]
    column = DEFAULT_SERIES.index("thermal_power_modulation_kw")
    rows = _page(reader, start, end).table.rows[::-1]  # type: ignore[attr-defined]
    first = (hours[0] - int(start.timestamp())) // 3600
    shown = [row.cells[column] for row in rows[first : first + 3]]
    assert shown == ["–" if running else "0.00" for running in ran]


# a day of which 87 % of the electricity has known heat is among those of November
LONG = [("month", "day", "2026-11-01", "2026-11-30"), ("year", "week", "2026-01-01", "2026-12-31")]


@pytest.mark.parametrize(("shown", "period", "first", "last"), LONG)
def test_columns_of_long_ranges_say_what_the_api_says(
    reader: Client, torn: Site, shown: str, period: str, first: str, last: str
) -> None:
    rows = reader.get(f"/api/energy?period={period}&from={first}&to={last}").json()["rows"]
    rows = [row for row in rows if datetime.fromisoformat(row["end"]) > START]  # before it nothing is shown
    spec = reader.get(f"/history?range={shown}").context["panel"].spec
    plots = {plot.name: plot for plot in spec.plots}
    bars, (dots,) = plots["energy"].bars, plots["cop"].dots
    assert len(bars.totals) == len(rows)
    assert bars.totals == _column(rows, "electrical_energy_kwh")
    for part in bars.parts:
        assert part.values == _column(rows, USES[part.key])
    assert dots.values == _column(rows, "cop")
    assert dots.hollow == tuple((row["heat_coverage"] or 0.0) < 0.9 for row in rows)
    outdoor = next(line for line in plots["temperature"].lines if line.name == "outside_temperature_c")
    for drawn, row in zip(outdoor.values, rows, strict=True):
        assert row["mean_outside_temperature_c"] in (None, pytest.approx(drawn, abs=1e-9))


@pytest.mark.parametrize(("shown", "period", "first", "last"), LONG)
def test_the_table_of_long_ranges_is_the_one_of_the_energy_page(
    reader: Client, torn: Site, shown: str, period: str, first: str, last: str
) -> None:
    table = reader.get(f"/history?range={shown}").context["panel"].table
    energy = reader.get(f"/energy?period={period}&date=2026-11-23").context["energy"].bars.table
    ours = {row.head.partition(":")[0].partition(",")[0]: row.cells for row in table.rows}
    theirs = {row.head.partition(",")[0]: row.cells for row in energy.rows}
    assert table.columns[1:5] == ["Electricity kWh", "Space heating", "Hot water", "Standby"]
    both = [head for head in theirs if head in ours]
    assert len(both) == len(theirs)
    for head in both:
        cells = [cell.removeprefix("≥\u00a0") for cell in theirs[head]]
        assert ours[head][:4] == cells[:4]


def test_hours_of_a_week_add_up_to_its_days(reader: Client, torn: Site) -> None:
    spec = reader.get("/history?range=week").context["panel"].spec
    bars = spec.plots[0].bars
    days = reader.get("/api/energy?period=day&from=2026-11-23&to=2026-11-29").json()["rows"]
    known = [value for value in bars.totals[:24] if value is not None]
    assert sum(known) == pytest.approx(days[0]["electrical_energy_kwh"], abs=1e-6)
    assert len(bars.totals) == 168


def test_cells_of_the_heat_map_add_up_to_their_day(reader: Client, torn: Site) -> None:
    spec = reader.get("/history?range=month").context["panel"].spec
    cells = next(plot.cells for plot in spec.plots if plot.cells)
    (day,) = reader.get("/api/energy?period=day&from=2026-11-21&to=2026-11-21").json()["rows"]
    assert sum(cells.values[1]) == pytest.approx(day["electrical_energy_kwh"], abs=0.005 * 24)
    assert cells.values[2][15] is None  # 14 to 15 UTC: nothing is known
    assert set(cells.values[0][:14]) == {-1.0}  # before the first data
    assert cells.values[3][23] == -1.0  # still to come


def _column(rows: list[dict[str, float | None]], name: str) -> tuple[object, ...]:
    return tuple(None if row[name] is None else pytest.approx(row[name], abs=1e-9) for row in rows)


@pytest.mark.parametrize("period", ["day", "week", "month", "year"])
def test_energy_page_api_download_and_report_agree(
    reader: Client, torn: Site, capsys: pytest.CaptureFixture[str], period: str
) -> None:
    query = f"period={period}&from=2026-11-20&to=2026-11-23"
    rows = reader.get(f"/api/energy?{query}").json()["rows"]
    call_command(
        "report", "--period", period, "--from", "2026-11-20", "--to", "2026-11-23", "--format", "json"
    )
    reported = json.loads(capsys.readouterr().out)["rows"]
    assert [_numbers(row) for row in reported] == [_numbers(row) for row in rows]
    shown = {row.label: row for row in reader.get(f"/energy?period={period}").context["energy"].rows}
    for row in rows:
        page = shown[row["label"]]
        assert {name: getattr(page, name) for name in _numbers(row)} == _numbers(row)
    text = reader.get(f"/energy?period={period}&format=csv").getvalue().decode()
    downloaded = {row["label"]: row for row in csv.DictReader(io.StringIO(text))}
    for row in rows:
        for name, value in _numbers(row).items():
            found = downloaded[row["label"]][name]
            assert found == "" if value is None else float(found) == pytest.approx(value, abs=5e-5)


def _numbers(row: dict[str, object]) -> dict[str, float | None]:
    return {
        name: value
        for name, value in row.items()
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    }
