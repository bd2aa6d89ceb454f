"""◇ Records as JSON types, as they are kept: days as ISO dates, tuples as lists."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any


def plain(record: Any) -> dict[str, Any]:
    """Return a record, and those in it, by the names of their fields."""
    return {name: _plain(value) for name, value in asdict(record).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value.isoformat() if isinstance(value, date) else value
