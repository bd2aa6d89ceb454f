"""◇ Numbers as CSV lines: plain, or as a German spreadsheet reads them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

EXCEL_DE = "excel-de"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """What csv writes to: hands each line on instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]], dialect: str = "") -> Iterator[str]:
    """Yield the header and one line per row.

    Missing values are empty, instants and dates ISO 8601, floats have at most four decimals. ``dialect``
    "excel-de": a byte order mark first, semicolons, decimal commas. A text that a spreadsheet would run as
    a formula gets an apostrophe in front.
    """
    german = dialect == EXCEL_DE
    writer = csv.writer(_Echo(), delimiter=";" if german else ",")
    if german:
        yield "\ufeff"
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([_text(value, german) for value in row])


def _text(value: Any, german: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = repr(round(value, 4))
        return text.replace(".", ",") if german else text
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
