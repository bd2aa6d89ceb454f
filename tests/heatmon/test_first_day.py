"""First numbers at once: what a home sees in the minutes after heatmon was started, at the speed of a real
meter (60 rows a second, a tenth of a second a request)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest

from apps.devices.memory import memory_progress
from apps.devices.models import HistoryGap
from apps.metrics.store.sqlite import SqliteStore
from apps.simulator.faults import METER, Fault, refuse
from apps.simulator.world import SimulatedWorld
from heatmon.gaps import lacking_minutes
from tests.factories import JANUARY

from .first_day import FirstDay

pytestmark = pytest.mark.slow

MakeDay = Callable[..., FirstDay]
LATE_EVENING = datetime(2026, 1, 12, 22, 44, 3, tzinfo=UTC)  # 23:44 at home: today and yesterday are 48 h
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def make_day(scratch_store: SqliteStore, tmp_path: Path) -> MakeDay:
    def make(start: datetime, **remembers: float) -> FirstDay:
        world = SimulatedWorld(3, (start - timedelta(**remembers)).replace(minute=0, second=0))
        world.shelly.meter.retention_s = 62 * 86_400
        world.advance_to(start)
        return FirstDay(world, scratch_store, tmp_path)

    return make


def asked_hours(day: FirstDay) -> list[tuple[datetime, datetime]]:
    """(when, from when on) of each export asked for, in order."""
    asked: list[tuple[datetime, datetime]] = []
    inner = day.world.meter_handler.handler

    def watching(method: str, path: str, headers: object, body: bytes, at: float) -> object:
        if "data.csv" in path:
            start = int(dict(parse_qsl(urlsplit(path).query))["ts"])
            asked.append((datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(start, UTC)))
        return inner(method, path, headers, body, at)  # type: ignore[arg-type]

    day.world.meter_handler.handler = watching  # type: ignore[assignment]
    return asked


def test_the_first_hour_is_fetched_within_ten_seconds_of_the_first_good_poll_and_the_newest_first(
    make_day: MakeDay,
) -> None:
    day = make_day(LATE_EVENING, days=3)
    asked = asked_hours(day)
    day.pass_by(seconds=60)
    first_poll = day.started_at + timedelta(seconds=day.seconds_until["first good poll"])
    assert asked[0][0] - first_poll <= timedelta(seconds=10)
    newest = LATE_EVENING.replace(minute=0, second=0)
    assert [start for _at, start in asked[:6]] == [newest - number * HOUR for number in range(6)]


def test_with_three_days_in_the_meter_yesterday_is_complete_within_two_minutes(make_day: MakeDay) -> None:
    day = make_day(LATE_EVENING, days=3)
    assert day.pass_by_until("newest hour derived", minutes=2) <= 60
    assert day.pass_by_until("yesterday derived", minutes=5) <= 120
    assert day.pass_by_until("all derived", minutes=5) <= 240


def test_a_stretch_is_derived_within_half_a_minute_of_its_coming(make_day: MakeDay) -> None:
    day = make_day(JANUARY + timedelta(seconds=3), hours=30)
    asked = asked_hours(day)
    waits: list[float] = []

    def look() -> None:
        while len(waits) + 1 < len(asked):
            came_at, hour = asked[len(waits) + 1][0], asked[len(waits)][1]
            if not day.derived_hours(hour, hour + HOUR):
                return
            waits.append((day.at - came_at).total_seconds())

    day.after_deriving.append(look)
    day.pass_by(minutes=2)
    assert len(waits) == 28
    assert max(waits) <= 30


def test_sixty_days_at_this_pace_take_less_than_an_hour(make_day: MakeDay) -> None:
    day = make_day(JANUARY + timedelta(seconds=3), days=6)
    asked = asked_hours(day)
    seconds = day.pass_by_until("all derived", minutes=10)
    assert seconds * 60 / 6 <= 3600
    pauses = [later[0] - earlier[0] for earlier, later in zip(asked, asked[1:], strict=False)]
    assert max(pauses) <= timedelta(seconds=15)


def test_the_live_polls_go_on_while_history_is_fetched(make_day: MakeDay) -> None:
    day = make_day(JANUARY + timedelta(seconds=3), days=2)
    day.pass_by(minutes=2)
    rows = day.rows("meter", day.started_at, day.at)
    assert len(rows) == 12


def test_how_far_the_history_is_stands_in_the_database(make_day: MakeDay) -> None:
    day = make_day(datetime(2026, 1, 12, 22, 30, 3, tzinfo=UTC), hours=96)
    berlin = ZoneInfo("Europe/Berlin")
    assert memory_progress(day.site, day.at, berlin) is None
    day.pass_by(seconds=60)
    early = memory_progress(day.site, day.at, berlin)
    assert early is not None
    assert (early.days, early.days_done, early.is_complete) == (5, 1, False)
    assert early.begins_at == datetime(2026, 1, 8, 22, 0, tzinfo=UTC)
    assert 60 <= early.hours_open <= 80
    assert early.seconds_left == pytest.approx(early.hours_open * 1.7, rel=0.2)
    day.pass_by(minutes=4)
    late = memory_progress(day.site, day.at, berlin)
    assert late is not None
    assert (late.days, late.days_done, late.hours_open, late.seconds_left) == (5, 5, 0, 0.0)


# -- every outage is over within a quarter of an hour ----------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "from_second"),
    [(4, 100), (7, 745), (12, 3460), (25, 2690), (59, 1510), (240, 2690)],
    ids=lambda number: str(number),
)
@pytest.mark.parametrize("kind", ["meter away", "heatmon away"])
def test_an_outage_leaves_no_minute_missing_for_longer_than_a_quarter_of_an_hour(
    make_day: MakeDay, scratch_store: SqliteStore, tmp_path: Path, kind: str, minutes: int, from_second: int
) -> None:
    day = make_day(JANUARY + timedelta(minutes=40), hours=1)
    day.pass_by(seconds=1200 + from_second)
    began = day.at
    if kind == "meter away":
        away = Fault(
            name="away",
            target=METER,
            start=began.timestamp(),
            duration_s=minutes * 60.0,
            effect=refuse,
        )
        day.world.faults.append(away)
        day.pass_by(minutes=minutes)
    else:
        day.world.advance_to(began + timedelta(minutes=minutes))
        day = FirstDay(day.world, scratch_store, tmp_path)
    healed = day.at
    first, last = began.replace(second=0), healed.replace(second=0)
    while lacking_minutes(day.store, day.site.pk, first, last) and day.at - healed < timedelta(hours=1):
        day.pass_by(seconds=10)
    assert day.at - healed <= timedelta(minutes=15)
    assert not HistoryGap.objects.filter(state=HistoryGap.State.LOST).exists()


def test_hours_that_are_complete_are_not_asked_for_again(make_day: MakeDay) -> None:
    day = make_day(JANUARY + timedelta(seconds=3), hours=2)
    asked = asked_hours(day)
    day.pass_by(hours=2, minutes=20)
    assert [start.hour for _at, start in asked] == [4]
    assert list(HistoryGap.objects.values_list("start__hour", "state")) == [(4, "filled")]
