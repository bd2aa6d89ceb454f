"""Today so far against another day that was as cold by the same time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.devices.models import Site
from apps.devices.options import default_site
from apps.metrics.alike import alike_day
from apps.metrics.home import Home
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.conftest import store

__all__ = ["store"]

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 11, 0, 5, tzinfo=UTC)  # 12:00 in Berlin


def fill(store: SqliteStore, site: Site, outside_c: Mapping[int, float]) -> None:
    """Days of November: 100 Wh and their temperature in every interval; hotter by 9 K after noon."""
    rows = []
    for day, temperature in outside_c.items():
        midnight = datetime(2026, 11, day, tzinfo=UTC) - timedelta(hours=1)
        for number in range(288):
            at = int((midnight + timedelta(minutes=5 * number)).timestamp())
            if at >= NOON.timestamp() - 5:
                break
            interval = {"electrical_energy_wh": 100.0 + day, "electric_s": 300.0}
            rows.append(Row(site=site.pk, measurement="interval", device="M", at=at, values=interval))
            outside = {"outside_temperature_c": temperature + (9.0 if number >= 144 else 0.0)}
            rows.append(Row(site=site.pk, measurement="heat_pump", device="P", at=at, values=outside))
    store.write(rows)


def test_the_newest_day_as_cold_is_taken_up_to_the_same_time_and_yesterday_never(store: SqliteStore) -> None:
    site = default_site()
    fill(store, site, {10: 3.1, 15: 3.3, 18: 4.2, 22: 3.0, 23: 3.0})
    found = alike_day(Home.of(site, NOON))
    assert found is not None
    assert found.day == date(2026, 11, 15)
    assert found.outside_today_c == pytest.approx(3.0)
    assert found.outside_c == pytest.approx(3.3)
    assert found.energy_kwh == pytest.approx(144 * 0.115)


def test_a_day_less_alike_is_taken_where_no_other_is_but_none_beyond_a_kelvin_and_a_half(
    store: SqliteStore,
) -> None:
    site = default_site()
    fill(store, site, {12: 6.0, 15: 4.2, 23: 3.0})
    found = alike_day(Home.of(site, NOON))
    assert found is not None and found.day == date(2026, 11, 15)
    assert alike_day(Home.of(site, NOON - timedelta(hours=11, minutes=30))) is None


def test_a_day_with_missing_minutes_is_no_measure(store: SqliteStore) -> None:
    site = default_site()
    fill(store, site, {15: 3.0, 23: 3.0})
    start = int(datetime(2026, 11, 15, 3, tzinfo=UTC).timestamp())
    store.delete(site.pk, "interval", start, start + 3600)
    assert alike_day(Home.of(site, NOON)) is None
