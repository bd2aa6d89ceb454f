"""◇ Reads the annotated CSV that a query is answered with."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache


class QueryFailed(Exception):
    """The server found an error only while it answered."""


def records(lines: Iterable[str], columns: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (name of the result, values of ``columns``) of each row; "" where a table lacks a column.

    Raises QueryFailed for an error inside the answer.
    """
    default: Mapping[int, str] = {}
    places: list[int | None] | None = None
    result = 1
    for row in csv.reader(lines):
        if not row:
            places = None
        elif row[0].startswith("#"):
            places = None
            if row[0] == "#default":
                default = dict(enumerate(row))
        elif places is None:
            if "error" in row:
                places = [row.index("error")]
                result = -1
                continue
            result = row.index("result")
            places = [row.index(column) if column in row else None for column in columns]
        elif result == -1:
            raise QueryFailed(row[places[0] or 0])
        else:
            name = row[result] or default.get(result, "")
            yield name, tuple("" if place is None else row[place] for place in places)


@lru_cache(maxsize=16_384)
def epoch_of(text: str) -> int:
    """Return the epoch second of a time as answers write it."""
    return int(datetime.fromisoformat(text).timestamp())
