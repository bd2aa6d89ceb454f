"""The simulated home: deterministic, in balance, and like a real one."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from statistics import mean

import pytest

from apps.simulator.house import DHW, House
from apps.simulator.minutes import METER
from apps.simulator.settings import DHW_TARGET, SLOPE, SettingChange
from apps.simulator.spec import HouseSpec, house_spec

DAY_S = 86_400


def epoch(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def home(start: int, days: int, scenario: str = "bias", seed: int = 1) -> House:
    house = House(house_spec(seed, start, start + 400 * DAY_S, scenario, change_every_days=1000), start)
    house.advance_to(start + days * DAY_S)
    return house


@pytest.fixture(scope="module")
def winter() -> House:
    return home(epoch(2026, 1, 5), 10)


def test_the_same_seed_gives_the_same_house_to_the_last_bit() -> None:
    first, second = home(epoch(2026, 2, 1), 2), home(epoch(2026, 2, 1), 2)
    assert first.log.meter == second.log.meter
    assert first.log.values == second.log.values


def test_another_seed_gives_another_house() -> None:
    assert home(epoch(2026, 2, 1), 1).log.meter != home(epoch(2026, 2, 1), 1, seed=2).log.meter


def test_small_steps_and_large_ones_end_in_the_same_state() -> None:
    start = epoch(2026, 2, 1)
    large = home(start, 1)
    small = House(large.spec, start)
    for at in range(start, start + DAY_S + 1, 10):
        small.advance_to(at)
    assert small.log.meter == large.log.meter
    assert small.log.values == large.log.values
    assert small.phase_powers_w() == large.phase_powers_w()


def test_a_pickled_house_goes_on_as_the_original() -> None:
    start = epoch(2026, 2, 1)
    original = House(house_spec(1, start, start + DAY_S), start)
    original.advance_to(start + 5_470)
    copy = pickle.loads(pickle.dumps(original))
    original.advance_to(start + DAY_S)
    copy.advance_to(start + DAY_S)
    assert copy.log.meter == original.log.meter


def test_counters_are_the_sum_of_the_minutes(winter: House) -> None:
    for index, name in enumerate(METER):
        begin = round(winter.spec.counters_wh[index] * 10_000) if index < 3 else 0
        assert winter.counters[index] == begin + sum(winter.log.energies(name))


def test_heat_given_lost_and_stored_balance_in_the_building() -> None:
    house = home(epoch(2026, 1, 20), 1)
    building = house.spec.building

    def stored() -> float:
        return (
            building.air_kwh_k * house.room_c
            + building.structure_kwh_k * house.structure_c
            + building.screed_kwh_k * house.screed_c
            + building.water_kwh_k * house.water_c
        )

    before, given, lost = stored(), 0.0, 0.0
    for _ in range(2 * 360):
        room, structure, water = house.room_c, house.structure_c, house.water_c
        house.advance_to(house.t + 10)
        # in the loop, outside and gains are those of the step's minute
        outside, air_loss = house.outside_c, house._air_loss
        heat = house.heat_kw if house.task != DHW else 0.0
        given += (heat + house.gains_kw) / 360.0
        lost += (
            air_loss * (room - outside)
            + building.wall_loss_kw_k * (structure - outside)
            + 0.003 * (water - 18.0)
        ) / 360.0
    assert lost > 5.0
    assert stored() - before == pytest.approx(given - lost, abs=0.02)


def test_ten_days_of_winter_look_like_it(winter: House) -> None:
    days = len(winter.log) / 1440
    heat = sum(winter.log.column("heat_space_wh")) + sum(winter.log.column("heat_dhw_wh"))
    electric = sum(winter.log.column("pump_wh"))
    assert 3.2 < heat / electric < 5.2
    assert 5 <= sum(winter.log.column("starts")) / days <= 25
    rooms = winter.log.column("room_c", 1440)
    assert min(rooms) >= 19.0 and max(rooms) <= 24.0
    tank = sorted(winter.log.column("tank_c"))
    assert tank[len(tank) // 50] >= 40.0
    assert tank[-1] <= 61.0


def test_a_year_takes_three_to_six_megawatt_hours_at_a_plausible_factor() -> None:
    heat = electric = 0.0
    outside = []
    for month in range(1, 13):  # eight days of each month stand for it
        house = home(epoch(2026, month, 10), 9, "nameplate")
        heat += sum(house.log.column("heat_space_wh", 1440)) + sum(house.log.column("heat_dhw_wh", 1440))
        electric += sum(house.log.column("pump_wh", 1440))
        outside.append(mean(house.log.column("outside_c", 1440)))
    assert 3.0e6 < electric * 365 / 96 < 6.0e6
    assert 3.5 < heat / electric < 5.0
    assert 7.0 < mean(outside) < 12.0


def test_the_nameplate_pump_gives_modulation_times_rated_power() -> None:
    house = home(epoch(2026, 1, 12), 1, "nameplate")
    seen = 0
    while seen < 50:
        house.advance_to(house.t + 10)
        if house.heat_kw:
            assert house.heat_kw == pytest.approx(12.0 * house.modulation)
            seen += 1


def test_the_biased_pump_gives_less_to_hotter_water_and_more_from_warmer_ground() -> None:
    pump = home(epoch(2026, 1, 12), 0).spec.pump
    cool = pump.operate(0.8, 1.0, 5.0, 30.0, 0.3)
    hot = pump.operate(0.8, 1.0, 5.0, 50.0, 0.3)
    warm_ground = pump.operate(0.8, 1.0, 12.0, 30.0, 0.3)
    assert hot[0] < cool[0] < warm_ground[0]
    assert hot[0] / hot[1] < cool[0] / cool[1] < warm_ground[0] / warm_ground[1]
    assert 4.0 < cool[0] / cool[1] < 7.0


def test_a_compressor_keeps_its_shortest_run_and_pause(winter: House) -> None:
    events = winter.events["phase"]
    starts = [at for at, phase in events if phase == "heating"]
    stops = [at for at, phase in events if phase == "pause"]
    assert len(starts) > 40
    pauses = [start - stop for start, stop in zip(starts[1:], stops, strict=False)]
    assert min(pauses) >= winter.spec.pump.minimum_pause_s + winter.spec.pump.preparing_s


def test_standby_takes_8_to_20_watts(winter: House) -> None:
    off = sorted(
        wh * 60.0
        for wh, run_s in zip(winter.log.column("pump_wh"), winter.log.column("run_s"), strict=True)
        if run_s == 0
    )
    assert len(off) > 500
    assert off[0] > 8.0
    assert off[len(off) * 8 // 10] < 20.0  # in the others the brine pump gets ready for a start


def test_a_flatter_heating_curve_lowers_the_flow_from_its_time_on() -> None:
    start = epoch(2026, 1, 12)
    spec = house_spec(1, start, start + DAY_S, change_every_days=1000)
    changed = HouseSpec(seed=1, script=(SettingChange(start + DAY_S, SLOPE, 0.4),))
    plain = HouseSpec(seed=1)
    assert spec.script == ()
    before, after = House(changed, start), House(plain, start)
    before.advance_to(start + DAY_S)
    after.advance_to(start + DAY_S)
    assert before.log.meter == after.log.meter
    before.advance_to(start + DAY_S + 7200)
    after.advance_to(start + DAY_S + 7200)
    assert before.flow_target_c < after.flow_target_c - 2.0
    assert before.settings_at(start + DAY_S - 1)[SLOPE] == 0.6
    assert before.settings_at(start + DAY_S)[SLOPE] == 0.4


def test_a_setting_cannot_change_in_the_past(winter: House) -> None:
    with pytest.raises(ValueError, match="past"):
        winter.change_setting(winter.t - 1, DHW_TARGET, 48)


@pytest.mark.parametrize(
    ("day", "begins_utc"), [((2026, 3, 28), "04:30"), ((2026, 3, 30), "03:30"), ((2026, 10, 26), "04:30")]
)
def test_schedules_follow_local_time_across_the_change_of_clocks(
    day: tuple[int, int, int], begins_utc: str
) -> None:
    start = epoch(*day) - DAY_S
    house = House(HouseSpec(seed=4), start)
    house.advance_to(start + 2 * DAY_S)
    weekend = datetime(*day, tzinfo=UTC).weekday() >= 5
    normal = [
        datetime.fromtimestamp(at, UTC).strftime("%H:%M")
        for at, program in house.events["program"]
        if program == "normal" and at >= start + DAY_S
    ]
    expected = f"{int(begins_utc[:2]) + weekend:02d}{begins_utc[2:]}"
    assert normal[0] == expected


def test_the_rod_runs_on_the_first_sunday_of_the_month_only() -> None:
    house = House(HouseSpec(seed=1), epoch(2026, 1, 31))
    house.advance_to(epoch(2026, 2, 9))
    hours = {
        datetime.fromtimestamp(house.log.start + 60 * index, UTC).strftime("%m-%d")
        for index, wh in enumerate(house.log.column("rod_wh"))
        if wh > 0
    }
    assert hours == {"02-01"}


def test_a_house_behind_solar_panels_exports_at_noon_and_imports_at_night() -> None:
    house = home(epoch(2026, 6, 10), 2, "pv")
    exported = house.log.energies("export_a")
    noon, night = 1440 + 11 * 60, 1440 + 60
    assert sum(exported[noon : noon + 60]) > 0
    assert sum(exported[night : night + 60]) == 0
    assert sum(house.log.energies("import_a", night, night + 60)) > 0
