"""◇ Chance as a function of seed, name and absolute time, so that any day can be made on its own."""

from __future__ import annotations

from random import Random

TABLE_SIZE = 4096


def generator(seed: int, name: str, index: int) -> Random:
    """Return a generator of its own for one thing at one time; equal in every process."""
    return Random(f"{seed}/{name}/{index}")  # noqa: S311 (a simulation, not a secret)


def gauss_table(seed: int, name: str) -> tuple[float, ...]:
    """Return standard normal values, to be picked by ``slot`` where a generator a step would be too slow."""
    source = generator(seed, name, 0)
    return tuple(max(-3.0, min(3.0, source.gauss(0.0, 1.0))) for _ in range(TABLE_SIZE))


def slot(index: int) -> int:
    """Return a place in a noise table that looks unrelated to its neighbours'."""
    return (index * 2_654_435_761 >> 9) & (TABLE_SIZE - 1)


def fraction(seed: int, name: str, index: int) -> float:
    """Return a number in [0, 1)."""
    return generator(seed, name, index).random()
