"""A home of fourteen months: days of weather and habits from an autumn on, five minutes of its last week, ten
seconds of its last hours, and changes of which one has an effect."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from apps.changelog.observe import observe
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import Site
from apps.effects.effects import judge_all
from apps.effects.samples import EffectDay
from apps.metrics.home import Home
from apps.metrics.store.base import Row, TimeSeriesStore
from tests.dashboard import house
from tests.effects.lived import change, note, row, write_days

FIRST = date(2025, 9, 15)
FIVE_MINUTES_FROM = date(2026, 11, 15)
CURVE_LOWERED = date(2026, 1, 25)
BETTER = math.log(1.09)


def move_in(store: TimeSeriesStore, site: Site, now: datetime) -> None:
    """Fill an empty store and history up to ``now``, and judge what was changed."""
    house.set_up(site)
    write_days(store, site, _days())
    recent = datetime.combine(FIVE_MINUTES_FROM, datetime.min.time(), tzinfo=UTC) - timedelta(hours=1)
    gap = (now - timedelta(hours=11), now - timedelta(hours=10))
    house.fill(store, site, recent, now, cloud_gap=gap)
    store.write(_ten_seconds(site, now))
    known_from = int(datetime.combine(FIRST, datetime.min.time(), tzinfo=UTC).timestamp())
    store.write([row(site, "interval", known_from, {"full_s": 3600.0})])
    change(site, CURVE_LOWERED, circuits__1__curve__slope=(0.8, 0.6))
    change(site, date(2026, 11, 20), dhw__hysteresis_k=(5, 7))
    note(site, date(2026, 8, 24), "Service: filter cleaned")
    settings = {"circuits.1.curve.slope": 0.6, "dhw.hysteresis_k": 7}
    observe(
        site,
        HeatPumpConfiguration(
            observed_at=now - timedelta(minutes=5),
            device="7571000000000000",
            settings=settings,
            changed_at={},
        ),
    )
    judge_all(Home.of(site, now))


def _days() -> Iterator[EffectDay]:
    """Days that need 1.6 kWh for each kelvin below 15 °C, and 3.7 kWh for hot water and standby."""
    chance = random.Random(13)
    spell = 0.0
    before = None
    for number in range((FIVE_MINUTES_FROM - FIRST).days):
        day = FIRST + timedelta(days=number)
        season = math.cos((day.toordinal() - date(2026, 1, 15).toordinal()) / 365.25 * 2 * math.pi)
        spell = 0.7 * spell + chance.gauss(0, 1.5)
        outside = round(9.5 - 8.5 * season + spell, 1)
        better = BETTER if day > CURVE_LOWERED else 0.0
        habits = 1 + chance.gauss(0, 0.03)
        space = 1.6 * max(0.0, 15 - outside) * habits * math.exp(-better)
        yield EffectDay(
            day=day,
            outside_c=outside,
            before_c=before,
            energy_kwh=space + 3.2 * habits + 0.5,
            space_kwh=space,
            dhw_kwh=3.2 * habits,
            efficiency=1.38 + 0.01 * outside + better + chance.gauss(0, 0.02),
            dhw_share=0.15,
        )
        before = outside


def _ten_seconds(site: Site, now: datetime) -> Iterator[Row]:
    until = int(now.timestamp()) // 10 * 10
    for at in range(until - 2 * 3600, until, 10):
        power = house.RUN_W if house.running(at) else house.REST_W
        yield Row(site=site.pk, measurement="meter", device="AABBCCDDEEFF", at=at, values={"power_w": power})
