"""The seasonal performance of a stretch of days, with its band, coverage and label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from apps.devices.options import HomeOptions

from .codes import METHOD_VERSION
from .cop import Band, MonthCoverage, boundary, boundary_cops, cop_band, coverage_label, is_plausible_jaz
from .home import Home
from .kept import kept
from .totals import INTERVAL_FIELDS, Totals, kwh, totals
from .windows import next_first, period_first

REGISTER_AGE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jaz:
    """The fields of GET /api/jaz (``first`` and ``last`` are its ``from`` and ``to``).

    ``label``: ``full``, ``partial`` or ``insufficient``; with the last, ``jaz`` is the COP of those days
    and no page calls it JAZ. Methods that disagree: ``jaz`` None, low and high given. ``implausible``: no
    heat pump has it, so that some setting is probably wrong. Beyond the API:
    ``days``, ``electric_coverage``, ``boundary`` (H1 to H4) and the COPs by boundary.
    """

    first: date
    last: date
    days: int
    jaz: float | None
    jaz_low: float | None
    jaz_high: float | None
    jaz_delta_t: float | None
    jaz_heating: float | None
    jaz_dhw: float | None
    device_cop_total: float | None
    coverage: float | None
    electric_coverage: float | None
    label: str
    implausible: bool
    disagree: bool
    boundary: str
    cops_by_boundary: dict[str, float]
    energy_kwh: float | None
    heat_kwh: float | None
    method_version: int = METHOD_VERSION

    def as_dict(self) -> dict[str, Any]:
        """Return the answer of GET /api/jaz."""
        names = (
            "jaz",
            "jaz_low",
            "jaz_high",
            "jaz_delta_t",
            "jaz_heating",
            "jaz_dhw",
            "device_cop_total",
            "coverage",
            "label",
            "implausible",
            "method_version",
        )
        return {"from": self.first, "to": self.last, **{name: getattr(self, name) for name in names}}


def rolling_year(home: Home) -> tuple[date, date]:
    """Return the 365 local days before today."""
    return home.today - timedelta(days=365), home.today - timedelta(days=1)


@kept
def jaz(home: Home, first: date, last: date) -> Jaz:
    """Return the COP of the local days ``first`` to ``last``, both included.

    Raises ValueError if they are reversed.
    """
    if last < first:
        raise ValueError("the range ends before it starts")
    firsts = _month_starts(first, last)
    edges = [home.midnight(day) for day in (*firsts, last + timedelta(days=1))]
    months = totals(home, edges)
    whole = joined(months)
    value, delta_t = whole.cop, whole.cop_delta_t
    coverage = whole.heat_coverage
    band = _band(home.options, value, delta_t, coverage)
    days = (last - first).days + 1
    ends = [*firsts[1:], last + timedelta(days=1)]
    label = coverage_label(
        days,
        whole.electrical_coverage or 0.0,
        coverage,
        [
            MonthCoverage(days=(end - start).days, energy_coverage=month.heat_coverage)
            for start, end, month in zip(firsts, ends, months, strict=True)
        ],
    )
    return Jaz(
        first=first,
        last=last,
        days=days,
        jaz=None if band is None or band.disagree else value,
        jaz_low=band.low if band else None,
        jaz_high=band.high if band else None,
        jaz_delta_t=delta_t,
        jaz_heating=whole.cop_heating,
        jaz_dhw=whole.cop_dhw,
        device_cop_total=device_register(home, "device_cop_total"),
        coverage=coverage,
        electric_coverage=whole.electrical_coverage,
        label=label,
        implausible=whole.implausible or not is_plausible_jaz(value),
        disagree=bool(band and band.disagree),
        boundary=boundary(home.options.metered),
        cops_by_boundary=boundary_cops(
            whole["full_thermal_energy_wh"] or 0.0,
            whole["full_electrical_energy_wh"] or 0.0,
            whole["electrical_energy_rod_wh"],
            home.options.metered,
        )
        if value is not None
        else {},
        energy_kwh=whole.electrical_energy_kwh,
        heat_kwh=kwh(whole.modulation_heat_wh),
    )


def _band(
    options: HomeOptions, value: float | None, delta_t: float | None, coverage: float | None
) -> Band | None:
    if value is None or coverage is None:
        return None
    calibrated = options.heat_reference_factor is not None
    return cop_band(value, [delta_t], energy_coverage=coverage, calibrated=calibrated)


def joined(parts: Sequence[Totals]) -> Totals:
    """Join neighbouring stretches into one: sums add up, and a lump over an inner edge lies inside."""
    start, end = parts[0].start, parts[-1].end
    lumps = {(lump.start, lump.end): lump for part in parts for lump in (*part.inside, *part.crossing)}
    inside = [
        lump for lump in lumps.values() if lump.start.timestamp() >= start and lump.end.timestamp() <= end
    ]
    sums: dict[str, float | None] = {}
    for name in INTERVAL_FIELDS:
        known = [value for part in parts if (value := part[name]) is not None]
        sums[name] = sum(known) if known else None
    return Totals(
        start=start,
        end=end,
        elapsed_s=sum(part.elapsed_s for part in parts),
        sums=sums,
        inside=tuple(inside),
        crossing=tuple(lump for lump in lumps.values() if lump not in inside),
    )


def device_register(home: Home, name: str) -> float | None:
    """Return the newest value of one of the device's own long-run COP registers, at most 30 days old; None
    if it has none."""
    since = int((home.at - REGISTER_AGE).timestamp())
    sample = home.store.latest(home.id, [name], since, home.at_s + 1)[name]
    return sample.value if sample is not None and sample.value > 0 else None


def _month_starts(first: date, last: date) -> list[date]:
    starts = [first]
    following = next_first(period_first(first, "month"), "month")
    while following <= last:
        starts.append(following)
        following = next_first(following, "month")
    return starts
