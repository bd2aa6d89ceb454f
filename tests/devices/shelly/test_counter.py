"""Minutes from the steps of the counters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.devices.readings import MinuteRecord, PhaseReading, PowerReading
from apps.devices.shelly.counter import MinuteFromCounter

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def reading(
    seconds: float,
    *counters_wh: float | None,
    returned_wh: float | None = None,
    voltage_v: float | None = 230.0,
    offset_s: float | None = None,
    device: str = "0A1B2C3D4E5F",
    profile: str = "triphase",
) -> PowerReading:
    counters = [*counters_wh, None, None, None]
    a, b, c = (
        PhaseReading(
            energy_counter_wh=counter,
            energy_returned_counter_wh=returned_wh,
            voltage_v=voltage_v if index else 230.0,
        )
        for index, counter in enumerate(counters[:3])
    )
    return PowerReading(
        measured_at=NOON + timedelta(seconds=seconds),
        device=device,
        profile=profile,
        phases=(a, b, c),
        clock_offset_s=offset_s,
    )


def minutes(*readings: PowerReading) -> list[MinuteRecord | None]:
    counter = MinuteFromCounter()
    return [counter.feed(one) for one in readings]


def steps(*readings: PowerReading) -> list[tuple[float | None, ...] | None]:
    return [None if minute is None else minute.energy_wh for minute in minutes(*readings)]


def test_the_minute_that_ended_is_given_once_at_the_first_trusted_reading() -> None:
    given_minutes = minutes(
        reading(10, 100.0, 50.0, 7.0, returned_wh=1.0),
        reading(50, 100.0, 50.0, 7.0, returned_wh=1.0),
        reading(60.5, 111.5, 60.25, 7.0, returned_wh=1.5),
        reading(70.5, 111.5, 60.25, 7.0, returned_wh=1.5),
        reading(80.5, 111.5, 60.25, 7.0, returned_wh=1.5),
    )
    assert given_minutes[:3] + given_minutes[4:] == [None] * 4
    assert given_minutes[3] == MinuteRecord(
        at=NOON,
        device="0A1B2C3D4E5F",
        period_s=60,
        energy_wh=(11.5, 10.25, 0.0),
        energy_returned_wh=(0.5, 0.5, 0.5),
        total_energy_wh=21.75,
    )


@pytest.mark.parametrize("seconds", [60.0, 61.0, 61.9])
def test_a_reading_at_the_edge_is_not_trusted_whichever_side_it_shows(seconds: float) -> None:
    assert steps(reading(10, 100.0), reading(seconds, 100.0), reading(62, 101.0)) == [
        None,
        None,
        (1.0, None, None),
    ]


def test_each_minute_of_a_day_of_polls_is_given_and_their_sum_is_the_counter() -> None:
    counter = MinuteFromCounter()
    rows = [counter.feed(reading(second, 1000.0 + 11.37 * (second // 60))) for second in range(0, 86_400, 10)]
    found = [row for row in rows if row is not None]
    assert [row.at for row in found] == [NOON + timedelta(minutes=minute) for minute in range(1439)]
    assert round(sum(row.total_energy_wh or 0 for row in found), 2) == 16361.43


def test_a_missed_minute_gives_nothing_and_the_next_is_good_again() -> None:
    assert steps(reading(10, 100.0), reading(130, 120.0), reading(190, 127.0)) == [
        None,
        None,
        (7.0, None, None),
    ]


def test_a_counter_that_falls_by_less_than_a_watt_hour_adds_nothing_and_is_not_counted_twice() -> None:
    assert steps(reading(10, 100.0), reading(70, 99.6), reading(130, 100.4)) == [
        None,
        (0.0, None, None),
        (0.4, None, None),
    ]


def test_a_reset_gives_no_minute() -> None:
    assert steps(reading(10, 5010.0, 80.0), reading(70, 4.0, 81.0), reading(130, 14.0, 82.0)) == [
        None,
        None,
        (10.0, 1.0, None),
    ]


@pytest.mark.parametrize("change", [{"device": "FFFFFFFFFFFF"}, {"profile": "monophase"}])
def test_another_device_or_profile_begins_anew(change: dict[str, str]) -> None:
    other = reading(70, 101.0, **change)  # type: ignore[arg-type]
    assert steps(reading(10, 100.0), other, reading(130, 103.0, **change)) == [  # type: ignore[arg-type]
        None,
        None,
        (2.0, None, None),
    ]


def test_a_reading_without_a_counter_is_passed_over() -> None:
    assert steps(reading(10, 100.0, 50.0), reading(70, 101.0, None), reading(80, 101.0, 52.0)) == [
        None,
        None,
        (1.0, 2.0, None),
    ]
    assert steps(reading(10, 100.0), reading(70), reading(80, 101.0)) == [None, None, (1.0, None, None)]


def test_a_channel_that_appears_gives_no_minute_with_a_part_missing() -> None:
    assert steps(reading(10, 100.0), reading(70, 101.0, 50.0), reading(130, 103.0, 54.0)) == [
        None,
        None,
        (2.0, 4.0, None),
    ]


def test_a_phase_without_voltage_and_energy_is_unconnected() -> None:
    first, second = (reading(at, counter, 0.01, voltage_v=0.0) for at, counter in ((10, 5.0), (70, 6.0)))
    assert steps(first, second) == [None, (1.0, None, None)]


def test_the_minute_is_that_of_the_meters_clock() -> None:
    # The meter is 20 s ahead: at our 12:00:45 its 12:01 has come.
    first, second = reading(25, 100.0, offset_s=20.0), reading(45, 103.0, offset_s=20.0)
    minute = minutes(first, second)[1]
    assert minute is not None
    assert (minute.at, minute.total_energy_wh) == (NOON, 3.0)


def test_a_meter_whose_clock_is_far_off_is_read_by_ours() -> None:
    readings = [reading(10, 100.0, offset_s=3600.0), reading(70, 103.0, offset_s=3600.0)]
    minute = minutes(*readings)[1]
    assert minute is not None
    assert minute.at == NOON


def test_a_clock_that_steps_back_gives_nothing() -> None:
    assert steps(reading(130, 100.0), reading(10, 100.0), reading(70, 102.0)) == [
        None,
        None,
        (2.0, None, None),
    ]


@settings(deadline=None)
@given(
    polls=st.lists(st.tuples(st.integers(2, 90), st.integers(0, 500)), max_size=60),
    start=st.integers(0, 59),
)
def test_minutes_never_add_up_to_more_than_the_counter_moved(
    polls: list[tuple[int, int]], start: int
) -> None:
    counter, second, first_wh = MinuteFromCounter(), float(start), 1000.0
    total_wh = first_wh
    edge = start // 60
    found = []
    for gap, step in polls:
        second += gap
        if int(second) // 60 > edge:
            edge = int(second) // 60
            total_wh = round(total_wh + step / 100, 2)
        found.append(counter.feed(reading(second, total_wh)))
    rows = [row for row in found if row is not None]
    assert len({row.at for row in rows}) == len(rows)
    assert sum(row.total_energy_wh or 0 for row in rows) <= total_wh - first_wh + 1e-6


@pytest.mark.parametrize("offset_s", [61.0, 3600.0, -3600.0, -86_400.0])
def test_a_clock_more_than_a_minute_off_dates_no_minute(offset_s: float) -> None:
    readings = [reading(10, 100.0, offset_s=offset_s), reading(70, 103.0, offset_s=offset_s)]
    (minute,) = [one for one in minutes(*readings) if one is not None]
    assert minute.at == reading(0, 0.0).measured_at


def test_of_a_wrong_clock_the_second_of_its_minutes_still_counts() -> None:
    # The meter's minute ends at our second 30: the step seen at our second 45 is of the minute before it.
    readings = [reading(15, 100.0, offset_s=3630.0), reading(45, 103.0, offset_s=3630.0)]
    assert [one and one[0] for one in steps(*readings)] == [None, 3.0]
