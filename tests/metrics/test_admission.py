"""A store that is not as this home left it is refused until its owner decides; none begins in silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.devices.models import HistoryGap, Site
from apps.devices.options import default_site
from apps.metrics.admission import NothingToDecide, admitted, begin_anew, keep
from apps.metrics.extents import DatabaseExtents
from apps.metrics.models import KnownExtent, Lump, StaleRange, StoredHome
from apps.metrics.store.base import Row, StoreRefused, StoreUnavailable
from apps.metrics.store.front import Store

pytestmark = pytest.mark.django_db

MIDNIGHT = 1_767_225_600


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "timeseries.sqlite3"


def start(path: Path) -> Store:
    """The store as a start of heatmon opens it."""
    engine = admitted("sqlite", path, lasting=True)
    return Store(engine, DatabaseExtents(engine))


def a_home_with_a_row(path: Path) -> None:
    store = start(path)
    values = {"energy_wh": 15.0}
    site = default_site().pk
    store.write([Row(site=site, measurement="meter_minute", device="M", at=MIDNIGHT, values=values)])
    store.close()


def another_installation(path: Path) -> None:
    """The file of a home of which this database knows nothing."""
    a_home_with_a_row(path)
    StoredHome.objects.all().delete()


def refusal_of(path: Path) -> str:
    with pytest.raises(StoreRefused) as caught:
        start(path)
    return caught.value.code


def test_the_first_start_begins_and_the_next_ones_go_on(path: Path) -> None:
    a_home_with_a_row(path)
    again = start(path)
    assert again.extent(default_site().pk, "meter_minute") == (MIDNIGHT, MIDNIGHT)
    again.close()


def test_a_missing_file_is_refused_and_not_made(path: Path) -> None:
    a_home_with_a_row(path)
    path.unlink()
    assert refusal_of(path) == "missing"
    assert not path.exists()


def test_an_emptied_file_is_refused_and_left_empty(path: Path) -> None:
    a_home_with_a_row(path)
    path.write_bytes(b"")
    assert refusal_of(path) == "missing"
    assert path.stat().st_size == 0


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    a_home_with_a_row(path)
    path.write_bytes(b"xx" + path.read_bytes()[2:])
    assert refusal_of(path) == "damaged"


def test_a_store_begun_elsewhere_is_refused(path: Path) -> None:
    another_installation(path)
    theirs = path.rename(path.with_name("theirs"))
    start(path).close()
    theirs.rename(path)
    assert refusal_of(path) == "unknown"


def test_a_new_database_beside_an_old_store_is_refused(path: Path) -> None:
    another_installation(path)
    assert refusal_of(path) == "foreign"


def test_a_start_that_ended_between_store_and_database_is_made_up_for(path: Path) -> None:
    start(path).close()
    StoredHome.objects.update(began_at=None)
    start(path).close()
    assert StoredHome.objects.get().began_at is not None


def test_a_second_home_joins_a_store_that_knows_the_first(path: Path) -> None:
    start(path).close()
    Site.objects.create(name="Second")
    start(path).close()
    assert StoredHome.objects.filter(began_at__isnull=False).count() == 2


def test_a_refused_store_raises_at_every_use_and_can_be_closed() -> None:
    store = Store.refused(StoreRefused("missing", "the store is missing"))
    for use in (store.ping, lambda: store.latest(1, ["power_w"], 0), lambda: store.extent(1, "meter")):
        with pytest.raises(StoreUnavailable, match="the store is missing"):
            use()
    with pytest.raises(StoreRefused):
        store.write([Row(site=1, measurement="meter", device="M", at=MIDNIGHT, values={"power_w": 1.0})])
    store.close()


def test_beginning_anew_sets_aside_what_is_there_and_forgets_what_came_from_it(path: Path) -> None:
    a_home_with_a_row(path)
    site = default_site()
    hour = datetime(2026, 1, 1, tzinfo=UTC)
    Lump.objects.create(site=site, start=hour, end=hour + timedelta(hours=1), energy_wh=3, reason="gap")
    HistoryGap.objects.create(site=site, device="M", start=hour, missing_minutes=4)
    damaged = b"xx" + path.read_bytes()[2:]
    path.write_bytes(damaged)
    aside = begin_anew("sqlite", path)
    assert aside is not None
    assert aside.read_bytes() == damaged
    store = start(path)
    assert store.extent(site.pk, "meter_minute") is None
    assert not (Lump.objects.exists() or HistoryGap.objects.exists() or KnownExtent.objects.exists())
    store.close()


def test_beginning_anew_where_the_file_is_missing_leaves_nothing_aside(path: Path) -> None:
    a_home_with_a_row(path)
    path.unlink()
    assert begin_anew("sqlite", path) is None
    start(path).close()


def test_a_kept_store_has_its_rows_and_is_derived_again(path: Path) -> None:
    another_installation(path)
    KnownExtent.objects.all().delete()
    keep("sqlite", path)
    store = start(path)
    assert store.extent(default_site().pk, "meter_minute") == (MIDNIGHT, MIDNIGHT)
    assert StaleRange.objects.exists()
    store.close()


def test_a_store_in_order_is_left_alone(path: Path) -> None:
    a_home_with_a_row(path)
    for decide in (begin_anew, keep):
        with pytest.raises(NothingToDecide, match="in order"):
            decide("sqlite", path)
    store = start(path)
    assert store.extent(default_site().pk, "meter_minute") == (MIDNIGHT, MIDNIGHT)
    store.close()


def test_a_missing_store_cannot_be_kept(path: Path) -> None:
    a_home_with_a_row(path)
    path.unlink()
    with pytest.raises(NothingToDecide, match="no store that could be kept"):
        keep("sqlite", path)
