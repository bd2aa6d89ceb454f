"""The columns of a long range: their edges and rows, how each is called, where it leads, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.dashboard.charts.axes import HOUR, Tick, time_ticks
from apps.dashboard.charts.columns import DAY_COLUMN, HOUR_COLUMN, WEEK_COLUMN, Stops, column_of
from apps.dashboard.charts.lines import Gap
from apps.dashboard.pages.energy.rows import row_notes
from apps.dashboard.pages.links import history_href
from apps.metrics.home import Home
from apps.metrics.periods import EnergyRow, energy_rows, stretch_rows
from apps.metrics.windows import day_edges, local_date

QUARTERS = {0, 6, 12, 18}
MEASURED_HEAT = 0.9
"""Share of the electricity whose heat is known from which on a COP is shown in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """``rows`` run on ``edges`` (epoch s), ``coarse`` (6 hours in a week, else the same) on
    ``coarse_edges``. Nothing is known before ``known_from``."""

    kind: str
    edges: tuple[int, ...]
    rows: Sequence[EnergyRow]
    coarse_edges: tuple[int, ...]
    coarse: Sequence[EnergyRow]
    known_from: int
    now: int

    @property
    def start(self) -> int:
        return self.edges[0]

    @property
    def end(self) -> int:
        return self.edges[-1]

    def gaps(self, edges: Sequence[int], missing: Sequence[bool], cause: str) -> tuple[Gap, ...]:
        """Join neighbouring columns that are over and miss something; not from before the first data."""
        found: list[Gap] = []
        for start, end, is_missing in zip(edges, edges[1:], missing, strict=False):
            if not is_missing or end > self.now or end <= self.known_from:
                continue
            if found and found[-1].end == start:
                found[-1] = Gap(start=found[-1].start, end=end, cause=cause)
            else:
                found.append(Gap(start=max(start, self.known_from), end=end, cause=cause))
        return tuple(found)


def grid_of(home: Home, start: int, end: int) -> Grid:
    """Return the columns that touch [start, end) (epoch s), whole ones at its edges too; those from before
    the first data are left out, unless there are no others."""
    kind = column_of(start, end)
    extent = home.store.extent(home.id, "interval")
    known_from = home.at_s if extent is None else extent[0]
    begin = known_from if start < known_from < end else start
    first, last = day_at(home, begin), day_at(home, end - 1)
    if kind == HOUR_COLUMN:
        edges = _hour_edges(home, begin, end)
        rows: Sequence[EnergyRow] = stretch_rows(home, edges)
        inner = [at for at in edges[1:-1] if _local(home, at).hour in QUARTERS]
        coarse_edges = (edges[0], *inner, edges[-1])
        coarse: Sequence[EnergyRow] = stretch_rows(home, coarse_edges)
    else:
        rows = coarse = energy_rows(home, kind, first, last)
        edges = coarse_edges = (*(_epoch(row.start) for row in rows), _epoch(rows[-1].end))
    return Grid(
        kind=kind,
        edges=edges,
        rows=rows,
        coarse_edges=coarse_edges,
        coarse=coarse,
        known_from=known_from,
        now=home.at_s,
    )


def kwh_decimals(grid: Grid) -> int:
    return 2 if grid.kind == HOUR_COLUMN else 1


def _hour_edges(home: Home, start: int, end: int) -> tuple[int, ...]:
    days = day_edges(day_at(home, start), day_at(home, end - 1), home.options.zone)
    hours = [at for day, following in zip(days, days[1:], strict=False) for at in range(day, following, HOUR)]
    return (*(at for at in hours if at + HOUR > start and at < end), min(days[-1], -(-end // HOUR) * HOUR))


def _epoch(at: datetime) -> int:
    return int(at.timestamp())


def _local(home: Home, at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(home.options.zone)


def day_at(home: Home, at: int) -> date:
    """Return the local day of an instant [epoch s]."""
    return local_date(datetime.fromtimestamp(at, UTC), home.options.zone)


# ---------- how columns are called, and where they lead ----------


def stops_of(home: Home, grid: Grid, series: Sequence[str]) -> Stops:
    """Return names, addresses and notes of the finest columns. ``series``: those to be kept in the address,
    empty for the default ones."""
    return Stops(
        edges=grid.edges,
        titles=tuple(head_of(home, grid.kind, row) for row in grid.rows),
        links=tuple(_link(home, grid.kind, row, series) for row in grid.rows),
        notes=tuple(_note(home, row) for row in grid.rows),
    )


def head_of(home: Home, kind: str, row: EnergyRow) -> str:
    """Return the name of a column."""
    first = row.start.astimezone(home.options.zone)
    if kind == HOUR_COLUMN:
        hour = formatting.at_home(home, row.end)
        return f"{formatting.local_date(first, 'weekday_day')}, {formatting.at_home(home, row.start)}–{hour}"
    if kind == DAY_COLUMN:
        head = formatting.local_date(first, "weekday_day")
    elif kind == WEEK_COLUMN:
        last = first.date() + timedelta(days=6)
        days = f"{formatting.local_date(first, 'day')} – {formatting.local_date(last, 'day')}"
        head = f"{formatting.week(first)}: {days}"
    else:
        head = formatting.local_date(first, kind)
    return _("%(period)s, so far") % {"period": head} if row.start <= home.at < row.end else head


def _link(home: Home, kind: str, row: EnergyRow, series: Sequence[str]) -> str:
    if row.start > home.at:
        return ""
    day = row.start.astimezone(home.options.zone).date()
    return history_href(DAY_COLUMN if kind == HOUR_COLUMN else kind, day, series)


def _note(home: Home, row: EnergyRow) -> str:
    """Say what a column's numbers leave out."""
    if row.start > home.at:
        return ""
    notes = row_notes(home, row)
    if row.heat_coverage is not None and row.heat_coverage < MEASURED_HEAT:
        notes.append(
            _("heat known for %(share)s of the electricity")
            % {"share": formatting.coverage(row.heat_coverage)}
        )
    return " · ".join(notes)


def ticks_of(home: Home, grid: Grid) -> tuple[Tick, ...]:
    """Return the marks under the columns: days of a month under their middle, else round local times."""
    if grid.kind != DAY_COLUMN:
        return time_ticks(grid.start, grid.end, home.options.zone, formatting.tick_label)
    ticks = []
    for index, (start, end) in enumerate(zip(grid.edges, grid.edges[1:], strict=False)):
        day = day_at(home, start)
        is_named = day.day == 1 or index == 0
        if is_named or (day.day % 5 == 0 and day.day < 30):
            label = formatting.local_date(day, "day") if is_named else str(day.day)
            ticks.append(Tick(at=(start + end) // 2, label=label))
    return tuple(ticks)
