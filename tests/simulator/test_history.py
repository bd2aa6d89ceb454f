"""The demo's past: continuous across chunks, and what live pollers would have stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from apps.simulator.cloud_view import CloudView
from apps.simulator.history import Blemishes, DayChunk, History, cloud_columns, generate, some_blemishes
from apps.simulator.house import House
from apps.simulator.minutes import WIDTH
from apps.simulator.settings import SLOPE, SettingChange
from apps.simulator.shelly_server import FakeShelly
from apps.simulator.spec import HouseSpec

DAY_S = 86_400
END = int(datetime(2026, 2, 20, 9, 17, tzinfo=UTC).timestamp())
START = END - 9 * DAY_S
SPEC = HouseSpec(seed=6, script=(SettingChange(END - 4 * DAY_S, SLOPE, 0.5),))


@pytest.fixture(scope="module")
def past() -> History:
    return History(SPEC, START, END, newest_days=2, chunk_days=4)


@pytest.fixture(scope="module")
def chunks(past: History) -> list[DayChunk]:
    return list(past.chunks())


def test_chunks_come_newest_first_and_leave_no_time_out(chunks: list[DayChunk]) -> None:
    assert chunks[0].end == END
    assert chunks[-1].start == START
    assert [newer.start for newer in chunks[:-1]] == [older.end for older in chunks[1:]]
    assert sum(len(chunk.t) for chunk in chunks) == 9 * 8640
    assert sum(len(chunk.minute_t) for chunk in chunks) == 9 * 1440
    assert sum(len(chunk.cloud_t) for chunk in chunks) == 9 * 288


def test_counters_go_on_across_the_edges_of_chunks(chunks: list[DayChunk]) -> None:
    for newer, older in zip(chunks[:-1], chunks[1:], strict=True):
        minute = newer.minute_energy_wh[:, 0].sum()
        first_step = newer.counter_by_phase_wh[:, 0].sum() - older.counter_by_phase_wh[:, -1].sum()
        assert first_step == pytest.approx(minute, abs=0.05)
        last_minute = older.minute_energy_wh[:, -1].sum()
        assert newer.counter_wh[0] - older.counter_wh[-1] == pytest.approx(last_minute, abs=0.05)
        starts = newer.cloud["compressor_starts_count"][0] - older.cloud["compressor_starts_count"][-1]
        assert 0 <= starts <= 1


def test_the_counter_is_a_staircase_of_minutes_equal_to_their_energies(chunks: list[DayChunk]) -> None:
    chunk = chunks[0]
    steps = np.flatnonzero(np.diff(chunk.counter_wh))
    assert set(chunk.t[steps + 1] % 60) == {10}
    grown = chunk.counter_wh[-1] - chunk.counter_wh[0]
    assert grown == pytest.approx(chunk.minute_energy_wh[:, :-1].sum() - 0.0, rel=2e-3)


def test_powers_fit_the_energies_of_their_minutes(chunks: list[DayChunk]) -> None:
    chunk = chunks[0]
    # the poll at second 10 shows the step that began with the minute
    shifted = chunk.power_w[:, 1 : 1 + 6 * 1000].reshape(3, 1000, 6).sum(axis=2) / 360.0
    assert np.abs(shifted - chunk.minute_energy_wh[:, :1000]).max() < 0.01


def test_the_live_house_goes_on_from_the_last_counter(past: History, chunks: list[DayChunk]) -> None:
    house = past.live_house
    assert house.t == END
    shelly = FakeShelly(house)
    shown = sum(shelly.meter.counters(END + 1)[:3]) / 10_000
    assert shown == pytest.approx(chunks[0].counter_by_phase_wh[:, -1].sum(), abs=0.03)
    assert shown == pytest.approx(sum(SPEC.counters_wh), abs=0.01)
    assert shelly.meter.blocks(END + 1)[0][0] == chunks[0].start


def test_weather_and_rooms_fit_together_at_the_edges(chunks: list[DayChunk]) -> None:
    for newer, older in zip(chunks[:-1], chunks[1:], strict=True):
        outside = newer.cloud["outside_temperature_c"][0] - older.cloud["outside_temperature_c"][-1]
        assert abs(outside) < 0.6
        tank = newer.cloud["dhw_storage_temperature_c"][0] - older.cloud["dhw_storage_temperature_c"][-1]
        assert abs(tank) < 8.0


def test_settings_tell_what_was_in_force(chunks: list[DayChunk]) -> None:
    seen = [(at, values[SLOPE]) for chunk in reversed(chunks) for at, values in chunk.settings]
    assert [slope for _, slope in seen] == [0.6, 0.6, 0.5, 0.5]
    changes = [at for at, slope in seen if slope == 0.5]
    assert END - 4 * DAY_S < changes[0] <= END - 4 * DAY_S + 80


def test_cloud_columns_are_what_the_live_cloud_would_have_answered() -> None:
    start = END - END % 600
    house = House(replace(SPEC, script=()), start)
    view = CloudView(house)
    polls = np.arange(start + 1350, start + 20 * 3600, 300, dtype=np.int64)
    told = []
    for at in polls:
        house.advance_to(int(at))
        told.append(view.refresh(float(at)))
    values = np.frombuffer(house.log.values, dtype=np.float32).reshape(-1, WIDTH)
    columns = cloud_columns(house, values, polls)
    answers: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
        ("outside_temperature_c", "heating.sensors.temperature.outside", lambda p: p["value"]["value"]),
        ("return_temperature_c", "heating.sensors.temperature.return", lambda p: p["value"]["value"]),
        ("modulation_percent", "heating.compressors.0.sensors.power", lambda p: p["value"]["value"]),
        ("compressor_phase", "heating.compressors.0", lambda p: p["phase"]["value"]),
        ("compressor_active", "heating.compressors.0", lambda p: p["active"]["value"]),
        ("dhw_charging", "heating.dhw.charging", lambda p: p["active"]["value"]),
        ("pump_active", "heating.circuits.1.circulation.pump", lambda p: p["status"]["value"] == "on"),
    )
    for series, feature, read in answers:
        assert columns[series].tolist() == [read(features[feature][0]) for features in told], series


def test_gaps_leave_out_polls_and_keep_or_lose_the_meters_rows() -> None:
    gap, lost = (END - 30_000, END - 26_400), (END - 20_040, END - 16_440)
    blemishes = Blemishes(
        meter_gaps=(gap, lost), lost_minutes=(lost,), cloud_gaps=((END - 9_000, END - 5_400),), stale=()
    )
    chunk = next(generate(SPEC, END - DAY_S, END, blemishes))
    for start, end in (gap, lost):
        assert not ((chunk.t >= start) & (chunk.t < end)).any()
    assert ((chunk.minute_t >= gap[0]) & (chunk.minute_t < gap[1])).sum() == 60
    assert ((chunk.minute_t >= lost[0]) & (chunk.minute_t < lost[1])).sum() == 0
    assert not ((chunk.cloud_t >= END - 9_000) & (chunk.cloud_t < END - 5_400)).any()
    before, after = chunk.t < lost[0], chunk.t >= lost[1]
    assert chunk.counter_wh[after][0] > chunk.counter_wh[before][-1]


def test_a_stale_cloud_repeats_its_last_values() -> None:
    stale = (END - 8 * 3600, END - 2 * 3600)
    chunk = next(generate(SPEC, END - DAY_S, END, Blemishes(stale=(stale,))))
    inside = (chunk.cloud_t >= stale[0]) & (chunk.cloud_t < stale[1])
    assert len(set(chunk.cloud["outside_temperature_c"][inside].tolist())) == 1
    assert len(set(chunk.cloud["newest_source_at"][inside].tolist())) == 1
    assert len(set(chunk.cloud["requested_at"][inside].tolist())) == inside.sum() == 72


def test_after_a_reset_the_counter_holds_only_the_energy_since() -> None:
    reset = END - 7_200
    history = History(SPEC, END - 2 * DAY_S, END, blemishes=Blemishes(counter_reset=reset))
    chunk = next(history.chunks())
    since = chunk.minute_energy_wh[:, chunk.minute_t >= reset].sum()
    assert chunk.counter_by_phase_wh[:, -1].sum() == pytest.approx(since, abs=0.05)
    old = chunk.counter_wh[chunk.t <= reset][-1]
    assert old == pytest.approx(sum(SPEC.counters_wh), rel=1e-4)
    assert sum(history.live_house.counters[:3]) / 10_000 == pytest.approx(since, abs=0.05)


def test_a_reset_outside_the_newest_chunk_is_refused() -> None:
    with pytest.raises(ValueError, match="newest"):
        History(SPEC, START, END, blemishes=Blemishes(counter_reset=START + 1))


def test_blemishes_come_from_the_seed() -> None:
    assert some_blemishes(1, START, END) == some_blemishes(1, START, END)
    assert some_blemishes(1, START, END) != some_blemishes(2, START, END)
