"""◇ What outside temperature is normal at a place: monthly normals, and a curve through the year.

The normals of 15 German climate regions come from DWD's test reference years TRY 2010 (1988 to 2007), as
shipped in the package demandlib 0.2.2.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

LAPSE_K_PER_M = 0.0065
FARTHEST_KM = 250.0
EARTH_RADIUS_KM = 6371.0
YEAR_DAYS = 365.0
# A monthly mean flattens a yearly cosine by sin(π/12)/(π/12).
MONTH_FLATTENS = math.sin(math.pi / 12) / (math.pi / 12)

# Normals of 1988 to 2007 are too cold for today. A day deviates from normal by 3.8 K (1σ), and fifteen days
# in a row say as much as one alone.
OFFSET_PRIOR_K, OFFSET_PRIOR_SD_K = 1.0, 0.8
WEATHER_SD_K = 3.8
OFFSET_DAYS = 15.0

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A climate region by its reference station. ``normals_c``: January to December [°C]."""

    name: str
    station: str
    latitude: float
    longitude: float
    altitude_m: float
    normals_c: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Normals:
    """Twelve monthly means of a place [°C] and where they come from."""

    months_c: tuple[float, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmonic:
    """mean − amplitude·cos(2π(day of year − coldest day)/365) [°C]."""

    mean_c: float
    amplitude_k: float
    coldest_day: float

    def at(self, day_of_year: float) -> float:
        return self.mean_c - self.amplitude_k * math.cos(
            2 * math.pi * (day_of_year - self.coldest_day) / YEAR_DAYS
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """How much warmer a place is than its normals, and how uncertain that is (1σ) [K]."""

    mean_k: float
    sd_k: float


def regions(lines: Iterable[str]) -> list[Region]:
    """Return the regions in the lines of ``normals.csv``."""
    return [
        Region(
            name=row["region"],
            station=row["station"],
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
            altitude_m=float(row["altitude_m"]),
            normals_c=tuple(float(row[month]) for month in MONTHS),
        )
        for row in csv.DictReader(lines)
    ]


def distance_km(latitude: float, longitude: float, region: Region) -> float:
    """Return the great-circle distance from a place to a region's station."""
    a, b = math.radians(latitude), math.radians(region.latitude)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * (
        math.sin(math.radians(region.longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(half))


def normals_of_place(
    known: Sequence[Region], latitude: float, longitude: float, altitude_m: float | None
) -> Normals | None:
    """Return the normals of the nearest region, 0.65 K colder per 100 m above its station; None farther than
    250 km from every station. Without an altitude the station's is taken."""
    nearest = min(known, key=lambda region: distance_km(latitude, longitude, region), default=None)
    if nearest is None or distance_km(latitude, longitude, nearest) > FARTHEST_KM:
        return None
    climb_m = 0.0 if altitude_m is None else altitude_m - nearest.altitude_m
    return Normals(
        months_c=tuple(round(value - LAPSE_K_PER_M * climb_m, 2) for value in nearest.normals_c),
        source=f"DWD TRY 2010 (1988–2007), {nearest.name}, {nearest.station}",
    )


def harmonic(months_c: Sequence[float]) -> Harmonic:
    """Return the yearly curve through twelve monthly means. Raises ValueError for another number of them."""
    if len(months_c) != 12:
        raise ValueError("twelve monthly values are needed")
    angles = [2 * math.pi * (month + 0.5) / 12 for month in range(12)]
    cosine = sum(value * math.cos(angle) for value, angle in zip(months_c, angles, strict=True)) / 6
    sine = sum(value * math.sin(angle) for value, angle in zip(months_c, angles, strict=True)) / 6
    return _harmonic(sum(months_c) / 12, cosine / MONTH_FLATTENS, sine / MONTH_FLATTENS)


def harmonic_of_days(days: Sequence[tuple[date, float]]) -> Harmonic:
    """Return the least-squares fit to daily means [°C]; meaningful from about 300 days on."""
    rows = []
    for day, value in days:
        angle = 2 * math.pi * day.timetuple().tm_yday / YEAR_DAYS
        rows.append((1.0, math.cos(angle), math.sin(angle), value))
    mean, cosine, sine = _solved(
        [[math.fsum(row[i] * row[j] for row in rows) for j in range(4)] for i in range(3)]
    )
    return _harmonic(mean, cosine, sine)


def offset_from(normals: Harmonic, days: Sequence[tuple[date, float]]) -> Offset:
    """Return what own daily means [°C] tell of a place's offset from its normals, from a prior on."""
    deviations = [value - normals.at(day.timetuple().tm_yday) for day, value in days]
    prior = 1.0 / OFFSET_PRIOR_SD_K**2
    own = len(deviations) / OFFSET_DAYS / WEATHER_SD_K**2
    seen_k = math.fsum(deviations) / len(deviations) if deviations else 0.0
    return Offset(
        mean_k=(prior * OFFSET_PRIOR_K + own * seen_k) / (prior + own), sd_k=1.0 / math.sqrt(prior + own)
    )


def _harmonic(mean_c: float, cosine: float, sine: float) -> Harmonic:
    """Return the curve mean + cosine·cos + sine·sin."""
    coldest = math.atan2(-sine, -cosine) / (2 * math.pi) * YEAR_DAYS
    return Harmonic(mean_c=mean_c, amplitude_k=math.hypot(cosine, sine), coldest_day=coldest % YEAR_DAYS)


def _solved(matrix: list[list[float]]) -> list[float]:
    """Return the solution of three linear equations, by elimination with pivots."""
    size = len(matrix)
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(matrix[row][column]))
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        for row in range(size):
            if row != column:
                factor = matrix[row][column] / matrix[column][column]
                matrix[row] = [a - factor * b for a, b in zip(matrix[row], matrix[column], strict=True)]
    return [matrix[row][size] / matrix[row][row] for row in range(size)]
