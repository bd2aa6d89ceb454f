"""The monthly normals shipped with heatmon, and those of a options."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from apps.devices.options import HomeOptions

from .climate import Normals, Region, normals_of_place, regions

_FILE = Path(__file__).parent / "data" / "normals.csv"


@cache
def shipped_regions() -> tuple[Region, ...]:
    return tuple(regions(_FILE.read_text(encoding="utf-8").splitlines()))


def normals_of(options: HomeOptions) -> Normals | None:
    """Return the values entered by the owner, else those of the nearest region; None without either."""
    if len(options.monthly_normals_c) == 12:
        return Normals(months_c=tuple(options.monthly_normals_c), source="settings")
    if options.latitude is None or options.longitude is None:
        return None
    return normals_of_place(shipped_regions(), options.latitude, options.longitude, options.altitude)
