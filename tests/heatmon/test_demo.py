"""The demo's house: what stands in the database before its past is written."""

from __future__ import annotations

from datetime import timedelta

from apps.devices.models import HistoryGap
from heatmon.demo.house import DAY_S, HISTORY_DAYS, SEED, DemoState, remember_devices
from tests.factories import Home


def test_a_past_that_is_still_being_written_is_not_called_lost(home: Home) -> None:
    end = int(home.at.timestamp())
    remember_devices(home.site, DemoState(seed=SEED, start=end - HISTORY_DAYS * DAY_S, end=end, oldest=end))
    home.run("poll_power", "refine_minutes", "backfill", minutes=10)
    assert not HistoryGap.objects.filter(start__lt=home.at - timedelta(hours=3)).exists()
