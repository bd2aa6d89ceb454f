"""Another engine's content beside the backups: only what differs is read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.backups.mirror import follow
from apps.devices.models import Site
from apps.metrics.store.base import Row
from apps.metrics.store.front import Store
from apps.metrics.store.influxdb.engine import InfluxEngine
from apps.metrics.store.migrating import Migration
from apps.metrics.store.sqlite import SqliteEngine
from tests.metrics.store.influxdb.standin import standin

from .conftest import METER, MIDNIGHT

DAY = 86_400
NOW = MIDNIGHT + 10 * DAY


def power_row(at: int, power_w: float, device: str = METER) -> Row:
    return Row(site=1, measurement="meter", device=device, at=at, values={"power_w": power_w})


@pytest.fixture
def bucket(db: None) -> Iterator[Store]:
    Site.objects.create(pk=1)
    store = Store(InfluxEngine(standin().new_bucket()))
    store.write(
        [power_row(MIDNIGHT + day * DAY + n * 3600, 100.0 + n) for day in range(6) for n in range(24)]
    )
    store.write([power_row(MIDNIGHT + 600, 5.0, device="OLD")])
    store.engine.add_home("home-1")
    assert store.wait_until_readable(10)
    yield store
    store.close()


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine(tmp_path / "mirror.sqlite3", synchronous="OFF")
    yield engine
    engine.close()


def are_equal(bucket: Store, mirror: SqliteEngine) -> bool:
    migration = Migration(bucket.engine, mirror, [1])
    return all(migration.is_equal(day) for day in migration.days())


def test_the_first_time_everything_is_copied_then_only_what_changed(
    bucket: Store, mirror: SqliteEngine
) -> None:
    assert follow(bucket.engine, mirror, [1], NOW) == 7
    assert mirror.homes() == {"home-1"}
    assert follow(bucket.engine, mirror, [1], NOW) == 0
    bucket.write([power_row(MIDNIGHT + 3 * DAY + 1800, 7.0), power_row(MIDNIGHT + 7 * DAY, 8.0)])
    bucket.delete(1, "meter", MIDNIGHT + DAY, MIDNIGHT + DAY + 7200)
    assert bucket.wait_until_readable(10)
    assert follow(bucket.engine, mirror, [1], NOW) == 3
    assert are_equal(bucket, mirror)


def test_a_recent_day_is_compared_value_by_value(bucket: Store, mirror: SqliteEngine) -> None:
    follow(bucket.engine, mirror, [1], NOW)
    # The same count, sum, minimum and maximum: two values changed places.
    at = MIDNIGHT + 5 * DAY
    bucket.write([power_row(at + 3600, 102.0), power_row(at + 7200, 101.0)])
    assert bucket.wait_until_readable(10)
    assert follow(bucket.engine, mirror, [1], NOW) == 0
    assert follow(bucket.engine, mirror, [1], at + DAY) == 1
    assert are_equal(bucket, mirror)
