"""Sizes and measured values as commands print them: never in powers of ten."""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat
from django.utils import translation


def size_in_words(size_bytes: int) -> str:
    """Return a size as the pages show it, in English: 105.3 MB."""
    with translation.override("en"):
        return filesizeformat(size_bytes).replace("\xa0", " ")


def plain(value: float) -> str:
    """Return a value with at most three decimals and separators of thousands: 7,871.61."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")
