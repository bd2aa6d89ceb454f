"""Changes and notes on the bars of the energy page, outside of what is kept: their titles change."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from apps.dashboard.charts.lines import Marker, drawn_markers
from apps.dashboard.pages.panel.frame import markers_of
from apps.metrics.home import Home

from .cards import EnergyContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The page with its ``markers``, and how many ``more`` there are than are drawn."""

    page: EnergyContext
    markers: Sequence[Marker]
    more: int


def marked(home: Home, page: EnergyContext) -> Marked:
    """Return the page with the entries of its days on the bars."""
    first, last = page.span.first, page.span.last + timedelta(days=1)
    start, end = home.midnight(first), home.midnight(last)
    entries = markers_of(home, datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
    found, more = drawn_markers(entries, start, end)
    marks = bar_marks(found, [int(row.start.timestamp()) for row in page.rows])
    bars = replace(page.bars, data={**page.bars.data, "marks": marks})
    return Marked(page=replace(page, bars=bars), markers=found, more=more)


def bar_marks(markers: Sequence[Marker], starts: Sequence[int]) -> list[dict[str, int | str]]:
    """Return the numbers on each bar: "2", or "2–4" for several."""
    numbers: dict[int, list[int]] = {}
    for marker in markers:
        index = max(0, bisect_right(starts, marker.at) - 1)
        numbers.setdefault(index, []).append(marker.number)
    return [
        {"index": index, "text": str(own[0]) if len(own) == 1 else f"{own[0]}–{own[-1]}"}
        for index, own in sorted(numbers.items())
        if index < len(starts)
    ]
