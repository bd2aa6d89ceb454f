"""◇ Reads the annotated CSV that a query is answered with."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache


class QueryFailed(Exception):
    """The server found an error only while it answered."""


class AnswerBroken(Exception):
    """The answer is not whole."""


def records(lines: Iterable[str], columns: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (name of the result, values of ``columns``) of each row; "" where a table lacks a column.

    Raises QueryFailed for an error inside the answer, AnswerBroken for one that ends early: the last row
    would be taken for a value that it is only the beginning of.
    """
    default: Mapping[int, str] = {}
    header: list[str] = []
    places: list[int | None] = []
    row: list[str] | None = None
    for row in _rows(lines):
        if not row:
            header = []
        elif row[0].startswith("#"):
            header = []
            if row[0] == "#default":
                default = dict(enumerate(row))
        elif not header:
            header = row
            if "error" not in row and "result" not in row:
                raise AnswerBroken(f"a table without results: {','.join(row)[:100]}")
            places = [row.index(column) if column in row else None for column in columns]
        elif len(row) != len(header):
            raise AnswerBroken("a row is cut off")
        elif "error" in header:
            raise QueryFailed(row[header.index("error")])
        else:
            result = header.index("result")
            name = row[result] or default.get(result, "")
            yield name, tuple("" if place is None else row[place] for place in places)
    if row or row is None:
        raise AnswerBroken("the answer breaks off")


def _rows(lines: Iterable[str]) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines)
    except csv.Error as error:
        raise AnswerBroken(str(error)) from error


@lru_cache(maxsize=16_384)
def epoch_of(text: str) -> int:
    """Return the epoch second of a time as answers write it."""
    return int(datetime.fromisoformat(text).timestamp())
