"""◇ ◇ A home in virtual time: building, heating water, tank and heat pump, in steps of 10 seconds.

The same loop serves live polls (a step at a time) and years of history, which is why ``_run`` keeps its
state in local variables and writes it back at the end. Weather and draws are functions of the seed and
the time; everything else is state, so a ``House`` can be pickled and goes on equally.
"""

from __future__ import annotations

from array import array
from datetime import UTC, datetime

from .clamps import STEP_H, heat_pump_minute, house_minute, phase_powers_w
from .household import Household
from .minutes import MinuteLog
from .noise import fraction, gauss_table, slot
from .plant import flow_target_c
from .settings import (
    COMFORT,
    DHW_HYSTERESIS,
    DHW_TARGET,
    DHW_TARGET_2,
    MODE,
    NORMAL,
    REDUCED,
    SHIFT,
    SLOPE,
    SettingChange,
    SettingsInForce,
    Value,
    as_number,
    settings_at,
)
from .spec import HouseSpec
from .weather import Weather

STEP_S = 10
OFF, PREPARING, HEATING, PAUSE = 0, 1, 2, 3
PHASES = ("off", "preparing", "heating", "pause")
SPACE, DHW = 0, 1

PUMP_LIMIT_C = 56.0
FLOW_LIMIT_C = 45.0


class House:
    """One home from ``spec``, begun at ``start`` (epoch s; moved back to a full ten minutes).

    ``log`` keeps every finished minute, ``events`` per kind the times at which a state changed.
    """

    def __init__(self, spec: HouseSpec, start: int) -> None:
        self.spec = spec
        self.weather = Weather(spec.seed, spec.latitude, spec.longitude, spec.mean_outside_c)
        self.household = Household(spec.seed, spec.litres_per_day)
        self.noise = gauss_table(spec.seed, "power")
        self.script = list(spec.script)
        self.t = start - start % 600
        self.log = MinuteLog(self.t)
        self.counters = [round(energy * 10_000) for energy in spec.counters_wh] + [0, 0, 0]
        self.starts, self.run_s, self.rod_s = spec.starts, spec.hours * 3600.0, float(spec.rod_s)
        self.step_log: tuple[array[float], array[float], array[float]] | None = None
        self.house_log: tuple[array[float], array[float], array[float]] | None = None
        self.events: dict[str, list[tuple[int, str | int | bool]]] = {
            kind: [] for kind in ("phase", "modulation", "charging", "circulation", "program", "circuit_pump")
        }
        self._begin()

    def _begin(self) -> None:
        outside = self.weather.daily_mean_c(self.t // 86_400)
        self.outside_damped_c = outside
        self.room_c, self.structure_c = 21.0, 20.4
        self.screed_c = 21.5 + max(0.0, 15.0 - outside) * 0.2
        self.water_c = self.screed_c + max(0.0, 15.0 - outside) * 0.3
        self.tank_c = 48.0
        self.drawdown_fast_k, self.drawdown_slow_k = 0.0, max(0.0, 15.0 - outside) * 0.05
        self.phase, self.phase_s, self.task = OFF, 0, SPACE
        self.modulation, self.integral, self.ramp = 0.0, 0.4, 0.0
        self.dhw_call = self.space_call = self.heating_on = self.rod_on = self.circulation_on = False
        self.compressor_w = self.base_w = self.rod_w = 0.0
        self.heat_kw, self.hot_c = 0.0, self.water_c
        self.secondary_c, self.return_c, self.supply_c = self.water_c, self.water_c, self.water_c
        self.hot_gas_c = 25.0
        self.minute_values: tuple[list[float], list[float]] = ([], [])
        self.minute_heat = [0.0, 0.0, 0.0]
        self.minute_run_s = self.minute_starts = 0
        self.program, self.flow_target_c, self.dhw_allowed, self.dhw_target_c = "normal", 30.0, True, 50.0
        self.outside_c = outside
        self._in_force = SettingsInForce(self.spec.settings)
        self._sky_ahead = (self.t, self.weather.sky(self.t))
        self._slow(self.t)
        self._noise_at, self._draw_kw = slot(self.t // 600), 0.0
        self._ground_c = self.spec.ground_c(self.t)
        self._dhw_stop_c = min(self.dhw_target_c, PUMP_LIMIT_C)
        self._air_loss, self._emitter = self._windows_and_valves(self.room_c, outside)
        for kind, state in (("phase", "off"), ("modulation", 0), ("charging", False), ("circulation", False)):
            self.events[kind].append((self.t, state))

    def settings_at(self, at: float) -> dict[str, Value]:
        """Return the settings in force at ``at`` (epoch s)."""
        return settings_at(self.spec.settings, self.script, at)

    def change_setting(self, at: int, key: str, value: Value) -> None:
        """Change a setting at ``at``, which must not lie before the house's own time."""
        if at < self.t:
            raise ValueError("a setting cannot change in the past")
        self.script.append(SettingChange(at, key, value))
        self.script.sort(key=lambda change: change.at)

    def advance_to(self, at: float) -> None:
        """Live until the last full step at or before ``at`` (epoch s); nothing for a time already lived."""
        steps = (int(at) - self.t) // STEP_S
        if steps > 0:
            self._run(steps)

    def phase_powers_w(self) -> tuple[float, float, float]:
        """Return the mean power by phase [W] over the last finished step; what the meter sees."""
        powers = phase_powers_w(self.compressor_w, self.base_w, self.rod_w)
        if self.spec.meter_feeds_house:
            for index, load in enumerate(self._house_load_w(self.t - STEP_S)):
                powers[index] += load
        return powers[0], powers[1], powers[2]

    def _house_load_w(self, at: int) -> tuple[float, float, float]:
        minute = (self._minute_of_day + (at - self._slow_at) // 60) % 1440
        a, b, c = self.household.load_w(at, minute)
        solar = self.solar_w * (1.0 + 0.02 * self.noise[slot(at // STEP_S + 5)]) / 3.0
        return a - solar, b - solar, c - solar

    def _slow(self, at: int) -> None:
        """Decide what is decided once in ten minutes: settings, schedules, weather, targets."""
        values, (heating, dhw, circulation) = self._in_force.at(at, self.script)
        local = datetime.fromtimestamp(at, UTC).astimezone(self.spec.zone)
        weekday, minute = local.weekday(), local.hour * 60 + local.minute
        self._slow_at, self._minute_of_day = at, minute
        self._draws = self.household.draws(local.date())
        sky = self._sky_ahead[1] if self._sky_ahead[0] == at else self.weather.sky(at)
        self._sky_ahead = (at + 600, self.weather.sky(at + 600))
        self.outside_c = sky.outside_c
        self._outside_step_k = (self._sky_ahead[1].outside_c - sky.outside_c) / 10.0
        self.outside_damped_c += (sky.outside_c - self.outside_damped_c) * (600.0 / 10_800.0)
        shade = 0.4 if self.outside_damped_c > 15.0 else 1.0
        sun_kw = self.spec.building.window_m2 * sky.south_wall_kw_m2 * shade
        self.gains_kw = sun_kw + self.household.people_heat_kw(minute, weekday >= 5)
        self.solar_w = self.spec.solar_kw_peak * 830.0 * sky.horizontal_kw_m2
        index = minute // 10
        party = weekday >= 5 and 102 <= index < 132
        program = heating[weekday][index]
        if party and program == "normal" and fraction(self.spec.seed, "party", local.toordinal()) < 0.4:
            program = "comfort"
        self._heating(values, program if "eating" in str(values[MODE]) else "standby", at)
        mode = dhw[weekday][index]
        cleaning = self.spec.legionella and weekday == 6 and local.day <= 7 and 18 <= index < 36
        self.dhw_allowed = (mode != "off" or cleaning) and str(values[MODE]) != "standby"
        high = cleaning or mode in {"temp-2", "top"}
        self.dhw_target_c = as_number(values[DHW_TARGET_2 if high else DHW_TARGET])
        self._dhw_hysteresis_k = as_number(values[DHW_HYSTERESIS])
        self._circulation_mode = circulation[weekday][index]

    def _windows_and_valves(self, room: float, outside: float) -> tuple[float, float]:
        """Return (loss of the air [kW/K] with windows as people open them, heat transfer of the emitters
        [kW/K])."""
        loss = self.spec.building.air_loss_kw_k
        if room > 23.6 and outside < room:
            loss += min(0.5, 0.25 * (room - 23.6))
        if not self.heating_on:
            return loss, 0.0
        valve = 1.0 - (room - 21.7) / 2.0
        return loss, self.spec.building.emitter_kw_k * min(1.0, max(0.2, valve))

    def _hot_water(self, at: int, tank_c: float) -> float:
        """Return the power leaving the tank in the minute that begins at ``at`` [kW]: taps and
        circulation."""
        minute = self._minute_of_day + (at - self._slow_at) // 60
        mode = self._circulation_mode
        on = (
            mode == "on"
            or (mode == "5/25-cycles" and minute % 30 < 5)
            or (mode == "5/10-cycles" and minute % 15 < 5)
        )
        if on != self.circulation_on:
            self.circulation_on = on
            self.events["circulation"].append((at, on))
        draw = self._draws.get(minute, 0.0)
        if draw and tank_c < 40.0:
            draw *= max(0.3, (tank_c - 10.0) / 30.0)  # luke-warm water is not mixed up to the full heat
        return draw + self.spec.tank.circulation_kw if on else draw

    def _finish_minute(
        self,
        end: int,
        heat: tuple[float, float, float],
        run: tuple[int, int],
        brine_c: float,
        electric_kw: float,
    ) -> None:
        """Book the minute that ended at ``end``; ``heat`` [kW·steps] space, hot water, rod."""
        compressors, bases = self.minute_values
        if self.spec.meter_feeds_house:
            energies, extremes = house_minute(self._phases_with_house(end - 60))
        else:
            energies, extremes = heat_pump_minute(compressors, bases, self.rod_w)
        self.log.meter.extend(energies)
        counters = self.counters
        for index in range(6 if self.spec.meter_feeds_house else 3):
            counters[index] += energies[index]
        rod_wh = self.rod_w / 60.0
        wh = STEP_H * 1000.0
        truth = (
            heat[0] * wh,
            heat[1] * wh,
            heat[2] * wh,
            run[0],
            (sum(compressors) + sum(bases)) * STEP_H,
            rod_wh,
            run[1],
        )
        self.starts += run[1]
        self.run_s += run[0]
        self.rod_s += rod_wh * 3.6 / self.spec.rod_kw
        self.log.values.extend((*extremes, *truth, *self._sensors(brine_c, electric_kw)))
        if self.step_log is not None:
            for log, values in zip(self.step_log, (compressors, bases, [self.rod_w] * 6), strict=True):
                log.extend(values)
        compressors.clear()
        bases.clear()

    def _phases_with_house(self, start: int) -> tuple[list[float], list[float], list[float]]:
        """Return the powers of the minute's steps by phase [W] where the meter also feeds the house."""
        phases: tuple[list[float], list[float], list[float]] = ([], [], [])
        for index, (compressor, base) in enumerate(zip(*self.minute_values, strict=True)):
            pump = phase_powers_w(compressor, base, self.rod_w)
            loads = self._house_load_w(start + STEP_S * index)
            for phase, load, power in zip(phases, loads, pump, strict=True):
                phase.append(load + power)
        if self.house_log is not None:
            for log, values in zip(self.house_log, phases, strict=True):
                log.extend(values)
        return phases

    def _sensors(self, brine_c: float, electric_kw: float) -> tuple[float, ...]:
        """Return the sensors at the end of a minute, in the order of ``SENSORS``."""
        heat, half = self.heat_kw, self.spec.pump.half_spread_k_kw
        brine_out = brine_c
        if heat > 0.0:
            self.secondary_c += (self.hot_c - self.secondary_c) * 0.8
            self.return_c += (self.hot_c - 2.0 * half * heat - self.return_c) * 0.8
            self.hot_gas_c += (self.hot_c + 22.0 + 1.4 * heat - self.hot_gas_c) * 0.2
            brine_out = brine_c - (heat - electric_kw) * 0.52
        else:
            self.secondary_c += (self.water_c - 1.0 - self.secondary_c) * 0.04
            self.return_c += (self.water_c - 1.4 - self.return_c) * 0.05
            self.hot_gas_c += (24.0 - self.hot_gas_c) * 0.02
        goal = self.water_c - 0.2 if self.heating_on else self.room_c + 1.2
        self.supply_c += (goal - self.supply_c) * (0.5 if self.heating_on else 0.02)
        water = (self.supply_c, self.return_c, self.secondary_c, self.water_c, self.tank_c)
        modulation = self.modulation * 100.0
        return (self.outside_c, *water, brine_c, brine_out, modulation, self.hot_gas_c, self.room_c)

    def _heating(self, values: dict[str, Value], program: str, at: int) -> None:
        if program != self.program or not self.events["program"]:
            self.program = program
            self.events["program"].append((at, program))
        key = {"comfort": COMFORT, "reduced": REDUCED}.get(program, NORMAL)
        room = as_number(values[key])
        was_on = self.heating_on
        limit = room - (3.6 if was_on else 4.6)
        self.heating_on = program != "standby" and self.outside_damped_c < limit
        if was_on != self.heating_on or not self.events["circuit_pump"]:
            self.events["circuit_pump"].append((at, self.heating_on))
        target = flow_target_c(
            as_number(values[SLOPE]), as_number(values[SHIFT]), room, self.outside_damped_c
        )
        self.flow_target_c = min(FLOW_LIMIT_C, target)

    def _run(self, steps: int) -> None:  # noqa: C901 (the one hot loop: 345,600 steps are 40 days)
        spec, pump, building, tank = self.spec, self.spec.pump, self.spec.building, self.spec.tank
        operate, noise, events = pump.operate, self.noise, self.events
        modulating, lowest, half = pump.modulating, pump.lowest_modulation, pump.half_spread_k_kw
        minimum_run, minimum_pause, preparing = pump.minimum_run_s, pump.minimum_pause_s, pump.preparing_s
        standby, pumps_w = spec.standby_at_w(self.t), pump.pumps_w
        k_air, k_structure = STEP_H / building.air_kwh_k, STEP_H / building.structure_kwh_k
        k_screed, k_water = STEP_H / building.screed_kwh_k, STEP_H / building.water_kwh_k
        k_tank, tank_loss = STEP_H / tank.water_kwh_k, tank.loss_kw_k
        floor, wall, wall_loss = building.floor_kw_k, building.wall_kw_k, building.wall_loss_kw_k
        t, room, structure, screed = self.t, self.room_c, self.structure_c, self.screed_c
        water, tank_c = self.water_c, self.tank_c
        fast, slow = self.drawdown_fast_k, self.drawdown_slow_k
        phase, phase_s, task = self.phase, self.phase_s, self.task
        modulation, integral, ramp = self.modulation, self.integral, self.ramp
        dhw_call, space_call, rod_on = self.dhw_call, self.space_call, self.rod_on
        heat, hot = self.heat_kw, self.hot_c
        compressor_w, base_w, rod_w = self.compressor_w, self.base_w, self.rod_w
        (compressors, bases), minute_heat = self.minute_values, self.minute_heat
        heat_space, heat_dhw, heat_rod = minute_heat
        run_s, starts = self.minute_run_s, self.minute_starts
        outside, gains, air_loss, emitter = self.outside_c, self.gains_kw, self._air_loss, self._emitter
        draw, ground, noise_at = self._draw_kw, self._ground_c, self._noise_at
        dhw_stop, target = self._dhw_stop_c, self.flow_target_c
        q_space = q_dhw = cold = 0.0
        brine, begins = ground - fast - slow, not t % 60
        for _ in range(steps):
            if begins:
                if not t % 600:
                    self.room_c = room
                    self._slow(t)
                    outside, gains, target = self.outside_c, self.gains_kw, self.flow_target_c
                    noise_at = slot(t // 600)
                    ground, standby = spec.ground_c(t), spec.standby_at_w(t)
                    dhw_stop = min(self.dhw_target_c, PUMP_LIMIT_C)
                    brine = ground - fast - slow
                else:
                    outside += self._outside_step_k
                air_loss, emitter = self._windows_and_valves(room, outside)
                draw = self._hot_water(t, tank_c)
                # demands, with hysteresis
                if not self.dhw_allowed or tank_c >= dhw_stop:
                    dhw_call = False
                elif tank_c < self.dhw_target_c - self._dhw_hysteresis_k:
                    dhw_call = True
                if not self.heating_on or water > target + 3.5:
                    space_call = False
                elif water < target - 2.5:
                    space_call = True
                rod_on = (
                    self.dhw_allowed
                    and self.dhw_target_c > PUMP_LIMIT_C
                    and 54.5 < tank_c < self.dhw_target_c
                ) or (space_call and self.outside_damped_c < -11.0 and water < target - 8.0)
                rod_w = spec.rod_kw * 1000.0 if rod_on else 0.0
                if not rod_on and task == DHW and not dhw_call and phase not in (HEATING, PREPARING):
                    task = SPACE
                    events["charging"].append((t, False))
                elif rod_on and task == SPACE and self.dhw_target_c > PUMP_LIMIT_C and phase != HEATING:
                    task = DHW
                    events["charging"].append((t, True))
            # 1. the machine
            phase_s += 10
            if phase == HEATING:
                if task == DHW:
                    wanted, resistance, base_c = 0.85, tank.coil_k_kw, tank_c
                else:
                    error = target + 1.0 - water
                    integral += 0.0009 * error
                    integral = 0.0 if integral < 0.0 else 1.0 if integral > 1.0 else integral
                    wanted, resistance, base_c = integral + 0.09 * error, half, water
                if not modulating:
                    modulation = 1.0
                else:
                    wanted = lowest if wanted < lowest else 1.0 if wanted > 1.0 else wanted
                    change = wanted - modulation
                    modulation += -0.012 if change < -0.012 else 0.012 if change > 0.012 else change
                ramp += (1.0 - ramp) * 0.17
                heat, power, hot = operate(modulation, ramp, brine, base_c, resistance)
                compressor_w = 1000.0 * power * (1.0 + 0.009 * noise[noise_at])
                cold = heat - power
                run_s += 10
                if task == DHW:
                    q_space, q_dhw = 0.0, heat
                    if tank_c >= dhw_stop or not self.dhw_allowed:
                        task = SPACE
                        dhw_call = False
                        events["charging"].append((t + 10, False))
                        if not space_call:
                            phase, phase_s = PAUSE, 0
                else:
                    q_space, q_dhw = heat, 0.0
                    if dhw_call:
                        task = DHW
                        events["charging"].append((t + 10, True))
                    elif not space_call and phase_s >= minimum_run:
                        phase, phase_s = PAUSE, 0
                if phase == PAUSE:
                    events["phase"].append((t + 10, "pause"))
                    events["modulation"].append((t + 10, 0))
                base_w = standby + pumps_w + 1.6 * noise[noise_at - 9]
            else:
                compressor_w = heat = cold = q_space = q_dhw = 0.0
                base_w = standby + 1.3 * noise[noise_at - 9]
                if phase == OFF:
                    if dhw_call or space_call:
                        phase, phase_s = PREPARING, 0
                        events["phase"].append((t + 10, "preparing"))
                        if dhw_call and task == SPACE:
                            task = DHW
                            events["charging"].append((t + 10, True))
                elif phase == PREPARING:
                    base_w += pumps_w
                    if phase_s >= preparing:
                        phase, phase_s, ramp = HEATING, 0, 0.0
                        integral = 0.4
                        modulation = (0.8 if task == DHW else lowest + 0.05) if modulating else 1.0
                        starts += 1
                        events["phase"].append((t + 10, "heating"))
                        events["modulation"].append((t + 10, round(100.0 * modulation)))
                elif phase_s >= minimum_pause:
                    phase, phase_s, modulation = OFF, 0, 0.0
                    events["phase"].append((t + 10, "off"))
            heat_space += q_space
            heat_dhw += q_dhw
            if rod_on:
                heat_rod += spec.rod_kw
                if self.dhw_target_c > PUMP_LIMIT_C:
                    q_dhw += spec.rod_kw
                else:
                    q_space += spec.rod_kw
            # 2. tank, heating water, screed, air, structure
            tank_c += (q_dhw - draw - tank_loss * (tank_c - 18.0)) * k_tank
            emitted = emitter * (water - screed) if water > screed else 0.0
            water += (q_space - emitted - 0.003 * (water - 18.0)) * k_water
            given = floor * (screed - room)
            exchanged = wall * (structure - room)
            screed += (emitted - given) * k_screed
            room += (given + exchanged + gains - air_loss * (room - outside)) * k_air
            structure -= (exchanged + wall_loss * (structure - outside)) * k_structure
            compressors.append(compressor_w)
            bases.append(base_w)
            noise_at = (noise_at + 1) & 4095
            t += 10
            begins = not t % 60
            if begins:
                # the ground around the pipes: cooled within minutes, and over hours
                fast += (0.22 * cold - fast) * 0.1
                slow += (0.40 * cold - slow) * 0.0028
                brine = ground - fast - slow
                self.task, self.modulation = task, modulation if phase == HEATING else 0.0
                self.room_c, self.tank_c, self.water_c = room, tank_c, water
                self.heat_kw, self.hot_c, self.outside_c, self.rod_w = heat, hot, outside, rod_w
                heats = (heat_space, heat_dhw, heat_rod)
                self._finish_minute(t, heats, (run_s, starts), brine, compressor_w / 1000.0)
                heat_space = heat_dhw = heat_rod = 0.0
                run_s = starts = 0
        self.t, self.room_c, self.structure_c, self.screed_c = t, room, structure, screed
        self.water_c, self.tank_c, self.outside_c = water, tank_c, outside
        self.drawdown_fast_k, self.drawdown_slow_k = fast, slow
        self.phase, self.phase_s, self.task = phase, phase_s, task
        self.modulation, self.integral, self.ramp = modulation, integral, ramp
        self.dhw_call, self.space_call, self.rod_on = dhw_call, space_call, rod_on
        self.heat_kw, self.hot_c = heat, hot
        self.compressor_w, self.base_w, self.rod_w = compressor_w, base_w, rod_w
        self.minute_heat = [heat_space, heat_dhw, heat_rod]
        self.minute_run_s, self.minute_starts = run_s, starts
        self._air_loss, self._emitter, self._draw_kw = air_loss, emitter, draw
        self._ground_c, self._noise_at, self._dhw_stop_c = ground, noise_at, dhw_stop
