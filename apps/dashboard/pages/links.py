"""Addresses that the page of a change leads to."""

from __future__ import annotations

from datetime import date

from django.urls import get_script_prefix


def day_href(day: date) -> str:
    """Return the history of a local day."""
    return f"{get_script_prefix()}history?range=day&date={day:%Y-%m-%d}"
