"""Minutes that heatmon missed come back out of the meter's memory, or are given up with a reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from apps.devices.errors import DeviceUnreachable, WrongDevice
from apps.devices.models import HistoryGap
from apps.metrics.models import Lump, StaleRange
from apps.simulator.faults import METER, Effect, Fault, refuse
from apps.simulator.shelly_rpc import MONOPHASE
from apps.simulator.wire import Answer, Handler, json_answer
from tests.factories import JANUARY, Home, answering_before

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


def spoil(home: Home, what: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """From now on the lines of the meter's answers to paths with ``what`` come changed."""
    inner = home.world.meter_handler.handler

    def handle(method: str, path: str, headers: Any, body: bytes, at: float) -> Answer:
        answer = inner(method, path, headers, body, at)
        if what not in path:
            return answer
        return answer._replace(body=b"\r\n".join(change(answer.body.split(b"\r\n"))))

    home.world.meter_handler.handler = handle


def only_for(start: datetime, answer: Callable[[], Answer]) -> Effect:
    """A fault that meets requests for the hour from ``start`` alone."""
    first, last = int(start.timestamp()), int((start + HOUR).timestamp())

    def effect(handler: Handler, method: str, path: str, headers: Any, body: bytes, at: float) -> Answer:
        query = dict(parse_qsl(urlsplit(path).query))
        if first <= int(query.get("ts", 0)) < last:
            return answer()
        return handler(method, path, headers, body, at)

    return effect


def for_good(home: Home, effect: Effect) -> Fault:
    fault = Fault(name="made", target=METER, start=0.0, duration_s=1e12, effect=effect)
    home.world.faults.append(fault)
    return fault


def states(home: Home) -> dict[str, int]:
    return dict(Counter(HistoryGap.objects.filter(site=home.site).values_list("state", flat=True)))


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
    for _ in range(6):
        with pytest.raises(DeviceUnreachable):
            home.call("backfill")
        home.move(minutes=7)
    assert {gap.attempts for gap in HistoryGap.objects.exclude(start=JANUARY - HOUR)} == {0}
    gap = HistoryGap.objects.get(start=JANUARY + HOUR)
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
    assert timedelta(seconds=30) <= home.at - began <= timedelta(seconds=90)
    assert HistoryGap.objects.filter(state=HistoryGap.State.OPEN).exists()


def test_of_another_meter_at_the_address_no_hour_is_stored(home: Home) -> None:
    started(home)
    home.move(hours=2)
    home.world.shelly.mac = "0C0D0E0F1011"
    with pytest.raises(WrongDevice):
        home.call("backfill", whole=True)
    assert home.minute_energies_wh(JANUARY + 15 * MINUTE, home.at) == []


def test_rows_around_a_broken_line_of_the_meters_export_are_fetched_in_smaller_pieces(
    make_home: MakeHome,
) -> None:
    home = make_home(remembers_h=1)
    home.move(seconds=5)
    home.call("poll_power")
    spoil(home, "data.csv", lambda lines: [*lines[:31], b"x,y", *lines[31:]])
    assert home.call("backfill") >= 60
    stored_equals_truth(home, JANUARY - HOUR, JANUARY)


def test_hours_of_a_meter_in_the_profile_monophase_come_back_too(make_home: MakeHome) -> None:
    home = make_home(remembers_h=2, profile=MONOPHASE)
    started(home)
    stored_equals_truth(home, JANUARY - 2 * HOUR, JANUARY + 5 * MINUTE)


def test_a_meter_whose_memory_is_empty_gives_nothing_and_no_gap(home: Home) -> None:
    home.call("poll_power")
    assert home.call("backfill") == 0
    assert HistoryGap.objects.count() == 0


# -- one bad hour, and what is no proof ------------------------------------------------------------------


def broken() -> Answer:
    return Answer(200, {"Content-Type": "text/csv"}, b"timestamp", cut=True)


def test_an_hour_that_always_fails_keeps_no_other_waiting_and_is_asked_ever_more_rarely(
    make_home: MakeHome,
) -> None:
    home = make_home(remembers_h=6)
    for_good(home, only_for(JANUARY - 3 * HOUR, broken))
    home.move(seconds=5)
    home.call("poll_power")
    home.call("backfill")
    assert states(home) == {"filled": 5, "open": 1}
    bad = HistoryGap.objects.get(start=JANUARY - 3 * HOUR)
    assert (bad.missing_minutes, bad.failures, bad.attempts, bad.reason) == (60, 1, 0, "connection_lost")
    pauses = []
    for _ in range(6):
        asked_at = home.at
        home.run("poll_power", "backfill", seconds=11)
        bad.refresh_from_db()
        assert bad.retry_at is not None
        pauses.append(round((bad.retry_at - asked_at).total_seconds() / 60))
        home.world.advance_to(bad.retry_at)
        home.call("poll_power")
    assert pauses == [2, 4, 8, 16, 32, 64]


def test_an_hour_that_failed_comes_back_once_the_meter_gives_it(make_home: MakeHome) -> None:
    home = make_home(remembers_h=3)
    fault = for_good(home, only_for(JANUARY - 2 * HOUR, broken))
    home.move(seconds=5)
    home.call("poll_power")
    home.call("backfill")
    home.world.faults.remove(fault)
    home.run("poll_power", "backfill", minutes=3)
    stored_equals_truth(home, JANUARY - 3 * HOUR, JANUARY)
    gap = HistoryGap.objects.get(start=JANUARY - 2 * HOUR)
    assert (gap.state, gap.failures, gap.reason) == (HistoryGap.State.FILLED, 0, "")


def test_an_export_that_resets_above_some_rows_is_asked_for_in_halves(make_home: MakeHome) -> None:
    home = make_home(remembers_h=2)
    inner = home.world.meter_handler.handler
    lengths: list[int] = []

    def resetting(method: str, path: str, headers: Any, body: bytes, at: float) -> Answer:
        if "data.csv" not in path:
            return inner(method, path, headers, body, at)
        query = dict(parse_qsl(urlsplit(path).query))
        lengths.append((int(query["end_ts"]) - int(query["ts"])) // 60)
        if lengths[-1] > 20:
            return Answer(200, {"Content-Type": "text/csv"}, b"", cut=True)
        return inner(method, path, headers, body, at)

    home.world.meter_handler.handler = resetting
    home.move(seconds=5)
    home.call("poll_power")
    home.call("backfill")
    stored_equals_truth(home, JANUARY - 2 * HOUR, JANUARY)
    assert lengths[:6] == [60, 30, 15, 15, 15, 15]


def test_an_export_that_never_works_is_replaced_by_single_pages(make_home: MakeHome) -> None:
    home = make_home(remembers_h=2)
    inner = home.world.meter_handler.handler
    home.world.meter_handler.handler = answering_before(
        inner, lambda path: broken() if "data.csv" in path else None
    )
    home.move(seconds=5)
    home.call("poll_power")
    home.call("backfill")
    stored_equals_truth(home, JANUARY - 2 * HOUR, JANUARY)


def test_an_export_of_a_header_only_is_no_proof_that_the_rows_are_lost(make_home: MakeHome) -> None:
    home = make_home(remembers_h=2)
    spoil(home, "data.csv", lambda lines: lines[:1])
    home.move(seconds=5)
    home.call("poll_power")
    home.call("backfill")
    stored_equals_truth(home, JANUARY - 2 * HOUR, JANUARY)
    assert set(states(home)) == {"filled"}


def test_rows_that_the_meter_says_it_has_are_not_given_up(make_home: MakeHome) -> None:
    home = make_home(remembers_h=2)
    spoil(home, "data.csv", lambda lines: lines[:1])
    empty = for_good(
        home,
        lambda handler, method, path, headers, body, at: (
            json_answer(200, {"keys": [], "data": []})
            if "GetData" in path
            else handler(method, path, headers, body, at)
        ),
    )
    home.run("poll_power", "backfill", minutes=50)
    gap = HistoryGap.objects.get(start=JANUARY - HOUR)
    assert (gap.state, gap.attempts >= 3, gap.reason) == (HistoryGap.State.OPEN, True, "not_given")
    home.world.faults.remove(empty)
    home.run("poll_power", "backfill", hours=1)
    stored_equals_truth(home, JANUARY - 2 * HOUR, JANUARY)


def test_a_meter_that_says_nothing_of_its_memory_has_lost_nothing_yet(home: Home) -> None:
    started(home)
    home.move(hours=2)
    spoil(home, "data.csv", lambda lines: lines[:1])
    for_good(
        home,
        lambda handler, method, path, headers, body, at: (
            json_answer(200, {"keys": [], "data": [], "data_blocks": []})
            if "GetData" in path or "GetRecords" in path
            else handler(method, path, headers, body, at)
        ),
    )
    home.run("poll_power", "backfill", minutes=50)
    assert set(HistoryGap.objects.filter(start__gte=JANUARY).values_list("state", flat=True)) == {"open"}


# -- what the meter cannot have any more -----------------------------------------------------------------


@pytest.mark.slow
def test_minutes_from_before_an_erased_memory_stand_as_lost_and_their_energy_as_a_lump(home: Home) -> None:
    started(home)
    home.run(minutes=50)
    away_from = home.at
    home.move(hours=3)
    erased_at = home.at
    home.world.shelly.meter.rows_from = int(erased_at.timestamp())
    home.restart()
    home.run(minutes=70)
    lost = HistoryGap.objects.filter(state=HistoryGap.State.LOST)
    assert {gap.reason for gap in lost} == {"memory_begins_later"}
    assert [gap.missing_minutes for gap in lost.order_by("start")] == [60, 60, 60, 2]
    (lump,) = Lump.objects.filter(site_id=home.site.pk)
    assert (lump.start, lump.end) == (away_from - MINUTE, erased_at)
    assert lump.energy_wh == pytest.approx(home.world.truth.energy_wh(lump.start, lump.end), abs=0.1)


def test_minutes_from_before_a_switched_profile_stand_as_lost(home: Home) -> None:
    started(home)
    home.run(minutes=50)
    home.move(hours=3)
    home.world.shelly.switch_profile(home.at.timestamp())
    home.world.shelly.meter.rows_from = int(home.at.timestamp())
    home.restart()
    home.run(minutes=10)
    lost = HistoryGap.objects.filter(state=HistoryGap.State.LOST)
    assert {gap.reason for gap in lost} == {"profile_switched"}
    assert sum(gap.missing_minutes for gap in lost) >= 110


def test_before_heatmon_knew_the_meter_nothing_counts_as_lost(make_home: MakeHome) -> None:
    home = make_home(remembers_h=5)
    home.world.shelly.meter.rows_from = int((JANUARY - 2 * HOUR).timestamp())
    home.run("poll_power", "backfill", minutes=5)
    assert set(states(home)) == {"filled"}
    assert not HistoryGap.objects.filter(start__lt=JANUARY - 2 * HOUR).exists()


# -- a row that cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize("energy_wh", [b"900000000.0", b"2000000.0"])
def test_a_row_that_no_meter_can_measure_is_left_out_alone_with_its_reason(
    make_home: MakeHome, energy_wh: bytes
) -> None:
    home = make_home(remembers_h=3)
    bad = int((JANUARY - 90 * MINUTE).timestamp())
    _impossible(home, bad, energy_wh)
    home.run("poll_power", "backfill", minutes=1)
    rows = {row.at for row in home.rows("meter_minute", JANUARY - 3 * HOUR, JANUARY)}
    assert set(range(bad - 90 * 60, bad + 90 * 60, 60)) - rows == {bad}
    gap = HistoryGap.objects.get(start=JANUARY - 2 * HOUR)
    assert (gap.state, gap.missing_minutes, gap.reason) == (HistoryGap.State.OPEN, 1, "impossible_energy")
    home.run("poll_power", "backfill", minutes=20)
    gap.refresh_from_db()
    assert (gap.state, gap.failures) == (HistoryGap.State.LOST, 3)


def _impossible(home: Home, at: int, energy_wh: bytes) -> None:
    """The meter's row at ``at`` holds this much, however it is asked for."""
    inner = home.world.meter_handler.handler

    def handle(method: str, path: str, headers: Any, body: bytes, now: float) -> Answer:
        answer = inner(method, path, headers, body, now)
        if "data.csv" in path:
            lines = answer.body.split(b"\r\n")
            for number, line in enumerate(lines):
                time, _comma, cells = line.partition(b",")
                if time == str(at).encode():
                    lines[number] = b",".join([time, energy_wh, cells.partition(b",")[2]])
            return answer._replace(body=b"\r\n".join(lines))
        if "GetData" in path:
            content = json.loads(answer.body)
            for block in content.get("data", ()):
                for index, values in enumerate(block["values"]):
                    if block["ts"] + index * block["period"] == at:
                        values[0] = float(energy_wh)
            return json_answer(answer.status, content)
        return answer

    home.world.meter_handler.handler = handle
