"""Two periods at equal weather, and what is normal: pages, API, entries of lasting deviations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from apps.changelog.models import Entry
from apps.changelog.observe import add_event
from apps.changelog.timeline import entries
from apps.dashboard import formatting
from apps.devices.models import Site
from apps.devices.options import home_options
from apps.effects.comparing import comparable
from apps.effects.effects import judge_all
from apps.effects.facts import facts_of
from apps.effects.fortnights import Window
from apps.effects.samples import EffectDay
from apps.metrics.home import Home
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.house import set_up
from tests.dashboard.test_pages_overview import text_of

from .known import house_days
from .lived import change, local, note, write_days

pytestmark = pytest.mark.django_db

FIRST = date(2025, 10, 1)
SINCE = date(2026, 10, 20)
PERIODS = "a_from=2026-01-01&a_to=2026-01-31&b_from=2026-02-01&b_to=2026-02-28"


@pytest.fixture
def home(site: Site, now: datetime) -> Iterator[Site]:
    set_up(site)
    yield site


def more(day: EffectDay, times: float) -> EffectDay:
    return replace(day, energy_kwh=(day.energy_kwh or 0.0) * times)


def lived(
    store: SqliteStore, site: Site, since: date, times: float, *, first: date = FIRST, count: int = 418
) -> None:
    """A house since October of last year, which uses ``times`` as much from ``since`` on."""
    days = house_days(first, count, noise=0.03).values()
    write_days(store, site, [more(day, times) if day.day >= since else day for day in days])


def here(site: Site, store: SqliteStore) -> Home:
    at = datetime(2026, 11, 23, 13, tzinfo=UTC)
    return Home(site=site, options=home_options(site), store=store, at=at)


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
def test_what_is_normal_shows_changes_and_notes_that_lead_back(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, date(2027, 1, 1), 1.0)
    written = note(home, date(2026, 11, 10), "Attic insulated")
    response = reader.get("/normal")
    assert [marker.text for marker in response.context["page"].spec.markers] == ["Attic insulated"]
    assert f'href="/changes/{written.pk}" title="Attic insulated"' in response.content.decode()


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


@pytest.mark.slow
def test_a_quiet_year_is_as_expected(reader: Client, store: SqliteStore, home: Site) -> None:
    lived(store, home, date(2027, 1, 1), 1.0)
    body = reader.get("/api/expected").json()
    assert (len(body["rows"]), body["deviation"]) == (60, None)
    assert list(body["rows"][0]) == [
        "label", "electrical_energy_kwh", "expected_kwh", "low_kwh", "high_kwh", "reason",
    ]  # fmt: skip
    assert body["rows"][-1]["label"] == "2026-11-22"
    held = [row["low_kwh"] <= row["electrical_energy_kwh"] <= row["high_kwh"] for row in body["rows"]]
    assert sum(held) > 40
    assert "as expected" in text_of(reader.get("/normal").content.decode())


@pytest.mark.slow
def test_a_lasting_deviation_is_an_entry_with_since_when_and_by_how_much(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, SINCE, 1.35)
    judge_all(here(home, store))
    (entry,) = entries(home, kind=Entry.Kind.EVENT)
    assert abs((entry.at.date() - SINCE).days) <= 7
    assert entry.title.startswith("Consumption 3") and entry.title.endswith("% above expected")
    deviation = reader.get("/api/expected").json()["deviation"]
    assert deviation["low_percent"] < 35 < deviation["high_percent"]
    text = text_of(reader.get("/normal").content.decode())
    assert "No setting was changed near its beginning." in text


@pytest.mark.slow
def test_the_page_of_a_deviation_says_how_much_and_what_moved_and_asks_for_the_reason(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, SINCE, 1.35)
    judge_all(here(home, store))
    (entry,) = entries(home, kind=Entry.Kind.EVENT)
    page = text_of(reader.get(f"/changes/{entry.id}").content.decode())
    assert "more electricity than expected" in page
    assert "a day, noticed on" in page
    assert "What to check" in page
    assert "Do you know the reason? Nothing has been noted yet." in page
    normal = reader.get("/normal").content.decode()
    assert f'<a href="/changes/{entry.id}">I know why' in normal


@pytest.mark.slow
def test_a_deviation_is_noted_once_however_often_it_is_looked_for(store: SqliteStore, home: Site) -> None:
    lived(store, home, SINCE, 1.35)
    for number in range(3):
        judge_all(replace(here(home, store), at=here(home, store).at + timedelta(days=number)))
    assert Entry.objects.filter(event_code="lasting_deviation").count() == 1


@pytest.mark.slow
def test_a_known_change_is_the_likely_cause_and_no_alarm(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, SINCE, 1.35)
    change(home, SINCE - timedelta(days=1), dhw__target_temperature_c=(45, 60))
    judge_all(here(home, store))
    assert not Entry.objects.filter(event_code="lasting_deviation").exists()
    assert "Likely cause: Hot water: target temperature" in text_of(reader.get("/normal").content.decode())


@pytest.mark.slow
def test_what_moved_with_a_deviation_is_shown_with_what_did_not(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    """All that is used more is used while the compressor stands."""
    lived(store, home, SINCE, 1.35)
    note(home, SINCE - timedelta(days=2), "Guests for a month")
    text = text_of(reader.get("/normal").content.decode())
    assert "Also near its beginning: Guests for a month" in text
    assert "more electricity than expected" in text
    assert "look here Standby, a day" in text
    assert "not it Hot water, a day" in text
    assert "not known Heating rod, hours a day" in text


@pytest.mark.slow
def test_of_a_deviation_that_is_over_only_what_pointed_is_named(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    days = house_days(FIRST, 418, noise=0.03).values()
    until = SINCE - timedelta(days=15)
    since = until - timedelta(days=40)
    write_days(store, home, [more(day, 1.5) if since <= day.day < until else day for day in days])
    text = text_of(reader.get("/normal").content.decode())
    assert "moved with it: Standby, a day" in text
    assert "(part of it, a sign of where to look)" in text
    assert "Hot water, a day" not in text
    assert "What to check" not in text
    assert "Days of the deviation below, and those still judged by it, are left out." in text
    judge_all(here(home, store))
    (entry,) = entries(home, kind=Entry.Kind.EVENT)
    page = reader.get(f"/changes/{entry.id}").content.decode()
    assert 'href="/normal"' in page
    # the last day of it, the same on each page
    (over,) = facts_of(here(home, store)).deviations
    assert over.until is not None
    shown = f"{formatting.local_date(over.since)} – {formatting.local_date(over.until)}"
    assert f"{shown} (begin and end ± a week)" in text
    around = f"from={over.since - timedelta(days=14)}&amp;to={over.until + timedelta(days=14)}"
    normal = reader.get("/normal").content.decode()
    assert f'href="?{around}#expected">show in the chart' in normal
    chart = reader.get(f"/normal?{around.replace('&amp;', '&')}").context["page"]
    assert (chart.first, chart.is_latest) == (over.since - timedelta(days=14), False)
    (band,) = chart.spec.markers
    assert (band.at, band.until) == tuple(
        int(local(day, 0).timestamp()) for day in (over.since, over.until + timedelta(days=1))
    )
    assert f"{shown} · " in text_of(page)
    assert f"{shown} · " in text_of(reader.get("/changes").content.decode())


def test_a_day_that_comes_late_is_known_on_the_same_day(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    days = list(house_days(date(2026, 9, 1), 83, noise=0.03).values())
    write_days(store, home, days[:-3] + days[-2:])
    assert reader.get("/api/expected").json()["rows"][-3]["reason"] == "not_measured"
    assert judge_all(here(home, store)) == 0
    write_days(store, home, days[-3:])
    late = reader.get("/api/expected").json()["rows"][-3]
    assert (late["label"], late["reason"]) == ("2026-11-20", None)
    assert late["electrical_energy_kwh"] == pytest.approx(days[-3].energy_kwh)


@pytest.mark.slow
def test_numbers_derived_anew_change_what_is_expected(reader: Client, store: SqliteStore, home: Site) -> None:
    """As when another channel of the meter was chosen."""
    days = list(house_days(date(2026, 9, 1), 83, noise=0.03).values())
    write_days(store, home, days)
    before = reader.get("/api/expected").json()["rows"][-1]["expected_kwh"]
    write_days(store, home, [more(day, 0.5) for day in days])
    assert reader.get("/api/expected").json()["rows"][-1]["expected_kwh"] == pytest.approx(
        before / 2, rel=0.02
    )


@pytest.mark.slow
def test_without_a_deviation_the_page_says_how_far_it_is_from_one(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, date(2026, 11, 1), 1.06)
    facts = facts_of(here(home, store))
    assert facts.level is not None
    assert (round(facts.level.limit_percent), 4 < facts.level.percent < 6) == (10, True)
    text = text_of(reader.get("/normal").content.decode())
    assert "The last 28 days together: +6 %. This house would have to differ by more than 10 %." in text
    assert "days count, from 24 Sep to 22 Nov;" in text


@pytest.mark.slow
def test_many_days_outside_of_the_band_are_not_called_as_expected(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    """As many far above as far below: in all, as expected."""
    days = house_days(FIRST, 418, noise=0.03).values()
    odd = date(2026, 10, 1)
    write_days(
        store, home, [more(day, 1.3 if day.day.day % 2 else 0.7) if day.day >= odd else day for day in days]
    )
    text = text_of(reader.get("/normal").content.decode())
    assert "There is no lasting deviation." in text
    assert "no alarm, but fewer days than usual lie inside the band" in text
    assert "as expected" not in text


def test_wrong_days_for_the_chart_are_named(reader: Client, store: SqliteStore, home: Site) -> None:
    lived(store, home, date(2027, 1, 1), 1.0, first=date(2026, 9, 1), count=83)
    for query in ("from=yesterday", "from=2026-11-01&to=2026-10-01"):
        refused = reader.get(f"/normal?{query}")
        assert (refused.status_code, 'role="alert"' in refused.content.decode()) == (400, True)


def test_pages_that_belong_to_another_mark_it_in_the_menu(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    for address in ("/normal", "/compare"):
        assert '<a href="/energy" aria-current="page">' in reader.get(address).content.decode()


def test_before_sixty_days_nothing_is_said(reader: Client, store: SqliteStore, home: Site) -> None:
    lived(store, home, date(2027, 1, 1), 1.0, first=date(2026, 11, 1), count=20)
    assert "heatmon learns your house from 60 measured days" in text_of(
        reader.get("/normal").content.decode()
    )
