"""Seven daily and four weekly backups stay, whatever was missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.backups.rotation import is_due, superseded

SUNDAY = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)


def kept_after(days: int, *, missed: frozenset[int] = frozenset()) -> list[str]:
    """Return the days (month-day) kept when a backup was made each night and rotated at once."""
    known: set[datetime] = set()
    for day in range(days):
        if day in missed:
            continue
        known.add(SUNDAY + timedelta(days=day))
        known -= superseded(known)
    return [f"{at:%m-%d}" for at in sorted(known)]


def test_the_first_week_is_kept_whole() -> None:
    assert kept_after(7) == ["11-01", "11-02", "11-03", "11-04", "11-05", "11-06", "11-07"]


def test_later_the_last_day_of_each_of_four_weeks_stays_beside_the_last_seven_days() -> None:
    # The 90th night is that to Friday, 2027-01-29; the 22nd is the last of its week that is older than those.
    assert kept_after(90) == [
        *("01-03", "01-10", "01-17", "01-22"),
        *("01-23", "01-24", "01-25", "01-26", "01-27", "01-28", "01-29"),
    ]


def test_of_several_backups_of_one_day_the_newest_stays() -> None:
    morning, noon = SUNDAY, SUNDAY + timedelta(hours=9)
    assert superseded([noon, morning]) == {morning}


def test_after_a_long_break_nothing_old_is_lost_for_the_new() -> None:
    missed = frozenset(range(20, 80))
    assert kept_after(81, missed=missed)[-1] == "01-20"
    assert len(kept_after(81, missed=missed)) == 10


@pytest.mark.parametrize(
    ("newest", "at", "due"),
    [
        (None, "2026-11-28T12:30", True),
        ("2026-11-28T02:30", "2026-11-28T12:30", False),
        ("2026-11-28T01:30", "2026-11-28T02:30", True),
        ("2026-11-27T02:30", "2026-11-28T01:30", False),
        ("2026-11-27T02:30", "2026-11-28T02:30", True),
        ("2026-11-26T21:00", "2026-11-28T01:30", True),
        ("2027-11-28T02:30", "2026-11-28T02:30", True),
    ],
    ids=[
        "none yet",
        "made tonight",
        "made before this night",
        "the next night has not begun",
        "the next night",
        "a night was missed",
        "from a clock that was ahead",
    ],
)
def test_a_backup_is_due_once_a_night(newest: str | None, at: str, due: bool) -> None:
    made = None if newest is None else datetime.fromisoformat(newest).replace(tzinfo=UTC)
    assert is_due(made, datetime.fromisoformat(at).replace(tzinfo=UTC)) is due
