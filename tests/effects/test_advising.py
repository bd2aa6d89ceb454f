"""Advice from stored rows to pages: gathered, made once a day, shown where an owner looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client

from apps.changelog.models import ConfigurationVersion
from apps.devices.models import Site
from apps.devices.options import home_options
from apps.effects.advice import CIRCULATION, HOT_FLOW, Observation, Trial
from apps.effects.advising import _Look, kept_advice, note_advice, observe_home
from apps.effects.models import AlternatingTest, HomeAdvice
from apps.metrics.home import Home
from apps.metrics.hot_water import hot_water
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.house import set_up
from tests.dashboard.test_pages_overview import text_of

from .lived import ZONE, change, local, row

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 22)
NIGHT = [("00:00", "06:00", "reduced"), ("06:00", "22:00", "normal"), ("22:00", "24:00", "reduced")]
SETTINGS: dict[str, Any] = {
    "circuits.1.curve.slope": 0.6,
    "circuits.1.curve.shift": 0,
    "circuits.1.target_temperature.normal_c": 20,
    "circuits.1.target_temperature.reduced_c": 17,
    "circuits.1.schedule": {
        name: [{"start": start, "end": end, "mode": mode} for start, end, mode in NIGHT]
        for name in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    },
    "dhw.target_temperature_c": 50,
}
ASKED_AT_2_C = 20 + 0.6 * 18 * (1.4347 - 0.021 * 18 + 247.9e-6 * 18 * 18)

Values = dict[str, float | None]


@pytest.fixture
def home(site: Site, store: SqliteStore, now: datetime) -> Home:
    set_up(site)
    ConfigurationVersion.objects.create(site=site, device="pump", at=local(FIRST, 0), settings=SETTINGS)
    return Home(site=site, options=home_options(site), store=store, at=datetime(2026, 11, 23, 13, tzinfo=UTC))


def write(
    home: Home,
    values: Callable[[datetime], Values],
    used: Callable[[datetime], Values] | None = None,
    *,
    step_s: int = 3600,
) -> None:
    """Polls and intervals of all days, each as the functions say for a local time; one every ``step_s``."""
    start, end = int(local(FIRST, 0).timestamp()), int(local(LAST + timedelta(days=1), 0).timestamp())
    rows = []
    for at in range(start, end, step_s):
        here = datetime.fromtimestamp(at, ZONE)
        polled = {"outside_temperature_c": 2.0, "dhw_charging": 0.0, "newest_source_at": float(at)}
        rows.append(row(home.site, "heat_pump", at, polled | values(here)))
        ran: Values = {"compressor_run_s": float(step_s), "compressor_known_s": float(step_s)}
        rows.append(row(home.site, "interval", at, ran | (used(here) if used is not None else {})))
    home.store.write(rows)


def codes(home: Home) -> list[str]:
    return [each.code for each in observe_home(home)]


def test_an_ordinary_home_needs_no_advice(home: Home) -> None:
    write(home, lambda at: {"supply_temperature_c": 31.0, "circulation_pump_active": 0.0})
    assert codes(home) == []


def test_a_home_without_data_needs_none(home: Home) -> None:
    assert codes(home) == []


def test_flow_is_compared_with_the_curve_at_the_target_of_the_moment(home: Home) -> None:
    """Hours with hot water, and those after them, say nothing of the curve."""

    def polled(at: datetime) -> Values:
        return {
            "supply_temperature_c": 38.0,
            "target_temperature_c": 23.0 if at.hour >= 18 else 20.0,
            "dhw_charging": float(at.hour == 12),
        }

    write(home, polled)
    hours = _Look(home, FIRST, LAST).heated_hours("1")
    # the first hour of the first day has none before it
    assert len(hours) == 22 * 22 - 1
    asked = {round(hour.asked_c, 1) for hour in hours}
    assert asked == {round(ASKED_AT_2_C, 1), 36.9}
    (found,) = observe_home(home)
    assert (found.code, found.times, found.known) == ("hot_flow", 22 * 16 - 1, 22 * 22 - 1)
    assert found.numbers["excess_k"] == pytest.approx(38.0 - ASKED_AT_2_C, abs=0.06)


def test_rooms_count_in_the_dark_and_when_they_are_to_be_warm(home: Home, store: SqliteStore) -> None:
    write(home, lambda at: {"supply_temperature_c": 31.0})
    start, end = int(local(FIRST, 0).timestamp()), int(local(LAST + timedelta(days=1), 0).timestamp())
    store.write(
        replace(
            row(
                home.site,
                "heat_pump",
                at,
                {
                    "room_temperature_c": 22.5,
                    "target_temperature_c": 17.0 if datetime.fromtimestamp(at, ZONE).hour < 3 else 20.0,
                },
            ),
            circuit="1",
        )
        for at in range(start, end, 3600)
    )
    (found,) = observe_home(home)
    assert (found.code, found.known) == ("lower_shift", 22 * 10)  # 3 to 8 o'clock and 19 to 24
    assert found.numbers["excess_k"] == pytest.approx(2.5)
    assert found.trial == Trial(key="circuits.1.curve.shift", other=-2.0)


def test_runs_of_hot_water_are_counted_with_the_rods_counter(home: Home) -> None:
    """An hour of hot water a day; of every second one the rod runs ten minutes. A run in a hole of the polls
    is not counted."""

    def polled(at: datetime) -> Values:
        lost = at.day == 10 and at.hour == 6
        rod_runs = (at.day + 1) // 2 if (at.hour, at.minute) >= (6, 30) else at.day // 2
        return {
            "dhw_charging": None if lost else float(at.hour == 6),
            "heating_rod_level_one_s": 600.0 * rod_runs,
        }

    write(home, polled, lambda at: made(at.day == 10, at.hour == 6), step_s=300)
    (found,) = observe_home(home)
    assert (found.code, found.times, found.known) == ("rod_runs", 11, 21)
    assert found.numbers["rod_h"] == pytest.approx(11 / 6)
    assert found.trial == Trial(key="dhw.target_temperature_c", other=47.0)


def made(is_lost: bool, is_water: bool) -> Values:
    """Five minutes with 150 Wh for hot water, or of which nobody knows for what."""
    use = "unclassified" if is_lost else "dhw"
    return {"electrical_energy_dhw_wh": 0.0, f"electrical_energy_{use}_wh": 150.0 * is_water}


def test_advice_and_the_hot_water_page_see_the_same_runs(home: Home) -> None:
    """Each Sunday the rod heats against legionella from 23:30 to 00:30 and tops up for two minutes from 01:15
    on; on the other days the compressor rests within its run, and the flag with it. By the flag alone that
    would be 42 runs, 6 of them on the rod: more than one and a half a week. Of the last night half is known.
    """

    def minute(at: datetime) -> float:
        return (int(at.timestamp()) - int(local(FIRST, 0).timestamp())) % (7 * 86_400) / 60

    def is_water(at: datetime) -> bool:
        night = 1410 <= minute(at) < 1470 or 1515 <= minute(at) < 1520
        return night or (at.isoweekday() != 7 and at.hour == 6 and not 25 <= at.minute < 35)

    def polled(at: datetime) -> Values:
        week, since = divmod(int(at.timestamp()) - int(local(FIRST, 0).timestamp()), 7 * 86_400)
        rod = 1800.0 * (since >= 1470 * 60) + 120.0 * (since >= 1520 * 60)
        return {"dhw_charging": float(is_water(at)), "heating_rod_level_one_s": 1920.0 * week + rod}

    def used(at: datetime) -> Values:
        scrap = 1515 <= minute(at) < 1520
        return {"electrical_energy_dhw_wh": (40.0 if scrap else 150.0) * is_water(at)}

    write(home, polled, used, step_s=300)
    water = hot_water(home, FIRST, LAST)
    seen = _Look(home, FIRST, LAST).hot_water_runs(water)
    by_day = [(day.day, len(day.runs)) for day in water.days]
    assert by_day == [(FIRST + timedelta(days=number), 1) for number in range(22)]
    assert [run.day for run in seen] == [day for day, _runs in by_day[:-1]]
    assert [run.is_at_least for run in water.runs] == [False] * 21 + [True]
    assert [(run.day.isoformat(), run.rod_s) for run in seen if run.rod_s] == [
        ("2026-11-01", 1800.0), ("2026-11-08", 1800.0), ("2026-11-15", 1800.0),
    ]  # fmt: skip
    assert codes(home) == []


def test_circulation_is_counted_in_hours_and_by_night(home: Home) -> None:
    """Only its schedule acts on it, which is not tested in turn."""
    change(home.site, FIRST, circulation__schedule=({}, {"mon": []}))
    pumped = partial(write, home, step_s=300)
    pumped(lambda at: {"circulation_pump_active": float(6 <= at.hour < 14 or at.hour == 23)})
    (found,) = observe_home(home)
    assert (found.code, found.known) == ("circulation", 22)
    assert dict(found.numbers) == {"on_h": pytest.approx(9.0), "night_h": pytest.approx(1.0)}
    assert found.trial is None


def test_answers_that_only_repeat_themselves_are_no_hours_of_circulation(home: Home) -> None:
    """From the sixth on the cloud says for twelve days what it said last: then too few days are known."""

    def polled(at: datetime) -> Values:
        frozen = local(date(2026, 11, 6), 0).timestamp()
        if 6 <= at.day < 18:
            return {"circulation_pump_active": 1.0, "newest_source_at": frozen}
        return {"circulation_pump_active": float(6 <= at.hour < 14)}

    write(home, polled, step_s=300)
    assert codes(home) == []


def test_a_set_back_is_weighed_with_the_three_hours_after_it_against_the_evening(home: Home) -> None:
    """Nothing from 22 to 6 o'clock, five times as much from 6 to 9."""

    def used(at: datetime) -> Values:
        night, morning = at.hour >= 22 or at.hour < 6, 6 <= at.hour < 9
        return {"electrical_energy_heating_wh": 0.0 if night else 3000.0 if morning else 600.0}

    write(home, lambda at: {}, used)
    (found,) = observe_home(home)
    assert (found.code, found.known) == ("setback", 21)  # nights: of the last day no morning is known yet
    assert found.numbers["used_kwh"] == pytest.approx(9.0)
    assert found.numbers["like_evenings_kwh"] == pytest.approx(11 * 0.6)
    assert found.trial == Trial(key="circuits.1.target_temperature.reduced_c", other=20.0)


def test_short_cycling_comes_from_the_starts_of_each_day(home: Home) -> None:
    def used(at: datetime) -> Values:
        return {"compressor_starts": float(at.day in (3, 9, 15) and 4 <= at.hour < 8)}

    write(home, lambda at: {}, used, step_s=600)
    (found,) = observe_home(home)
    assert (found.code, found.times, found.known, found.seen_on) == (
        "short_cycles", 3, 22, date(2026, 11, 15),
    )  # fmt: skip
    assert dict(found.numbers) == {"most_starts": 6, "cycle_min": pytest.approx(10.0)}


def test_advice_is_made_once_a_day_and_after_changes(home: Home) -> None:
    write(home, lambda at: {"supply_temperature_c": 38.0})
    note_advice(home)
    made_at = HomeAdvice.objects.get().made_at
    note_advice(replace(home, at=home.at + timedelta(hours=2)))
    assert HomeAdvice.objects.get().made_at == made_at
    change(home.site, LAST, dhw__hysteresis_k=(5, 7))
    note_advice(replace(home, at=home.at + timedelta(hours=2)))
    assert HomeAdvice.objects.get().made_at > made_at
    note_advice(replace(home, at=home.at + timedelta(days=1)))
    assert HomeAdvice.objects.get().made_at == home.at + timedelta(days=1)
    assert [each.code for each in kept_advice(home.site)] == ["hot_flow"]


@pytest.fixture
def advised(home: Home) -> Home:
    """A home with a long circulation and flow that is too hot, as its newest advice says."""
    shared: dict[str, Any] = {"first": FIRST, "last": LAST, "seen_on": LAST}
    shift = Trial(key="circuits.1.curve.shift", other=-2.0)
    flow = Observation(
        code=HOT_FLOW, circuit="1", known=527, times=500, numbers={"excess_k": 5.7}, trial=shift, **shared
    )
    pump = Observation(code=CIRCULATION, known=22, times=22, numbers={"on_h": 9, "night_h": 5}, **shared)
    HomeAdvice.objects.create(
        site=home.site, inputs="", observations=[flow.as_json(), pump.as_json()], made_at=home.at
    )
    return home


def test_the_page_of_settings_shows_numbers_charts_and_tests(reader: Client, advised: Home) -> None:
    page = reader.get("/changes/configuration").content.decode()
    text = text_of(page)
    assert "What you could try" in text
    assert "Circuit 1: flow hotter than its curve asks" in text
    assert (
        "In 500 of 527 heated hours the flow was more than 5.0 K above the curve, by 5.7 K on average" in text
    )
    assert "It ran 9.0 h a day on average over 22 days. While it runs, the pipes cool the tank." in text
    assert "5.0 h of it are between 11 pm and 5 am." in text
    assert 'href="/changes/test?key=circuits.1.curve.shift&amp;other=-2"' in page
    assert "Heating curve, circuit 1: shift, 0 K or -2 K" in text.replace("\u2212", "-").replace("\xa0", " ")
    assert 'href="/efficiency#curve-1"' in page
    assert 'href="/hot-water#circulation"' in page


def test_the_plan_of_the_test_is_filled_in(reader: Client, advised: Home) -> None:
    page = reader.get("/changes/test?key=circuits.1.curve.shift&other=-2").content.decode()
    assert 'name="other" inputmode="decimal" value="-2"' in page
    assert '<option value="circuits.1.curve.shift" selected>' in page


def test_a_wrong_value_in_the_address_is_left_to_be_typed(reader: Client, advised: Home) -> None:
    answer = reader.get("/changes/test?key=circuits.1.curve.shift&other=cold")
    assert answer.status_code == 200
    assert 'inputmode="decimal" value=""' in answer.content.decode()


@pytest.mark.parametrize("address", ["/", "/changes", "/efficiency"])
def test_other_pages_name_it_and_lead_there(reader: Client, advised: Home, address: str) -> None:
    page = reader.get(address).content.decode()
    assert "The circulation pump runs for long" in page
    assert 'href="/changes/configuration#advice"' in page


def test_while_a_test_runs_nothing_else_is_suggested(reader: Client, advised: Home) -> None:
    AlternatingTest.objects.create(
        site=advised.site,
        key="circuits.1.curve.shift",
        old=0,
        new=-2,
        first_day=LAST,
        blocks=18,
        length=3,
        created_at=advised.at,
    )
    assert "What you could try" not in reader.get("/").content.decode()


def test_nothing_is_said_where_nothing_was_seen(reader: Client, home: Home) -> None:
    for address in ("/", "/changes", "/changes/configuration", "/efficiency"):
        assert "What you could try" not in reader.get(address).content.decode()
