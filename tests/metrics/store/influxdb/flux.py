"""The part of Flux that heatmon's queries are made of, evaluated over points in memory.

Raises NotUnderstood for everything else, as a server would for a wrong query.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

NS = 1_000_000_000
Row = dict[str, Any]
Tags = Mapping[str, str]
Wanted = Callable[[Tags], bool]


class NotUnderstood(ValueError):
    """A query outside of what is known here."""


class NoBucket(ValueError):
    """A bucket that does not exist."""


@dataclass
class Table:
    """Rows under one group key."""

    key: dict[str, Any]
    rows: list[Row]


class Data:
    """What a bucket holds: (measurement, tags, field) → time [ns] → value."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, tuple[tuple[str, str], ...], str], dict[int, Any]] = {}

    def tables(self, start_ns: int, stop_ns: int, wanted: Wanted) -> Iterator[Table]:
        for (measurement, tags, field), values in sorted(self.series.items(), key=lambda one: one[0]):
            key = {"_measurement": measurement, "_field": field, **dict(tags)}
            if not wanted(key):
                continue
            times = sorted(values)
            inside = times[bisect_left(times, start_ns) : bisect_left(times, stop_ns)]
            if inside:
                yield Table(key, [{**key, "_time": at, "_value": values[at]} for at in inside])


@dataclass(frozen=True)
class Call:
    name: str
    arguments: str


def parameters_of(extern: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the option statements beside a query."""
    found = {}
    for statement in extern.get("body") or []:
        assignment = statement["assignment"]
        found[assignment["id"]["name"]] = _literal(assignment["init"])
    return found


def _literal(node: Mapping[str, Any]) -> Any:
    kind = node["type"]
    if kind == "StringLiteral":
        return node["value"]
    if kind == "DateTimeLiteral":
        return _nanoseconds(node["value"])
    if kind == "DurationLiteral":
        sizes = {"us": 1000, "s": NS, "m": 60 * NS, "h": 3600 * NS}
        return sum(part["magnitude"] * sizes[part["unit"]] for part in node["values"])
    raise NotUnderstood(f"a parameter of type {kind}")


def _nanoseconds(text: str) -> int:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    at = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return int(at.timestamp()) * NS + int((fraction + "0" * 9)[:9])


def answer(
    query: str, parameters: Mapping[str, Any], buckets: Mapping[str, Data]
) -> list[tuple[str, list[Table]]]:
    """Return (name, tables) of each result."""
    results = []
    for pipeline in _pipelines(query):
        results.append(_evaluate(pipeline, parameters, buckets))
    if not results or len({name for name, _ in results}) != len(results):
        raise NotUnderstood("results need names of their own")
    return results


def _pipelines(query: str) -> list[list[Call]]:
    pipelines: list[list[Call]] = []
    rest = query.strip()
    while rest:
        piped = rest.startswith("|>")
        found = re.match(r"(\w+)\(", rest.removeprefix("|>").lstrip())
        if not found or (piped and not pipelines):
            raise NotUnderstood(f"syntax at {rest[:40]!r}")
        rest = rest.removeprefix("|>").lstrip()
        end = _closing(rest, found.end() - 1)
        call = Call(found[1], rest[found.end() : end].strip())
        if piped:
            pipelines[-1].append(call)
        else:
            pipelines.append([call])
        rest = rest[end + 1 :].lstrip()
    return pipelines


def _closing(text: str, start: int) -> int:
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise NotUnderstood("a parenthesis is open")


def _evaluate(
    calls: Sequence[Call], parameters: Mapping[str, Any], buckets: Mapping[str, Data]
) -> tuple[str, list[Table]]:
    source, cut, *rest = calls
    bucket = _named(source, "from", parameters, "bucket")["bucket"]
    within = _named(cut, "range", parameters, "start", "stop")
    if bucket not in buckets:
        raise NoBucket(bucket)
    if within["start"] >= within["stop"]:
        raise NotUnderstood("cannot query an empty range")
    wanted: Wanted = lambda tags: True  # noqa: E731
    if rest and rest[0].name == "filter":
        wanted = _filter(rest.pop(0).arguments, parameters)
    tables = list(buckets[bucket].tables(within["start"], within["stop"], wanted))
    name = "_result"
    for call in rest:
        if call.name == "yield":
            name = _named(call, "yield", parameters, "name")["name"]
        else:
            tables = _STEPS.get(call.name, _unknown)(tables, call, parameters)
    return name, tables


def _unknown(tables: list[Table], call: Call, parameters: Mapping[str, Any]) -> list[Table]:
    raise NotUnderstood(f"undefined identifier {call.name}")


def _named(call: Call, name: str, parameters: Mapping[str, Any], *wanted: str) -> dict[str, Any]:
    if call.name != name:
        raise NotUnderstood(f"{call.name} where {name} is expected")
    given = dict(re.findall(r"(\w+): *(\[[^\]]*\]|\"[^\"]*\"|\w+)", call.arguments))
    if set(given) != set(wanted):
        raise NotUnderstood(f"arguments of {name}: {call.arguments}")
    return {key: _value(text, parameters) for key, text in given.items()}


def _value(text: str, parameters: Mapping[str, Any]) -> Any:
    if text.startswith("["):
        return re.findall(r'"([^"]*)"', text)
    if text.startswith('"'):
        return text[1:-1]
    if text.startswith("_"):
        if text not in parameters:
            raise NotUnderstood(f"undefined identifier {text}")
        return parameters[text]
    return text


# Steps


def _window(tables: list[Table], call: Call, parameters: Mapping[str, Any]) -> list[Table]:
    given = _named(call, "aggregateWindow", parameters, "every", "offset", "fn", "createEmpty", "timeSrc")
    if given["fn"] not in _AGGREGATES or given["createEmpty"] != "false" or given["timeSrc"] != "_start":
        raise NotUnderstood(f"a window like {call.arguments}")
    every, offset, aggregate = given["every"], given["offset"], _AGGREGATES[given["fn"]]
    found = []
    for table in tables:
        windows: dict[int, list[Any]] = {}
        for row in table.rows:
            windows.setdefault((row["_time"] - offset) // every * every + offset, []).append(row["_value"])
        rows = [{**table.key, "_time": at, "_value": aggregate(v)} for at, v in sorted(windows.items())]
        found.append(Table(table.key, rows))
    return found


_AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {"sum": sum, "count": len, "min": min, "max": max}


def _first(tables: list[Table], call: Call, parameters: Mapping[str, Any]) -> list[Table]:
    return [Table(table.key, table.rows[:1]) for table in tables]


def _last(tables: list[Table], call: Call, parameters: Mapping[str, Any]) -> list[Table]:
    return [Table(table.key, table.rows[-1:]) for table in tables]


def _keep(tables: list[Table], call: Call, parameters: Mapping[str, Any]) -> list[Table]:
    """Keep columns; tables whose group keys become equal become one."""
    columns = _named(call, "keep", parameters, "columns")["columns"]
    merged: dict[tuple[tuple[str, Any], ...], Table] = {}
    for table in tables:
        key = {name: value for name, value in table.key.items() if name in columns}
        one = merged.setdefault(tuple(sorted(key.items())), Table(key, []))
        one.rows += [{name: row[name] for name in columns if name in row} for row in table.rows]
    return list(merged.values())


_STEPS: dict[str, Callable[[list[Table], Call, Mapping[str, Any]], list[Table]]] = {
    "aggregateWindow": _window,
    "first": _first,
    "last": _last,
    "keep": _keep,
}


# Filters

_TOKEN = re.compile(r"\s*(\(|\)|==|and\b|or\b|not\b|exists\b|r\.\w+|\w+)")


def _filter(arguments: str, parameters: Mapping[str, Any]) -> Wanted:
    found = re.fullmatch(r"fn: \(r\) => (.*)", arguments, re.DOTALL)
    if not found:
        raise NotUnderstood(f"a filter like {arguments}")
    tokens: list[str] = []
    rest = found[1]
    while rest.strip():
        token = _TOKEN.match(rest)
        if not token:
            raise NotUnderstood(f"a filter like {rest}")
        tokens.append(token[1])
        rest = rest[token.end() :]
    reader = _FilterReader(tokens, parameters)
    wanted = reader.either()
    if reader.tokens:
        raise NotUnderstood(f"a filter with {reader.tokens}")
    return wanted


@dataclass
class _FilterReader:
    tokens: list[str]
    parameters: Mapping[str, Any]

    def either(self) -> Wanted:
        parts = [self.both()]
        while self.tokens[:1] == ["or"]:
            self.tokens.pop(0)
            parts.append(self.both())
        return lambda tags: any(part(tags) for part in parts)

    def both(self) -> Wanted:
        parts = [self.one()]
        while self.tokens[:1] == ["and"]:
            self.tokens.pop(0)
            parts.append(self.one())
        return lambda tags: all(part(tags) for part in parts)

    def one(self) -> Wanted:
        token = self.take()
        if token == "(":
            inside = self.either()
            self.expect(")")
            return inside
        if token == "not":
            part = self.one()
            return lambda tags: not part(tags)
        if token == "exists":
            column = self.column(self.take())
            return lambda tags: column in tags
        column = self.column(token)
        self.expect("==")
        value = _value(self.take(), self.parameters)
        return lambda tags: tags.get(column) == value

    def take(self) -> str:
        if not self.tokens:
            raise NotUnderstood("a filter that ends early")
        return self.tokens.pop(0)

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise NotUnderstood(f"a filter without {token}")

    def column(self, token: str) -> str:
        if not token.startswith("r."):
            raise NotUnderstood(f"a filter by {token}")
        return token.removeprefix("r.")
