"""Two periods at equal weather: pages and API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from apps.changelog.models import Entry
from apps.changelog.observe import add_event
from apps.devices.models import Site
from apps.effects.comparing import comparable
from apps.effects.fortnights import Window
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.house import set_up
from tests.dashboard.test_pages_overview import text_of

from .known import house_days
from .lived import change, note, write_days
from .years import lived

pytestmark = pytest.mark.django_db

PERIODS = "a_from=2026-01-01&a_to=2026-01-31&b_from=2026-02-01&b_to=2026-02-28"


@pytest.fixture
def home(site: Site, now: datetime) -> Iterator[Site]:
    set_up(site)
    yield site


def test_a_difference_of_two_months_is_told_at_equal_weather(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, date(2026, 2, 1), 1.3, first=date(2025, 12, 25), count=70)
    body = reader.get(f"/api/compare?{PERIODS}").json()
    assert list(body) == [
        "a", "b", "raw_percent", "effect_percent", "low_percent", "high_percent", "reason",
    ]  # fmt: skip
    assert body["low_percent"] < 30.0 < body["high_percent"]
    assert body["reason"] is None
    assert (body["a"]["start"], body["b"]["end"]) == (
        "2026-01-01T00:00:00+01:00",
        "2026-03-01T00:00:00+01:00",
    )


def test_a_period_without_data_is_refused(reader: Client, store: SqliteStore, home: Site) -> None:
    lived(store, home, date(2027, 1, 1), 1.0, first=date(2026, 1, 20), count=45)
    body = reader.get(
        "/api/compare?a_from=2025-01-01&a_to=2025-01-31&b_from=2026-02-01&b_to=2026-02-28"
    ).json()
    assert (body["effect_percent"], body["reason"]) == (None, "few_days_before")


@pytest.mark.parametrize(
    "periods",
    [
        "a_from=2026-01-01&a_to=2026-01-31&b_from=2026-01-01&b_to=2026-01-31",
        "a_from=2026-01-01&a_to=2026-01-31&b_from=2026-01-31&b_to=2026-02-28",
        "a_from=2026-01-10&a_to=2026-01-31&b_from=2026-01-01&b_to=2026-02-28",
    ],
)
def test_periods_with_a_day_in_common_are_refused(
    reader: Client, store: SqliteStore, home: Site, periods: str
) -> None:
    lived(store, home, date(2027, 1, 1), 1.0, first=date(2025, 12, 25), count=70)
    body = reader.get(f"/api/compare?{periods}").json()
    assert (body["effect_percent"], body["reason"]) == (None, "overlap")
    text = text_of(reader.get(f"/compare?{periods}").content.decode())
    assert "no answer: the periods have days in common" in text


def test_days_to_come_do_not_count_as_days_without_use(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    """Equal use each day, and now is 14:05 on 23 November."""
    days = [replace(day, energy_kwh=12.0) for day in house_days(date(2026, 9, 1), 83).values()]
    write_days(store, home, days)
    past, running = "_from=2026-09-01&{0}_to=2026-09-30", "_from=2026-11-01&{0}_to=2026-12-31"
    for first, second in ((past, running), (running, past)):
        periods = f"a{first.format('a')}&b{second.format('b')}"
        assert reader.get(f"/api/compare?{periods}").json()["raw_percent"] == pytest.approx(0.0, abs=0.01)
    page = text_of(reader.get(f"/compare?a{running.format('a')}&b{past.format('b')}").content.decode())
    assert "Electricity a day 12.0 kWh 12.0 kWh" in page
    ahead = "a_from=2026-10-01&a_to=2026-10-31&b_from=2026-12-01&b_to=2026-12-31"
    assert reader.get(f"/api/compare?{ahead}").json()["raw_percent"] is None


def test_another_meter_between_two_periods_is_told(reader: Client, store: SqliteStore, home: Site) -> None:
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    Entry.objects.create(site=home, kind=Entry.Kind.EVENT, event_code="meter_replaced", at=at)
    text = text_of(reader.get(f"/compare?{PERIODS}").content.decode())
    assert "Nothing was changed or noted." not in text
    assert "None of them is credited with the difference." in text


def test_the_page_says_where_the_difference_lies_and_shows_the_days(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    days = house_days(date(2026, 1, 1), 59, noise=0.03).values()
    write_days(store, home, [replace(day, energy_kwh=20.0, space_kwh=15.0, dhw_kwh=4.0) for day in days])
    response = reader.get(f"/compare?{PERIODS}")
    heads = {row.head: row.cells for row in response.context["page"].table.rows}
    assert heads["Space heating"] == ("465.0\u00a0kWh", "420.0\u00a0kWh", "−45.0\u00a0kWh")
    assert heads["Electricity a day"][2] == "0.0\u00a0kWh"
    assert heads["Outdoor, mean"][2].endswith("K")
    text = text_of(response.content.decode())
    assert "20.0 kWh instead of 20.0 a day, the weather included" in text
    points = response.context["page"].days.data["sets"]
    assert [len(each["points"]) for each in points] == [31, 28]
    assert points[0]["links"][0] == "/history?range=day&date=2026-01-01"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("a_from=x&a_to=2026-01-31&b_from=2026-02-01&b_to=2026-02-28", "a_from"),
        ("a_from=2026-02-01&a_to=2026-01-31&b_from=2026-02-01&b_to=2026-02-28", "a_to"),
        ("a_from=2026-01-01&a_to=2026-01-31&b_from=2020-02-01&b_to=2026-02-28", "b_to"),
        ("a_from=2026-01-01&a_to=2026-01-31&b_from=2026-02-01", "b_to"),
    ],
)
def test_wrong_periods_are_named(
    reader: Client, store: SqliteStore, home: Site, query: str, field: str
) -> None:
    answer = reader.get(f"/api/compare?{query}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_the_page_compares_and_credits_nobody(reader: Client, store: SqliteStore, home: Site) -> None:
    lived(store, home, date(2026, 2, 1), 1.3, first=date(2025, 12, 25), count=70)
    change(home, date(2026, 1, 31), dhw__target_temperature_c=(50, 48))
    text = text_of(reader.get(f"/compare?{PERIODS}").content.decode())
    assert "Two periods compared" in text
    assert "% more (" in text
    assert "None of them is credited with the difference." in text


def test_the_page_stands_with_nothing_measured_and_a_wrong_address(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    assert "no answer: fewer than 10 measured days" in text_of(reader.get("/compare").content.decode())
    refused = reader.get("/compare?a_from=yesterday")
    assert (refused.status_code, "yesterday" in refused.content.decode()) == (400, True)


def test_periods_that_cannot_be_shown_stay_in_the_form_beside_what_is_wrong(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    query = "a_from=2026-01-01&a_to=2026-01-31&b_from=2026-02-28&b_to=2026-02-01"
    refused = reader.get(f"/compare?{query}")
    text = refused.content.decode()
    assert (refused.status_code, "The range ends before it begins" in text) == (400, True)
    assert 'name="b_from" type="date" value="2026-02-28"' in text
    assert 'name="b_to" type="date" value="2026-02-01"' in text
    assert "At equal weather" not in text and "Both periods" not in text


def test_notes_and_lasting_deviations_in_between_are_named(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    note(home, date(2026, 1, 20), "Attic insulated")
    for month, until in ((1, None), (2, datetime(2025, 12, 1, tzinfo=UTC))):
        at = datetime(2025, 13 - month, 1, tzinfo=UTC)
        details = {"noticed": "2025-12-20", "percent": 20.0 * month}
        add_event(home, at - timedelta(days=20), "lasting_deviation", details, ended_at=until)
    text = text_of(reader.get(f"/compare?{PERIODS}").content.decode())
    assert "Attic insulated , 20 Jan 2026" in text
    assert "Consumption 20 % above expected" in text
    assert "Consumption 40 %" not in text


def test_what_is_not_compared_with_the_year_before_says_with_what(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, date(2027, 1, 1), 1.0, first=date(2026, 8, 1), count=110)
    page = reader.get("/energy?period=day&date=2026-10-01").content.decode()
    compared = "a_from=2026-08-31&amp;a_to=2026-09-30&amp;b_from=2026-10-01&amp;b_to=2026-10-31"
    assert f'href="/compare?{compared}">Compare at equal weather with 31 Aug – 30 Sep 2026' in page


@pytest.mark.slow
def test_the_energy_page_leads_to_both(reader: Client, store: SqliteStore, home: Site) -> None:
    lived(store, home, date(2027, 1, 1), 1.0)
    page = reader.get("/energy").content.decode()
    compared = "a_from=2025-11-01&amp;a_to=2025-11-22&amp;b_from=2026-11-01&amp;b_to=2026-11-22"
    assert f'href="/compare?{compared}">Compare at equal weather' in page
    assert 'href="/normal"' in page


@pytest.mark.slow
def test_from_a_week_four_weeks_are_compared(reader: Client, store: SqliteStore, home: Site) -> None:
    lived(store, home, date(2027, 1, 1), 1.0)
    page = reader.get("/energy?from=2026-11-16&to=2026-11-22").content.decode()
    compared = "a_from=2025-10-26&amp;a_to=2025-11-22&amp;b_from=2026-10-26&amp;b_to=2026-11-22"
    assert f'href="/compare?{compared}">Compare four weeks at equal weather' in page
    refused = reader.get("/compare?b_from=2026-11-16&b_to=2026-11-22").content.decode()
    assert "Both periods need 10 measured days." in refused
    assert f'href="?{compared}"' in refused


def test_where_nothing_can_be_compared_nothing_is_offered(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, date(2027, 1, 1), 1.0, first=date(2026, 11, 1), count=20)
    assert "at equal weather" not in reader.get("/energy").content.decode()


@pytest.mark.parametrize(
    ("first_day", "a"),
    [
        (date(2025, 10, 1), (date(2025, 11, 1), date(2025, 11, 22))),
        (date(2025, 11, 13), (date(2025, 11, 1), date(2025, 11, 22))),
        (date(2025, 11, 14), (date(2026, 10, 10), date(2026, 10, 31))),
        (date(2026, 10, 22), (date(2026, 10, 10), date(2026, 10, 31))),
        (date(2026, 10, 23), None),
        (None, None),
    ],
)
def test_a_month_is_compared_with_a_year_before_or_what_was_right_before_it(
    first_day: date | None, a: tuple[date, date] | None
) -> None:
    month = Window(first=date(2026, 11, 1), last=date(2026, 11, 30))
    found = comparable(month, first_day, today=date(2026, 11, 23))
    b = Window(first=date(2026, 11, 1), last=date(2026, 11, 22))
    assert found == (None if a is None else (Window(first=a[0], last=a[1]), b))
