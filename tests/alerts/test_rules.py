"""Once for each cause, when it lasts, and once more when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.alerts.rules import (
    BACKUP,
    DISK,
    RULE,
    RULES,
    SILENT,
    STORE,
    Rule,
    State,
    due_at,
    is_bad,
    may_tell,
    step,
)

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = (time(22, 0), time(7, 0))


def events(
    rule: Rule, values: Sequence[float | None], threshold: float | None = None
) -> list[tuple[int, str]]:
    """Return (minute, event) of values that are seen one a minute."""
    limit = rule.threshold if threshold is None else threshold
    state, found = State(), []
    for minute, value in enumerate(values):
        bad = None if value is None else is_bad(rule, limit, value, raised=state.raised_at is not None)
        state, event = step(rule, state, bad, AT + timedelta(minutes=minute))
        if event:
            found.append((minute, event))
    return found


def test_it_is_raised_at_the_threshold_and_solved_once_it_was_good_for_five_minutes() -> None:
    silent_min = [13, 14, 15, 16, 17, 0, 1, 0, 1, 0, 1, 0]
    assert events(RULE[SILENT], silent_min) == [(2, "raised"), (10, "solved")]


def test_around_the_threshold_nothing_flickers() -> None:
    free_percent = [10.1, 9.9, 10.1, 9.9, 11.9, 10.1, 9.9, *[11.9] * 10, *[12.0] * 6]
    assert events(RULE[DISK], free_percent) == [(1, "raised"), (22, "solved")]


def test_a_good_moment_within_a_bad_hour_solves_nothing() -> None:
    fault = [1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1]
    assert events(RULE[STORE], fault) == [(2, "raised")]


def test_what_does_not_last_is_not_raised() -> None:
    assert events(RULE[STORE], [1, 1, 0, 1, 1, 0]) == []
    assert events(RULE[BACKUP], [*[40] * 60, 0]) == []
    assert events(RULE[BACKUP], [40] * 61) == [(60, "raised")]


def test_while_nobody_knows_everything_stays_as_it_is() -> None:
    assert events(RULE[SILENT], [20, None, None, None, None, None, None, None, 20]) == [(0, "raised")]


def test_a_threshold_of_ones_own_counts() -> None:
    assert events(RULE[SILENT], [20, 40, 60], threshold=60) == [(2, "raised")]


def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    rule = RULE[STORE]
    state, _event = step(rule, State(), True, AT + timedelta(hours=5))
    for minute in range(3):
        state, event = step(rule, state, True, AT + timedelta(minutes=minute))
    assert event == "raised"


def test_the_same_cause_is_not_told_again_within_six_hours() -> None:
    assert may_tell(State(), AT)
    assert not may_tell(State(told_at=AT), AT + timedelta(hours=5, minutes=59))
    assert may_tell(State(told_at=AT), AT + timedelta(hours=6))


@pytest.mark.parametrize(
    ("local", "due"),
    [
        ("2026-11-28T21:59", "2026-11-28T21:59"),
        ("2026-11-28T22:00", "2026-11-29T07:00"),
        ("2026-11-29T06:59", "2026-11-29T07:00"),
        ("2026-11-29T07:00", "2026-11-29T07:00"),
        ("2026-10-24T23:30", "2026-10-25T07:00"),
        ("2026-03-28T23:30", "2026-03-29T07:00"),
    ],
    ids=["before", "begin", "last minute", "end", "the night of 25 hours", "the night of 23 hours"],
)
def test_in_quiet_hours_a_message_waits_for_their_end(local: str, due: str) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)
    expected = datetime.fromisoformat(due).replace(tzinfo=BERLIN).astimezone(UTC)
    assert due_at(at, NIGHT, BERLIN, urgent=False) == expected
    assert due_at(at, NIGHT, BERLIN, urgent=True) == at
    assert due_at(at, None, BERLIN, urgent=False) == at


def test_quiet_hours_may_lie_within_a_day() -> None:
    noon = datetime(2026, 11, 28, 12, 0, tzinfo=BERLIN).astimezone(UTC)
    assert due_at(noon, (time(11, 0), time(13, 0)), BERLIN, urgent=False) == noon + timedelta(hours=1)
    assert due_at(noon, (time(13, 0), time(15, 0)), BERLIN, urgent=False) == noon


def test_every_cause_of_the_plan_has_a_rule() -> None:
    assert [rule.kind for rule in RULES] == [
        *("source_silent", "quota", "store_away", "disk_full", "backup_old", "short_cycling"),
        *("heating_rod", "device_message", "other_meter", "login_ends", "deviation", "switch_due"),
    ]
    assert [rule.kind for rule in RULES if rule.urgent] == ["store_away", "heating_rod"]
