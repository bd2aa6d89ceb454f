"""What extent a source has is kept in the database, by days, and costs a poll nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.devices.models import Site
from apps.metrics.extents import DatabaseExtents
from apps.metrics.models import KnownExtent
from apps.metrics.store.base import Row
from apps.metrics.store.bulk import BulkWriter
from apps.metrics.store.front import Store
from apps.metrics.store.sqlite import SqliteEngine

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86_400
MIDNIGHT = 1_767_225_600  # 2026-01-01T00:00:00Z
METER = "A8032ABE54DC"


@pytest.fixture
def site() -> int:
    return Site.objects.create().pk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = another(tmp_path)
    yield opened
    opened.close()


def another(folder: Path) -> Store:
    """A store as one more process has it."""
    engine = SqliteEngine(folder / "timeseries.sqlite3", synchronous="OFF")
    return Store(engine, DatabaseExtents(engine))


def poll(site: int, at: int, device: str = METER) -> Row:
    return Row(site=site, measurement="meter", device=device, at=at, values={"power_w": 5.0})


def known_days(device: str = METER) -> tuple[date, date]:
    known = KnownExtent.objects.get(measurement="meter", device=device)
    return known.first_day, known.last_day


def test_only_the_first_poll_of_a_day_asks_the_database(store: Store, site: int) -> None:
    store.write([poll(site, MIDNIGHT)])
    with CaptureQueriesContext(connection) as asked:
        for at in range(MIDNIGHT + 10, MIDNIGHT + DAY, 3600):
            store.write([poll(site, at)])
    assert len(asked) == 0
    assert known_days() == (date(2026, 1, 1), date(2026, 1, 1))
    store.write([poll(site, MIDNIGHT + DAY)])
    assert known_days() == (date(2026, 1, 1), date(2026, 1, 2))


def test_an_extent_is_exact_though_days_are_kept(store: Store, site: int) -> None:
    store.write([poll(site, MIDNIGHT + 70), poll(site, MIDNIGHT + 3 * DAY + 10)])
    assert store.extent(site, "meter") == (MIDNIGHT + 70, MIDNIGHT + 3 * DAY + 10)


def test_the_engine_is_asked_about_known_days_only(store: Store, site: int) -> None:
    store.write([poll(site, MIDNIGHT), poll(site, MIDNIGHT + 3 * DAY)])
    KnownExtent.objects.update(first_day=date(2026, 1, 2))
    assert store.extent(site, "meter") == (MIDNIGHT + 3 * DAY, MIDNIGHT + 3 * DAY)


def test_older_rows_of_an_import_widen_it(store: Store, site: int) -> None:
    store.write([poll(site, MIDNIGHT)])
    BulkWriter(store).write_columns(
        site, "meter", METER, [MIDNIGHT - 9 * DAY, MIDNIGHT - DAY], {"power_w": [1.0, 2.0]}
    )
    assert known_days() == (date(2025, 12, 23), date(2026, 1, 1))
    assert store.extent(site, "meter") == (MIDNIGHT - 9 * DAY, MIDNIGHT)


def test_replaced_rows_widen_it(store: Store, site: int) -> None:
    store.replace(site, "meter", METER, MIDNIGHT, MIDNIGHT + DAY, [poll(site, MIDNIGHT + 20)])
    assert store.extent(site, "meter") == (MIDNIGHT + 20, MIDNIGHT + 20)


def test_deleted_rows_are_outside_of_it(store: Store, site: int) -> None:
    store.write([poll(site, MIDNIGHT + day * DAY) for day in range(5)])
    store.delete(site, "meter", MIDNIGHT + 3 * DAY, MIDNIGHT + 9 * DAY)
    assert store.extent(site, "meter") == (MIDNIGHT, MIDNIGHT + 2 * DAY)
    store.delete(site, "meter", 0, MIDNIGHT + 9 * DAY)
    assert store.extent(site, "meter") is None


def test_each_device_has_its_own(store: Store, site: int) -> None:
    store.write([poll(site, MIDNIGHT, "OLD"), poll(site, MIDNIGHT + 3 * DAY, "NEW")])
    assert store.extent(site, "meter", "OLD") == (MIDNIGHT, MIDNIGHT)
    assert store.extent(site, "meter", "NEW") == (MIDNIGHT + 3 * DAY, MIDNIGHT + 3 * DAY)
    assert store.extent(site, "meter") == (MIDNIGHT, MIDNIGHT + 3 * DAY)
    assert store.extent(site, "meter", "OTHER") is None


def test_what_another_process_writes_is_known_at_once(store: Store, site: int, tmp_path: Path) -> None:
    store.write([poll(site, MIDNIGHT)])
    other = another(tmp_path)
    other.write([poll(site, MIDNIGHT - 3 * DAY), poll(site, MIDNIGHT + 3 * DAY)])
    other.close()
    assert store.extent(site, "meter") == (MIDNIGHT - 3 * DAY, MIDNIGHT + 3 * DAY)


def test_it_is_found_again_when_it_is_missing(store: Store, site: int, tmp_path: Path) -> None:
    store.write([poll(site, MIDNIGHT), poll(site, MIDNIGHT + 3 * DAY, "NEW")])
    KnownExtent.objects.all().delete()
    other = another(tmp_path)
    assert other.extent(site, "meter") == (MIDNIGHT, MIDNIGHT + 3 * DAY)
    assert known_days("NEW") == (date(2026, 1, 4), date(2026, 1, 4))
    other.close()


def test_a_home_without_rows_has_none(store: Store, site: int) -> None:
    assert store.extent(site, "meter") is None
    assert store.extent(0, "meter") is None


def test_rows_given_to_another_device_are_found_there(store: Store, site: int, tmp_path: Path) -> None:
    store.write([poll(site, MIDNIGHT, "IMPORTED"), poll(site, MIDNIGHT + 2 * DAY, "IMPORTED")])
    store.rename_device(site, "IMPORTED", METER)
    assert known_days() == (date(2026, 1, 1), date(2026, 1, 3))
    for each in (store, another(tmp_path)):
        assert each.extent(site, "meter", METER) == (MIDNIGHT, MIDNIGHT + 2 * DAY)
        assert each.extent(site, "meter", "IMPORTED") is None
    each.close()
