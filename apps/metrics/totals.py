"""Sums of intervals over calendar stretches, with the lumps that lie in them.

The one place that asks the store for sums of results; everything about periods is made from ``Totals``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .begin import measured_from
from .cop import period_cop
from .grid import edge_from, interval_of
from .heat import ALL_KNOWN, known_heat
from .home import Home
from .kept import kept
from .models import Lump
from .store.base import Aggregate

INTERVAL_FIELDS = (
    "electrical_energy_wh",
    "thermal_energy_modulation_wh",
    "thermal_energy_delta_t_wh",
    "full_electrical_energy_wh",
    "full_thermal_energy_wh",
    "full_delta_t_electrical_energy_wh",
    "full_delta_t_thermal_energy_wh",
    "full_s",
    "electric_s",
    "electrical_energy_heating_wh",
    "electrical_energy_dhw_wh",
    "electrical_energy_cooling_wh",
    "electrical_energy_standby_wh",
    "electrical_energy_unclassified_wh",
    "electrical_energy_rod_wh",
    "full_electrical_energy_heating_wh",
    "full_thermal_energy_heating_wh",
    "full_electrical_energy_dhw_wh",
    "full_thermal_energy_dhw_wh",
    "compressor_starts",
    "compressor_run_s",
    "compressor_known_s",
    "flow_weighted_wh_c",
    "flow_weight_wh",
    "carnot_work_wh",
    "carnot_energy_wh",
    "implausible_energy_wh",
)

USES = ("electrical_energy_heating_wh", "electrical_energy_dhw_wh")
PENDING_S = 900
"""How much of the newest time may wait to be derived before a running stretch counts as partial."""

IMPLAUSIBLE_SHARE = 0.05
"""Share of the electricity above which impossible COPs make a stretch implausible (metrics §1)."""

LEAST_COVERAGE = 0.10
"""Share of the electricity whose heat must be known for a COP to stand for the stretch."""

MEASURED = 0.98
"""Share of the time from which on a stretch counts as measured (metrics §2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LumpSpan:
    """A lump as the pages draw it. Instants aware UTC."""

    start: datetime
    end: datetime
    energy_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over [start, end) epoch s; a field without any value is None.

    ``elapsed_s``: how much of it has passed, ``before_s``: how much of that was before the home was measured
    at all (``window`` alone tells). ``inside``: lumps wholly inside; ``crossing``: those that
    reach over an edge. A property raises KeyError where ``totals`` was not asked for the sums it needs.
    """

    start: int
    end: int
    elapsed_s: int
    sums: dict[str, float | None]
    inside: tuple[LumpSpan, ...] = ()
    crossing: tuple[LumpSpan, ...] = ()
    before_s: int = 0

    def __getitem__(self, name: str) -> float | None:
        return self.sums[name]

    def seconds(self, name: str) -> float:
        return self.sums[name] or 0.0

    @property
    def energy_wh(self) -> float | None:
        """All known electricity, lumps wholly inside included; None if nothing is known."""
        return self._with_lumps("electrical_energy_wh")

    @property
    def unclassified_energy_wh(self) -> float | None:
        """Electricity of which nothing says what for, that of lumps wholly inside included: the five uses add
        up to ``energy_wh``."""
        return self._with_lumps("electrical_energy_unclassified_wh")

    def _with_lumps(self, name: str) -> float | None:
        known = self.sums[name]
        if known is None and not self.inside:
            return None
        return (known or 0.0) + sum(lump.energy_kwh * 1000.0 for lump in self.inside)

    @property
    def electrical_energy_kwh(self) -> float | None:
        return kwh(self.energy_wh)

    @property
    def at_least(self) -> bool:
        """A lump reaches over an edge, so that the true sum is larger."""
        return bool(self.crossing)

    @property
    def electrical_coverage(self) -> float | None:
        """Time with known electricity over elapsed time; None before the period began."""
        return min(1.0, self.seconds("electric_s") / self.elapsed_s) if self.elapsed_s > 0 else None

    @property
    def measured_coverage(self) -> float | None:
        """As ``electrical_coverage``, of the time since the home is measured: what pages call measured."""
        since_s = self.elapsed_s - self.before_s
        return min(1.0, self.seconds("electric_s") / since_s) if since_s > 0 else None

    @property
    def is_partial(self) -> bool:
        """Some of the time since the home is measured has no electricity; what still runs may lack its newest
        minutes."""
        coverage = self.measured_coverage
        if coverage is None or coverage >= ALL_KNOWN:
            return False
        return self.is_over or self.elapsed_s - self.before_s - self.seconds("electric_s") > PENDING_S

    @property
    def heating_energy_wh(self) -> float | None:
        """Electricity for space heating; None where the compressor ran and nothing says what for."""
        return self._use_wh("electrical_energy_heating_wh")

    @property
    def dhw_energy_wh(self) -> float | None:
        """Electricity for hot water; None as for ``heating_energy_wh``."""
        return self._use_wh("electrical_energy_dhw_wh")

    def _use_wh(self, name: str) -> float | None:
        unclassified = self.sums["electrical_energy_unclassified_wh"]
        return None if unclassified and not any(self.sums[use] for use in USES) else self.sums[name]

    @property
    def heat_coverage(self) -> float | None:
        """Electricity whose heat is known over all known electricity but that of cooling; None without
        any."""
        return self.energy_coverage("full_electrical_energy_wh")

    @property
    def delta_t_coverage(self) -> float | None:
        return self.energy_coverage("full_delta_t_electrical_energy_wh")

    def energy_coverage(self, full: str) -> float | None:
        heating_wh = round((self.energy_wh or 0.0) - self.seconds("electrical_energy_cooling_wh"), 4)
        return min(1.0, (self.sums[full] or 0.0) / heating_wh) if heating_wh > 0 else None

    @property
    def implausible(self) -> bool:
        """More than a twentieth of the electricity is of intervals with a COP that no heat pump has."""
        return self.seconds("implausible_energy_wh") > IMPLAUSIBLE_SHARE * (self.energy_wh or 0.0)

    @property
    def cop(self) -> float | None:
        """Heat by modulation over electricity, both of the intervals that know both; None where those are
        less than a tenth of the electricity."""
        return self._whole_cop("full_thermal_energy_wh", "full_electrical_energy_wh")

    @property
    def cop_delta_t(self) -> float | None:
        return self._whole_cop("full_delta_t_thermal_energy_wh", "full_delta_t_electrical_energy_wh")

    @property
    def cop_heating(self) -> float | None:
        return self._cop("full_thermal_energy_heating_wh", "full_electrical_energy_heating_wh")

    @property
    def cop_dhw(self) -> float | None:
        return self._cop("full_thermal_energy_dhw_wh", "full_electrical_energy_dhw_wh")

    def _whole_cop(self, heat: str, energy: str) -> float | None:
        return self._cop(heat, energy) if (self.energy_coverage(energy) or 0.0) >= LEAST_COVERAGE else None

    def _cop(self, heat: str, energy: str) -> float | None:
        return period_cop(self.sums[heat], self.sums[energy]).value

    @property
    def compressor_starts(self) -> int | None:
        starts = self.sums["compressor_starts"]
        return None if starts is None else round(starts)

    @property
    def compressor_run_s(self) -> float | None:
        return self.sums["compressor_run_s"]

    @property
    def mean_run_s(self) -> float | None:
        """Mean length of a run [s]; None without a start."""
        starts, run_s = self.compressor_starts, self.compressor_run_s
        return run_s / starts if starts and run_s is not None else None

    def heat_wh(self, name: str, full: str) -> float | None:
        """Return the heat ``name`` of the intervals that know it, by ``known_heat``."""
        return known_heat(
            self.sums[name],
            run_s=self.sums["compressor_run_s"],
            full_energy_wh=self.sums[full],
            energy_wh=self.energy_wh,
            cooling_wh=self.sums["electrical_energy_cooling_wh"],
        )

    @property
    def modulation_heat_wh(self) -> float | None:
        return self.heat_wh("thermal_energy_modulation_wh", "full_electrical_energy_wh")

    @property
    def delta_t_heat_wh(self) -> float | None:
        return self.heat_wh("thermal_energy_delta_t_wh", "full_delta_t_electrical_energy_wh")

    @property
    def is_over(self) -> bool:
        return self.elapsed_s == self.end - self.start

    @property
    def is_measured(self) -> bool:
        """The stretch is over, its electricity known for 98 % of it, none in a lump over an edge."""
        return self.is_over and (self.electrical_coverage or 0.0) >= MEASURED and not self.crossing

    @property
    def scaled_energy_wh(self) -> float | None:
        """Known electricity scaled up to the whole elapsed time; None if nothing is known."""
        energy_wh, coverage = self.energy_wh, self.electrical_coverage
        return energy_wh / coverage if energy_wh is not None and coverage else energy_wh


def totals(home: Home, edges: Sequence[int], names: Sequence[str] = INTERVAL_FIELDS) -> Sequence[Totals]:
    """Return the totals of each stretch between neighbouring edges (rising epoch s).

    ``names`` must hold ``electrical_energy_wh`` and ``electric_s`` where coverage or completeness is asked
    for.
    """
    return _totals(home, tuple(edges), tuple(names))


@kept
def _totals(home: Home, edges: tuple[int, ...], names: tuple[str, ...]) -> Sequence[Totals]:
    if len(edges) < 2:
        return []
    sums = home.store.sums(home.id, names, edges)
    lumps = lumps_within(home.id, edges[0], edges[-1])
    now = home.interval_s
    result = []
    for index, (start, end) in enumerate(zip(edges, edges[1:], strict=False)):
        touching = [lump for lump in lumps if _starts(lump) < end and _ends(lump) > start]
        inside = [lump for lump in touching if _starts(lump) >= start and _ends(lump) <= end]
        result.append(
            Totals(
                start=start,
                end=end,
                elapsed_s=max(0, min(end, now) - start),
                sums={name: sums[name][index].sum for name in names},
                inside=tuple(inside),
                crossing=tuple(lump for lump in touching if lump not in inside),
            )
        )
    return result


def window(home: Home, start: int, end: int, names: Sequence[str] = INTERVAL_FIELDS) -> Totals:
    """Return the totals of the whole 5-minute intervals inside [start, end) (epoch s)."""
    first, last = edge_from(start), interval_of(end)
    if last <= first:
        return Totals(start=first, end=first, elapsed_s=0, sums=dict.fromkeys(names))
    found = totals(home, [first, last], names)[0]
    begin = measured_from(home) or 0
    return replace(found, before_s=max(0, min(found.elapsed_s, begin - first)))


def lumps_within(site_id: int, start: int, end: int) -> list[LumpSpan]:
    """Return the lumps that touch [start, end), in order."""
    found = Lump.objects.filter(
        site_id=site_id,
        start__lt=datetime.fromtimestamp(end, UTC),
        end__gt=datetime.fromtimestamp(start, UTC),
    ).order_by("start")
    return [LumpSpan(start=lump.start, end=lump.end, energy_kwh=lump.energy_wh / 1000.0) for lump in found]


def outside_means(home: Home, edges: Sequence[int]) -> list[Aggregate]:
    """Return the own sensor's outside temperature between neighbouring edges."""
    name = "outside_temperature_c"
    return home.store.sums(home.id, [name], edges)[name] if len(edges) > 1 else []


def outside_mean_c(home: Home, start: int, end: int) -> float | None:
    """Return the mean outside temperature of [start, end) (epoch s) [°C]."""
    first, last = edge_from(start), interval_of(end)
    return outside_means(home, [first, last])[0].mean if last > first else None


def kwh(energy_wh: float | None) -> float | None:
    return None if energy_wh is None else energy_wh / 1000.0


def _starts(lump: LumpSpan) -> int:
    return int(lump.start.timestamp())


def _ends(lump: LumpSpan) -> int:
    return int(lump.end.timestamp())
