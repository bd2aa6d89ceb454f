"""Sums of hours: made again from raw values whenever one of their values came, changed or went.

``<measurement>_hour`` holds, of each source and UTC hour, a field's sum under its name, and count, least and
greatest value as ``<field>_count``, ``_min`` and ``_max``. Hours before ``summed_until`` are summed; in
the youngest hours values still come, so they are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..cutting import ceil_to, floor_to
from ..engine import LAST_TIME, Difference, SourceKey, Total
from ..schema import scales_of
from .connection import Connection
from .known import KnownSources, note_summed, summed_until
from .lines import HOUR, LARGEST_LINES, head_of, line_of, portions
from .planning import planned
from .questions import HOUR_S, Place, read_edges, read_hours, read_values
from .work import Erasure, Touched, Work

LAG_S = 6 * HOUR_S
_AT_ONCE_S = 7 * 24 * HOUR_S

Post = Callable[[Sequence[str]], None]
Values = Mapping[str, float]


class Hours:
    """Keeps the sums of hours of one bucket. Used by the one sender only."""

    def __init__(self, connection: Connection, sources: KnownSources, post: Post) -> None:
        self._connection = connection
        self._sources = sources
        self._post = post

    def are_summed(self, touched: Iterable[Touched]) -> bool:
        """Return whether any hour that is touched is summed already."""
        return any(each.start < summed_until(each.site, each.measurement) for each in touched)

    def follow(self, touched: Sequence[Touched]) -> None:
        """Sum the touched hours again as far as they are summed, and go on from there to the newest."""
        for site, measurement in {(each.site, each.measurement) for each in touched}:
            own = [each for each in touched if (each.site, each.measurement) == (site, measurement)]
            until = summed_until(site, measurement) or self._begin(site, measurement, own)
            newest = max((each.end for each in own if not each.lessened), default=0)
            target = max(until, floor_to(newest - LAG_S, HOUR_S))
            for each in own:
                start, end = floor_to(each.start, HOUR_S), ceil_to(each.end, HOUR_S)
                self.sum_up(site, measurement, start, min(end, until), lessened=each.lessened)
            self.sum_up(site, measurement, until, target)
            if target > until or not summed_until(site, measurement):
                note_summed(site, measurement, target)

    def _begin(self, site: int, measurement: str, touched: Iterable[Touched]) -> int:
        """Return the hour of the first value there is, in InfluxDB or touched just now."""
        edges = read_edges(self._connection, site, measurement, None, 0, LAST_TIME)
        starts = [floor_to(each.start, HOUR_S) for each in touched]
        return min(starts) if edges is None else min(*starts, floor_to(edges[0], HOUR_S))

    def sum_up(self, site: int, measurement: str, start: int, end: int, *, lessened: bool = False) -> None:
        """Sum up the hours of [start, end), whole hours. ``lessened``: sums may be there that no value
        supports any more. Can be repeated."""
        at = start
        while at < end:
            last = min(at + _AT_ONCE_S, end)
            sums = read_hours(self._connection, site, measurement, at, last)
            if lessened:
                self._forget_others(site, measurement, at, last, sums)
            lines = (line_of(head_of(source, HOUR), values, hour) for (source, hour), values in sums.items())
            for portion in portions(lines, LARGEST_LINES):
                self._post(portion)
            at = last if sums or last == end else self._next(site, measurement, last, end)

    def _next(self, site: int, measurement: str, start: int, end: int) -> int:
        """Return the first hour of [start, end) with a value or a sum, else ``end``."""
        edges = [
            read_edges(self._connection, site, name, None, start, end)
            for name in (measurement, measurement + HOUR)
        ]
        return min((floor_to(found[0], HOUR_S) for found in edges if found is not None), default=end)

    def _forget_others(
        self, site: int, measurement: str, start: int, end: int, sums: Mapping[tuple[SourceKey, int], Values]
    ) -> None:
        """Forget the sums of these hours besides those given."""
        for device in {source.device for source in self._sources.of(site, measurement)}:
            given = tuple(
                Place(source.circuit, at, field)
                for (source, at), values in sums.items()
                if source.device == device
                for field in values
            )
            erasure = Erasure(measurement + HOUR, site, device, start, end, given, True)
            work = planned(self._connection, Work(erasures=[erasure]))
            for deletion in work.deletions:
                self._connection.delete(*deletion)
            for portion in portions(work.lines, LARGEST_LINES):
                self._post(portion)

    def differences(
        self, site: int, measurement: str, device: str, start: int, end: int
    ) -> Iterator[Difference]:
        """Compare the stored sums of one device's hours with what raw values give."""
        computed: dict[Place, float] = {
            Place(source.circuit, at, field): value
            for (source, at), values in read_hours(self._connection, site, measurement, start, end).items()
            if source.device == device
            for field, value in values.items()
        }
        stored = read_values(self._connection, measurement + HOUR, site, device, start, end)
        places = sorted({(*place[:2], field_of_sum(place.field)) for place in (*stored, *computed)})
        scales = scales_of(measurement)
        for circuit, at, field in places:
            both = [_total(values, circuit, at, field, scales[field]) for values in (stored, computed)]
            if both[0] != both[1]:
                yield Difference(
                    site=site,
                    measurement=measurement,
                    device=device,
                    circuit=circuit,
                    field=field,
                    level_s=HOUR_S,
                    at=at,
                    stored=both[0],
                    computed=both[1],
                )


def field_of_sum(name: str) -> str:
    """Return the field that a field of ``_hour`` is made of."""
    for end in ("_min", "_max", "_count"):
        if name.endswith(end) and name != "compressor_starts_count":
            return name.removesuffix(end)
    return name


def _total(values: Mapping[Place, float], circuit: str, at: int, field: str, scale: int) -> Total | None:
    found = [values.get(Place(circuit, at, f"{field}{end}")) for end in ("_count", "", "_min", "_max")]
    count, *figures = (math.nan if value is None else value for value in found)
    if math.isnan(count):
        return None
    whole = [-1 if math.isnan(value) else round(value * scale) for value in figures]
    return round(count), whole[0], whole[1], whole[2]
