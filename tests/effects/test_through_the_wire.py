"""A simulated house from its devices to verdicts: stored as the pollers store it, derived, its settings seen
by the observer, and then asked.

``make test`` writes the raw rows at once, and compares one day of them with a day that came over HTTP.
``make verdicts`` polls all days through the clients, for SEEDS houses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from apps.changelog.models import Entry
from apps.changelog.observe import observe
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import Site
from apps.devices.options import default_site, home_options, save_home_options
from apps.effects.effects import effect_of
from apps.effects.verdicts import Verdict
from apps.metrics.home import Home
from apps.metrics.marks import mark_everything_stale
from apps.metrics.parameters import site_parameters
from apps.metrics.stale import derive_stale
from apps.metrics.store.front import Store
from apps.metrics.store.opening import scratch_store
from apps.metrics.totals import Totals, totals
from apps.simulator.history import SPIN_UP_DAYS, Blemishes, History
from apps.simulator.settings import (
    DHW_SCHEDULE,
    DHW_TARGET,
    NORMAL,
    SLOPE,
    SettingChange,
    settings_at,
    week,
)
from apps.simulator.spec import HouseSpec, house_spec
from apps.simulator.viessmann_catalogue import GATEWAY
from apps.simulator.weather import Weather
from apps.simulator.world import SimulatedWorld
from heatmon.demo.house import DAY_S, DemoState, first_values, remember_devices
from heatmon.demo.rows import write_chunk
from tests.factories import Home as SimulatedHome

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

SEEDS = range(1, 1 + int(os.environ.get("EFFECT_SEEDS") or 1))
OVER_HTTP = bool(os.environ.get("EFFECT_OVER_HTTP"))
MEMORY_DAYS = 25
"""The meter's memory is asked this often: it holds 60 days."""
SHORT_DAY = week([("05:00", "08:00", "normal")], [("06:00", "09:00", "normal")])


def evening(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 17, 42, tzinfo=UTC).timestamp())


def lived(
    store: Store,
    seed: int,
    first: date,
    last: date,
    changes: Mapping[date, tuple[str, Any]],
    *,
    over_http: bool = OVER_HTTP,
) -> Home:
    """The house from ``first`` until noon of the day after ``last``, with its settings as polled."""
    site = default_site()
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    end = start + ((last - first).days + 1) * DAY_S + DAY_S // 2
    spec = house_of(seed, start, end, changes)
    save_home_options(site, first_values(spec))
    if over_http:
        polled(store, spec, start, end)
    else:
        written(site, store, spec, start, end)
    now = datetime.fromtimestamp(end, UTC)
    return Home(site=site, options=home_options(site), store=store, at=now)


def house_of(seed: int, start: int, end: int, changes: Mapping[date, tuple[str, Any]]) -> HouseSpec:
    script = tuple(SettingChange(evening(day), key, value) for day, (key, value) in sorted(changes.items()))
    spec = house_spec(seed, start, end, "bias", change_every_days=1e6)
    return replace(spec, settings={**spec.settings, SLOPE: 0.9}, script=script)


def polled(store: Store, spec: HouseSpec, start: int, end: int) -> None:
    """The heat pump every five minutes through its client, the meter's minutes out of its memory, all over
    HTTP inside this process. The house lives three days before, as in its written past."""
    begin = datetime.fromtimestamp(start - SPIN_UP_DAYS * DAY_S, UTC)
    world = SimulatedWorld(spec.seed, begin, spec=spec)
    world.advance_to(datetime.fromtimestamp(start, UTC))
    with TemporaryDirectory() as folder:
        home = SimulatedHome(world, store, Path(folder))
        home.run("poll_power", minutes=1)
        while (left := end - int(home.at.timestamp())) > 0:
            home.run("poll_heat_pump", seconds=min(left, MEMORY_DAYS * DAY_S))
            home.run("poll_power", minutes=1)
            home.run("refine_minutes", minutes=6)
            home.call("backfill", whole=True)
            while home.call("derive"):
                pass


def written(site: Site, store: Store, spec: HouseSpec, start: int, end: int) -> None:
    """Raw rows as polls would have stored them, all at once."""
    remember_devices(site, DemoState(seed=spec.seed, start=start, end=end, oldest=end))
    for chunk in History(spec, start, end, newest_days=MEMORY_DAYS, blemishes=Blemishes()).chunks():
        write_chunk(store, site.pk, chunk)
    mark_everything_stale(store, site.pk)
    now = datetime.fromtimestamp(end, UTC)
    while derive_stale(store, site.pk, partial(site_parameters, site), now, 30 * 288):
        pass
    for moment in (start, *(change.at for change in spec.script)):
        for at in (moment + 150, moment + 450):
            configuration = HeatPumpConfiguration(
                observed_at=datetime.fromtimestamp(at, UTC),
                device=GATEWAY,
                settings=settings_at(spec.settings, spec.script, moment),
                changed_at={},
            )
            observe(site, configuration)


def verdict_on(home: Home, key: str) -> Verdict:
    entry = Entry.objects.prefetch_related("setting_changes").get(setting_changes__key=key)
    return effect_of(home, entry).verdict


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = scratch_store(tmp_path)
    yield store
    store.close()


def test_a_day_over_http_is_the_day_that_rows_give(tmp_path: Path, db: None) -> None:
    """What holds for the rows then holds for the devices."""
    over_http, from_rows = (day_of(tmp_path / way, over_http=way == "http") for way in ("http", "rows"))
    assert over_http.electrical_energy_kwh == from_rows.electrical_energy_kwh
    assert over_http.electrical_coverage == from_rows.electrical_coverage == 1.0
    for name in ("electrical_energy_heating_wh", "electrical_energy_dhw_wh", "full_thermal_energy_wh"):
        assert over_http[name] == pytest.approx(from_rows[name], rel=0.005)


def day_of(folder: Path, *, over_http: bool) -> Totals:
    """A day of UTC of the house."""
    folder.mkdir()
    site, store = default_site(), scratch_store(folder)
    start = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())
    spec = house_of(1, start, start + DAY_S, {})
    if over_http:
        polled(store, spec, start, start + DAY_S + 600)
    else:
        written(site, store, spec, start, start + DAY_S + 600)
    at = datetime.fromtimestamp(start + DAY_S, UTC)
    home = Home(site=site, options=home_options(site), store=store, at=at)
    found = totals(home, [start, start + DAY_S])[0]
    store.close()
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_winter_with_a_better_curve_a_shorter_schedule_and_two_changes_at_once(
    seed: int, store: Store
) -> None:
    first = date(2026, 1, 1)
    days = [first + timedelta(days=number) for number in (16, 31, 46, 49, 64)]
    home = lived(
        store,
        seed,
        first,
        days[-1],
        {
            days[0]: (SLOPE, 0.6),
            days[1]: (DHW_SCHEDULE, SHORT_DAY),
            days[2]: (NORMAL, 20),
            days[3]: (DHW_TARGET, 45),
        },
    )
    curve = verdict_on(home, SLOPE)
    assert (curve.target, curve.leads) == ("space", "efficiency")
    assert (curve.before.valid_days, curve.after.valid_days) == (14, 14)
    if curve.state == "refused":  # a cold spell that the fortnight before it had not seen
        assert (curve.reason, curve.alike_days < 5) == ("other_weather", True)
    else:
        assert curve.efficiency is not None and curve.efficiency.is_found
        assert curve.efficiency.percent > 0
    water = verdict_on(home, DHW_SCHEDULE)
    assert water.target == "dhw"
    assert water.state in ("found", "not_provable", "refused")
    assert water.reason in (None, "too_wide", "other_weather")
    both = verdict_on(home, NORMAL)
    assert len(both.ids) == 2
    assert both == verdict_on(home, DHW_TARGET)
    assert (both.target, both.before.last, both.after.first) == (
        "total",
        days[2] - timedelta(days=1),
        days[3] + timedelta(days=1),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_in_summer_is_refused(seed: int, store: Store) -> None:
    home = lived(store, seed, date(2026, 6, 20), date(2026, 7, 20), {date(2026, 7, 5): (NORMAL, 20)})
    found = verdict_on(home, NORMAL)
    assert (found.state, found.reason) == ("refused", "little_heating")


@pytest.mark.parametrize("seed", SEEDS)
def test_warmer_weather_alone_is_no_effect(seed: int, store: Store) -> None:
    """From mid-February on it is warmer; nothing was changed, and a note of that day proves nothing."""
    home = lived(store, seed, date(2026, 2, 1), date(2026, 3, 5), {})
    note = Entry.objects.create(
        site=home.site, kind=Entry.Kind.NOTE, at=datetime(2026, 2, 16, 12, tzinfo=UTC), text="Nothing"
    )
    found = effect_of(home, note).verdict
    assert found.state in ("not_provable", "refused")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_better_curve_in_colder_weather_is_found_although_more_was_used(seed: int, store: Store) -> None:
    """Both together: the weather alone makes the day after the change dearer, the pump works better."""
    day = before_colder_weather(seed)
    home = lived(store, seed, day - timedelta(days=15), day + timedelta(days=14), {day: (SLOPE, 0.6)})
    found = verdict_on(home, SLOPE)
    before, after = found.before, found.after
    assert after.outside_c is not None and before.outside_c is not None
    assert before.outside_c - after.outside_c > 1.5
    assert (before.energy_kwh or 0.0) < (after.energy_kwh or 0.0)
    assert found.leads == "efficiency"
    if found.state == "refused":
        assert found.reason == "other_weather"
        return
    assert found.efficiency is not None and found.efficiency.is_found
    assert found.efficiency.percent > 0
    raw_percent = 100 * ((after.energy_kwh or 0.0) / (before.energy_kwh or 1.0) - 1)
    assert found.electricity is not None and found.electricity.high_percent < raw_percent


def before_colder_weather(seed: int) -> date:
    """A winter day after which the fortnight is colder than before, but not out of what was seen."""
    spec = house_spec(seed, 0, 1, "bias")
    weather = Weather(spec.seed, spec.latitude, spec.longitude, spec.mean_outside_c)
    winter = date(2025, 11, 5)
    number = winter.toordinal() - date(1970, 1, 1).toordinal()
    means = [weather.daily_mean_c(number + each) for each in range(110)]

    def drop(day: int) -> float:
        before, after = means[day - 14 : day], means[day + 1 : day + 15]
        alike = sum(min(before) - 1 <= each <= max(before) + 1 for each in after)
        return fmean(before) - fmean(after) if alike >= 8 else 0.0

    return winter + timedelta(days=max(range(14, 95), key=drop))
