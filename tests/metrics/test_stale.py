"""Marks of what must be derived again, and who may derive when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.devices.locks import LockHeld, held
from apps.devices.models import Site
from apps.metrics import stale
from apps.metrics.marks import derived_until, mark_late, mark_new, write_marked
from apps.metrics.models import Lump, StaleRange
from apps.metrics.parameters import SiteParameters
from apps.metrics.stale import derive_stale, mark_stale, stale_intervals
from apps.metrics.store.sqlite import SqliteStore

from .data import SITE, at, constant, counter, minutes, steady_hours

START = at("2027-01-15T12:00")
HOUR = 3600


class Watched:
    """A store that calls ``before`` ahead of every write of results."""

    def __init__(self, store: SqliteStore, before: Callable[[], None]) -> None:
        self._store = store
        self._before = before

    def replace(self, *words: Any) -> None:
        self._before()
        self._store.replace(*words)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def derive(store: Any, until: int, limit: int = 8640) -> int:
    return derive_stale(store, SITE, SiteParameters, datetime.fromtimestamp(until, UTC), limit)


def marked(until: int = START + 24 * HOUR) -> int:
    return stale_intervals(SITE, datetime.fromtimestamp(until, UTC))


def test_whoever_derives_a_site_holds_its_lock(store: SqliteStore, site: Site) -> None:
    tried = []

    def take_it() -> None:
        tried.append("replace")
        with pytest.raises(LockHeld), held(f"derive-{SITE}"):
            pass

    mark_stale(SITE, START, START + HOUR)
    derive(Watched(store, take_it), START + HOUR)
    assert tried


def test_what_another_holds_is_waited_for_and_then_given_up(
    store: SqliteStore, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale, "WAIT_S", 0.0)
    mark_stale(SITE, START, START + HOUR)
    with held(f"derive-{SITE}"), pytest.raises(LockHeld):
        derive(store, START + HOUR)
    assert derive(store, START + HOUR) > 0


def test_rows_that_arrive_while_their_stretch_is_derived_are_derived_after_it(
    store: SqliteStore, site: Site
) -> None:
    store.write(steady_hours(START, START + HOUR, 3000.0))
    mark_stale(SITE, START, START + HOUR)
    arrived: list[str] = []

    def more_arrives() -> None:
        if not arrived:
            arrived.append("rows")
            store.write(steady_hours(START, START + HOUR, 1500.0))
            mark_stale(SITE, START, START + HOUR)

    derive(Watched(store, more_arrives), START + HOUR)
    assert marked(START + HOUR) == 14
    derive(store, START + HOUR)
    (sums,) = store.sums(SITE, ["electrical_energy_wh"], [START, START + HOUR])["electrical_energy_wh"]
    assert sums.sum == pytest.approx(1500.0)


def test_the_first_turn_takes_up_all_there_is_and_the_next_what_is_new(
    store: SqliteStore, site: Site
) -> None:
    store.write(steady_hours(START, START + HOUR, 3000.0))
    mark_new(store, SITE, START + HOUR)
    assert marked(START + HOUR) == 14
    derive(store, START + HOUR)
    mark_new(store, SITE, START + HOUR)
    assert marked(START + HOUR) == 0

    mark_new(store, SITE, START + 2 * HOUR)
    assert marked(START + 2 * HOUR) == 14
    assert derived_until(SITE) == START + 2 * HOUR


def test_a_clock_that_was_a_year_ahead_and_is_right_again_stops_nothing(
    store: SqliteStore, site: Site
) -> None:
    for end in (START, START + 365 * 24 * HOUR):
        mark_new(store, SITE, end)
        StaleRange.objects.all().delete()
    mark_new(store, SITE, START + HOUR)
    assert marked(START + HOUR) == 3
    mark_new(store, SITE, START + HOUR + 300)
    assert derived_until(SITE) == START + HOUR + 300


def test_late_rows_are_marked_once_their_time_was_taken_up(store: SqliteStore, site: Site) -> None:
    mark_late(SITE, START - 300, START)
    assert marked() == 0
    mark_new(store, SITE, START)
    mark_late(SITE, START, START + 300)
    assert marked() == 0
    mark_late(SITE, START - 300, START)
    assert marked() == 5


def test_rows_are_marked_before_they_are_stored_and_again_after(store: SqliteStore, site: Site) -> None:
    class Derived(Watched):
        """What is marked is worked off before the rows are there."""

        def write(self, rows: Any) -> None:
            assert marked() == 16
            StaleRange.objects.all().delete()
            self._store.write(rows)

    write_marked(Derived(store, lambda: None), SITE, list(steady_hours(START, START + HOUR, 3000.0)))
    assert marked() == 16


def electricity_wh(store: SqliteStore, hours: int) -> float:
    """What a reader counts: the intervals and the lumps."""
    (sums,) = store.sums(SITE, ["electrical_energy_wh"], [START, START + hours * HOUR])[
        "electrical_energy_wh"
    ]
    return (sums.sum or 0.0) + sum(lump.energy_wh for lump in Lump.objects.all())


def an_hour_away(store: SqliteStore) -> None:
    """Three hours at 1.5 kW; of the second only the counters tell."""
    store.write(steady_hours(START, START + HOUR, 1500.0))
    store.write(steady_hours(START + 2 * HOUR, START + 3 * HOUR, 1500.0))
    store.write([counter(START + HOUR, 5000.0), counter(START + 2 * HOUR, 6500.0)])


def test_who_reads_while_a_lump_becomes_rows_never_counts_its_energy_twice(
    store: SqliteStore, site: Site
) -> None:
    an_hour_away(store)
    mark_stale(SITE, START, START + 3 * HOUR)
    derive(store, START + 3 * HOUR)
    assert electricity_wh(store, 3) == 4500.0

    seen = []
    write_marked(store, SITE, minutes(START + HOUR, START + 2 * HOUR, constant(1500.0)))
    derive(Watched(store, lambda: seen.append(electricity_wh(store, 3))), START + 3 * HOUR)
    # Before the intervals are written, and before each of the four results after them.
    assert seen == [3000.0, 4500.0, 4500.0, 4500.0, 4500.0]
    assert electricity_wh(store, 3) == 4500.0
    assert not Lump.objects.exists()


def test_a_derivation_that_ends_in_the_middle_counts_nothing_twice_and_is_made_up_for(
    store: SqliteStore, site: Site
) -> None:
    an_hour_away(store)
    half = START + HOUR + HOUR // 2
    mark_stale(SITE, START, START + 3 * HOUR)
    derive(store, START + 3 * HOUR)

    def end_after_the_intervals() -> None:
        if electricity_wh(store, 3) != 3000.0:
            raise KeyboardInterrupt

    write_marked(store, SITE, minutes(START + HOUR, half, constant(1500.0)))
    with pytest.raises(KeyboardInterrupt):
        derive(Watched(store, end_after_the_intervals), START + 3 * HOUR)
    assert electricity_wh(store, 3) == 3750.0
    derive(store, START + 3 * HOUR)
    assert electricity_wh(store, 3) == 4500.0
    assert [lump.energy_wh for lump in Lump.objects.all()] == [750.0]


def test_a_long_work_is_done_in_pieces_of_a_week(store: SqliteStore, site: Site) -> None:
    mark_stale(SITE, START, START + 15 * 24 * HOUR)
    holders = []

    def note() -> None:
        holders.append(StaleRange.objects.count())

    derive(Watched(store, note), START + 20 * 24 * HOUR)
    assert len(holders) == 3 * 5  # five measurements a piece
    assert marked() == 0
