"""Buckets of a day that is written at once, made from memory."""

from __future__ import annotations

import math
import sqlite3
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from ..cutting import DAY_S
from .rollup import Bucket, raw_buckets
from .tables import Table, key_of


@dataclass(frozen=True, slots=True)
class NewDay:
    """A day of which the store had no row before: its buckets come from memory, three times as fast."""

    connection: sqlite3.Connection
    table: Table
    source: int
    day: int
    times: Sequence[int]
    columns: Mapping[str, Sequence[float | None]]

    def buckets(self, series: Sequence[int], level: int, start: int, end: int) -> list[Bucket]:
        """Do as ``raw_buckets``; what lies outside of the day is read from the database."""
        first, last = max(start, self.day), min(end, self.day + DAY_S)
        found: list[Bucket] = []
        for outside, until in ((start, min(end, self.day)), (max(start, self.day + DAY_S), end)):
            if outside < until:
                found += raw_buckets(self.connection, self.table, self.source, series, level, outside, until)
        edges = [bisect_left(self.times, edge) for edge in range(first, last + 1, level)]
        parts = [(first + level * n, a, b) for n, (a, b) in enumerate(pairwise(edges)) if a < b]
        ids = dict(zip(self.table.scales, series, strict=True))
        for name, column in self.columns.items():
            base = key_of(ids[name], 0)
            found += [
                (base + at, *figures) for at, a, b in parts if (figures := _figures(column[a:b])) is not None
            ]
        return found


def _figures(values: Sequence[float | None]) -> tuple[int, int, int, int] | None:
    """Return (count, sum, min, max) of whole numbers, which may be floats; None and NaN do not count."""
    known = cast("Sequence[float]", values)
    total = math.nan if None in values else sum(known)
    if total != total:
        known = [value for value in values if value is not None and value == value]
        if not known:
            return None
        total = sum(known)
    return len(known), int(total), int(min(known)), int(max(known))
