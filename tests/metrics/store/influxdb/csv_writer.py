"""Annotated CSV as influxd writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from .flux import NS, Table

_FIRST = ("_time", "_value", "_field", "_measurement")
_TYPES = {float: "double", int: "long", str: "string", bool: "boolean"}


def annotated_csv(results: Iterable[tuple[str, list[Table]]], annotations: Sequence[str]) -> str:
    """Write results. A table with other columns than the one before begins a section of its own; the name of
    a result stands in the rows unless the annotation ``default`` tells it."""
    sections: list[str] = []
    for name, tables in results:
        before: list[str] | None = None
        section: list[str] = []
        for number, table in enumerate(tables):
            columns = _columns(table)
            if columns != before:
                if section:
                    sections.append("".join(section))
                section = list(_head(name, table, columns, annotations))
                before = columns
            shown = "" if "default" in annotations else name
            section += [
                ",".join(["", shown, str(number), *(_text(column, row.get(column)) for column in columns)])
                + "\r\n"
                for row in table.rows
            ]
        if section:
            sections.append("".join(section))
    return "".join(f"{section}\r\n" for section in sections) or "\r\n\r\n"


def _columns(table: Table) -> list[str]:
    names = {name for row in table.rows for name in row}
    return [name for name in _FIRST if name in names] + sorted(names - set(_FIRST))


def _head(name: str, table: Table, columns: list[str], annotations: Sequence[str]) -> Iterable[str]:
    types = [_type(column, table.rows[0].get(column)) for column in columns]
    grouped = ["true" if column in table.key else "false" for column in columns]
    lines = {
        "datatype": ["#datatype", "string", "long", *types],
        "group": ["#group", "false", "false", *grouped],
        "default": ["#default", name, "", *("" for _ in columns)],
    }
    for annotation in annotations:
        yield ",".join(lines[annotation]) + "\r\n"
    yield ",".join(["", "result", "table", *columns]) + "\r\n"


def _type(column: str, value: Any) -> str:
    return "dateTime:RFC3339" if column == "_time" else _TYPES[type(value)]


def _text(column: str, value: Any) -> str:
    if value is None:
        return ""
    if column == "_time":
        return datetime.fromtimestamp(value // NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text
