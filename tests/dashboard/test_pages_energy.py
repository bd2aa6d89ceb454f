"""The energy page: bars by use, costs, the year before, the forecast."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from apps.dashboard.charts.periods import Bracket, Interval, adding_up, axis_limits, brackets_of, intervals
from apps.devices import clock
from apps.devices.models import Site
from apps.metrics.home import Home
from apps.metrics.models import Lump
from apps.metrics.periods import energy_rows
from apps.metrics.store.sqlite import SqliteStore
from tests.effects.lived import note

from . import house
from .conftest import NOW
from .test_pages_overview import text_of

# What a whole day of the filled house uses: 96 running intervals of 200 Wh, 192 resting ones of 2.5 Wh.
DAY_KWH = (96 * 200 + 192 * 2.5) / 1000

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(store: SqliteStore, site: Site) -> Iterator[Site]:
    house.set_up(site, base_fee_per_day=0.36)
    house.fill(store, site, datetime(2026, 11, 17, 23, tzinfo=UTC), NOW, polls=False)
    with clock.fixed(NOW):
        yield site


def test_the_days_of_the_month_are_shown_with_their_uses_and_costs(reader: Client, filled: Site) -> None:
    response = reader.get("/energy")
    context = response.context["energy"]
    assert context.span.label == "November 2026"
    assert [row.label for row in context.rows][-2:] == ["2026-11-22", "2026-11-23"]
    table = context.bars.table
    assert table.rows[1].head == "Sun 22 Nov"
    assert table.rows[1].cells == [
        "19.7",
        "14.4",
        "4.8",
        "0.5",
        "0.0",
        "96.0",
        "4.88",
        "100\u00a0%",
        "16",
        "4.5",
        "6.26",
        "100\u00a0%",
    ]
    assert table.rows[0].head == "Mon 23 Nov, so far"
    assert table.rows[0].partial
    assert table.rows[-1].head == "Wed 18 Nov"  # the first day that was measured


def test_the_sum_is_that_of_the_known_days(reader: Client, filled: Site) -> None:
    context = reader.get("/energy").context["energy"]
    assert context.cards[0].value == pytest.approx(5 * DAY_KWH + 11.0875, abs=1e-6)
    assert context.cards[0].state == "partial"
    assert context.cards[1].text == "€35.01"
    assert context.cards[2].value == pytest.approx(5 * 96 + 54, abs=1e-6)
    assert context.bars.table.foot is not None
    assert context.bars.table.foot.cells[0] == "109.5"


def test_costs_are_drawn_over_the_whole_period_which_is_not_over(reader: Client, filled: Site) -> None:
    days = reader.get("/energy").context["energy"].sums.data
    assert (days["labels"][-1], len(days["labels"]), len(days["sets"][0]["values"])) == ("30", 13, 6)
    assert reader.get("/energy?period=month").context["energy"].sums is None  # of one point
    weeks = reader.get("/energy?period=week").context["energy"].sums.data
    assert (weeks["labels"][0], weeks["labels"][-1], len(weeks["labels"])) == ("47", "53", 7)


def test_no_axis_is_drawn_where_nothing_was_measured(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    page = reader.get("/energy").content.decode()
    assert 'data-spec="energy-data"' not in page
    assert "No data in this range" in text_of(page)


def test_without_a_price_the_page_says_where_to_enter_it(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site, electricity_price=None)
    house.fill(store, site, now - timedelta(days=2), now, polls=False)
    text = text_of(reader.get("/energy").content.decode())
    assert "Cost – no price entered" in text
    assert "No price entered" in text


@pytest.mark.parametrize(
    ("query", "label", "count", "subtitle"),
    [
        ("period=day", "November 2026", 6, "kWh per day"),
        ("period=week", "2026", 2, "kWh per calendar week, Monday to Sunday"),
        ("period=month", "2026", 1, "kWh per calendar month"),
        ("period=year", "All years", 1, "kWh per calendar year"),
    ],
)
def test_bars_are_days_weeks_months_or_years(
    reader: Client, filled: Site, query: str, label: str, count: int, subtitle: str
) -> None:
    context = reader.get(f"/energy?{query}").context["energy"]
    assert (context.span.label, len(context.rows)) == (label, count)
    assert context.bars_subtitle == subtitle


def test_arrows_stop_at_today_and_at_the_first_data(reader: Client, filled: Site) -> None:
    bar = reader.get("/energy").context["energy"].bar
    assert (bar.earlier, bar.later) == ("", "")


def test_arrows_lead_to_the_months_that_have_data(reader: Client, store: SqliteStore, filled: Site) -> None:
    start = datetime(2026, 10, 20, tzinfo=UTC)
    house.fill(store, filled, start, start + timedelta(hours=1), polls=False)
    assert reader.get("/energy").context["energy"].bar.earlier == "?period=day&date=2026-10-31"
    october = reader.get("/energy?period=day&date=2026-10-05").context["energy"].bar
    assert (october.earlier, october.later) == ("", "?period=day&date=2026-11-01")


@pytest.mark.parametrize("query", ["period=hour", "date=tomorrow", "date=0001-01-01"])
def test_nonsense_shows_this_month_and_says_so(reader: Client, filled: Site, query: str) -> None:
    response = reader.get(f"/energy?{query}")
    assert response.status_code == 400
    assert "Showing the current month instead" in text_of(response.content.decode())


def test_a_lump_over_midnight_is_a_bracket_and_makes_its_days_at_least(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    start, end = datetime(2026, 11, 20, 20, tzinfo=UTC), datetime(2026, 11, 21, 6, tzinfo=UTC)
    house.fill(store, site, datetime(2026, 11, 18, 23, tzinfo=UTC), start, polls=False)
    house.fill(store, site, end, now, polls=False)
    Lump.objects.create(site=site, start=start, end=end, energy_wh=9000.0)
    context = reader.get("/energy").context["energy"]
    assert context.bars.data["brackets"] == ({"first": 1, "last": 2, "text": "9.0\u00a0kWh in total"},)
    cells = context.bars.table.rows[3].cells
    assert cells[0].startswith("≥")
    whole = context.bars.table.foot
    assert whole is not None and not whole.cells[0].startswith("≥")


def test_the_year_before_is_a_line_and_a_comparison_of_finished_days(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    house.fill(
        store,
        site,
        datetime(2025, 10, 31, 23, tzinfo=UTC),
        datetime(2025, 11, 30, 23, tzinfo=UTC),
        polls=False,
    )
    house.fill(store, site, datetime(2026, 11, 19, 23, tzinfo=UTC), now, polls=False)
    context = reader.get("/energy").context["energy"]
    assert context.compare_label == "November 2025"
    assert context.bars.data["compare"]["values"][:2] == [19.68, 19.68]
    assert context.cards[0].meta.startswith("so far · days 20–22: same as in November 2025")
    assert len(context.sums.data["sets"][1]["values"]) == 30


def test_a_year_whose_data_begin_late_is_compared_over_the_weeks_that_both_have(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    for start, end in (
        (datetime(2025, 10, 20, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC)),
        (datetime(2026, 10, 31, 23, tzinfo=UTC), now),
    ):
        house.fill(store, site, start, end, polls=False)
    meta = reader.get("/energy?period=week").context["energy"].cards[0].meta
    assert "so far · weeks 45–47: same as in 2025" in meta


def test_a_comparison_names_its_bars_unless_it_is_of_the_whole_range(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    for year in (2025, 2026):
        start = datetime(year, 10, 31, 23, tzinfo=UTC)
        house.fill(store, site, start, datetime(year, 11, 30, 23, tzinfo=UTC), polls=False)
    with clock.fixed(datetime(2026, 12, 5, 12, tzinfo=UTC)):
        whole = reader.get("/energy?date=2026-11-15").context["energy"].cards[0].meta
        months = reader.get("/energy?period=month").context["energy"].cards[0].meta
    assert whole.startswith("same as in November 2025")
    assert "Nov: same as in 2025" in months


def test_a_year_before_with_holes_is_not_compared(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    for first, last in ((1, 12), (13, 22)):
        house.fill(
            store,
            site,
            datetime(2025, 11, 20, first, tzinfo=UTC),
            datetime(2025, 11, 20, last, tzinfo=UTC),
            polls=False,
        )
    house.fill(store, site, datetime(2026, 11, 19, 23, tzinfo=UTC), now, polls=False)
    context = reader.get("/energy").context["energy"]
    assert context.compare_label == ""
    assert context.bars.data["compare"] is None


def test_the_download_has_every_field_and_knows_german_spreadsheets(reader: Client, filled: Site) -> None:
    plain = b"".join(reader.get("/energy?format=csv")).decode()
    rows = list(csv.DictReader(io.StringIO(plain)))
    assert rows[-2]["start"] == "2026-11-22T00:00:00+01:00"
    assert rows[-2]["electrical_energy_kwh"] == "19.68"
    assert rows[-2]["electrical_energy_at_least"] == "false"
    assert rows[0]["start"] == "2026-11-18T00:00:00+01:00"
    german = b"".join(reader.get("/energy?format=csv&dialect=excel-de"))
    assert german.startswith(b"\xef\xbb\xbfstart;end;label;electrical_energy_kwh")
    assert ";19,68;" in german.decode()


def test_the_forecast_comes_alone_and_says_what_is_missing(reader: Client, filled: Site) -> None:
    page = reader.get("/energy")
    assert 'hx-trigger="load"' in page.content.decode()
    markup = reader.get("/energy", headers={"HX-Request": "true", "HX-Target": "year"}).content.decode()
    assert "<html" not in markup
    assert "not enough heating days yet" in text_of(markup)
    assert "Year 2026 5 days measured" in text_of(markup)


def test_the_forecast_is_there_without_javascript(reader: Client, filled: Site) -> None:
    assert "not enough heating days yet" in text_of(reader.get("/energy?forecast=1").content.decode())


def test_what_a_lump_holds_is_not_classified(reader: Client, filled: Site) -> None:
    Lump.objects.create(
        site=filled,
        start=datetime(2026, 11, 22, 10, tzinfo=UTC),
        end=datetime(2026, 11, 22, 12, tzinfo=UTC),
        energy_wh=1200.0,
        reason="gap",
    )
    with clock.fixed(NOW):
        row = energy_rows(Home.of(filled, NOW), "day", date(2026, 11, 22), date(2026, 11, 22))[0]
    assert row.electrical_energy_kwh == pytest.approx(20.88)
    assert row.electrical_energy_unclassified_kwh == pytest.approx(1.2)
    assert row.electrical_energy_dhw_kwh == pytest.approx(4.8)
    table = reader.get("/energy").context["energy"].bars.table
    assert table.rows[1].cells[:5] == ["20.9", "14.4", "4.8", "0.5", "1.2"]


def test_small_sums_are_not_rounded_away() -> None:
    assert adding_up([0.002, 0.003]) == [0.002, 0.005]


def test_sums_stop_where_something_is_missing() -> None:
    assert adding_up([None, 1.0, 2.0, None, 3.0]) == [None, 1.0, 3.0, None, None]


def test_a_bracket_needs_more_than_one_bar_and_is_drawn_once() -> None:
    edges = [(0, 10), (10, 20), (20, 30)]
    assert brackets_of([(12, 18, "a"), (5, 15, "b"), (5, 15, "b"), (8, 25, "c")], edges) == (
        Bracket(first=0, last=1, text="b"),
        Bracket(first=0, last=2, text="c"),
    )


def test_the_axis_of_bands_has_room_on_both_sides() -> None:
    spec = intervals([Interval(label="A", middle=4.4, low=4.0, high=4.9, colour="accent")], "", 1, 0.5)
    assert spec is not None
    assert (spec.minimum, spec.maximum) == (3.5, 5.5)
    assert intervals([Interval(label="A", middle=None, colour="accent")], "", 1, 0.5) is None


def test_axis_limits_hold_all_values() -> None:
    assert axis_limits([-2.0, 7.0], 5.0) == (-5.0, 10.0)
    assert axis_limits([], 5.0) == (None, None)


@pytest.mark.parametrize(
    ("query", "index", "href"),
    [
        ("period=year", -1, "/energy?period=month&date=2026-01-01"),
        ("period=month", -1, "/energy?period=day&date=2026-11-01"),
        ("period=week", -1, "/history?range=week&date=2026-11-23"),
        ("period=day", -2, "/history?range=day&date=2026-11-22"),
    ],
)
def test_a_bar_leads_to_its_parts_and_a_day_to_its_history(
    reader: Client, filled: Site, query: str, index: int, href: str
) -> None:
    bars = reader.get(f"/energy?{query}").context["energy"].bars.data
    assert bars["links"][index] == href
    assert reader.get(href).status_code == 200


def test_the_box_of_a_bar_has_its_total_its_uses_and_what_it_cost(reader: Client, filled: Site) -> None:
    energy = reader.get("/energy?period=day").context["energy"]
    bars, row = energy.bars.data, energy.rows[-2]
    assert bars["totals"][-2] == pytest.approx(row.electrical_energy_kwh, abs=1e-9)
    assert [part["key"] for part in bars["sets"]] == ["standby", "other", "dhw", "space"]
    assert dict(bars["facts"][-2])["Cost"] == f"€{row.cost:.2f}"
    assert bars["axis"]["step"] in {1, 2, 5}


def test_changes_and_notes_stand_on_the_bars_and_lead_to_their_pages(reader: Client, filled: Site) -> None:
    written = note(filled, date(2026, 11, 20), "New valve")
    first = note(filled, date(2026, 11, 22), "Guests")
    note(filled, date(2026, 11, 22), "More guests")
    response = reader.get("/energy")
    marks = {mark["text"]: mark["index"] for mark in response.context["energy"].bars.data["marks"]}
    days = [row.label for row in response.context["energy"].rows]
    assert {text: days[index] for text, index in marks.items()} == {"1": "2026-11-20", "2–3": "2026-11-22"}
    page = response.content.decode()
    for entry in (written, first):
        assert f'href="/changes/{entry.pk}"' in page
    assert "marks" in reader.get("/energy?period=year").context["energy"].bars.data
    written.delete()
    assert "New valve" not in reader.get("/energy").content.decode()
