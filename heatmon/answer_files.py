"""Files of stored cloud answers, read line by line: a year of them takes no more memory than a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

MAX_BYTES = 64_000_000
"""An answer has about 100 kB; what is longer than this is something else."""

EARLIEST_YEAR, LATEST_YEAR = 2000, 2099
"""Nothing was stored from before, and a store keeps no time after."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnswer:
    """One answer. ``at``: when it was given, None where the file does not say; ``read``: bytes of the file
    up to its end."""

    payload: dict[str, Any]
    at: datetime | None
    line: int
    read: int


def answers_in(path: Path) -> Iterator[FileAnswer]:
    """Return the answers of a file: JSON lines ``{"at": …, "payload": …}``, or one features answer.

    Raises ValueError that names the line.
    """
    with path.open("rb") as file:
        first = _line(file, 1).removeprefix(_BOM)
        number = 1
        while first.isspace():
            number += 1
            first = _line(file, number)
        if (whole := _single(file, first, number)) is not None:
            yield FileAnswer(payload=whole, at=None, line=number, read=path.stat().st_size)
            return
        line = first
        while line:
            if not line.isspace():
                yield _answer(line, number, file.tell())
            number += 1
            line = _line(file, number)


def instant(value: Any) -> datetime:
    """Return an ISO 8601 time with offset as aware UTC. Raises ValueError."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is not a valid time like 2026-11-24T12:00:00+01:00") from error
    if at.tzinfo is None:
        raise ValueError(f"{value!r} has no offset; write for example …+01:00")
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise ValueError(f"{value!r} is not between {EARLIEST_YEAR} and {LATEST_YEAR}")
    return at.astimezone(UTC)


def _line(file: BinaryIO, number: int) -> bytes:
    line = file.readline(MAX_BYTES + 1)
    if len(line) > MAX_BYTES:
        raise ValueError(f"line {number} is too long for a response from the cloud")
    return line


def _single(file: BinaryIO, first: bytes, number: int) -> dict[str, Any] | None:
    """Return the file's only answer; None where it has an answer a line. Leaves ``file`` behind ``first``."""
    start = file.tell()
    try:
        found = orjson.loads(first)
    except orjson.JSONDecodeError as in_line:
        try:
            found = orjson.loads(first + file.read(MAX_BYTES))
        except orjson.JSONDecodeError as in_file:
            # Lines that begin as an answer are told by themselves, text over several lines as a whole.
            error = in_line if first.lstrip().startswith(b'{"') else in_file
            raise ValueError(f"line {number + error.lineno - 1} is not valid JSON: {error}") from error
    file.seek(start)
    return found if isinstance(found, dict) and "payload" not in found else None


def _answer(line: bytes, number: int, read: int) -> FileAnswer:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"line {number} is not valid JSON: {error}") from error
    if not isinstance(row, dict) or "at" not in row or not isinstance(row.get("payload"), dict):
        raise ValueError(f'line {number} must be an object with "at" and "payload"')
    try:
        at = instant(row["at"])
    except ValueError as error:
        raise ValueError(f"line {number}: at: {error}") from error
    return FileAnswer(payload=row["payload"], at=at, line=number, read=read)
