"""The numbers behind energy and efficiency as CSV: ISO times with offset, or as a German spreadsheet
reads it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from django.http import StreamingHttpResponse

from apps.metrics.efficiency import DayPoint, day_points
from apps.metrics.periods import EnergyRow

from .energy_span import Span
from .live import House

EXCEL_DE = "excel-de"


class _Echo:
    """What csv writes to: hands each line on instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_answer(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], dialect: str
) -> StreamingHttpResponse:
    """``dialect`` "excel-de": BOM, semicolons, decimal commas; otherwise plain CSV."""
    lines = _lines(columns, rows, dialect == EXCEL_DE)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="heatmon-{name}.csv"'
    return response


def energy_csv(house: House, span: Span, dialect: str) -> StreamingHttpResponse:
    """All fields of the rows of ``span``, lumps aside."""
    columns = [field.name for field in fields(EnergyRow) if field.name != "lumps"]
    rows = house.rows(span.period, span.first, span.last)
    return csv_answer(
        f"energy-{span.period}-{span.first.isoformat()}",
        columns,
        ([getattr(row, name) for name in columns] for row in rows),
        dialect,
    )


def days_csv(house: House, first: date, last: date, dialect: str) -> StreamingHttpResponse:
    """The days behind the efficiency page's charts."""
    columns = [field.name for field in fields(DayPoint)]
    points = day_points(house.store, house.site.pk, house.options, first, last, house.at)
    return csv_answer(
        f"efficiency-{first.isoformat()}-{last.isoformat()}",
        columns,
        ([getattr(point, name) for name in columns] for point in points),
        dialect,
    )


def _lines(columns: Sequence[str], rows: Iterable[Sequence[Any]], german: bool) -> Iterator[str]:
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
    return str(value)
