"""Lines of what the meter measured, of the channels that have their role now.

Rows hold the sum over the channels whose role was the heat pump's when they came; a change of roles takes
effect on history too. Minimum and maximum of several channels that are added up here are bounds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .channels import Channels, energy_of, power_of
from .grid import edge_from, interval_of
from .home import Home
from .store.base import Aggregate, Series

ROUNDING = 0.01
"""How far the stored sum of a row may be from that of its channels [W or Wh]: all are rounded."""


def power_series(home: Home, start: int, end: int, step_s: int) -> Series:
    """Return the heat pump's power of the polls [W]."""
    return _series(home, power_of(home.options.heat_pump_channels), start, end, step_s)


def minute_energy_series(home: Home, start: int, end: int, step_s: int) -> Series:
    """Return the heat pump's energy of the minutes [Wh]."""
    return _series(home, energy_of(home.options.heat_pump_channels), start, end, step_s)


def _series(home: Home, quantity: Channels, start: int, end: int, step_s: int) -> Series:
    total = home.store.series(home.id, quantity.total, start, end, step_s)
    edges = [interval_of(start), edge_from(end)]
    sums = home.store.sums(home.id, quantity.all_fields, edges)
    if _holds(sums[quantity.total][0], [sums[name][0] for name in quantity.fields]):
        return total
    channels = [home.store.series(home.id, name, start, end, step_s) for name in quantity.fields]
    return _added(total, channels)


def _holds(total: Aggregate, channels: Sequence[Aggregate]) -> bool:
    """Return whether the stored sums are those of the channels, or all there is."""
    known = [each for each in channels if each.count]
    if not known:
        return True
    difference = (total.sum or 0.0) - sum(each.sum or 0.0 for each in known)
    return abs(difference) <= ROUNDING * total.count


def _added(total: Series, channels: Sequence[Series]) -> Series:
    """Return the channels added up by step, the total where a step has none of them."""
    added = Series(name=total.name, step_s=total.step_s, time=total.time)
    for index in range(len(total.time)):
        present = [each for each in channels if each.count[index]] or [total]
        added.count.append(min(each.count[index] for each in present))
        for values, parts in (
            (added.mean, [each.mean[index] for each in present]),
            (added.min, [each.min[index] for each in present]),
            (added.max, [each.max[index] for each in present]),
        ):
            values.append(_sum(parts))
    return added


def _sum(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return round(math.fsum(known), 4) if known else None
