"""The numbers behind energy and efficiency as CSV: ISO times with offset, or as a German spreadsheet
reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from django.http import StreamingHttpResponse

from apps.metrics.csv_lines import csv_lines
from apps.metrics.efficiency import DayPoint, day_points
from apps.metrics.home import Home
from apps.metrics.periods import EnergyRow, energy_rows

from .energy.span import Span


def csv_answer(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], dialect: str
) -> StreamingHttpResponse:
    """Return rows as a CSV file. ``dialect`` "excel-de": BOM, semicolons, decimal commas; otherwise plain
    CSV."""
    lines = csv_lines(columns, rows, dialect)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="heatmon-{name}.csv"'
    return response


def energy_csv(home: Home, span: Span, dialect: str) -> StreamingHttpResponse:
    """Return all fields of the rows of ``span``, lumps aside."""
    columns = [field.name for field in fields(EnergyRow) if field.name != "lumps"]
    rows = energy_rows(home, span.period, span.first, span.last)
    return csv_answer(
        f"energy-{span.period}-{span.first.isoformat()}",
        columns,
        ([getattr(row, name) for name in columns] for row in rows),
        dialect,
    )


def days_csv(home: Home, first: date, last: date, dialect: str) -> StreamingHttpResponse:
    """Return the days behind the efficiency page's charts."""
    columns = [field.name for field in fields(DayPoint)]
    points = day_points(home, first, last)
    return csv_answer(
        f"efficiency-{first.isoformat()}-{last.isoformat()}",
        columns,
        ([getattr(point, name) for name in columns] for point in points),
        dialect,
    )
