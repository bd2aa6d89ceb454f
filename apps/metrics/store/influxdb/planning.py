"""Turns erasures into deletions of whole points and the lines that write the rest of them anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ..engine import SourceKey
from .connection import Connection
from .lines import head_of, line_of
from .questions import Place, read_values
from .work import Deletion, Erasure, Touched, Work


def planned(connection: Connection, work: Work) -> Work:
    """Return the same work without erasures. What has to be written anew is part of it, so it must be kept
    before it is carried out. Deletes nothing that is not there: most erasures are of values that never were.
    """
    deletions = list(work.deletions)
    lines: list[str] = []
    touched = list(work.touched)
    for erasure in work.erasures:
        held = read_values(connection, *erasure[:5])
        unwanted = _unwanted(erasure, held)
        if not unwanted:
            continue
        spans = list(_spans(held, {place.at for place in unwanted}))
        deletions += [Deletion(*erasure[:3], first, last + 1) for first, last in spans]
        lines += _rest(erasure, held, unwanted)
        touched.append(Touched(erasure.measurement, erasure.site, spans[0][0], spans[-1][1] + 1, True))
    return replace(work, erasures=(), deletions=deletions, lines=[*lines, *work.lines], touched=touched)


def _unwanted(erasure: Erasure, held: Mapping[Place, float]) -> set[Place]:
    named = {Place(*place) for place in erasure.places}
    return held.keys() - named if erasure.others else named & held.keys()


def _spans(held: Iterable[Place], unwanted: set[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) time of unwanted points that have no other point between them."""
    span: list[int] = []
    for at in sorted({place.at for place in held}):
        if at in unwanted:
            span.append(at)
        elif span:
            yield span[0], span[-1]
            span = []
    if span:
        yield span[0], span[-1]


def _rest(erasure: Erasure, held: Mapping[Place, float], unwanted: set[Place]) -> Iterator[str]:
    """Yield the lines of what deleted points held besides what is unwanted."""
    times = {place.at for place in unwanted}
    points: dict[tuple[str, int], dict[str, float]] = {}
    for place, value in held.items():
        if place.at in times and place not in unwanted:
            points.setdefault((place.circuit, place.at), {})[place.field] = value
    for (circuit, at), values in points.items():
        source = SourceKey(erasure.site, erasure.measurement, erasure.device, circuit)
        yield line_of(head_of(source), values, at)
