"""Addresses of the history that several pages lead to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from urllib.parse import urlencode

from django.urls import get_script_prefix


def history_href(kind: str, day: date, series: Sequence[str] = ()) -> str:
    """Return the history of the range (RANGES) that ``day`` lies in. ``series``: empty for the usual ones."""
    query = {"range": kind, "date": day.isoformat()}
    if series:
        query["series"] = ",".join(series)
    return f"{get_script_prefix()}history?{urlencode(query)}"


def day_href(day: date) -> str:
    """Return the history of a local day."""
    return history_href("day", day)
