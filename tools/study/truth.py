"""A simulated past lived in bulk, stored and derived like a real one, and compared with what was true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import numpy as np
import numpy.typing as npt

from apps.devices.models import Site
from apps.devices.options import HomeOptions, home_options, save_home_options
from apps.metrics.cop import cop_band
from apps.metrics.grid import INTERVAL_S
from apps.metrics.home import Home
from apps.metrics.jaz import Jaz, jaz, joined
from apps.metrics.parameters import site_parameters
from apps.metrics.stale import derive_stale, mark_stale
from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.totals import Totals, totals
from apps.metrics.windows import Period, day_edges, periods
from apps.simulator.history import TRUE_MINUTES, Blemishes, DayChunk, History, some_blemishes
from apps.simulator.spec import HouseSpec, house_spec
from heatmon.demo.rows import write_chunk

CHUNK_DAYS = 25
DERIVE_AT_ONCE = 16 * 288
MIN_MONTH_DAYS = 10
JAZ_DAYS = 365

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Lived = Callable[[int], None]
"""Called with the number of days done since the last call."""


@dataclass(frozen=True, slots=True)
class Truth:
    """True energies [Wh] by interval of [start, end); ``dhw_wh``: electricity that heated water."""

    start: int
    end: int
    energy_wh: Floats
    dhw_wh: Floats
    heat_wh: Floats
    heat_dhw_wh: Floats

    def between(self, column: Floats, start: int, end: int, where: Flags | None = None) -> float:
        """Return the sum over the intervals of [start, end), of those marked in ``where`` only."""
        rows = slice((start - self.start) // INTERVAL_S, (end - self.start) // INTERVAL_S)
        return float(column[rows].sum() if where is None else column[rows][where[rows]].sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What heatmon derived by interval. ``is_full``: state full; ``is_split``: purpose fully known."""

    heat_wh: Floats
    dhw_wh: Floats
    heat_dhw_wh: Floats
    is_full: Flags
    is_split: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFinding:
    """One month [kWh]: heat A beside the truth over intervals in state full, hot water's electricity and
    heat beside the truth where the purpose is known, and all heat inside both bands or not: with method B
    (``low``, ``high``) and for a house without a flow rate (``low_a``, ``high_a``)."""

    label: str
    heat_kwh: float
    true_full_heat_kwh: float
    dhw_kwh: float
    true_dhw_kwh: float
    dhw_heat_kwh: float
    true_dhw_heat_kwh: float
    true_heat_kwh: float
    low_kwh: float
    high_kwh: float
    low_a_kwh: float
    high_a_kwh: float
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JazFinding:
    """A stretch of days: COP by A, both bands, and the true quotient of pump heat and electricity."""

    text: str
    label: str
    true: float
    by_modulation: float
    by_delta_t: float | None
    low: float
    high: float
    low_a: float
    high_a: float
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """One simulated home; what ``claims`` judges and ``report`` prints."""

    seed: int
    scenario: str
    days: int
    first: str
    max_day_error_wh: float
    energy_kwh: float
    true_energy_kwh: float
    months: tuple[MonthFinding, ...]
    years: tuple[JazFinding, ...]
    lumps: int
    duration_s: float = 0.0


def studied(
    store: SqliteStore,
    site: Site,
    seed: int,
    scenario: str,
    first: date,
    days: int,
    *,
    with_gaps: bool = True,
    month_days: int = MIN_MONTH_DAYS,
    lived: Lived = lambda days: None,
) -> Findings:
    """Study ``days`` local days of the house of ``seed`` in a scratch store, derived and compared.

    ``month_days``: stretches of a month shorter than that are left out.
    """
    house = home_options(site)
    last = first + timedelta(days=days - 1)
    edges = day_edges(first, last, house.zone)
    spec = house_spec(seed, edges[0], edges[-1], scenario)
    save_home_options(site, {"estimated_flow_rate": spec.pump.flow_m3_h})
    house = home_options(site)
    blemishes = _blemishes(seed, scenario, edges[0], edges[-1]) if with_gaps else Blemishes()
    truth = _live(store, site.pk, spec, edges[0], edges[-1], blemishes, lived)
    at = datetime.fromtimestamp(edges[-1] + 3600, UTC)
    mark_stale(site.pk, edges[0], edges[-1])
    while derive_stale(store, site.pk, partial(site_parameters, site), at, DERIVE_AT_ONCE):
        pass
    known = _known(store, site.pk, truth)
    home = Home(site=site, options=house, store=store, at=at)
    by_day = totals(home, edges)
    whole = joined(by_day)
    return Findings(
        seed=seed,
        scenario=scenario,
        days=days,
        first=first.isoformat(),
        max_day_error_wh=max_day_error_wh(by_day, truth),
        energy_kwh=(whole.energy_wh or 0.0) / 1000.0,
        true_energy_kwh=float(truth.energy_wh.sum()) / 1000.0,
        months=tuple(_month(home, month, truth, known) for month in _months(first, last, house, month_days)),
        years=tuple(_years(home, first, last, truth)),
        lumps=len(whole.inside) + len(whole.crossing),
    )


def _blemishes(seed: int, scenario: str, start: int, end: int) -> Blemishes:
    """Return gaps of meter and cloud; where the pump follows its nameplate no stale day, which no formula can
    see through."""
    found = some_blemishes(seed, start, end)
    return replace(found, stale=()) if scenario == "nameplate" else found


def _live(
    store: SqliteStore, site: int, spec: HouseSpec, start: int, end: int, blemishes: Blemishes, lived: Lived
) -> Truth:
    """Live the past, newest days first, and write it into the store as raw rows."""
    history = History(spec, start, end, newest_days=CHUNK_DAYS, chunk_days=CHUNK_DAYS, blemishes=blemishes)
    parts: list[dict[str, Floats]] = []
    for chunk in history.chunks():
        write_chunk(store, site, chunk)
        parts.insert(0, _by_interval(chunk))
        lived((chunk.end - chunk.start) // 86_400)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Truth(start, end, **columns)


def _by_interval(chunk: DayChunk) -> dict[str, Floats]:
    """Split by interval: a minute's electricity goes where its heat goes, the rod's alone to hot water."""
    energy, space, dhw, rod = (chunk.truth[name] for name in TRUE_MINUTES)
    heat = space + dhw
    share = np.divide(dhw, heat, out=np.where(rod > 0, 1.0, 0.0), where=heat > 0)
    minutes = {"energy_wh": energy, "dhw_wh": energy * share, "heat_wh": heat, "heat_dhw_wh": dhw}
    return {name: column.reshape(-1, 5).sum(axis=1) for name, column in minutes.items()}


def _known(store: SqliteStore, site: int, truth: Truth) -> Known:
    names = (
        "full_thermal_energy_wh",
        "electrical_energy_dhw_wh",
        "full_thermal_energy_dhw_wh",
        "electrical_energy_unclassified_wh",
    )
    size = (truth.end - truth.start) // INTERVAL_S
    columns = {name: np.full(size, np.nan) for name in names}
    for row in store.rows(site, "interval", truth.start, truth.end, list(names)):
        for name in names:
            value = row.values.get(name)
            if value is not None:
                columns[name][(row.at - truth.start) // INTERVAL_S] = value
    heat_wh, dhw_wh, heat_dhw_wh, unclassified_wh = (columns[name] for name in names)
    return Known(
        heat_wh=np.nan_to_num(heat_wh),
        dhw_wh=np.nan_to_num(dhw_wh),
        heat_dhw_wh=np.nan_to_num(heat_dhw_wh),
        is_full=~np.isnan(heat_wh),
        is_split=~np.isnan(dhw_wh) & (np.nan_to_num(unclassified_wh) == 0.0),
    )


def max_day_error_wh(by_day: Sequence[Totals], truth: Truth) -> float:
    """Return the largest difference of a local day from the truth [Wh]; days that a lump joins count as one
    sum."""
    groups: list[list[Totals]] = []
    for day in by_day:
        is_joined = any(lump.start.timestamp() < day.start for lump in day.crossing)
        groups[-1].append(day) if is_joined and groups else groups.append([day])
    return max(
        abs((joined(group).energy_wh or 0.0) - truth.between(truth.energy_wh, group[0].start, group[-1].end))
        for group in groups
    )


def _months(first: date, last: date, house: HomeOptions, least_days: int) -> Iterator[Period]:
    """Yield the months between two days, cut at them."""
    for month in periods("month", first, last, house.zone):
        begin, end = max(month.first, first), min(month.last, last)
        if (end - begin).days + 1 >= least_days:
            edges = day_edges(begin, end, house.zone)
            yield Period(label=month.label, first=begin, last=end, start=edges[0], end=edges[-1])


def _month(home: Home, month: Period, truth: Truth, known: Known) -> MonthFinding:
    def true_kwh(column: Floats, where: Flags | None = None) -> float:
        return truth.between(column, month.start, month.end, where) / 1000.0

    found = jaz(home, month.first, month.last)
    low, high, low_a, high_a = _bands(found)
    shown = found.energy_kwh or 0.0
    return MonthFinding(
        label=month.label,
        heat_kwh=true_kwh(known.heat_wh, known.is_full),
        true_full_heat_kwh=true_kwh(truth.heat_wh, known.is_full),
        dhw_kwh=true_kwh(known.dhw_wh, known.is_split),
        true_dhw_kwh=true_kwh(truth.dhw_wh, known.is_split),
        dhw_heat_kwh=true_kwh(known.heat_dhw_wh, known.is_split & known.is_full),
        true_dhw_heat_kwh=true_kwh(truth.heat_dhw_wh, known.is_split & known.is_full),
        true_heat_kwh=true_kwh(truth.heat_wh),
        low_kwh=low * shown,
        high_kwh=high * shown,
        low_a_kwh=low_a * shown,
        high_a_kwh=high_a * shown,
        coverage=found.coverage or 0.0,
    )


def _bands(found: Jaz) -> tuple[float, float, float, float]:
    """Return (low, high) of the band as shown, and as shown to a house without a flow rate."""
    if found.jaz_low is None or found.jaz_high is None:
        return (float("nan"),) * 4
    alone = cop_band(_by_modulation(found), energy_coverage=found.coverage or 0.0)
    return found.jaz_low, found.jaz_high, alone.low, alone.high


def _by_modulation(found: Jaz) -> float:
    """Return method A's own figure, also where the methods disagree and only the range is shown."""
    return next(iter(found.cops_by_boundary.values())) if found.jaz is None else found.jaz


def _years(home: Home, first: date, last: date, truth: Truth) -> Iterator[JazFinding]:
    """Yield the last 365 days, and each whole calendar year."""
    stretches = [("365 days", last - timedelta(days=JAZ_DAYS - 1), last)]
    stretches += [
        (str(year), date(year, 1, 1), date(year, 12, 31)) for year in range(first.year, last.year + 1)
    ]
    for text, begin, end in stretches:
        if begin < first or end > last:
            continue
        edges = day_edges(begin, end, home.options.zone)
        found = jaz(home, begin, end)
        low, high, low_a, high_a = _bands(found)
        yield JazFinding(
            text=text,
            label=found.label,
            true=truth.between(truth.heat_wh, edges[0], edges[-1])
            / truth.between(truth.energy_wh, edges[0], edges[-1]),
            by_modulation=_by_modulation(found),
            by_delta_t=found.jaz_delta_t,
            low=low,
            high=high,
            low_a=low_a,
            high_a=high_a,
            coverage=found.coverage or 0.0,
        )
