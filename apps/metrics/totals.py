"""Sums of intervals over calendar stretches, with the lumps that lie in them.

The one place that asks the store for sums of results; everything about periods is made from ``Totals``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .models import Lump
from .running import INTERVAL_S
from .store.base import Aggregate, TimeSeriesStore

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
)

ALL_KNOWN = 0.995
"""Share of the electricity from which on a heat of 0 was measured (cooling, defrosting)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LumpSpan:
    """A lump as the pages draw it. Instants aware UTC."""

    start: datetime
    end: datetime
    energy_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over [start, end) epoch s; a field without any value is None. ``elapsed_s``: how much of it has
    passed. ``inside``: lumps wholly inside; ``crossing``: those that reach over an edge."""

    start: int
    end: int
    elapsed_s: int
    sums: dict[str, float | None]
    inside: tuple[LumpSpan, ...] = ()
    crossing: tuple[LumpSpan, ...] = ()

    def __getitem__(self, name: str) -> float | None:
        return self.sums[name]

    def seconds(self, name: str) -> float:
        return self.sums[name] or 0.0

    @property
    def energy_wh(self) -> float | None:
        """All known electricity, lumps wholly inside included; None if nothing is known."""
        known = self.sums["electrical_energy_wh"]
        if known is None and not self.inside:
            return None
        return (known or 0.0) + sum(lump.energy_kwh * 1000.0 for lump in self.inside)

    @property
    def electric_coverage(self) -> float | None:
        """Time with known electricity over elapsed time; None before the period began."""
        return min(1.0, self.seconds("electric_s") / self.elapsed_s) if self.elapsed_s > 0 else None

    @property
    def time_coverage(self) -> float | None:
        """Time in state ``full`` over elapsed time."""
        return min(1.0, self.seconds("full_s") / self.elapsed_s) if self.elapsed_s > 0 else None

    def energy_coverage(self, full: str = "full_electrical_energy_wh") -> float | None:
        """Electricity whose heat is known over all known electricity; None without any."""
        energy_wh = self.energy_wh
        if not energy_wh:
            return None
        return min(1.0, (self.sums[full] or 0.0) / energy_wh)

    def heat_wh(self, name: str, full: str) -> float | None:
        """Heat ``name`` of the intervals that know it. None where all they know is that nothing came while
        the compressor stood: it ran too, and what that gave is unknown, not 0. Wants the sum
        ``compressor_run_s``."""
        known = self.sums[name]
        if known != 0.0 or not self.sums["compressor_run_s"]:
            return known
        return known if (self.energy_coverage(full) or 0.0) >= ALL_KNOWN else None

    @property
    def modulation_heat_wh(self) -> float | None:
        return self.heat_wh("thermal_energy_modulation_wh", "full_electrical_energy_wh")

    @property
    def delta_t_heat_wh(self) -> float | None:
        return self.heat_wh("thermal_energy_delta_t_wh", "full_delta_t_electrical_energy_wh")

    @property
    def is_complete(self) -> bool:
        """All electricity is known, none of it in a lump over an edge, and the stretch is over."""
        return (
            self.elapsed_s == self.end - self.start
            and self.seconds("electric_s") >= self.end - self.start
            and not self.crossing
        )


def totals(
    store: TimeSeriesStore,
    site_id: int,
    edges: Sequence[int],
    at: datetime,
    names: Sequence[str] = INTERVAL_FIELDS,
) -> list[Totals]:
    """Totals of each stretch between neighbouring edges (rising epoch s). ``names`` must hold
    ``electrical_energy_wh`` and ``electric_s`` where coverage or completeness is asked for."""
    if len(edges) < 2:
        return []
    sums = store.sums(site_id, names, edges)
    lumps = lumps_within(site_id, edges[0], edges[-1])
    now = int(at.timestamp())
    now -= now % INTERVAL_S
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


def lumps_within(site_id: int, start: int, end: int) -> list[LumpSpan]:
    """Lumps that touch [start, end), in order."""
    found = Lump.objects.filter(
        site_id=site_id,
        start__lt=datetime.fromtimestamp(end, UTC),
        end__gt=datetime.fromtimestamp(start, UTC),
    ).order_by("start")
    return [LumpSpan(start=lump.start, end=lump.end, energy_kwh=lump.energy_wh / 1000.0) for lump in found]


def outside_means(store: TimeSeriesStore, site_id: int, edges: Sequence[int]) -> list[Aggregate]:
    """Own sensor's outside temperature between neighbouring edges."""
    name = "outside_temperature_c"
    return store.sums(site_id, [name], edges)[name] if len(edges) > 1 else []


def _starts(lump: LumpSpan) -> int:
    return int(lump.start.timestamp())


def _ends(lump: LumpSpan) -> int:
    return int(lump.end.timestamp())
