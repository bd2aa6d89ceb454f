"""Deriving: the same result whatever the order of arrival and however the time is cut."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.devices.models import Site
from apps.metrics import codes
from apps.metrics.derive import RESULTS, derive_intervals
from apps.metrics.models import DerivedState, Lump, MeterEvent, StaleRange
from apps.metrics.parameters import SiteParameters
from apps.metrics.stale import derive_stale, mark_everything_stale, mark_stale, stale_intervals
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

from .data import SITE, at, constant, counter, minute, minutes, polls, snapshot, steady_hours

START = at("2027-01-15T12:00")
HOUR = 3600
PARAMETERS = SiteParameters(flow_rate_m3_h=1.5)


@contextmanager
def scratch() -> Iterator[SqliteStore]:
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "timeseries.sqlite3", synchronous="OFF")
        try:
            yield store
        finally:
            store.close()


def content(store: SqliteStore) -> dict[str, list[tuple[int, dict[str, float | None]]]]:
    """Everything derived, by measurement; lumps and events too."""
    found: dict[str, list[tuple[int, dict[str, float | None]]]] = {
        name: [(row.at, dict(row.values)) for row in store.rows(SITE, name, 0, 4_000_000_000)]
        for name in ("interval", *RESULTS)
    }
    found["lumps"] = [
        (int(lump.start.timestamp()), {"end": lump.end.timestamp(), "energy_wh": lump.energy_wh})
        for lump in Lump.objects.order_by("start")
    ]
    found["events"] = [
        (int(event.at.timestamp()), {event.kind: None}) for event in MeterEvent.objects.order_by("at", "kind")
    ]
    return found


def forget_records() -> None:
    Site.objects.get_or_create(id=SITE)
    for model in (Lump, MeterEvent, StaleRange, DerivedState):
        model.objects.all().delete()


def an_afternoon(seed: int) -> list[Row]:
    """Four hours with everything that makes trouble: runs, powers between the thresholds, missed polls,
    missing minutes and counters, a reset, missing and stale snapshots, a source that falls silent."""
    chance = random.Random(seed)
    rows: list[Row] = []
    power, wh = 20.0, 1000.0
    out_until = silent_until = 0
    newest = float(START)
    for time in range(START, START + 4 * HOUR, 60):
        if chance.random() < 0.06:
            power = chance.choice([20.0, 300.0, 2000.0, 390.0])
        if chance.random() < 0.02:
            out_until = time + chance.randrange(60, 2400, 60)
        if time >= out_until:
            rows += [each for each in polls(time, time + 60, constant(power)) if chance.random() > 0.05]
            rows.append(counter(time, round(wh, 2)))
            if chance.random() > 0.03:
                rows.append(minute(time, round(power / 60, 4)))
        wh += round(power / 60, 4)
        if chance.random() < 0.004:
            wh = 0.5
        if time % 300 == 0 and chance.random() > 0.1:
            if chance.random() < 0.05:
                silent_until = time + chance.randrange(600, 7200, 300)
            if time >= silent_until:
                newest = float(time + 130)
            is_on = power >= 400 if chance.random() > 0.1 else not power >= 400
            rows.append(
                snapshot(
                    time,
                    compressor_active=float(is_on),
                    compressor_phase=chance.choice([2.0, 2.0, 4.0]) if is_on else 0.0,
                    newest_source_at=newest if chance.random() > 0.03 else None,
                    modulation_percent=chance.choice([100.0, 100.0, 60.0]) if is_on else 0.0,
                    secondary_supply_temperature_c=35.0,
                    return_temperature_c=chance.choice([30.0, 36.0, None]),
                    dhw_charging=chance.choice([0.0, 1.0, None]),
                    dhw_charging_at=float(time + chance.randrange(-600, 600)),
                )
            )
    return rows


class ArrivalOrder(TestCase):
    @pytest.mark.slow
    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 10_000), pieces=st.integers(2, 4))
    def test_rows_that_arrive_late_and_shuffled_end_in_the_same_numbers(self, seed: int, pieces: int) -> None:
        rows = an_afternoon(seed)
        forget_records()
        with scratch() as at_once:
            at_once.write(rows)
            mark_everything_stale(at_once, SITE)
            work_off(at_once)
            expected = content(at_once)
        forget_records()
        shuffled = list(rows)
        random.Random(seed + 1).shuffle(shuffled)
        with scratch() as bit_by_bit:
            for number in range(pieces):
                arrived = shuffled[number::pieces]
                bit_by_bit.write(arrived)
                for time in {row.at - row.at % 300 for row in arrived}:
                    mark_stale(SITE, time, time + 1)
                work_off(bit_by_bit, limit=17)
            assert content(bit_by_bit) == expected

    @pytest.mark.slow
    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 10_000))
    def test_rows_derived_as_they_happen_and_some_late_end_in_the_same_numbers(self, seed: int) -> None:
        rows = an_afternoon(seed)
        chance = random.Random(seed)
        late = {row.at for row in rows if row.measurement == "heat_pump" and chance.random() < 0.1}
        forget_records()
        with scratch() as at_once:
            at_once.write(rows)
            mark_everything_stale(at_once, SITE)
            work_off(at_once)
            expected = content(at_once)
        forget_records()
        with scratch() as live:
            for end in range(START + 300, START + 6 * HOUR, 300):
                for delay_s in (0, HOUR):
                    first = end - 300 - delay_s
                    came = [
                        row
                        for row in rows
                        if first <= row.at < first + 300
                        and (HOUR if row.measurement == "heat_pump" and row.at in late else 0) == delay_s
                    ]
                    if came or not delay_s:
                        live.write(came)
                        mark_stale(SITE, first, first + 300)
                derive_stale(live, SITE, lambda: PARAMETERS, datetime.fromtimestamp(end, UTC))
            work_off(live)
            assert content(live) == expected

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(0, 47), max_size=5))
    @example(seed=54, cuts=[46])  # no answer of the heat pump in the stretch that is derived first
    def test_the_stretches_in_which_it_is_derived_do_not_matter(self, seed: int, cuts: Sequence[int]) -> None:
        rows = an_afternoon(seed)
        edges = sorted({START, *(START + 300 * cut for cut in cuts), START + 4 * HOUR})
        forget_records()
        with scratch() as store:
            store.write(rows)
            now = START + 4 * HOUR
            derive_intervals(store, SITE, PARAMETERS, START, now)
            expected = content(store)
            forget_records()
            DerivedState.objects.create(site_id=SITE, made_with="", modulation_kind="modulating")
            for start, end in reversed(list(zip(edges, edges[1:], strict=False))):
                derive_intervals(store, SITE, PARAMETERS, start, end, now)
            work_off(store)  # what was taken for the time before the heat pump's first answer
            if any(row.values.get("modulation_percent") == 60.0 for row in rows):
                assert content(store) == expected

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 10_000))
    def test_parts_of_the_electricity_sum_to_the_whole(self, seed: int) -> None:
        forget_records()
        with scratch() as store:
            store.write(an_afternoon(seed))
            derive_intervals(store, SITE, PARAMETERS, START, START + 4 * HOUR)
            for row in store.rows(SITE, "interval", START, START + 4 * HOUR):
                energy = row.values["electrical_energy_wh"]
                names = ("heating", "dhw", "cooling", "standby", "unclassified")
                parts = [row.values[f"electrical_energy_{name}_wh"] for name in names]
                if energy is None:
                    assert parts == [None] * 5
                else:
                    assert sum(part or 0.0 for part in parts) == pytest.approx(energy, abs=0.00025)


def work_off(store: SqliteStore, limit: int = 10_000) -> None:
    now = datetime.fromtimestamp(START + 6 * HOUR, UTC)
    while derive_stale(store, SITE, lambda: PARAMETERS, now, limit):
        pass


def electric_seconds(store: SqliteStore, start: int, end: int) -> float:
    return store.sums(SITE, ["electric_s"], [start, end])["electric_s"][0].sum or 0.0


def the_row(store: SqliteStore, time: int) -> dict[str, float | None]:
    (row,) = store.rows(SITE, "interval", time, time + 300)
    return dict(row.values)


def test_a_run_that_began_after_the_snapshot_takes_the_modulation_of_its_neighbour(
    store: SqliteStore, site: Site
) -> None:
    def power(time: int) -> float:
        return 2000.0 if time >= START + 200 else 20.0

    span = (START, START + 1200)
    store.write([*polls(*span, power), *minutes(*span, power)])
    off = {"compressor_active": 0.0, "compressor_phase": 0.0, "modulation_percent": 0.0}
    store.write(
        [snapshot(START, **off), snapshot(START + 300, modulation_percent=70.0), snapshot(START + 600)]
    )
    derive_intervals(store, SITE, PARAMETERS, START, START + 300)

    values = the_row(store, START)
    assert values["thermal_energy_modulation_wh"] == pytest.approx(12_000 * 0.7 / 3 / 12)
    assert values["flags"] == codes.FLAG_NEIGHBOUR


def test_a_unit_that_ever_modulates_is_not_taken_as_full(store: SqliteStore, site: Site) -> None:
    def power(time: int) -> float:
        return 2000.0 if START <= time < START + 600 else 20.0

    span = (START - 300, START + 1200)
    off = {"compressor_active": 0.0, "compressor_phase": 0.0, "modulation_percent": 0.0}
    store.write([*polls(*span, power), *minutes(*span, power)])
    store.write([snapshot(time, **off) for time in range(START, START + 900, 300)])
    store.write([snapshot(START - 7200, modulation_percent=100.0)])
    derive_intervals(store, SITE, PARAMETERS, START - 7200, START + 900)
    assert the_row(store, START)["flags"] == codes.FLAG_ASSUMED_FULL

    store.write([snapshot(START + 7200, modulation_percent=55.0)])
    derive_intervals(store, SITE, PARAMETERS, START + 7200, START + 7500)
    work_off(store)
    values = the_row(store, START)
    assert values["thermal_energy_modulation_wh"] is None
    assert codes.REASONS[int(values["reason"] or 0)] == "not_active"


def test_backfilled_rows_replace_a_lump(store: SqliteStore, site: Site) -> None:
    store.write(steady_hours(START, START + HOUR, 2000.0))
    store.write(steady_hours(START + 2 * HOUR, START + 3 * HOUR, 2000.0))
    store.write([counter(START + HOUR, 5000.0), counter(START + 2 * HOUR, 7000.0)])
    derive_intervals(store, SITE, PARAMETERS, START, START + 3 * HOUR)
    assert [lump.energy_wh for lump in Lump.objects.all()] == [2000.0]
    assert the_row(store, START + HOUR)["state"] == codes.STATE_ELEC
    assert the_row(store, START + HOUR)["electrical_energy_wh"] is None

    half = START + HOUR + HOUR // 2
    store.write(minutes(START + HOUR, half, constant(2000.0)))
    derive_intervals(store, SITE, PARAMETERS, START + HOUR, half)
    (lump,) = Lump.objects.all()
    assert lump.start.timestamp() == half
    assert lump.energy_wh == pytest.approx(1000.0, abs=0.01)

    store.write(minutes(half, START + 2 * HOUR, constant(2000.0)))
    derive_intervals(store, SITE, PARAMETERS, half, START + 2 * HOUR)
    assert not Lump.objects.exists()
    assert the_row(store, START + HOUR)["electrical_energy_wh"] == pytest.approx(2000 / 12, abs=0.001)
    # Nobody asked the heat pump then, but the minute means show that it ran.
    assert the_row(store, START + HOUR)["compressor_run_s"] == 300.0
    assert codes.REASONS[int(the_row(store, START + HOUR)["reason"] or 0)] == "no_snapshot"


def test_an_outage_that_ends_turns_unknown_intervals_into_a_lump(store: SqliteStore, site: Site) -> None:
    store.write(steady_hours(START, START + HOUR, 2000.0))
    store.write([counter(START + HOUR, 5000.0)])
    for time in range(START, START + 2 * HOUR, 300):
        derive_intervals(store, SITE, PARAMETERS, time, time + 300)
    assert not Lump.objects.exists()
    assert electric_seconds(store, START + HOUR, START + 2 * HOUR) == 0.0

    store.write(steady_hours(START + 2 * HOUR, START + 2 * HOUR + 300, 2000.0))
    store.write([counter(START + 2 * HOUR, 6900.0)])
    derive_intervals(store, SITE, PARAMETERS, START + 2 * HOUR, START + 2 * HOUR + 300)
    derive_intervals(store, SITE, PARAMETERS, START + 2 * HOUR - 300, START + 2 * HOUR)
    (lump,) = Lump.objects.all()
    assert (lump.start.timestamp(), lump.end.timestamp()) == (START + HOUR, START + 2 * HOUR)
    assert lump.energy_wh == 1900.0
    assert the_row(store, START + HOUR)["electric_s"] == 300.0


def test_a_counter_that_comes_last_tells_of_the_gap_behind_rows_that_came_before_it(
    store: SqliteStore, site: Site
) -> None:
    """The meter was away for three hours, and lost its memory of the first of them."""
    store.write([*steady_hours(START, START + HOUR, 1500.0), counter(START + HOUR, 5000.0)])
    derive_intervals(store, SITE, PARAMETERS, START, START + HOUR)
    store.write(steady_hours(START + 2 * HOUR, START + 4 * HOUR, 1500.0))
    derive_intervals(store, SITE, PARAMETERS, START + HOUR, START + 4 * HOUR)
    assert electric_seconds(store, START, START + 4 * HOUR) == 3 * HOUR

    store.write([counter(START + 4 * HOUR, 9500.0)])
    mark_stale(SITE, START + 4 * HOUR, START + 4 * HOUR + 1)
    work_off(store)
    (lump,) = Lump.objects.all()
    assert (lump.start.timestamp(), lump.end.timestamp()) == (START + HOUR, START + 2 * HOUR)
    assert lump.energy_wh == 1500.0
    assert electric_seconds(store, START, START + 4 * HOUR) == 4 * HOUR


def test_a_row_before_a_gap_that_is_corrected_late_changes_the_lump_behind_it(
    store: SqliteStore, site: Site
) -> None:
    store.write([*steady_hours(START, START + HOUR, 1500.0), counter(START, 5000.0)])
    store.write(
        [*steady_hours(START + 2 * HOUR, START + 3 * HOUR, 1500.0), counter(START + 3 * HOUR, 9500.0)]
    )
    derive_intervals(store, SITE, PARAMETERS, START, START + 3 * HOUR)
    assert [lump.energy_wh for lump in Lump.objects.all()] == [1500.0]

    store.write([minute(START + 600, 125.0)])
    derive_intervals(store, SITE, PARAMETERS, START + 600, START + 900)
    assert [lump.energy_wh for lump in Lump.objects.all()] == [1400.0]


def test_no_difference_reaches_from_one_meter_or_profile_into_another(store: SqliteStore, site: Site) -> None:
    store.write(steady_hours(START, START + HOUR, 2000.0))
    store.write([counter(START + HOUR, 5000.0), counter(START + 2 * HOUR, 90_000.0, device="0011223344FF")])
    store.write(
        minute(time, 30.0, device="0011223344FF") for time in range(START + 2 * HOUR, START + 3 * HOUR, 60)
    )
    store.write([counter(START + 3 * HOUR, 300.0, device="0011223344FF", monophase=True)])
    derive_intervals(store, SITE, PARAMETERS, START, START + 4 * HOUR)

    assert not Lump.objects.exists()
    assert electric_seconds(store, START + HOUR, START + 2 * HOUR) == 0.0
    assert the_row(store, START + 2 * HOUR)["electrical_energy_wh"] == 150.0
    assert [event.kind for event in MeterEvent.objects.order_by("at")] == [
        "meter_replaced",
        "profile_changed",
    ]


def test_a_missing_minute_row_is_replaced_by_its_counters(store: SqliteStore, site: Site) -> None:
    rows = [
        row
        for row in steady_hours(START, START + 300, 3000.0)
        if row.at != START + 120 or row.measurement != "meter_minute"
    ]
    store.write(rows)
    store.write([counter(START + 60 * n, 1000.0 + 50.0 * n) for n in range(6)])
    derive_intervals(store, SITE, PARAMETERS, START, START + 300)

    values = the_row(store, START)
    assert values["electrical_energy_wh"] == pytest.approx(250.0)
    assert values["state"] == codes.STATE_FULL
    assert values["flags"] == codes.FLAG_COUNTER


def test_rows_that_go_take_their_results_with_them(store: SqliteStore, site: Site) -> None:
    store.write(steady_hours(START, START + 600, 3000.0))
    derive_intervals(store, SITE, PARAMETERS, START, START + 600)
    for name in ("meter", "meter_minute", "heat_pump"):
        store.delete(SITE, name, START + 300, START + 600)
    derive_intervals(store, SITE, PARAMETERS, START + 300, START + 600)
    for name in ("interval", *RESULTS):
        assert [
            row.at for row in store.rows(SITE, name, START, START + 600) if row.at >= START + 300
        ] == [] or (name == "interval")
    sums = store.sums(SITE, ["electrical_energy_wh", "cop"], [START, START + 300, START + 600])
    assert [each.sum for each in sums["electrical_energy_wh"]] == [250.0, None]
    assert sums["cop"][1].sum is None


def test_a_change_of_parameters_derives_everything_again(store: SqliteStore, site: Site) -> None:
    store.write(
        steady_hours(
            START, START + HOUR, 3000.0, secondary_supply_temperature_c=35.0, return_temperature_c=30.0
        )
    )
    now = datetime.fromtimestamp(START + HOUR, UTC)
    mark_everything_stale(store, SITE)
    assert derive_stale(store, SITE, SiteParameters, now) >= 12
    assert store.extent(SITE, "thermal_power_delta_t") is None

    derive_stale(store, SITE, lambda: PARAMETERS, now)
    (row,) = store.rows(SITE, "thermal_power_delta_t", START, START + 300)
    assert row.values["value"] == pytest.approx(8.7)


def idle_then_run(time: int) -> float:
    """Half an hour of running, then between the thresholds into an interval in which it runs up again."""
    return 300.0 if START <= time < START + 32 * 60 else 2400.0


def heat_wh(store: SqliteStore, start: int, end: int) -> float | None:
    return store.sums(SITE, ["thermal_energy_modulation_wh"], [start, end])["thermal_energy_modulation_wh"][
        0
    ].sum


def test_power_between_the_thresholds_ends_as_what_comes_late_before_it_began(
    store: SqliteStore, site: Site
) -> None:
    """What begins between the thresholds and is decided later in its interval depends on what came before."""
    end = START + HOUR
    store.write(minutes(START, end, idle_then_run))
    store.write(snapshot(time, modulation_percent=50.0) for time in range(START, end, 300))
    mark_stale(SITE, START, end)
    work_off(store)
    # Six intervals without heat, and the three minutes of the seventh from when it is decided.
    assert the_row(store, START + 1800)["compressor_known_s"] == 180.0
    assert heat_wh(store, START, end) == 2500.0

    store.write(minutes(START - 1800, START, idle_then_run))
    mark_stale(SITE, START - 1800, START)
    work_off(store)
    assert the_row(store, START + 1800)["compressor_known_s"] == 300.0
    assert heat_wh(store, START, end) == 6000.0


def test_power_between_the_thresholds_derives_no_interval_before_it_is_over(
    store: SqliteStore, site: Site
) -> None:
    store.write(polls(START, START + 960, constant(300.0)))
    mark_stale(SITE, START, START + 900)
    derive_stale(store, SITE, lambda: PARAMETERS, datetime.fromtimestamp(START + 960, UTC))
    assert [row.at for row in store.rows(SITE, "interval", START, START + HOUR)] == []
    store.write(polls(START - 300, START, constant(2400.0)))
    mark_stale(SITE, START - 300, START)
    derive_stale(store, SITE, lambda: PARAMETERS, datetime.fromtimestamp(START + 960, UTC))
    assert [row.at for row in store.rows(SITE, "interval", START, START + HOUR)] == [
        START,
        START + 300,
        START + 600,
    ]


def test_the_last_poll_before_an_empty_interval_takes_its_state_along(store: SqliteStore, site: Site) -> None:
    store.write(polls(START, START + 1200, constant(300.0)))
    store.write(snapshot(time) for time in range(START, START + 1800, 300))
    mark_stale(SITE, START, START + 1800)
    work_off(store)
    assert the_row(store, START + 1200)["compressor_known_s"] is None

    store.write(polls(START - 300, START, constant(2400.0)))
    mark_stale(SITE, START - 300, START)
    work_off(store)
    assert the_row(store, START + 1200)["compressor_known_s"] == 20.0
    assert the_row(store, START + 1200)["compressor_run_s"] == 20.0


def test_what_lies_ahead_stays_marked(store: SqliteStore, site: Site) -> None:
    store.write(steady_hours(START, START + HOUR, 3000.0))
    mark_stale(SITE, START, START + HOUR)
    half = datetime.fromtimestamp(START + HOUR // 2 + 17, UTC)
    assert stale_intervals(SITE, half) == 8
    derive_stale(store, SITE, lambda: PARAMETERS, half)
    assert store.extent(SITE, "interval") == (START, START + HOUR // 2 - 300)
    assert stale_intervals(SITE, half) == 0
    work_off(store)
    assert electric_seconds(store, START, START + 2 * HOUR) == HOUR
