"""A simulated house from raw rows to verdicts: stored as the pollers store it, derived, its settings seen
by the observer, and then asked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
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
from apps.metrics.store.sqlite import SqliteStore
from apps.simulator.history import Blemishes, History
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
from heatmon.demo.house import DAY_S, DemoState, first_values, remember_devices
from heatmon.demo.rows import write_chunk

pytestmark = pytest.mark.django_db

SEEDS = range(1, 1 + int(os.environ.get("EFFECT_SEEDS") or 1))
"""One house a test run; ten with EFFECT_SEEDS=10."""
SHORT_DAY = week([("05:00", "08:00", "normal")], [("06:00", "09:00", "normal")])


def evening(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 17, 42, tzinfo=UTC).timestamp())


def lived(
    store: SqliteStore, seed: int, first: date, last: date, changes: Mapping[date, tuple[str, Any]]
) -> Home:
    """The house from ``first`` until noon of the day after ``last``, with its settings as polled."""
    site = default_site()
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    end = start + ((last - first).days + 1) * DAY_S + DAY_S // 2
    script = tuple(SettingChange(evening(day), key, value) for day, (key, value) in sorted(changes.items()))
    spec = house_spec(seed, start, end, "bias", change_every_days=1e6)
    spec = replace(spec, settings={**spec.settings, SLOPE: 0.9}, script=script)
    save_home_options(site, first_values(spec))
    remember_devices(site, DemoState(seed=seed, start=start, end=end, oldest=end))
    for chunk in History(spec, start, end, blemishes=Blemishes()).chunks():
        write_chunk(store, site.pk, chunk)
    mark_everything_stale(store, site.pk)
    now = datetime.fromtimestamp(end, UTC)
    while derive_stale(store, site.pk, partial(site_parameters, site), now, 30 * 288):
        pass
    poll(site, spec, start)
    return Home(site=site, options=home_options(site), store=store, at=now)


def poll(site: Site, spec: HouseSpec, start: int) -> None:
    """Two polls at the start and after each change."""
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
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    yield store
    store.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_winter_with_a_better_curve_a_shorter_schedule_and_two_changes_at_once(
    seed: int, store: SqliteStore
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
def test_a_change_in_summer_is_refused(seed: int, store: SqliteStore) -> None:
    home = lived(store, seed, date(2026, 6, 20), date(2026, 7, 20), {date(2026, 7, 5): (NORMAL, 20)})
    found = verdict_on(home, NORMAL)
    assert (found.state, found.reason) == ("refused", "little_heating")


@pytest.mark.parametrize("seed", SEEDS)
def test_warmer_weather_alone_is_no_effect(seed: int, store: SqliteStore) -> None:
    """From mid-February on it is warmer; nothing was changed, and a note of that day proves nothing."""
    home = lived(store, seed, date(2026, 2, 1), date(2026, 3, 5), {})
    note = Entry.objects.create(
        site=home.site, kind=Entry.Kind.NOTE, at=datetime(2026, 2, 16, 12, tzinfo=UTC), text="Nothing"
    )
    found = effect_of(home, note).verdict
    assert found.state in ("not_provable", "refused")
