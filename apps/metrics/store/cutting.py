"""◇ Local calendar stretches as pieces of UTC grids, which is all that an engine has to sum up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

DAY_S = 86_400
GRIDS_S = (DAY_S, 3600, 300, 1)
"""Coarsest first. Local midnights lie on 300 s in every time zone of today."""


class Piece(NamedTuple):
    """[start, end), whole steps of the UTC grid of ``step_s``."""

    step_s: int
    start: int
    end: int


class Stretch(NamedTuple):
    """[start, end), not empty."""

    start: int
    end: int

    def pieces(self) -> Iterator[Piece]:
        """Split the stretch into as few pieces as the grids allow, the finest at its ends."""
        return _pieces(self.start, self.end, GRIDS_S)


def floor_to(at: int, step_s: int) -> int:
    """Return the grid time at or before ``at``."""
    return at - at % step_s


def ceil_to(at: int, step_s: int) -> int:
    """Return the grid time at or after ``at``."""
    return at + -at % step_s


def stretches_between(boundaries: Sequence[int]) -> list[Stretch | None]:
    """Return the stretch between each two neighbouring boundaries, None for an empty one. Raises
    ValueError for boundaries that fall."""
    if any(start > end for start, end in pairwise(boundaries)):
        raise ValueError("boundaries must rise")
    return [Stretch(start, end) if start < end else None for start, end in pairwise(boundaries)]


def _pieces(start: int, end: int, grids_s: Sequence[int]) -> Iterator[Piece]:
    if start >= end:
        return
    grid_s, finer = grids_s[0], grids_s[1:]
    first, last = ceil_to(start, grid_s), floor_to(end, grid_s)
    if first >= last:
        yield from _pieces(start, end, finer)
        return
    yield from _pieces(start, first, finer)
    yield Piece(grid_s, first, last)
    yield from _pieces(last, end, finer)
