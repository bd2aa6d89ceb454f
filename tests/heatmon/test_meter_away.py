"""While the meter does not respond, what the store lacks is written down; pages tell what they know."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.devices.models import HistoryGap, MemorySearch
from apps.simulator.faults import METER, Fault, refuse
from tests.factories import JANUARY, Home

HOUR = timedelta(hours=1)
JOBS = ("poll_power", "refine_minutes", "backfill")


def gone(home: Home) -> datetime:
    """The meter refuses every connection from now on."""
    fault = Fault(name="away", target=METER, start=home.at.timestamp(), duration_s=1e9, effect=refuse)
    home.world.faults.append(fault)
    return home.at


def test_hours_that_a_silent_meter_does_not_deliver_are_open_before_it_is_back(home: Home) -> None:
    home.run(*JOBS, minutes=12)
    gone(home)
    home.run(*JOBS, hours=3)
    gaps = HistoryGap.objects.filter(start__gte=JANUARY).order_by("start")
    assert [(gap.start - JANUARY, gap.state, gap.missing_minutes) for gap in gaps] == [
        (timedelta(0), "open", 50),
        (HOUR, "open", 60),
        (2 * HOUR, "open", 60),
    ]
    search = MemorySearch.objects.get()
    assert search.searched_until is not None
    assert home.at - search.searched_until < timedelta(minutes=2)


def test_a_memory_that_was_never_searched_is_not_taken_as_searched_while_the_meter_is_silent(
    home: Home,
) -> None:
    home.call("poll_power")
    gone(home)
    home.run(*JOBS, hours=2)
    search = MemorySearch.objects.get()
    assert (search.whole_at, search.searched_until) == (None, None)


def test_the_hours_are_fetched_once_the_meter_responds_again(home: Home) -> None:
    home.run(*JOBS, minutes=12)
    gone(home)
    home.run(*JOBS, hours=2)
    home.world.faults.clear()
    home.run(*JOBS, minutes=15)
    assert not HistoryGap.objects.exclude(state="filled").exists()
    assert len(home.minute_energies_wh(JANUARY, home.at - timedelta(minutes=5))) == 142
