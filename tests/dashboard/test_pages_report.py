"""The report for the installer: a year on two sheets."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.test import Client

from apps.changelog.notes import add_note
from apps.dashboard.pages.report.view import periods_of
from apps.devices import clock
from apps.devices.models import Site
from apps.metrics.home import Home
from apps.metrics.store.sqlite import SqliteStore

from . import house
from .conftest import NOW
from .test_pages_overview import text_of

pytestmark = pytest.mark.django_db


def test_the_years_that_can_be_reported_are_twelve_whole_months_and_each_year_that_is_over(
    store: SqliteStore, site: Site
) -> None:
    house.began(store, site, datetime(2025, 6, 15, tzinfo=UTC))
    assert periods_of(Home.of(site, NOW)) == {
        "12-months": (date(2025, 11, 1), date(2026, 10, 31)),
        "2025": (date(2025, 6, 15), date(2025, 12, 31)),
    }


def test_a_home_that_is_younger_than_a_month_reports_its_days(store: SqliteStore, site: Site) -> None:
    house.began(store, site, datetime(2026, 11, 18, tzinfo=UTC))
    assert periods_of(Home.of(site, NOW)) == {"12-months": (date(2026, 11, 18), date(2026, 11, 22))}


def test_it_has_the_year_its_months_and_changes_with_notes_and_costs_as_chosen(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    house.began(store, site, datetime(2025, 11, 3, tzinfo=UTC))
    house.fill(
        store,
        site,
        datetime(2026, 10, 29, 23, tzinfo=UTC),
        datetime(2026, 10, 31, 23, tzinfo=UTC),
        polls=False,
    )
    with clock.fixed(NOW):
        add_note(site, "Filter cleaned", at=datetime(2026, 10, 30, 12, tzinfo=UTC), author=None)
        response = reader.get("/report")
        page = text_of(response.content.decode())
        report = response.context["report"]
        assert report.subtitle == "3 Nov 2025 – 31 Oct 2026, 363 days"
        assert report.months.rows[-1].head == "October 2026"
        assert report.months.rows[-1].cells == [
            "7.5", "39", "29", "10", "1", "192", "4.9", "32", "16", "6\u00a0%",
        ]  # fmt: skip
        assert [(tile.name, tile.value) for tile in report.tiles[:2]] == [
            ("Electricity", "39\u00a0kWh"),
            ("Space heating", "29\u00a0kWh"),
        ]
        assert report.bins.rows[0].cells[:2] == ["2", "4.9"]
        assert "demo data, simulated house" in page and "Page 2 of 2" in page
        assert "Filter cleaned" in page and "€11.81" not in page
        bare = text_of(reader.get("/report?period=12-months&costs=1").content.decode())
        assert "Filter cleaned" not in bare and "Cost of the electricity, with base fees: €11.81" in bare
        assert reader.get("/report?period=1066").status_code == 400


def test_a_home_without_data_has_a_report_without_axes(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    page = reader.get("/report").content.decode()
    assert "The report begins with the first whole day" in text_of(page)
    assert "<canvas" not in page


def test_what_is_not_classified_is_told_where_there_is_some(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    house.began(store, site, datetime(2026, 11, 18, tzinfo=UTC))
    start, end = datetime(2026, 11, 18, 23, tzinfo=UTC), datetime(2026, 11, 20, 23, tzinfo=UTC)
    silent = datetime(2026, 11, 19, 4, tzinfo=UTC), datetime(2026, 11, 19, 20, tzinfo=UTC)
    house.fill(store, site, start, end, polls=False, cloud_gap=silent)
    with clock.fixed(NOW):
        report = reader.get("/report").context["report"]
    assert "Not classified" in report.months.columns
    sums = dict(zip(report.months.columns[1:], report.months.foot.cells, strict=True))
    uses = [int(sums[name]) for name in ("Space heating", "Hot water", "Standby", "Not classified")]
    assert (sums["Electricity kWh"], uses) == ("39", [20, 5, 1, 13])
    assert [tile.name for tile in report.tiles[1:5]] == [
        "Space heating",
        "Hot water",
        "Standby",
        "Not classified",
    ]
