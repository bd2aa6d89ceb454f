"""◇ One change of what InfluxDB holds, as it is carried out and kept: lines to write and stretches to forget.

Everything in it can be repeated: writing a point again changes nothing, and neither does deleting it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..engine import Batch


class Deletion(NamedTuple):
    """Points in [start, end) of one device, all circuits; of all devices if None."""

    measurement: str
    site: int
    device: str | None
    start: int
    end: int


class Touched(NamedTuple):
    """[start, end) of a measurement in which values came or (``lessened``) went, so that sums of hours
    change."""

    measurement: str
    site: int
    start: int
    end: int
    lessened: bool


class Erasure(NamedTuple):
    """Values of one device in [start, end) that are to go: those at ``places`` (circuit, time, field), or
    with ``others`` all but those. InfluxDB cannot erase one field of a point: see ``planning``."""

    measurement: str
    site: int
    device: str
    start: int
    end: int
    places: tuple[tuple[str, int, str], ...]
    others: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Carried out in this order: what erasures come to, deletions, lines, sums of hours."""

    erasures: Sequence[Erasure] = ()
    deletions: Sequence[Deletion] = ()
    lines: Sequence[str] = ()
    touched: Sequence[Touched] = field(default=())

    def as_text(self) -> str:
        """Return the work as JSON."""
        return json.dumps(
            {
                "erasures": self.erasures,
                "deletions": self.deletions,
                "lines": self.lines,
                "touched": self.touched,
            },
            separators=(",", ":"),
        )

    @classmethod
    def of_text(cls, text: str) -> Work:
        """Return the work of ``as_text``."""
        given: dict[str, Any] = json.loads(text)
        return cls(
            erasures=[
                Erasure(*each)._replace(places=tuple(tuple(place) for place in each[5]))
                for each in given["erasures"]
            ],
            deletions=[Deletion(*each) for each in given["deletions"]],
            lines=given["lines"],
            touched=[Touched(*each) for each in given["touched"]],
        )


def touched_by(batch: Batch) -> list[Touched]:
    """Return the stretches that a batch touches, one a run of hours."""
    times = [at for points in batch.points.values() for at, _ in points]
    return touched_at(batch.source.measurement, batch.source.site, times)


def touched_at(measurement: str, site: int, times: Iterable[int]) -> list[Touched]:
    """Return the stretches of whole hours around ``times``."""
    found: list[Touched] = []
    for hour in sorted({at - at % 3600 for at in times}):
        if found and found[-1].end == hour:
            found[-1] = found[-1]._replace(end=hour + 3600)
        else:
            found.append(Touched(measurement, site, hour, hour + 3600, False))
    return found


def erasures_of(batches: Iterable[Batch]) -> list[Erasure]:
    """Return what the Nones of batches ask to erase."""
    found: list[Erasure] = []
    for batch in batches:
        source = batch.source
        places = tuple(
            (source.circuit, at, name)
            for fields, points in batch.points.items()
            for at, values in points
            if None in values
            for name, value in zip(fields, values, strict=True)
            if value is None
        )
        found += erasures_at(source.measurement, source.site, source.device, places)
    return found


def erasures_at(
    measurement: str, site: int, device: str, places: Sequence[tuple[str, int, str]]
) -> list[Erasure]:
    """Return one erasure a UTC day, so that what is read for it stays near."""
    by_day: dict[int, list[tuple[str, int, str]]] = {}
    for place in places:
        by_day.setdefault(place[1] // 86_400, []).append(place)
    return [
        Erasure(
            measurement,
            site,
            device,
            min(at for _, at, _ in each),
            max(at for _, at, _ in each) + 1,
            tuple(each),
            False,
        )
        for each in by_day.values()
    ]


def given_places(batches: Iterable[Batch]) -> tuple[tuple[str, int, str], ...]:
    """Return the places that batches give a value."""
    return tuple(
        (batch.source.circuit, at, name)
        for batch in batches
        for fields, points in batch.points.items()
        for at, values in points
        for name, value in zip(fields, values, strict=True)
        if value is not None
    )
