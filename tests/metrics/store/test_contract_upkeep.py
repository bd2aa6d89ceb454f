"""What every engine does alike besides keeping values: extents, upkeep, and what it refuses."""

from __future__ import annotations

from random import Random

import pytest

from apps.metrics.store.base import Sample, StoreUnavailable
from apps.metrics.store.front import Store

from .engines import DAY, METER, MIDNIGHT, outside_row, power_row, power_rows


def test_an_extent_is_of_all_devices_or_one_and_follows_what_is_written(store: Store) -> None:
    store.write([power_row(MIDNIGHT + 10, 1, device="OLD"), power_row(MIDNIGHT + 5 * DAY, 2, device="NEW")])
    assert store.extent(1, "meter") == (MIDNIGHT + 10, MIDNIGHT + 5 * DAY)
    assert store.extent(1, "meter", "OLD") == (MIDNIGHT + 10, MIDNIGHT + 10)
    assert store.extent(1, "meter", "OTHER") is None
    assert store.extent(1, "heat_pump") is None
    assert store.extent(2, "meter") is None
    store.write([power_row(MIDNIGHT - 3 * DAY, 3, device="OLD")])
    assert store.extent(1, "meter") == (MIDNIGHT - 3 * DAY, MIDNIGHT + 5 * DAY)
    store.delete(1, "meter", MIDNIGHT, MIDNIGHT + 9 * DAY)
    assert store.extent(1, "meter") == (MIDNIGHT - 3 * DAY, MIDNIGHT - 3 * DAY)


def test_an_extent_counts_every_circuit(store: Store) -> None:
    store.write([outside_row(MIDNIGHT, 1), outside_row(MIDNIGHT + 300, 2, circuit="1")])
    assert store.extent(1, "heat_pump") == (MIDNIGHT, MIDNIGHT + 300)


def test_what_was_written_can_be_read_when_the_store_says_so(store: Store) -> None:
    store.write([power_row(MIDNIGHT, 7)])
    assert store.wait_until_readable(10.0)
    assert store.latest(1, ["power_w"], MIDNIGHT)["power_w"] == Sample(at=MIDNIGHT, value=7)


def test_the_nights_work_changes_nothing(store: Store) -> None:
    store.engine.add_home("b7a0")
    store.write(power_rows(MIDNIGHT, [10] * 2000))
    store.tidy()
    assert store.damage() is None
    assert store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + DAY])["power_w"][0].sum == 20_000


def test_aggregates_agree_with_the_rows_they_come_from(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, range(3 * 1440), step_s=60))
    assert [difference for day in store.verify_days(Random(1), 10) for difference in day] == []


def test_a_store_answers_and_knows_its_size(store: Store) -> None:
    store.ping()
    size = store.size_bytes()
    assert size is None or size > 0


def test_a_home_is_remembered_once(store: Store) -> None:
    assert store.engine.homes() == frozenset()
    for uid in ("b7a0", "c4f1", "b7a0"):
        store.engine.add_home(uid)
    assert store.engine.homes() == {"b7a0", "c4f1"}


def test_an_unknown_measurement_is_refused(store: Store) -> None:
    for ask in (
        lambda: store.extent(1, "weather"),
        lambda: store.rows(1, "weather", 0, 10),
        lambda: store.delete(1, "weather", 0, 10),
        lambda: store.replace(1, "weather", METER, 0, 10, []),
    ):
        with pytest.raises(KeyError):
            ask()


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    for ask in (
        store.ping,
        lambda: store.write([power_row(MIDNIGHT, 1)]),
        lambda: store.latest(1, ["power_w"], MIDNIGHT),
        lambda: store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 10, 10),
        lambda: store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + 300]),
        lambda: store.delete(1, "meter", 0, 10),
    ):
        with pytest.raises(StoreUnavailable, match="is closed"):
            ask()
