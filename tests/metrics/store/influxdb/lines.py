"""Line protocol as a server reads it, from its specification and not from what heatmon writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
LAST_NS = 9_223_372_036_854_775_806

Value = float | int | str | bool


class BadLine(ValueError):
    """A line that cannot be read; the server then keeps nothing of the request."""


@dataclass(frozen=True)
class Point:
    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: dict[str, Value]
    at_ns: int


def points_of(body: str, precision: str, now_ns: int) -> list[Point]:
    """Read a request. Raises BadLine."""
    unit = UNITS[precision]
    return [
        _point(line, unit, now_ns)
        for line in body.split("\n")
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _point(line: str, unit: int, now_ns: int) -> Point:
    parts = list(_split(line.strip(), " "))
    if len(parts) < 2:
        raise BadLine(f"unable to parse '{line}': missing fields")
    if len(parts) > 3:
        raise BadLine(f"unable to parse '{line}': bad timestamp")
    measurement, *tags = _split(parts[0], ",")
    named = {}
    for tag in tags:
        name, *values = _split(tag, "=")
        if len(values) != 1 or not values[0]:
            raise BadLine(f"unable to parse '{line}': missing tag value")
        named[_plain(name)] = _plain(values[0])
    fields: dict[str, Value] = {}
    for text in _split(parts[1], ","):
        name, *values = _split(text, "=")
        if len(values) != 1 or not values[0]:
            raise BadLine(f"unable to parse '{line}': invalid field format")
        fields[_plain(name)] = _value(values[0], line)
    at_ns = now_ns
    if len(parts) == 3:
        if not re.fullmatch(r"-?\d+", parts[2]):
            raise BadLine(f"unable to parse '{line}': bad timestamp")
        at_ns = int(parts[2]) * unit
        if abs(at_ns) > LAST_NS:
            raise BadLine(f"unable to parse '{line}': time outside range")
    return Point(_plain(measurement), tuple(sorted(named.items())), fields, at_ns)


_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def _value(text: str, line: str) -> Value:
    if _FLOAT.fullmatch(text):
        return float(text)
    if re.fullmatch(r"[+-]?\d+i", text):
        return int(text[:-1])
    if text in {"t", "T", "true", "True", "TRUE"}:
        return True
    if text in {"f", "F", "false", "False", "FALSE"}:
        return False
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    raise BadLine(f"unable to parse '{line}': invalid number")


def _split(text: str, at: str) -> Iterator[str]:
    """Cut at every ``at`` that is neither escaped nor inside of a quoted text."""
    if "\\" not in text and '"' not in text:
        yield from text.split(at)
        return
    part, escaped, quoted = "", False, False
    for letter in text:
        if letter == at and not escaped and not quoted:
            yield part
            part = ""
            continue
        if letter == '"' and not escaped:
            quoted = not quoted
        escaped = letter == "\\" and not escaped
        part += letter
    yield part


def _plain(text: str) -> str:
    return re.sub(r"\\([, =\\])", r"\1", text) if "\\" in text else text
