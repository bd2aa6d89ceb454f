"""A guided alternating test: planned, followed in the settings history, paused, stopped, judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.accounts.roles import create_reader
from apps.changelog.models import ConfigurationVersion
from apps.devices import clock
from apps.devices.models import Site
from apps.devices.options import home_options
from apps.effects import testing
from apps.effects.effects import effect_of, judge_all
from apps.effects.models import AlternatingTest
from apps.effects.samples import EffectDay
from apps.effects.spans import blocks_of
from apps.metrics.home import Home
from apps.metrics.models import MeterEvent
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.house import set_up
from tests.dashboard.test_pages_overview import text_of

from .known import house_days
from .lived import change, local, write_days

pytestmark = pytest.mark.django_db

KEY = "circuits.1.curve.shift"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
FIRST = date(2026, 11, 2)
SETTINGS = {"dhw.target_temperature_c": 50, "circuits.1.schedule": {"mon": []}}


@pytest.fixture
def home(site: Site, store: SqliteStore) -> Iterator[Site]:
    set_up(site)
    set_to(site, date(2026, 10, 1), 0)
    with clock.fixed(START):
        yield site


def set_to(site: Site, day: date, value: float, hour: int = 20) -> None:
    """The setting as a poll saw it from an hour of a local day on."""
    ConfigurationVersion.objects.create(
        site=site, device="pump", at=local(day, hour), settings=SETTINGS | {KEY: value}
    )


def at(site: Site, store: SqliteStore, day: date, hour: int = 12) -> Home:
    return Home(site=site, options=home_options(site), store=store, at=local(day, hour))


def started(site: Site, store: SqliteStore, blocks: int = 18, length: int = 3) -> AlternatingTest:
    return testing.start_test(at(site, store, date(2026, 11, 1)), KEY, -2, blocks, length)


def lived(site: Site, store: SqliteStore, test: AlternatingTest, times: float, until: date) -> None:
    """Switch in time every evening before a block and use ``times`` as much with the new value."""
    days = house_days(FIRST, (until - FIRST).days + 1, noise=0.02, mean_c=3.0)
    for block in blocks_of(test, until):
        if block.number > 1 and block.first <= until:
            set_to(site, block.first - timedelta(days=1), -2 if block.is_new else 0)
        for number in range((block.last - block.first).days + 1):
            day = block.first + timedelta(days=number)
            if block.is_new and day in days:
                days[day] = less(days[day], times)
    write_days(store, site, days.values())


def less(day: EffectDay, times: float) -> EffectDay:
    return replace(day, energy_kwh=(day.energy_kwh or 0.0) * times, space_kwh=(day.space_kwh or 0.0) * times)


def test_a_test_starts_tomorrow_with_the_present_value(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    assert (test.old, test.new, test.first_day) == (0, -2, FIRST)
    due = testing.switch_due(at(home, store, date(2026, 11, 1)), test)
    assert due == testing.Switch(value=0, last=date(2026, 11, 4), is_tonight=True, done=True)


@pytest.mark.parametrize(
    ("key", "new", "design", "reason"),
    [
        ("circuits.9.curve.shift", 1, (18, 3), "unknown"),
        (KEY, 0, (18, 3), "equal"),
        (KEY, 1, (2, 2), "design"),
        ("circuits.1.schedule", 5, (18, 3), "unknown"),
    ],
)
def test_a_test_that_cannot_be_is_refused(
    home: Site, store: SqliteStore, key: str, new: int, design: tuple[int, int], reason: str
) -> None:
    with pytest.raises(testing.InvalidTest) as refused:
        testing.start_test(at(home, store, date(2026, 11, 1)), key, new, *design)
    assert refused.value.reason == reason


def test_there_is_one_test_at_a_time(home: Site, store: SqliteStore) -> None:
    started(home, store)
    with pytest.raises(testing.InvalidTest, match="running"):
        started(home, store)


def test_a_true_saving_of_a_tenth_is_found_at_the_end(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    last = date(2026, 12, 25)
    lived(home, store, test, 0.9, last)
    now = at(home, store, last + timedelta(days=1))
    testing.close_test(now, test)
    found = testing.verdict_of(test)
    assert found is not None and found.is_found
    assert found.percent == pytest.approx(-10.0, abs=3.0)
    assert (test.ended_on, testing.progress(now, test).counted) == (date(2026, 12, 25), 54)


def test_the_interval_narrows_and_is_no_verdict_before_the_end(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    lived(home, store, test, 0.9, date(2026, 12, 13))
    now = at(home, store, date(2026, 12, 14))
    steps = testing.progress(now, test).steps
    assert steps[0].estimate.half_width_percent > steps[-1].estimate.half_width_percent
    testing.close_test(now, test)
    assert test.ended_on is None


def test_a_forgotten_switch_counts_for_what_was_set(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    write_days(store, home, house_days(FIRST, 6).values())
    found = testing.progress(at(home, store, date(2026, 11, 8)), test)
    assert [day.side for day in found.lived] == [0.0] * 6


def test_the_day_of_a_change_of_something_else_is_dropped(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    write_days(store, home, house_days(FIRST, 3).values())
    change(home, date(2026, 11, 3), dhw__target_temperature_c=(50, 48))
    found = testing.progress(at(home, store, date(2026, 11, 5)), test)
    assert [day.reason for day in found.lived] == ["", "other_change", ""]


def test_a_day_that_was_not_measured_does_not_count(reader: Client, home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    days = house_days(FIRST, 7)
    del days[date(2026, 11, 3)]
    write_days(store, home, days.values())
    now = at(home, store, date(2026, 11, 9))
    found = testing.progress(now, test)
    assert [day.reason for day in found.lived] == ["", "not_measured", "", "", "", "", ""]
    assert found.counted == 6
    with clock.fixed(now.at):
        page = reader.get(f"/changes/test/{test.pk}")
    assert "Days that count 6" in text_of(page.content.decode())
    assert ": not fully measured, or a program" in text_of(page.content.decode())
    assert [block.state for block in page.context["page"].blocks[:4]] == ["late", "missed", "now", "next"]


def test_of_a_test_in_which_the_meter_was_replaced_the_days_since_count(
    home: Site, store: SqliteStore
) -> None:
    test = started(home, store)
    write_days(store, home, house_days(FIRST, 5).values())
    MeterEvent.objects.create(
        site=home, device="m", at=local(date(2026, 11, 3), 9), kind=MeterEvent.Kind.METER_REPLACED
    )
    found = testing.progress(at(home, store, date(2026, 11, 7)), test)
    assert [day.reason for day in found.lived] == ["other_meter", "other_meter", "", "", ""]


def test_days_that_come_after_the_end_change_the_verdict(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    test = started(home, store)
    now = at(home, store, date(2026, 12, 26))
    testing.close_test(now, test)
    assert (test.ended_on, testing.verdict_of(test)) == (date(2026, 12, 25), None)
    lived(home, store, test, 0.9, date(2026, 12, 25))
    with clock.fixed(now.at):
        page = text_of(reader.get(f"/changes/test/{test.pk}").content.decode())
    assert "−2 K instead of 0 K saves" in page
    assert "no answer" not in page


def test_the_night_makes_the_verdict_of_a_test_again(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    testing.close_test(at(home, store, date(2026, 12, 26)), test)
    lived(home, store, test, 0.9, date(2026, 12, 25))
    judge_all(at(home, store, date(2026, 12, 27)))
    test.refresh_from_db()
    found = testing.verdict_of(test)
    assert found is not None and found.is_found


def test_a_test_whose_days_are_over_keeps_its_verdict_when_it_is_stopped(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    test = started(home, store)
    lived(home, store, test, 0.9, date(2026, 12, 25))
    with clock.fixed(local(date(2026, 12, 26), 7)):
        reader.post(f"/changes/test/{test.pk}", {"action": "stop"})
    test.refresh_from_db()
    assert (test.stopped, test.ended_on) == (False, date(2026, 12, 25))
    assert test.verdict is not None


def test_blocks_after_a_stop_were_not_missed(reader: Client, home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    write_days(store, home, house_days(FIRST, 3).values())
    testing.stop_test(at(home, store, date(2026, 11, 5)), test)
    for day in (date(2026, 11, 5), date(2026, 12, 30)):
        with clock.fixed(local(day, 12)):
            page = reader.get(f"/changes/test/{test.pk}").context["page"]
        assert [block.number for block in page.blocks] == [1, 2]


def test_a_test_stopped_before_it_began_leaves_no_trace_in_the_effects_of_changes(
    home: Site, store: SqliteStore
) -> None:
    """It was planned and stopped on the first of November, and the value set by hand instead."""
    test = started(home, store)
    testing.stop_test(at(home, store, date(2026, 11, 1)), test)
    write_days(store, home, house_days(date(2026, 10, 10), 45, mean_c=3.0).values())
    entry = change(home, date(2026, 11, 1), circuits__1__curve__shift=(0, -2))
    found = effect_of(at(home, store, date(2026, 11, 24)), entry).verdict
    assert (found.reason, found.before.valid_days, found.after.valid_days) == (None, 14, 14)


def test_days_on_which_the_pump_did_not_tell_the_setting_do_not_count(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    write_days(store, home, house_days(FIRST, 4).values())
    ConfigurationVersion.objects.create(
        site=home, device="pump", at=local(date(2026, 11, 2), 20), settings={"dhw.target_temperature_c": 50}
    )
    set_to(home, date(2026, 11, 4), 0)
    found = testing.progress(at(home, store, date(2026, 11, 6)), test)
    assert [day.reason for day in found.lived] == ["", "unknown", "unknown", ""]


def test_days_of_a_pause_are_no_days_lived(reader: Client, home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    write_days(store, home, house_days(FIRST, 2).values())
    testing.pause_test(at(home, store, date(2026, 11, 3)), test)
    with clock.fixed(local(date(2027, 2, 1), 12)):
        page = text_of(reader.get(f"/changes/test/{test.pk}").content.decode())
    assert "Days lived 2 of 54" in page


def test_a_pause_moves_the_rest_and_counts_for_nothing(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    write_days(store, home, house_days(FIRST, 6).values())
    testing.pause_test(at(home, store, date(2026, 11, 3)), test)
    paused = testing.progress(at(home, store, date(2026, 11, 6)), test)
    assert paused.is_paused
    assert testing.switch_due(at(home, store, date(2026, 11, 6)), test) is None
    testing.resume_test(at(home, store, date(2026, 11, 6)), test)
    found = testing.progress(at(home, store, date(2026, 11, 8)), test)
    assert [day.reason for day in found.lived] == ["", "", "paused", "paused", "paused", ""]
    assert found.blocks[0].last == date(2026, 11, 7)


def test_pausing_and_resuming_on_one_day_leaves_nothing_out(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    now = at(home, store, date(2026, 11, 3))
    testing.pause_test(now, test)
    testing.resume_test(now, test)
    assert test.paused == []


def test_a_stopped_test_gives_no_verdict_and_makes_room(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    testing.stop_test(at(home, store, date(2026, 11, 20)), test)
    assert (test.ended_on, test.verdict) == (date(2026, 11, 20), None)
    started(home, store)


def test_a_switch_of_the_test_is_judged_by_the_test_alone(home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    lived(home, store, test, 0.9, date(2026, 12, 13))
    entry = change(home, date(2026, 11, 4), circuits__1__curve__shift=(0, -2))
    found = effect_of(at(home, store, date(2026, 12, 14)), entry).verdict
    assert (found.state, found.reason) == ("refused", "part_of_test")


def test_the_plan_page_tells_what_a_test_could_show(reader: Client, home: Site) -> None:
    text = text_of(reader.get(f"/changes/test?key={KEY}").content.decode())
    assert "18 blocks of 3 days" in text
    assert "shows effects from 9 % on in 8 of 10 such tests" in text
    assert "Start on 2 Nov 2026" in text


def test_a_test_is_planned_from_the_page_of_a_change(reader: Client, home: Site) -> None:
    entry = change(home, date(2026, 10, 20), circuits__1__curve__shift=(2, 0))
    assert f"/changes/test?change={entry.pk}" in reader.get(f"/changes/{entry.pk}").content.decode()
    answer = reader.post("/changes/test", {"change": entry.pk, "design": "18x3"})
    test = AlternatingTest.objects.get()
    assert answer["Location"] == f"/changes/test/{test.pk}"
    assert (test.key, test.old, test.new) == (KEY, 0, 2)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"other": ""}, "Enter the other value."),
        ({"other": "warm"}, "This is not a valid number."),
        ({"other": "nan"}, "This is not a valid number."),
        ({"other": "0"}, "Both values are the same."),
        ({"other": "-2", "design": "99x9"}, "This is not a valid number."),
    ],
)
def test_a_wrong_plan_comes_back_with_what_is_wrong(
    reader: Client, home: Site, typed: dict[str, Any], sentence: str
) -> None:
    answer = reader.post("/changes/test", {"key": KEY, "design": "18x3", **typed})
    assert answer.status_code == 400
    assert sentence in text_of(answer.content.decode())
    assert not AlternatingTest.objects.exists()


def test_a_running_test_says_each_evening_what_to_set(reader: Client, home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    with clock.fixed(local(date(2026, 11, 4), 17)):
        page = reader.get(f"/changes/test/{test.pk}")
        assert (page.context["page"].todo.value, page.context["page"].todo.done) == ("−2\u00a0K", False)
        assert "circuit 1: shift: −2 K" in text_of(reader.get("/").content.decode())
    set_to(home, date(2026, 11, 4), -2)
    with clock.fixed(local(date(2026, 11, 4), 21)):
        assert reader.get(f"/changes/test/{test.pk}").context["page"].todo.done
        assert "circuit 1: shift: −2 K" not in text_of(reader.get("/").content.decode())


def test_a_missed_switch_is_still_to_be_set(reader: Client, home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    with clock.fixed(local(date(2026, 11, 5), 9)):
        page = text_of(reader.get(f"/changes/test/{test.pk}").content.decode())
        assert "Still to be set Set it to −2 K" in page
    set_to(home, date(2026, 11, 5), -2, hour=10)
    with clock.fixed(local(date(2026, 11, 5), 11)):
        assert reader.get(f"/changes/test/{test.pk}").context["page"].todo is None


def test_pause_and_stop_are_buttons_of_the_page(reader: Client, home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    for action, sentence in (
        ("pause", "Test paused"),
        ("resume", "Alternating test"),
        ("stop", "Test stopped early"),
    ):
        answer = reader.post(f"/changes/test/{test.pk}", {"action": action}, follow=True)
        assert sentence in text_of(answer.content.decode())


def test_a_test_is_stopped_only_after_a_question(reader: Client, home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    page = reader.get(f"/changes/test/{test.pk}").content.decode()
    assert 'value="stop"' not in page
    assert 'href="?stop=1"' in page
    asked = reader.get(f"/changes/test/{test.pk}?stop=1").content.decode()
    assert 'value="stop"' in asked
    assert "Stop this test? It will have no verdict and cannot be resumed." in text_of(asked)
    test.refresh_from_db()
    assert test.ended_on is None


def test_a_verdict_says_what_it_is_worth_and_what_to_do_next(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    test = started(home, store)
    lived(home, store, test, 0.9, date(2026, 12, 25))
    with clock.fixed(local(date(2026, 12, 26), 12)):
        page = text_of(reader.get(f"/changes/test/{test.pk}").content.decode())
        assert "−2 K instead of 0 K saves 10 %" in page
        assert "−2 K needs less and is set: leave it at that." in page
        assert "0 K · −2 K 27 · 27" in page
    set_to(home, date(2026, 12, 27), 0)
    with clock.fixed(local(date(2026, 12, 28), 12)):
        page = text_of(reader.get(f"/changes/test/{test.pk}").content.decode())
        assert "−2 K needs less: set it and leave it at that." in page


def test_a_test_that_is_over_stays_with_its_verdict_where_one_looks(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    test = started(home, store)
    lived(home, store, test, 0.9, date(2026, 12, 25))
    testing.close_test(at(home, store, date(2026, 12, 26)), test)
    for day, is_news in ((date(2026, 12, 28), True), (date(2027, 1, 20), False)):
        with clock.fixed(local(day, 12)):
            overview = text_of(reader.get("/").content.decode())
            assert ("−2 K instead of 0 K saves 10 %" in overview) is is_news
            changes = reader.get("/changes").content.decode()
        assert f'href="/changes/test/{test.pk}"' in changes
        assert "−2 K instead of 0 K saves 10 %" in text_of(changes)


def test_for_hot_water_short_blocks_are_recommended(reader: Client, home: Site) -> None:
    for key, blocks in (("dhw.target_temperature_c", 28), (KEY, 18)):
        designs = reader.get(f"/changes/test?key={key}").context["page"].designs
        assert [design.blocks for design in designs if design.recommended and design.current] == [blocks]
    assert "27 switches by hand, the first on the evening of 3 Nov" in text_of(
        reader.get("/changes/test?key=dhw.target_temperature_c").content.decode()
    )


def test_a_plan_for_heating_in_spring_says_from_when_it_is_worth_a_start(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    set_up(home, latitude=52.5, longitude=13.4)
    with clock.fixed(local(date(2027, 4, 10), 12)):
        page = reader.get(f"/changes/test?key={KEY}")
        assert "A start is worth it from about" in text_of(page.content.decode())
        assert page.context["page"].cold_from == date(2027, 9, 11)
        hot_water = reader.get("/changes/test?key=dhw.target_temperature_c")
        assert hot_water.context["page"].cold_from is None


def test_while_a_test_runs_the_plan_leads_to_it(reader: Client, home: Site, store: SqliteStore) -> None:
    test = started(home, store)
    assert reader.get("/changes/test")["Location"] == f"/changes/test/{test.pk}"
    assert reader.get("/changes/test/987").status_code == 404


@pytest.mark.parametrize("address", ["/", "/changes"])
def test_a_planned_a_running_and_a_paused_test_is_named_with_its_state(
    reader: Client, home: Site, store: SqliteStore, address: str
) -> None:
    test = started(home, store)
    for at, state in (
        (local(date(2026, 11, 1), 12), "starts on 2 Nov"),
        (local(date(2026, 11, 2), 12), "runs until 25 Dec"),
        (local(date(2026, 12, 30), 12), "over"),
    ):
        with clock.fixed(at):
            page = reader.get(address).content.decode()
        assert f"Alternating test Heating curve, circuit 1: shift, 0 K or −2 K: {state}" in text_of(page)
        assert f'href="/changes/test/{test.pk}"' in page
    reader.post(f"/changes/test/{test.pk}", {"action": "pause"})
    assert "circuit 1: shift, 0 K or −2 K: paused" in text_of(reader.get(address).content.decode())
    reader.post(f"/changes/test/{test.pk}", {"action": "stop"})
    assert "Alternating test" not in text_of(reader.get("/").content.decode())


def test_only_who_may_start_a_test_is_led_to_one(client: Client, home: Site, settings: LazySettings) -> None:
    client.force_login(create_reader("ben", "a tank of warm water", notes=True))
    assert "/changes/test" not in client.get("/changes").content.decode()
    assert "/changes/test" not in client.get("/changes/configuration").content.decode()
    plan = text_of(client.get("/changes/test").content.decode())
    assert "Only the owner can start a test." in plan
    assert "Start on" not in plan
