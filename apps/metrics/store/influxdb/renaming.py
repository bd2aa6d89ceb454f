"""Copying one source's points to another device."""

from __future__ import annotations

from collections.abc import Iterator

from ..engine import SourceKey
from ..schema import scales_of
from .connection import Connection
from .lines import head_of, line_of
from .questions import read_points


def moved(connection: Connection, source: SourceKey, new: SourceKey, start: int, end: int) -> Iterator[str]:
    """Yield the lines that give ``new`` the points of ``source`` at the times at which it has none."""
    scales = scales_of(source.measurement)
    fields = tuple(scales)
    taken = read_points(connection, new, fields, start, end)
    next_taken = next(taken, None)
    for at, values in read_points(connection, source, fields, start, end):
        while next_taken is not None and next_taken[0] < at:
            next_taken = next(taken, None)
        if next_taken is not None and next_taken[0] == at:
            continue
        known = zip(fields, values, strict=True)
        yield line_of(
            head_of(new), {name: value / scales[name] for name, value in known if value is not None}, at
        )
