"""Since when a home is measured: what lies before is no gap and counts in no share."""

from __future__ import annotations

from .grid import INTERVAL_S
from .home import Home
from .kept import kept

DAY_S = 86_400
ELECTRICITY, HEAT = "electric_s", "full_s"


@kept
def measured_from(home: Home, field: str = ELECTRICITY) -> int | None:
    """Return the start of the first interval whose electricity (or, with HEAT, heat too) is known [epoch s];
    None while there is none."""
    extent = home.store.extent(home.id, "interval")
    if extent is None:
        return None
    first = _first(home, field, extent[0], home.interval_s, DAY_S)
    return None if first is None else _first(home, field, first, first + DAY_S, INTERVAL_S)


def _first(home: Home, field: str, start: int, end: int, step_s: int) -> int | None:
    steps = home.store.series(home.id, field, start, end, step_s)
    return next((at for at, known_s in zip(steps.time, steps.sum, strict=True) if known_s), None)
