"""◇ The stretches of days that people ask for by name: last week, last month, last heating season."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

WEEK, MONTH, SEASON = "last-week", "last-month", "last-season"
SEASON_FIRST_MONTH, SEASON_LAST_MONTH, SEASON_LAST_DAY = 10, 4, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """Local days ``first`` to ``last``, both included. ``kind``: WEEK, MONTH or SEASON."""

    kind: str
    first: date
    last: date

    @property
    def after(self) -> date:
        """The first day after it."""
        return self.last + timedelta(days=1)


def quick_ranges(today: date, stored_from: date | None) -> list[Quick]:
    """Return the last whole week, month and heating season (October to April) before ``today``; those that
    ended before ``stored_from`` are left out, all where nothing is stored."""
    monday = today - timedelta(days=today.weekday())
    first_of_month = today.replace(day=1)
    end_of_month = first_of_month - timedelta(days=1)
    year = today.year if today > date(today.year, SEASON_LAST_MONTH, SEASON_LAST_DAY) else today.year - 1
    found = [
        Quick(kind=WEEK, first=monday - timedelta(days=7), last=monday - timedelta(days=1)),
        Quick(kind=MONTH, first=end_of_month.replace(day=1), last=end_of_month),
        Quick(
            kind=SEASON,
            first=date(year - 1, SEASON_FIRST_MONTH, 1),
            last=date(year, SEASON_LAST_MONTH, SEASON_LAST_DAY),
        ),
    ]
    return [each for each in found if stored_from is not None and each.last >= stored_from]
