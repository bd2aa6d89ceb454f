"""◇ Runs at their time of day, one column a day, as a drawing that needs no script.

The drawing is as wide as it has days and 1440 high, a minute each. Positions are texts, since a template
would write numbers with the reader's decimal comma.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from apps.metrics.use_runs import Draw, Run

MINUTES = 1440
MARGIN = 0.14
DRAW_MINUTES = 10
SHORTEST_MINUTES = 12  # below, a run is too thin to be seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """``kind``: run, night or draw (classes of the style sheet)."""

    x: str
    y: str
    width: str
    height: str
    kind: str


def marks_of(
    first: date, last: date, runs: Sequence[Run], night: frozenset[int], draws: Sequence[Draw], zone: tzinfo
) -> list[Mark]:
    """Return the marks of runs, and of draws, on the days ``first`` to ``last``."""
    found = []
    for run in runs:
        for day, begin, end in _by_day(run.start, run.end, zone):
            kind = "night" if run.start in night else "run"
            if day <= last:
                found.append(_mark(first, day, begin, max(end - begin, SHORTEST_MINUTES), kind))
    for draw in draws:
        begun = datetime.fromtimestamp(draw.start, zone)
        found.append(_mark(first, begun.date(), _minute(begun), DRAW_MINUTES, "draw"))
    return found


def _by_day(start: int, end: int, zone: tzinfo) -> Iterator[tuple[date, int, int]]:
    """Yield local day, and first and last minute in it, of each day that [start, end) touches. Within one day
    it is as long as it took, also where the clock went back meanwhile."""
    begun, ended = datetime.fromtimestamp(start, zone), datetime.fromtimestamp(end, zone)
    day = begun.date()
    if day == ended.date():
        yield day, _minute(begun), min(MINUTES, _minute(begun) + (end - start) // 60)
        return
    while day <= ended.date():
        begin = _minute(begun) if day == begun.date() else 0
        last = _minute(ended) if day == ended.date() else MINUTES
        if last > begin:
            yield day, begin, last
        day += timedelta(days=1)


def _minute(local: datetime) -> int:
    clock: time = local.time()
    return clock.hour * 60 + clock.minute


def _mark(first: date, day: date, begin: int, minutes: int, kind: str) -> Mark:
    x = (day - first).days + MARGIN
    return Mark(
        x=f"{x:.2f}",
        y=str(min(begin, MINUTES - minutes)),
        width=f"{1 - 2 * MARGIN:.2f}",
        height=str(minutes),
        kind=kind,
    )
