"""Minutes that heatmon missed come back out of the meter's memory, or are given up with a reason."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from apps.devices.errors import DeviceUnreachable, WrongDevice
from apps.devices.models import HistoryGap
from apps.metrics.models import StaleRange
from apps.simulator.faults import METER, Fault, refuse
from apps.simulator.shelly_rpc import MONOPHASE
from heatmon.backfill import find_gaps
from tests.factories import JANUARY, Home

from .conftest import MakeHome

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def stored_equals_truth(home: Home, start: datetime, end: datetime) -> None:
    stored = home.minute_energies_wh(start, end)
    assert len(stored) == (end - start) // MINUTE
    assert stored == pytest.approx(home.world.truth.minute_energies_wh(start, end), abs=1e-9)


def started(home: Home) -> Home:
    """After the first polls and the first look into the meter's memory."""
    home.run("poll_power", "refine_minutes", "backfill", minutes=12)
    return home


def settled(home: Home) -> None:
    """Three minutes later, when the last minutes are surely in the meter's memory."""
    home.move(minutes=4)
    home.run("poll_power", "refine_minutes", minutes=1)


def test_the_first_start_fetches_what_the_meter_remembers_from_before(make_home: MakeHome) -> None:
    home = make_home(remembers_h=5)
    started(home)
    stored_equals_truth(home, JANUARY - 5 * HOUR, JANUARY + 5 * MINUTE)
    assert {gap.state for gap in HistoryGap.objects.all()} == {HistoryGap.State.FILLED}


def test_hours_in_which_heatmon_was_away_are_fetched(home: Home) -> None:
    started(home)
    home.move(hours=3, minutes=20)
    home.restart()
    home.run("poll_power", "refine_minutes", "backfill", minutes=15)
    stored_equals_truth(home, JANUARY, home.at - 5 * MINUTE)
    rows = home.rows("meter_minute", JANUARY, home.at - 5 * MINUTE)
    assert {row.values["provisional"] for row in rows} == {0.0}


def test_hours_fetched_late_are_marked_to_be_derived_again(home: Home) -> None:
    started(home)
    home.move(hours=3)
    StaleRange.objects.all().delete()
    home.call("poll_power")
    home.call("backfill", whole=True)
    assert StaleRange.objects.filter(start__lte=JANUARY + HOUR, end__gt=JANUARY + HOUR).exists()
    assert home.call("derive") >= 36
    rows = home.rows("interval", JANUARY, JANUARY + 3 * HOUR)
    energy = sum(row.values["electrical_energy_wh"] or 0.0 for row in rows)
    assert energy == pytest.approx(home.world.truth.energy_wh(JANUARY, JANUARY + 3 * HOUR), abs=1e-3)


def test_provisional_minutes_of_old_hours_are_replaced_by_the_meters_own(home: Home) -> None:
    started(home)
    home.run("poll_power", hours=1)
    old = home.rows("meter_minute", JANUARY + 10 * MINUTE, JANUARY + 50 * MINUTE)
    assert {row.values["provisional"] for row in old} == {1.0}
    home.run("backfill", minutes=10)
    stored_equals_truth(home, JANUARY + 10 * MINUTE, JANUARY + HOUR)
    again = home.rows("meter_minute", JANUARY + 10 * MINUTE, JANUARY + HOUR)
    assert {row.values["provisional"] for row in again} == {0.0}


def test_minutes_that_the_meter_lost_are_given_up_after_three_answers(home: Home) -> None:
    started(home)
    home.run("poll_power", "refine_minutes", minutes=13)
    cut = home.at
    home.world.shelly.power_cut(cut.timestamp(), (cut + 25 * MINUTE).timestamp())
    home.move(minutes=25)
    home.run("poll_power", "refine_minutes", minutes=20)
    attempts = []
    for _ in range(5):
        home.call("backfill")
        attempts.append(HistoryGap.objects.get(start=JANUARY).attempts)
        home.run("poll_power", "refine_minutes", minutes=11)
    gap = HistoryGap.objects.get(start=JANUARY)
    assert attempts[:3] == [1, 2, 3]
    assert attempts[3:] == [3, 3]
    assert (gap.state, gap.missing_minutes) == (HistoryGap.State.LOST, 25)
    assert gap.reason == "not_remembered"


def test_an_unreachable_meter_costs_no_attempt(home: Home) -> None:
    started(home)
    home.move(hours=2)
    away = Fault(name="away", target=METER, start=home.at.timestamp(), duration_s=3000.0, effect=refuse)
    home.world.faults.append(away)
    find_gaps(home.collection, home.device("meter").identifier, JANUARY, home.at)
    for _ in range(6):
        home.collection.last_whole_search = home.at
        with pytest.raises(DeviceUnreachable):
            home.call("backfill")
        home.move(minutes=7)
    assert {gap.attempts for gap in HistoryGap.objects.exclude(start=JANUARY - HOUR)} == {0}
    gap = HistoryGap.objects.get(start=JANUARY)
    assert (gap.state, gap.reason, gap.reason_details) == (
        HistoryGap.State.OPEN,
        "unreachable",
        {"host": "meter.simulated"},
    )
    home.move(minutes=10)
    settled(home)
    home.call("backfill", whole=True)
    stored_equals_truth(home, JANUARY, JANUARY + 2 * HOUR)


def test_a_failed_hour_is_not_asked_again_for_ten_minutes(home: Home) -> None:
    started(home)
    home.world.shelly.power_cut(home.at.timestamp(), (home.at + 20 * MINUTE).timestamp())
    home.move(hours=2)
    settled(home)
    home.call("backfill", whole=True)
    asked = home.world.shelly.calls["data.csv"]
    home.move(minutes=5)
    home.run("poll_power", "refine_minutes", seconds=30)
    home.call("backfill")
    assert home.world.shelly.calls["data.csv"] == asked


def test_an_hour_once_given_up_is_asked_again_when_heatmon_misses_more_of_it(home: Home) -> None:
    started(home)
    home.world.shelly.power_cut(home.at.timestamp(), (home.at + 8 * MINUTE).timestamp())
    home.move(minutes=8)
    home.run("poll_power", "refine_minutes", "backfill", minutes=35)
    gap = HistoryGap.objects.get(start=JANUARY)
    assert gap.state == HistoryGap.State.LOST
    away_from = home.at
    home.move(minutes=9)
    home.run("poll_power", "refine_minutes", "backfill", minutes=20)
    gap.refresh_from_db()
    assert home.minute_energies_wh(away_from, JANUARY + HOUR) == pytest.approx(
        home.world.truth.minute_energies_wh(away_from, JANUARY + HOUR), abs=1e-9
    )
    assert gap.missing_minutes <= 9


def test_repeating_changes_no_row(make_home: MakeHome) -> None:
    home = make_home(remembers_h=3)
    started(home)
    end = home.at
    before = home.rows("meter_minute", JANUARY - 3 * HOUR, end)
    HistoryGap.objects.all().delete()
    home.restart()
    home.call("backfill", whole=True)
    HistoryGap.objects.update(state=HistoryGap.State.OPEN, last_attempt_at=None)
    home.call("backfill", whole=True)
    assert home.rows("meter_minute", JANUARY - 3 * HOUR, end) == before


def test_without_a_gap_nothing_is_fetched(home: Home) -> None:
    started(home)
    asked = home.world.shelly.calls["data.csv"]
    home.run("poll_power", "refine_minutes", "backfill", minutes=30)
    assert home.world.shelly.calls["data.csv"] == asked


def test_filling_stops_between_two_hours_when_told_to(make_home: MakeHome) -> None:
    home = make_home(remembers_h=5)
    home.call("poll_power")
    home.move(minutes=4)
    answers = iter([True, True, False])
    home.call("backfill", go_on=lambda: next(answers))
    assert HistoryGap.objects.filter(state=HistoryGap.State.FILLED).count() == 2
    home.call("backfill")
    assert HistoryGap.objects.filter(state=HistoryGap.State.OPEN, start__lt=JANUARY).count() == 0


def test_one_turn_of_filling_leaves_time_for_the_others_of_its_thread(make_home: MakeHome) -> None:
    home = make_home(remembers_h=20)
    home.call("poll_power")
    inner = home.world.meter_handler.handler

    def slow(method: str, path: str, headers: object, body: bytes, at: float) -> object:
        answer = inner(method, path, headers, body, at)  # type: ignore[arg-type]
        if path.startswith("/emdata"):
            home.move(seconds=30)
        return answer

    home.world.meter_handler.handler = slow  # type: ignore[assignment]
    began = home.at
    home.call("backfill")
    assert timedelta(seconds=150) <= home.at - began <= timedelta(seconds=240)
    assert HistoryGap.objects.filter(state=HistoryGap.State.OPEN).exists()


def test_of_another_meter_at_the_address_no_hour_is_stored(home: Home) -> None:
    started(home)
    home.move(hours=2)
    home.world.shelly.mac = "0C0D0E0F1011"
    with pytest.raises(WrongDevice):
        home.call("backfill", whole=True)
    assert home.minute_energies_wh(JANUARY + 15 * MINUTE, home.at) == []


def test_rows_before_a_broken_line_of_the_meters_answer_are_kept(make_home: MakeHome) -> None:
    home = make_home(remembers_h=1)
    home.call("poll_power")
    inner = home.world.meter_handler.handler

    def broken(method: str, path: str, headers: object, body: bytes, at: float) -> object:
        answer = inner(method, path, headers, body, at)  # type: ignore[arg-type]
        if path.startswith("/emdata"):
            lines = answer.body.split(b"\r\n")
            answer = answer._replace(body=b"\r\n".join([*lines[:31], b"x,y", *lines[31:]]))
        return answer

    home.world.meter_handler.handler = broken  # type: ignore[assignment]
    with pytest.raises(Exception, match="unreadable .*line 32"):
        home.call("backfill")
    assert len(home.minute_energies_wh(JANUARY - HOUR, JANUARY)) == 30


def test_hours_of_a_meter_in_the_profile_monophase_come_back_too(make_home: MakeHome) -> None:
    home = make_home(remembers_h=2, profile=MONOPHASE)
    started(home)
    stored_equals_truth(home, JANUARY - 2 * HOUR, JANUARY + 5 * MINUTE)


def test_a_meter_whose_memory_is_empty_gives_nothing_and_no_gap(home: Home) -> None:
    home.call("poll_power")
    assert home.call("backfill") == 0
    assert HistoryGap.objects.count() == 0
