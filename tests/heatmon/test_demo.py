"""The demo's house: what stands in the database before its past is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from apps.devices.models import HistoryGap
from apps.simulator.settings import COMFORT, DHW_HYSTERESIS, NORMAL, REDUCED, SLOPE
from heatmon.demo.house import (
    DAY_S,
    HISTORY_DAYS,
    SEED,
    DemoState,
    demo_spec,
    planned_changes,
    remember_devices,
)
from tests.factories import Home


def test_a_past_that_is_still_being_written_is_not_called_lost(home: Home) -> None:
    end = int(home.at.timestamp())
    remember_devices(home.site, DemoState(seed=SEED, start=end - HISTORY_DAYS * DAY_S, end=end, oldest=end))
    home.run("poll_power", "refine_minutes", "backfill", minutes=10)
    assert not HistoryGap.objects.filter(start__lt=home.at - timedelta(hours=3)).exists()


@pytest.mark.parametrize("month", range(1, 13))
def test_the_demos_changes_are_answerable_whenever_it_is_started(month: int) -> None:
    """A curve in the cold, something without effect, something in summer, two at once, none near others."""
    made_at = int(datetime(2026, month, 15, 9, tzinfo=UTC).timestamp())
    changes = planned_changes(made_at)
    assert [change.key for change in changes] == [SLOPE, COMFORT, NORMAL, REDUCED, DHW_HYSTERESIS]
    days = sorted((made_at - change.at) // DAY_S for change in changes)
    assert days[0] >= 92 and days[-1] <= 385
    assert [later - earlier for earlier, later in pairwise(days) if 3 < later - earlier < 29] == []
    cold = datetime.fromtimestamp(changes[0].at, UTC)
    assert cold.month in (11, 12, 1, 2)


def test_something_forgotten_draws_power_for_some_weeks() -> None:
    state = DemoState(seed=SEED, start=0, end=HISTORY_DAYS * DAY_S, oldest=0)
    spec = demo_spec(state)
    assert spec.forgotten is not None
    assert spec.standby_at_w(spec.forgotten.start) == spec.standby_w + 190.0
    assert spec.standby_at_w(spec.forgotten.end) == spec.standby_w
