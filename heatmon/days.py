"""Days as commands take them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date

FIRST_YEAR, LAST_YEAR = 1970, 2099


def day(text: str) -> date:
    """Parse a local day for argparse."""
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is not a date like 2027-03-01") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ArgumentTypeError(f"{text} must be in the years {FIRST_YEAR} to {LAST_YEAR}")
    return found
