"""A test that is planned: what it leaves to other changes, what it refuses, and what its pages say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.test import Client

from apps.changelog.models import ConfigurationVersion
from apps.devices import clock
from apps.devices.models import Site
from apps.effects import testing
from apps.effects.bounds import Bounds, bounds_of
from apps.effects.effects import effect_of
from apps.effects.models import AlternatingTest
from apps.metrics.models import StaleRange
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.house import set_up
from tests.dashboard.test_pages_overview import text_of

from .known import house_days
from .lived import change, local, write_days
from .test_testing import KEY, START, at, set_to, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(site: Site, store: SqliteStore) -> Iterator[Site]:
    set_up(site)
    set_to(site, date(2026, 10, 1), 0)
    with clock.fixed(START):
        yield site


def judged_change(site: Site, store: SqliteStore) -> Any:
    """A change of hot water on 26 October, whose days after end on 9 November."""
    write_days(store, site, house_days(date(2026, 10, 1), 60, noise=0.02, mean_c=3.0).values())
    return change(site, date(2026, 10, 26), dhw__target_temperature_c=(52, 50))


def test_a_test_cuts_the_days_of_another_change_only_from_its_first_switch(
    home: Site, store: SqliteStore
) -> None:
    entry = judged_change(home, store)
    test = started(home, store, length=3)
    for day in (date(2026, 11, 1), date(2026, 11, 4)):
        found = effect_of(at(home, store, day), entry).verdict
        assert (found.state, found.after.last) == ("too_early", date(2026, 11, 9))
    set_to(home, date(2026, 11, 4), -2)
    change(home, date(2026, 11, 4), circuits__1__curve__shift=(0, -2))
    found = effect_of(at(home, store, date(2026, 11, 5)), entry).verdict
    assert (found.reason, found.after.last) == ("few_days_after", date(2026, 11, 3))
    testing.stop_test(at(home, store, date(2026, 11, 5)), test)
    found = effect_of(at(home, store, date(2026, 11, 12)), entry).verdict
    assert found.after.last == date(2026, 11, 3)


def test_a_test_stopped_before_its_first_switch_leaves_the_verdict_that_there_was(
    home: Site, store: SqliteStore
) -> None:
    entry = judged_change(home, store)
    test = started(home, store)
    testing.stop_test(at(home, store, date(2026, 11, 3)), test)
    found = effect_of(at(home, store, date(2026, 11, 12)), entry).verdict
    assert (found.reason, found.after.valid_days) == (None, 14)


def test_a_change_made_before_its_test_was_planned_is_none_of_its_switches(
    home: Site, store: SqliteStore
) -> None:
    write_days(store, home, house_days(date(2026, 10, 1), 60, noise=0.02, mean_c=3.0).values())
    entry = change(home, date(2026, 11, 1), circuits__1__curve__shift=(2, 0))
    testing.start_test(at(home, store, date(2026, 11, 1), hour=20), KEY, 2, 18, 3)
    found = effect_of(at(home, store, date(2026, 11, 2)), entry).verdict
    assert (found.state, found.after.last) == ("too_early", date(2026, 11, 15))


def test_the_plan_warns_while_another_change_is_judged_and_starts_after_it(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    entry = judged_change(home, store)
    answer = reader.get(f"/changes/test?key={KEY}&other=-2").content.decode()
    text = text_of(answer)
    assert "Another change is being judged until 9 Nov 2026:" in text
    assert f'href="/changes/{entry.pk}"' in answer
    assert "Start on 10 Nov 2026" in text
    assert "the first on the evening of 12 Nov" in text
    its_own = text_of(reader.get(f"/changes/test?change={entry.pk}").content.decode())
    assert "This change is being judged until 9 Nov 2026." in its_own
    at_once = text_of(reader.get(f"/changes/test?key={KEY}&other=-2&start=2026-11-02").content.decode())
    assert "With the first switch of this test its days end, probably without an answer." in at_once
    assert "Start on 2 Nov 2026" in at_once
    reader.post("/changes/test", {"key": KEY, "other": "-2", "design": "18x3", "start": "2026-11-10"})
    test = AlternatingTest.objects.get()
    assert test.first_day == date(2026, 11, 10)
    assert testing.switch_due(at(home, store, date(2026, 11, 1)), test) is None


def test_the_plan_warns_of_a_change_whose_days_are_still_to_be_calculated(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    entry = change(home, date(2026, 10, 26), dhw__target_temperature_c=(52, 50))
    day = date(2026, 10, 20)
    StaleRange.objects.create(site=home, start=local(day, 0), end=local(day, 1))
    assert "being calculated" in text_of(reader.get(f"/changes/{entry.pk}").content.decode())
    text = text_of(reader.get(f"/changes/test?key={KEY}&other=-2").content.decode())
    assert "Another change is being judged until 9 Nov 2026:" in text
    assert "Start on 10 Nov 2026" in text
    StaleRange.objects.all().delete()
    text = text_of(reader.get(f"/changes/test?key={KEY}&other=-2").content.decode())
    assert "is being judged" not in text


def test_a_schedule_is_not_tested_in_turn_and_the_pages_say_what_helps(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    entry = change(home, date(2026, 10, 20), circuits__1__schedule=({"sat": []}, {"mon": []}))
    instead = "A schedule is not tested in turn: its weekdays differ"
    plan = text_of(reader.get(f"/changes/test?change={entry.pk}").content.decode())
    assert instead in plan
    assert "18 blocks" not in plan
    page = reader.get(f"/changes/{entry.pk}").content.decode()
    assert instead in text_of(page)
    assert f"/changes/test?change={entry.pk}" not in page
    answer = reader.post("/changes/test", {"change": entry.pk, "design": "18x3"})
    assert (answer.status_code, AlternatingTest.objects.count()) == (400, 0)


FLOW = "circuits.1.supply_temperature"


@pytest.mark.parametrize(
    ("key", "typed", "sentence"),
    [
        (
            "circuits.1.curve.slope",
            "12",
            "Heating curve, circuit 1: slope: heat pumps take 0 to 3.5, in steps of 0.1.",
        ),
        ("circuits.1.curve.slope", "0.65", "in steps of 0.1."),
        (
            f"{FLOW}.max_c",
            "20",
            "Heating circuit 1: maximum flow temperature: heat pumps take 40 to 70 °C.",
        ),
        (f"{FLOW}.min_c", "56", "Heating circuit 1: minimum flow temperature: heat pumps take 1 to 55 °C."),
    ],
)
def test_a_number_that_no_heat_pump_takes_is_refused_and_stays_in_its_field(
    reader: Client, home: Site, key: str, typed: str, sentence: str
) -> None:
    settings = {"circuits.1.curve.slope": 0.6, f"{FLOW}.min_c": 40, f"{FLOW}.max_c": 55}
    ConfigurationVersion.objects.create(
        site=home, device="pump", at=local(date(2026, 10, 2), 12), settings=settings
    )
    answer = reader.post("/changes/test", {"key": key, "other": typed, "design": "18x3"})
    assert answer.status_code == 400
    assert sentence in text_of(answer.content.decode()).replace("\u00a0", " ")
    assert f'value="{typed}"' in answer.content.decode()
    assert not AlternatingTest.objects.exists()


def test_what_is_set_is_taken_whatever_the_limits_say() -> None:
    assert bounds_of("dhw.target_temperature_c", {"dhw.target_temperature_c": 65}) == Bounds(low=10, high=65)
    assert bounds_of("heating_rod.level", {}) is None


def test_a_value_that_is_no_number_stays_to_be_mended(reader: Client, home: Site) -> None:
    answer = reader.post("/changes/test", {"key": KEY, "other": "warm", "design": "18x3"})
    assert 'value="warm"' in answer.content.decode()


def test_choosing_another_setting_asks_for_its_figures(reader: Client, home: Site) -> None:
    water = reader.get("/changes/test?key=dhw.target_temperature_c").content.decode()
    assert 'id="key" name="key" form="setting"' in water
    assert '<form id="setting" method="get" action="/changes/test" data-at-once>' in water
    assert '<input type="hidden" name="key" value="dhw.target_temperature_c">' in water
    assert "For hot water short blocks are recommended" in text_of(water)
    heating = text_of(reader.get(f"/changes/test?key={KEY}").content.decode())
    assert "walls and floors keep heat for a day or two, and you switch 17 times instead of 27" in heating
    assert "Figures of your own house need several stretches of eight weeks" in heating


def shown_page(reader: Client, test: AlternatingTest, day: date, hour: int = 12) -> str:
    with clock.fixed(local(day, hour)):
        return text_of(reader.get(f"/changes/test/{test.pk}").content.decode()).replace("\u00a0", " ")


def test_what_is_set_is_named_with_the_evening_of_the_next_switch(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    test = started(home, store)
    page = shown_page(reader, test, date(2026, 11, 1), 20)
    assert "Heating curve, circuit 1: shift is set to 0 K" in page
    assert "It stays until 4 Nov 2026. Switch again on that evening." in page
    final = shown_page(reader, test, date(2026, 12, 22), 20)
    assert "It stays until 25 Dec 2026. That is the last day of the test." in final


def test_a_paused_test_says_what_to_leave_set_and_when_its_first_block_is(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    test = started(home, store)
    testing.pause_test(at(home, store, date(2026, 11, 1)), test)
    page = shown_page(reader, test, date(2026, 11, 1))
    assert "nothing is to be switched: leave it at 0 K." in page
    assert "First day 3 Nov 2026" in page
    assert "3 Nov – 5 Nov" in page


def test_a_test_stopped_before_it_began_has_neither_days_nor_blocks(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    test = started(home, store)
    testing.stop_test(at(home, store, date(2026, 11, 1)), test)
    page = shown_page(reader, test, date(2026, 11, 1))
    assert "It was stopped before its first day, so it changed nothing." in page
    assert "Stopped 1 Nov 2026" in page
    assert "First day" not in page
    assert "All blocks" not in page


def test_who_plans_another_test_meanwhile_is_told_why_the_running_one_shows(
    reader: Client, home: Site, store: SqliteStore
) -> None:
    started(home, store)
    page = text_of(reader.get("/changes/test?key=dhw.hysteresis_k", follow=True).content.decode())
    assert "This test is planned or runs. Another can be planned once it is over." in page
