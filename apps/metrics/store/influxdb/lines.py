"""◇ Points as line protocol, and the predicates that delete them.

A value is stored in its field's unit, always as a float; times have the precision of a second. Tags: site,
device (``none`` for an empty name, since a tag cannot be empty) and, where it applies, circuit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..engine import Batch, SourceKey
from ..schema import scales_of

HOUR = "_hour"
NAMELESS = "none"
LARGEST_LINES = 5000
"""Of one request."""

_ESCAPED = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\=", "\\": "\\\\"})


def tag_of(device: str) -> str:
    """Return the tag value of a device's name."""
    return device or NAMELESS


def device_of(tag: str) -> str:
    """Return the device's name of a tag value."""
    return "" if tag == NAMELESS else tag


def head_of(source: SourceKey, suffix: str = "") -> str:
    """Return measurement and tags as a line begins with them."""
    head = (
        f"{source.measurement}{suffix},site={source.site},device={tag_of(source.device).translate(_ESCAPED)}"
    )
    return f"{head},circuit={source.circuit.translate(_ESCAPED)}" if source.circuit else head


def line_of(head: str, values: Mapping[str, float], at: int) -> str:
    """Return one line; ``values`` are floats in their units, at least one."""
    fields = ",".join(f"{name}={float(value)!r}" for name, value in values.items())
    return f"{head} {fields} {at}"


def lines_of(batch: Batch) -> Iterator[str]:
    """Yield the lines of a batch; what is None is left out, and a point without any value."""
    head, scales = head_of(batch.source), scales_of(batch.source.measurement)
    for fields, points in batch.points.items():
        of_fields = [scales[field] for field in fields]
        for at, values in points:
            known = ",".join(
                f"{field}={value / scale!r}"
                for field, scale, value in zip(fields, of_fields, values, strict=True)
                if value is not None
            )
            if known:
                yield f"{head} {known} {at}"


def lines_of_columns(
    source: SourceKey, times: Sequence[int], columns: Mapping[str, Sequence[float | None]]
) -> Iterator[str]:
    """Yield the lines of columns of whole numbers, which may be floats; None and NaN are left out."""
    head, scales = head_of(source), scales_of(source.measurement)
    texts = [
        [
            None if value is None or value != value else f"{name}={int(value) / scales[name]!r}"
            for value in column
        ]
        for name, column in columns.items()
    ]
    for at, *values in zip(times, *texts, strict=True):
        if known := ",".join(filter(None, values)):
            yield f"{head} {known} {at}"


def predicate(measurement: str, site: int, device: str | None) -> str:
    """Return what a deletion is limited to; ``device`` None: all of the site."""
    parts = [f'_measurement="{measurement}"', f'site="{site}"']
    if device is not None:
        quoted = tag_of(device).replace("\\", r"\\").replace('"', r"\"")
        parts.append(f'device="{quoted}"')
    return " and ".join(parts)


def portions(lines: Iterable[str], largest: int) -> Iterator[list[str]]:
    """Cut lines into lists of at most ``largest``."""
    portion: list[str] = []
    for line in lines:
        portion.append(line)
        if len(portion) == largest:
            yield portion
            portion = []
    if portion:
        yield portion
