"""Local days as fits and comparisons take them: the one definition of a valid day (metrics §2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from .degree_days import heating_degree_days
from .home import Home
from .periods import daily_means
from .totals import INTERVAL_FIELDS, Totals, totals
from .windows import day_edges, days

VALID_ENERGY_COVERAGE = 0.90
DAY_S = 86_400.0

WINTER_HDD = 4.0
DEAD_SHARE = 0.1
LIKE_K = 3.0
NEIGHBOUR_DAYS = 14
LEAST_NEIGHBOURS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDay:
    """One local day. ``outside_c``: its T_d; ``is_dead``: pump or meter were switched off in winter."""

    day: date
    total: Totals
    outside_c: float | None
    outside_before_c: float | None
    is_dead: bool = False

    @property
    def energy_kwh_per_24h(self) -> float | None:
        """Known electricity [kWh] scaled to 24 h of a measured day; as it is on any other."""
        energy_wh = self.total.scaled_energy_wh if self.total.is_measured else self.total.energy_wh
        return None if energy_wh is None else energy_wh / 1000.0 * DAY_S / (self.total.end - self.total.start)

    @property
    def is_valid(self) -> bool:
        """Whether it counts in fits and comparisons of electricity."""
        return self.total.is_measured and self.outside_c is not None and not self.is_dead

    @property
    def cop_is_valid(self) -> bool:
        """Whether its COP counts too."""
        return self.is_valid and (self.total.heat_coverage or 0.0) >= VALID_ENERGY_COVERAGE


def local_days(home: Home, first: date, last: date, names: Sequence[str] = INTERVAL_FIELDS) -> list[LocalDay]:
    """Return the local days ``first`` to ``last``, both included. ``names`` as in ``totals``."""
    parts = totals(home, day_edges(first, last, home.options.zone), names)
    means = daily_means(home, first - timedelta(days=1), last)
    found = [
        LocalDay(
            day=day,
            total=part,
            outside_c=means[day],
            outside_before_c=means[day - timedelta(days=1)],
        )
        for day, part in zip(days(first, last), parts, strict=True)
    ]
    dead = dead_days(
        {
            each.day: (each.outside_c, energy_kwh)
            for each in found
            if each.total.is_measured
            and each.outside_c is not None
            and (energy_kwh := each.energy_kwh_per_24h) is not None
        }
    )
    return [
        LocalDay(
            day=each.day,
            total=each.total,
            outside_c=each.outside_c,
            outside_before_c=each.outside_before_c,
            is_dead=each.day in dead,
        )
        for each in found
    ]


def dead_days(measured: Mapping[date, tuple[float, float]]) -> set[date]:
    """Return the days on which pump or meter were off, out of day → (T_d [°C], kWh).

    A day of winter (HDD15 > 4) with less than a tenth of the median energy of its neighbours at like
    temperature: at most 14 days and 3 K away, three or more of them.
    """
    dead = set()
    for day, (outside_c, energy_kwh) in measured.items():
        if (heating_degree_days(outside_c) or 0.0) <= WINTER_HDD:
            continue
        like = [
            measured[other][1]
            for back in range(-NEIGHBOUR_DAYS, NEIGHBOUR_DAYS + 1)
            if back and (other := day + timedelta(days=back)) in measured
            if abs(measured[other][0] - outside_c) <= LIKE_K
        ]
        if len(like) >= LEAST_NEIGHBOURS and energy_kwh < DEAD_SHARE * median(like):
            dead.add(day)
    return dead
