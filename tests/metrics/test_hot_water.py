"""Hot water of local days out of a store: runs that something interrupts, midnight, the clock, the rod."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from apps.devices.models import Site
from apps.devices.options import HomeOptions
from apps.metrics.derive import derive_intervals
from apps.metrics.hot_water import hot_water, rod_seconds
from apps.metrics.parameters import SiteParameters
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.use_runs import Run

from .data import METER, PUMP, SITE, at, constant, home_of, minutes, polls, snapshot

pytestmark = pytest.mark.django_db

BERLIN = HomeOptions(time_zone="Europe/Berlin")
NOON = at("2027-01-15T12:00")
FRIDAY = date(2027, 1, 15)


def lived(
    store: SqliteStore, told: Iterable[dict[str, float | None] | None], power_w: float = 2400.0
) -> None:
    """An hour of hot water at one power from 12:00 UTC on, with rest around it. ``told``: what each of its
    twelve answers says differently; None is a missed one."""
    rest, run = constant(20.0), constant(power_w)
    before, after = NOON - 3600, NOON + 7200
    store.write([*minutes(before, NOON, rest), *minutes(NOON, NOON + 3600, run)])
    store.write([*minutes(NOON + 3600, after, rest), *polls(before, NOON, rest)])
    store.write([*polls(NOON, NOON + 3600, run), *polls(NOON + 3600, after, rest)])
    resting = {"compressor_active": 0.0, "compressor_phase": 0.0}
    around = [*range(before, NOON, 300), *range(NOON + 3600, after, 300)]
    store.write([snapshot(time, **resting) for time in around])
    store.write(
        [
            snapshot(NOON + 300 * number, **{"dhw_charging": 1.0, **values})
            for number, values in enumerate(told)
            if values is not None
        ]
    )


def derived_runs(store: SqliteStore) -> list[Run]:
    derive_intervals(store, SITE, SiteParameters(), NOON - 3600, NOON + 7200)
    home = home_of(store, BERLIN, datetime(2027, 1, 16, 12, tzinfo=UTC))
    return hot_water(home, FRIDAY, FRIDAY).runs


def test_a_defrost_within_a_run_uses_electricity_and_gives_no_heat(store: SqliteStore, site: Site) -> None:
    """Ten of sixty minutes."""
    defrost = {"compressor_phase": 6.0}
    lived(store, [defrost if number in (5, 6) else {} for number in range(12)])
    (run,) = derived_runs(store)
    assert (run.start - NOON, run.length_s) == (0, 3600)
    assert run.energy_wh == pytest.approx(2400.0)
    assert run.heat_wh == pytest.approx(10_000.0)
    assert not run.is_at_least


def test_a_defrost_with_the_valve_turned_to_the_heating_is_a_pause(store: SqliteStore, site: Site) -> None:
    defrost = {"compressor_phase": 6.0, "dhw_charging": 0.0}
    lived(store, [defrost if number in (5, 6) else {} for number in range(12)])
    (run,) = derived_runs(store)
    assert run.length_s == 3600
    assert run.energy_wh == pytest.approx(2000.0)
    assert not run.is_at_least


def test_a_missed_answer_within_a_run_leaves_it_one(store: SqliteStore, site: Site) -> None:
    lived(store, [None if number == 6 else {} for number in range(12)])
    (run,) = derived_runs(store)
    assert run.length_s == 3600
    assert run.energy_wh == pytest.approx(2200.0)
    assert run.is_at_least


@pytest.mark.parametrize(("lost", "known_wh"), [((23, 24), 2200.0), ((21, 29), 2000.0)])
def test_minutes_that_the_meter_lost_within_a_run_make_it_at_least(
    store: SqliteStore, site: Site, lost: tuple[int, int], known_wh: float
) -> None:
    """Neither minutes nor polls: whether it ran in these intervals is unknown, and so are they."""
    lived(store, [{}] * 12)
    for measurement in ("meter", "meter_minute"):
        store.delete(SITE, measurement, NOON + 60 * lost[0], NOON + 60 * lost[1], METER)
    (run,) = derived_runs(store)
    assert run.length_s == 3600
    assert run.energy_wh == pytest.approx(known_wh)
    assert run.is_at_least


def test_a_cloud_that_is_silent_within_a_run_ends_it(store: SqliteStore, site: Site) -> None:
    """Its first answer counts, the repeats for forty minutes do not; what came after is a run of its own."""
    newest = [0, *[1] * 9, 10, 11]
    lived(store, [{"newest_source_at": float(NOON + 300 * number)} for number in newest])
    first, second = derived_runs(store)
    assert (first.start - NOON, first.length_s, second.start - NOON) == (0, 600, 3000)
    assert (first.is_cut, second.is_cut) == (True, True)


def water(start: int, end: int, wh: float = 200.0, rod_s: float = 0.0) -> list[Row]:
    """Intervals of hot water in [start, end) with three hours of rest around them, and their answers. The
    rod's counter begins at 6000 s and rises by ``rod_s`` in the last interval."""
    rows = []
    for time in range(start - 10_800, end + 10_800, 300):
        is_water = start <= time < end
        values = {"electrical_energy_dhw_wh": wh * is_water, "compressor_run_s": 300.0 * is_water}
        rows.append(Row(site=SITE, measurement="interval", device="heatmon", at=time, values=values))
        counter = 6000.0 + rod_s * (time >= end - 300)
        told = {"dhw_charging": float(is_water), "heating_rod_level_one_s": counter}
        rows.append(snapshot(time, newest_source_at=float(time), **told))
    return rows


def days_with_runs(
    store: SqliteStore, first: date, last: date, now: datetime
) -> dict[str, list[tuple[float, float]]]:
    """Day → (electricity, length [min]) of its runs, of the days that have any."""
    found = hot_water(home_of(store, BERLIN, now), first, last)
    return {
        day.day.isoformat(): [(run.energy_wh, run.length_s / 60) for run in day.runs]
        for day in found.days
        if day.runs
    }


def test_a_run_over_midnight_is_whole_and_counts_with_the_day_of_its_begin(store: SqliteStore) -> None:
    """From 23:30 to 01:00, whichever days are asked for."""
    store.write(water(at("2027-01-15T23:30+01:00"), at("2027-01-16T01:00+01:00")))
    now = datetime(2027, 1, 18, 12, tzinfo=UTC)
    saturday = date(2027, 1, 16)
    whole = {"2027-01-15": [(3600.0, 90.0)]}
    assert days_with_runs(store, FRIDAY, saturday, now) == whole
    assert days_with_runs(store, FRIDAY, FRIDAY, now) == whole
    assert days_with_runs(store, saturday, saturday, now) == {}


def test_a_run_that_goes_on_at_midnight_ends_where_its_day_does_as_far_as_is_known(
    store: SqliteStore,
) -> None:
    store.write(water(at("2027-01-15T23:30+01:00"), at("2027-01-16T00:30+01:00")))
    now = datetime.fromisoformat("2027-01-16T00:10+01:00")
    assert days_with_runs(store, FRIDAY, FRIDAY, now) == {"2027-01-15": [(1600.0, 40.0)]}


@pytest.mark.parametrize(
    ("begin", "end", "day"),
    [
        ("2026-10-25T02:30+02:00", "2026-10-25T02:15+01:00", date(2026, 10, 25)),
        ("2026-03-29T01:45+01:00", "2026-03-29T03:30+02:00", date(2026, 3, 29)),
        ("2026-10-25T23:45+01:00", "2026-10-26T00:30+01:00", date(2026, 10, 25)),
    ],
)
def test_a_run_over_a_clock_change_or_in_the_last_hour_of_its_day_lasts_45_minutes(
    store: SqliteStore, begin: str, end: str, day: date
) -> None:
    store.write(water(at(begin), at(end)))
    now = datetime(2026, 11, 1, tzinfo=UTC)
    assert days_with_runs(store, day, day, now) == {day.isoformat(): [(1800.0, 45.0)]}


def rods(store: SqliteStore, options: HomeOptions = BERLIN) -> dict[int, float]:
    home = home_of(store, options, datetime(2027, 1, 16, 12, tzinfo=UTC))
    found = rod_seconds(home, hot_water(home, FRIDAY, FRIDAY).runs)
    return {start - NOON: rod_s for start, rod_s in found.items()}


def test_a_run_that_ends_on_the_rod_has_its_seconds(store: SqliteStore) -> None:
    store.write(water(NOON, NOON + 1800, rod_s=280.0))
    store.write(water(NOON + 21_600, NOON + 23_400))
    assert rods(store) == {0: 280.0, 21_600: 0.0}


def test_answers_that_only_repeat_themselves_do_not_tell_when_the_rod_was_done(store: SqliteStore) -> None:
    """From the last five minutes of the run on the cloud says for fifty minutes what it said then."""
    end = NOON + 1800
    store.write(water(NOON, end, rod_s=280.0))
    store.write(
        snapshot(at, dhw_charging=1.0, heating_rod_level_one_s=6280.0, newest_source_at=float(end - 300))
        for at in range(end - 300, end + 2700, 300)
    )
    assert rods(store) == {}


def test_the_rod_of_another_heat_pump_in_the_store_is_none_of_it(store: SqliteStore) -> None:
    rows = water(NOON, NOON + 1800, rod_s=280.0)
    beside = [replace(row, device="7571381000009999") for row in rows if row.device == PUMP]
    store.write(rows)
    store.write(
        replace(
            row, values={**row.values, "heating_rod_level_one_s": 90_000.0, "requested_at": row.at + 200.0}
        )
        for row in beside
    )
    assert rods(store, replace(BERLIN, heat_pump_device=PUMP)) == {0: 280.0}


def test_without_a_rods_counter_nothing_is_known_of_it(store: SqliteStore) -> None:
    rows = water(NOON, NOON + 1800)
    store.write(
        replace(row, values={**row.values, "heating_rod_level_one_s": None}) if row.device == PUMP else row
        for row in rows
    )
    assert rods(store) == {}
