"""Electricity around holes of the minute rows: nothing known is dropped, nothing is counted twice."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date

import pytest

from apps.devices.models import Site
from apps.devices.options import HomeOptions
from apps.metrics import codes
from apps.metrics.days import local_days
from apps.metrics.derive import derive_intervals
from apps.metrics.energy import CounterReading, resolve
from apps.metrics.models import Lump
from apps.metrics.parameters import SiteParameters
from apps.metrics.periods import energy_rows
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

from .data import SITE, at, counter, home_of, minute, snapshot

START = at("2027-01-15T12:00")
HOUR = 3600
PARAMETERS = SiteParameters()
UTC_HOUSE = HomeOptions(time_zone="UTC")


def rows_without(start: int, end: int, missing: Collection[int], energy_wh: float = 20.0) -> list[Row]:
    """Minute rows but those whose minute of the hour is ``missing``."""
    return [minute(time, energy_wh) for time in range(start, end, 60) if time // 60 % 60 not in missing]


def electricity_of(store: SqliteStore, start: int, end: int) -> tuple[float, float]:
    """Known electricity [Wh] and seconds."""
    sums = store.sums(SITE, ["electrical_energy_wh", "electric_s"], [start, end])
    return sums["electrical_energy_wh"][0].sum or 0.0, sums["electric_s"][0].sum or 0.0


@pytest.mark.parametrize(
    ("missing", "known_minutes"),
    [((17,), 59), (tuple(range(0, 60, 2)), 30), (tuple(range(13, 38)), 35)],
)
def test_minutes_beside_missing_ones_count(
    store: SqliteStore, site: Site, missing: tuple[int, ...], known_minutes: int
) -> None:
    store.write(rows_without(START, START + 24 * HOUR, missing))
    derive_intervals(store, SITE, PARAMETERS, START, START + 24 * HOUR)
    energy_wh, known_s = electricity_of(store, START, START + 24 * HOUR)
    assert energy_wh == pytest.approx(24 * known_minutes * 20.0)
    assert known_s == 24 * known_minutes * 60


def test_an_interval_in_part_is_never_full(store: SqliteStore, site: Site) -> None:
    store.write(rows_without(START, START + HOUR, (17,)))
    store.write([snapshot(time) for time in range(START, START + HOUR, 300)])
    derive_intervals(store, SITE, PARAMETERS, START, START + HOUR)
    part = next(row for row in store.rows(SITE, "interval", START, START + HOUR) if row.at == START + 900)
    assert part.values["electrical_energy_wh"] == 80.0
    assert part.values["electric_s"] == 240.0
    assert part.values["state"] == codes.STATE_ELEC
    assert part.values.get("full_electrical_energy_wh") is None
    assert codes.REASONS[int(part.values["reason"] or 0)] == "no_electricity"


def test_rows_and_lump_are_what_the_counter_counted(store: SqliteStore, site: Site) -> None:
    """12:00 to 13:00 with 20 Wh a minute but from 12:13 to 12:38, when 900 Wh were used."""
    hole = range(13, 38)
    store.write(rows_without(START, START + HOUR, hole))
    store.write([counter(START, 1000.0), counter(START + 780, 1260.0)])
    store.write([counter(START + 2280, 2160.0), counter(START + HOUR, 2600.0)])
    derive_intervals(store, SITE, PARAMETERS, START, START + HOUR)
    (lump,) = Lump.objects.all()
    assert (lump.start.timestamp(), lump.end.timestamp()) == (START + 780, START + 2280)
    assert lump.energy_wh == 900.0
    energy_wh, known_s = electricity_of(store, START, START + HOUR)
    assert energy_wh + lump.energy_wh == 1600.0
    assert known_s == 3600.0
    edge = next(row for row in store.rows(SITE, "interval", START, START + HOUR) if row.at == START + 600)
    assert edge.values["electrical_energy_wh"] == 60.0
    assert codes.REASONS[int(edge.values["reason"] or 0)] == "in_lump"


def test_one_counter_step_over_two_holes_is_one_lump_and_the_rows_between_stay(
    store: SqliteStore, site: Site
) -> None:
    missing = (*range(12, 18), *range(42, 48))
    store.write(rows_without(START, START + HOUR, missing))
    store.write([counter(START, 1000.0), counter(START + HOUR, 2440.0)])
    for first in (START, START + 1800):  # whichever half is derived
        derive_intervals(store, SITE, PARAMETERS, first, first + 1800)
        (lump,) = Lump.objects.all()
        assert (lump.start.timestamp(), lump.end.timestamp()) == (START + 720, START + 2880)
        assert lump.energy_wh == 480.0
        assert electricity_of(store, START, START + HOUR) == (960.0, 3600.0)


def test_a_hole_does_not_make_a_day_unusable(store: SqliteStore, site: Site) -> None:
    midnight = at("2027-01-15")
    rows = rows_without(midnight, midnight + 24 * HOUR, ())
    store.write(row for row in rows if not midnight + HOUR <= row.at < midnight + HOUR + 1200)
    store.write([snapshot(time) for time in range(midnight, midnight + 24 * HOUR, 300)])
    derive_intervals(store, SITE, PARAMETERS, midnight, midnight + 24 * HOUR)
    (day,) = local_days(home_of(store, UTC_HOUSE), date(2027, 1, 15), date(2027, 1, 15))
    assert day.is_valid
    assert day.energy_kwh_per_24h == pytest.approx(28.8)


def test_a_period_says_what_of_a_hole_is_known(store: SqliteStore, site: Site) -> None:
    store.write(rows_without(START, START + HOUR, tuple(range(13, 38))))
    derive_intervals(store, SITE, PARAMETERS, START, START + HOUR)
    (row,) = energy_rows(home_of(store, UTC_HOUSE), "day", date(2027, 1, 15), date(2027, 1, 15))
    assert row.electrical_energy_kwh == pytest.approx(0.7)
    assert row.electrical_coverage == pytest.approx(35 / 1440)


@pytest.mark.parametrize("missing", [(3,), (3, 4), (4, 5), (4, 5, 6, 7, 8, 9, 10), tuple(range(20))])
def test_rows_pieces_and_lumps_always_add_up_to_the_counter(missing: tuple[int, ...]) -> None:
    energies = {60 * number: 10.0 + number for number in range(20)}
    minutes_wh = {time: wh for time, wh in energies.items() if time // 60 not in missing}
    counted = [math.fsum(wh for time, wh in energies.items() if time < edge) for edge in range(0, 1201, 60)]
    for step in (1, 4, 20):
        readings = [CounterReading(at=60 * n, wh=(counted[n],)) for n in range(0, 21, step)]
        resolved = resolve(0, 1200, minutes_wh, readings)
        known = math.fsum(each.energy_wh or 0.0 for each in resolved.intervals.values())
        lumps = math.fsum(lump.energy_wh for lump in resolved.lumps)
        assert known + lumps == pytest.approx(counted[-1])
        assert sum(each.known_s + each.lump_s for each in resolved.intervals.values()) == 1200
