"""◇ The parameters of one simulated home."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from .noise import generator
from .plant import HeatPump
from .settings import SettingChange, Value, default_settings, made_script
from .weather import YEAR_DAYS

SCENARIOS: Mapping[str, str] = {
    "nameplate": "the pump gives exactly modulation × rated power",
    "bias": "heat depends on water and brine temperatures, as in a real pump",
    "on_off": "a pump that runs at full power or not at all",
    "house_meter": "as bias; the meter also feeds the house",
    "pv": "as house_meter, with solar power fed in behind the meter",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """Heat loss [kW/K] of air and structure, capacities [kWh/K] of air, structure, screed, heating water;
    ``emitter_kw_k``: water to screed, ``floor_kw_k``: screed to air, ``wall_kw_k``: structure to air."""

    air_loss_kw_k: float = 0.115
    wall_loss_kw_k: float = 0.078
    air_kwh_k: float = 1.3
    structure_kwh_k: float = 15.0
    screed_kwh_k: float = 4.2
    water_kwh_k: float = 0.36
    emitter_kw_k: float = 0.43
    floor_kw_k: float = 1.15
    wall_kw_k: float = 0.9
    window_m2: float = 5.0
    circuit_kw_k: float = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tank:
    """Hot-water tank: capacity [kWh/K], losses [kW/K] and by circulation [kW], the coil [K/kW]."""

    water_kwh_k: float = 0.465
    loss_kw_k: float = 0.0021
    coil_k_kw: float = 0.72
    circulation_kw: float = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """Something that draws ``power_w`` on the heat pump's meter in [start, end) (epoch s) and that nobody
    switched on on purpose. Below the power from which a compressor counts as running."""

    start: int
    end: int
    power_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseSpec:
    """Everything a house is made from; equal specs give equal houses.

    Device times and energies at the start: ``counters_wh`` by phase, starts, hours, rod seconds.
    """

    seed: int
    scenario: str = "nameplate"
    time_zone: str = "Europe/Berlin"
    latitude: float = 50.1
    longitude: float = 8.7
    mean_outside_c: float = 9.4
    building: Building = field(default_factory=Building)
    tank: Tank = field(default_factory=Tank)
    pump: HeatPump = field(default_factory=HeatPump)
    litres_per_day: float = 150.0
    ground_mean_c: float = 7.6
    ground_amplitude_k: float = 3.2
    standby_w: float = 12.0
    forgotten: Forgotten | None = None
    legionella: bool = True
    rod_kw: float = 3.0
    meter_feeds_house: bool = False
    solar_kw_peak: float = 0.0
    settings: Mapping[str, Value] = field(default_factory=default_settings)
    script: tuple[SettingChange, ...] = ()
    counters_wh: tuple[float, float, float] = (2_431_807.12, 2_392_511.48, 2_404_960.03)
    starts: int = 9_214
    hours: float = 11_302.4
    rod_s: int = 88_920
    cop_registers: tuple[float, float, float] = (4.4, 4.6, 3.5)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def standby_at_w(self, at: int) -> float:
        """Return what is drawn while nothing runs."""
        more = self.forgotten
        return self.standby_w + (more.power_w if more is not None and more.start <= at < more.end else 0.0)

    def ground_c(self, at: int) -> float:
        """Return the undisturbed temperature of the ground around the brine pipes [°C]; coldest in mid
        March."""
        angle = 2.0 * math.pi * ((at / 86_400.0) % YEAR_DAYS - 75.0) / YEAR_DAYS
        return self.ground_mean_c - self.ground_amplitude_k * math.cos(angle)


def house_spec(
    seed: int,
    start: int,
    end: int,
    scenario: str = "nameplate",
    *,
    change_every_days: float = 9.0,
    time_zone: str = "Europe/Berlin",
) -> HouseSpec:
    """Make a home with its own character from a seed, with setting changes between two epoch seconds.

    Raises ValueError for an unknown scenario.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"unknown scenario {scenario!r}; known are {', '.join(SCENARIOS)}")
    source = generator(seed, "house", 0)
    size = source.uniform(0.88, 1.12)
    building = Building(
        air_loss_kw_k=0.115 * size,
        wall_loss_kw_k=0.078 * size,
        structure_kwh_k=source.uniform(12.0, 18.0),
        emitter_kw_k=0.43 * size,
        floor_kw_k=1.15 * size,
    )
    pump = HeatPump(nameplate=scenario == "nameplate", quality=source.uniform(0.62, 0.64))
    if scenario == "on_off":
        pump = replace(pump, modulating=False, lowest_modulation=1.0, rated_kw=10.0, flow_m3_h=1.5)
        building = replace(building, water_kwh_k=0.9)
    settings = default_settings()
    return HouseSpec(
        seed=seed,
        scenario=scenario,
        time_zone=time_zone,
        building=building,
        pump=pump,
        litres_per_day=source.uniform(125.0, 175.0),
        mean_outside_c=source.uniform(8.7, 10.1),
        legionella=scenario != "nameplate",
        meter_feeds_house=scenario in {"house_meter", "pv"},
        solar_kw_peak=8.0 if scenario == "pv" else 0.0,
        settings=settings,
        script=made_script(seed, start, end, change_every_days, settings),
    )
