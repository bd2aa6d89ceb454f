"""Simulated homes as the year's estimate sees them: a year and a day of true daily values each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np
import numpy.typing as npt

from apps.metrics.estimate import EnergyDay
from apps.metrics.windows import day_edges
from apps.simulator.house import House
from apps.simulator.minutes import METER_WIDTH, VALUES, WIDTH, MinuteLog
from apps.simulator.settings import NORMAL
from apps.simulator.shelly_meter import UNITS
from apps.simulator.spec import Building, HouseSpec, house_spec
from apps.simulator.weather import Weather

DAY_S = 86_400
YEAR_DAYS = 365
SPIN_UP_DAYS = 3
FIRST_SEED = 101
KINDS = ("bias", "on_off")
CHANGE_EVERY_DAYS = 120.0
"""People touch the settings a few times a year; the signature must bear that."""
FIRST_START = date(2024, 1, 1)
LOSS_KW_K = (0.12, 0.30)
WINDOWS_M2 = (2.0, 8.0)
LITRES_PER_DAY = (70.0, 240.0)
ROOMS_C = (20, 21, 22)
YEAR_OFFSET_SD_K = 0.8
"""A year is warmer or colder than the normals of its place."""
WARMER_K, WARMER_SD_K = 1.0, 0.8
"""Normals are of years ago; the climate has become warmer since, here more and there less."""
HABITS_SD = 0.08
"""What people do with the same house differs from one year to the next."""
NORMAL_YEARS = 10
WEATHER_SAMPLES = 8

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiedHome:
    """``days``: one year of true days, in order. ``normals_c``: monthly means of years ago, about 1 K colder
    than the ten years before. ``habits``: what later days need, as a factor of what they needed before."""

    seed: int
    kind: str
    days: tuple[EnergyDay, ...]
    normals_c: tuple[float, ...]
    latitude: float
    longitude: float
    habits: float = 1.0

    def year_kwh(self, known: int) -> float:
        """Return the year's energy, if habits change after the ``known`` first days."""
        first, rest = (
            sum(day.energy_kwh or 0.0 for day in part) for part in (self.days[:known], self.days[known:])
        )
        return first + self.habits * rest


def studied_home(number: int) -> StudiedHome:
    """Return home ``number`` (from 0), lived for a year from a random day on."""
    seed, kind = FIRST_SEED + number, KINDS[number % len(KINDS)]
    source = Random(f"{seed}/study")
    first = FIRST_START + timedelta(days=source.randrange(YEAR_DAYS))
    begin = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    usual = _spec(seed, kind, begin, source)
    offset_k = source.gauss(0.0, YEAR_OFFSET_SD_K)
    spec = replace(usual, mean_outside_c=usual.mean_outside_c + offset_k)
    # one day more than the year: the first has a day before it
    edges = day_edges(first - timedelta(days=1), first + timedelta(days=YEAR_DAYS - 1), spec.zone)
    house = House(spec, edges[0] - SPIN_UP_DAYS * DAY_S)
    house.advance_to(edges[-1])
    return StudiedHome(
        seed=seed,
        kind=kind,
        days=tuple(_energy_days(first, edges, house.log))[1:],
        normals_c=normals(usual, begin, Random(f"{seed}/climate").gauss(WARMER_K, WARMER_SD_K)),
        habits=Random(f"{seed}/habits").gauss(1.0, HABITS_SD),
        latitude=spec.latitude,
        longitude=spec.longitude,
    )


def _spec(seed: int, kind: str, begin: int, source: Random) -> HouseSpec:
    """Return the home of ``seed``, spread as widely as the specification's: loss, sun, hot water, warmth."""
    end = begin + (YEAR_DAYS + 2) * DAY_S
    spec = house_spec(seed, begin, end, kind, change_every_days=CHANGE_EVERY_DAYS)
    building = spec.building
    size = source.uniform(*LOSS_KW_K) / _loss_kw_k(building)
    return replace(
        spec,
        building=replace(
            building,
            air_loss_kw_k=building.air_loss_kw_k * size,
            wall_loss_kw_k=building.wall_loss_kw_k * size,
            emitter_kw_k=building.emitter_kw_k * size,
            floor_kw_k=building.floor_kw_k * size,
            window_m2=source.uniform(*WINDOWS_M2),
        ),
        litres_per_day=source.uniform(*LITRES_PER_DAY),
        settings={**spec.settings, NORMAL: source.choice(ROOMS_C)},
    )


def _loss_kw_k(building: Building) -> float:
    """Return the loss from the rooms to the outside: through air, and through walls behind their inner
    surface."""
    walls = 1.0 / (1.0 / building.wall_kw_k + 1.0 / building.wall_loss_kw_k)
    return building.air_loss_kw_k + walls


def _energy_days(first: date, edges: Sequence[int], log: MinuteLog) -> Iterator[EnergyDay]:
    """Yield true local days, scaled to 24 h like measured ones; the one before ``first`` at the front."""
    energy = np.frombuffer(log.meter, dtype=np.int64).reshape(-1, METER_WIDTH)[:, :3].sum(axis=1) / UNITS
    values = np.frombuffer(log.values, dtype=np.float32).reshape(-1, WIDTH).astype(np.float64)
    space_wh = energy * space_share(values)
    outside = values[:, VALUES.index("outside_c")]
    before: float | None = None
    for number, (start, end) in enumerate(zip(edges, edges[1:], strict=False)):
        rows = slice(log.index(start), log.index(end))
        scale = DAY_S / (end - start) / 1000.0
        total, space = float(energy[rows].sum()) * scale, float(space_wh[rows].sum()) * scale
        mean_c = float(outside[rows].mean())
        yield EnergyDay(
            day=first + timedelta(days=number - 1),
            energy_kwh=total,
            space_kwh=space,
            base_kwh=total - space,
            temperature_c=mean_c,
            previous_temperature_c=before,
        )
        before = mean_c


def space_share(values: Floats) -> Floats:
    """Return the share of each minute's electricity that heated rooms: that of its heat, 0 where nothing ran.

    The rod belongs to rooms where the pump heats them in the same minute, else to hot water.
    """
    space, dhw = (values[:, VALUES.index(name)] for name in ("heat_space_wh", "heat_dhw_wh"))
    heat = space + dhw
    share: Floats = np.divide(space, heat, out=np.zeros_like(heat), where=heat > 0)
    return share


def normals(spec: HouseSpec, before: int, warmer_k: float) -> tuple[float, ...]:
    """Return the monthly mean outside temperatures over the ten years before an instant [°C], less
    ``warmer_k``."""
    weather = Weather(spec.seed, spec.latitude, spec.longitude, spec.mean_outside_c)
    sums, counts = [0.0] * 12, [0] * 12
    for at in range(before - NORMAL_YEARS * YEAR_DAYS * DAY_S, before, DAY_S // WEATHER_SAMPLES):
        month = datetime.fromtimestamp(at, UTC).month - 1
        sums[month] += weather.sky(at).outside_c
        counts[month] += 1
    means_c = (total / count for total, count in zip(sums, counts, strict=True))
    return tuple(round(mean_c - warmer_k, 2) for mean_c in means_c)
