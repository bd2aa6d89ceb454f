"""Which value of a reading goes into which field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.devices.readings import CircuitReading, HeatPumpReading, MinuteRecord, PhaseReading, PowerReading
from apps.metrics.recording import heat_pump_rows, meter_rows, minute_rows, newest_of

PHASES = (
    PhaseReading(power_w=100.0, voltage_v=230.0, current_a=0.5, energy_counter_wh=1000.0),
    PhaseReading(power_w=200.0, voltage_v=231.0, current_a=0.9, energy_counter_wh=2000.0),
    PhaseReading(power_w=300.0, voltage_v=232.0, current_a=1.3, energy_counter_wh=3000.0),
)


def reading(
    at: datetime,
    phases: tuple[PhaseReading, PhaseReading, PhaseReading] = PHASES,
    clock_offset_s: float | None = None,
) -> PowerReading:
    return PowerReading(
        measured_at=at,
        device="METER",
        profile="triphase",
        phases=phases,
        power_w=600.0,
        energy_counter_wh=6000.01,
        clock_offset_s=clock_offset_s,
    )


def test_a_poll_lies_on_the_ten_second_grid_and_sums_the_heat_pumps_channels() -> None:
    (row,) = meter_rows(1, reading(datetime(2027, 1, 15, 12, 0, 17, tzinfo=UTC)), ("a", "b"))
    assert row.at == datetime(2027, 1, 15, 12, 0, 10, tzinfo=UTC).timestamp()
    assert row.values["power_w"] == 300.0
    assert row.values["power_c_w"] == 300.0
    assert row.values["energy_counter_wh"] == 3000.0


def test_with_all_channels_the_meters_own_total_counts() -> None:
    (row,) = meter_rows(1, reading(datetime(2027, 1, 15, 12, 0, 17, tzinfo=UTC)), ("a", "b", "c"))
    assert row.values["energy_counter_wh"] == 6000.01


@pytest.mark.parametrize(
    ("second", "minute"), [(0, None), (1, None), (2, 0), (11, 0), (12, None), (33, 0), (45, None)]
)
def test_counters_are_kept_at_the_minute_edge_that_they_show(second: int, minute: int | None) -> None:
    rows = meter_rows(1, reading(datetime(2027, 1, 15, 12, 7, second, tzinfo=UTC)), ("a", "b", "c"))
    edges = [row.at for row in rows if row.measurement == "meter_counter"]
    expected = datetime(2027, 1, 15, 12, 7, tzinfo=UTC).timestamp()
    assert edges == ([] if minute is None else [expected])


def test_the_edge_follows_the_meters_clock() -> None:
    at = datetime(2027, 1, 15, 12, 6, 59, tzinfo=UTC)
    rows = meter_rows(1, reading(at, clock_offset_s=4.0), ("a", "b", "c"))
    assert [row.at for row in rows if row.measurement == "meter_counter"] == [
        datetime(2027, 1, 15, 12, 7, tzinfo=UTC).timestamp()
    ]


def test_a_channel_that_fails_leaves_the_sum_unknown_and_one_that_is_absent_does_not() -> None:
    failed = (PHASES[0], PhaseReading(voltage_v=230.0), PHASES[2])
    absent = (PHASES[0], PHASES[1], PhaseReading())
    at = datetime(2027, 1, 15, 12, 0, 17, tzinfo=UTC)
    assert meter_rows(1, reading(at, failed), ("a", "b", "c"))[0].values["power_w"] is None
    assert meter_rows(1, reading(at, absent), ("a", "b", "c"))[0].values["power_w"] == 300.0


def test_a_phase_to_which_nothing_is_connected_has_no_power_and_takes_none_from_the_sum() -> None:
    dead = PhaseReading(power_w=0.0, voltage_v=0.0, current_a=0.027, energy_counter_wh=0.0)
    at = datetime(2027, 1, 15, 12, 0, 17, tzinfo=UTC)
    values = meter_rows(1, reading(at, (PHASES[0], dead, PHASES[2])), ("a", "b", "c"))[0].values
    assert (values["power_b_w"], values["voltage_b_v"], values["current_b_a"]) == (None, 0.0, None)
    assert values["power_w"] == 400.0


def test_a_minute_row_names_only_the_channels_it_knows() -> None:
    record = MinuteRecord(
        at=datetime(2027, 1, 15, 12, 0, tzinfo=UTC), device="METER", period_s=60, energy_wh=(None, 5.0, None)
    )
    (row,) = minute_rows(1, [record], ("a", "b", "c"))
    assert dict(row.values) == {"energy_wh": 5.0, "energy_b_wh": 5.0, "provisional": 0.0}


def test_a_row_of_five_minutes_is_spread_to_the_last_digit() -> None:
    record = MinuteRecord(
        at=datetime(2027, 1, 15, 12, 0, tzinfo=UTC),
        device="METER",
        period_s=300,
        energy_wh=(1.0003, None, None),
    )
    rows = minute_rows(1, [record], ("a",), provisional=True)
    assert [row.at % 300 for row in rows] == [0, 60, 120, 180, 240]
    assert sum(row.values["energy_wh"] or 0.0 for row in rows) == pytest.approx(1.0003, abs=1e-9)
    assert {row.values["provisional"] for row in rows} == {1.0}


def test_a_period_that_is_no_whole_minute_is_refused() -> None:
    record = MinuteRecord(
        at=datetime(2027, 1, 15, 12, 0, tzinfo=UTC), device="METER", period_s=90, energy_wh=(1.0, None, None)
    )
    with pytest.raises(ValueError, match="90 s"):
        minute_rows(1, [record], ("a",))


def test_a_snapshot_belongs_to_the_interval_of_its_request_and_codes_its_texts() -> None:
    snapshot = HeatPumpReading(
        measured_at=datetime(2027, 1, 15, 12, 7, 30, tzinfo=UTC),
        device="PUMP",
        compressor_phase="heating",
        compressor_active=True,
        circuits=(
            CircuitReading(id="0", operating_mode="a mode of tomorrow"),
            CircuitReading(
                id="1", supply_temperature_c=36.1, pump_active=False, operating_mode="dhwAndHeating"
            ),
        ),
    )
    unit, first, second = heat_pump_rows(1, snapshot)
    assert unit.at == datetime(2027, 1, 15, 12, 5, tzinfo=UTC).timestamp()
    assert unit.values["compressor_phase"] == 2.0
    assert unit.values["compressor_active"] == 1.0
    assert unit.values["supply_temperature_c"] == 36.1
    assert unit.values["modulation_percent"] is None
    assert (first.circuit, first.values["operating_mode"]) == ("0", -1.0)
    assert (second.circuit, second.values["operating_mode"], second.values["pump_active"]) == ("1", 2.0, 0.0)


def test_of_two_snapshots_in_one_interval_the_later_stays_whatever_comes_first() -> None:
    early = HeatPumpReading(measured_at=datetime(2027, 1, 15, 12, 5, 10, tzinfo=UTC), device="PUMP")
    late = HeatPumpReading(measured_at=datetime(2027, 1, 15, 12, 9, 10, tzinfo=UTC), device="PUMP")
    interval = int(datetime(2027, 1, 15, 12, 5, tzinfo=UTC).timestamp())
    assert newest_of(heat_pump_rows(1, early), {interval: late.measured_at.timestamp()}) == []
    assert newest_of(heat_pump_rows(1, late), {interval: early.measured_at.timestamp()}) == heat_pump_rows(
        1, late
    )


def test_the_circuits_of_an_older_snapshot_go_with_it() -> None:
    early = HeatPumpReading(
        measured_at=datetime(2027, 1, 15, 12, 5, 10, tzinfo=UTC),
        device="PUMP",
        circuits=(CircuitReading(id="0", supply_temperature_c=36.1),),
    )
    interval = int(datetime(2027, 1, 15, 12, 5, tzinfo=UTC).timestamp())
    rows = heat_pump_rows(1, early)
    assert [row.circuit for row in rows] == ["", "0"]
    assert newest_of(rows, {interval: early.measured_at.timestamp() + 1.0}) == []
