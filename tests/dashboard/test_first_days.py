"""Homes of an hour, a day and ten days: what is known, what comes when, and no share of the time before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from apps.devices import clock
from apps.devices.models import Site
from apps.metrics.begin import HEAT, measured_from
from apps.metrics.home import Home
from apps.metrics.periods import energy_rows, measured_coverage
from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.totals import window

from . import house
from .conftest import NOW
from .test_pages_overview import text_of

pytestmark = pytest.mark.django_db
AN_HOUR_AGO = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)  # 13:05 in Berlin


def filled_from(store: SqliteStore, site: Site, start: datetime) -> None:
    house.set_up(site)
    house.fill(store, site, start, NOW, polls=False)


def test_what_lies_before_the_first_measured_interval_counts_in_no_share(
    store: SqliteStore, site: Site
) -> None:
    filled_from(store, site, AN_HOUR_AGO)
    home = Home.of(site, NOW)
    assert measured_from(home) == int(AN_HOUR_AGO.timestamp())
    today = window(home, home.midnight(home.today), home.at_s)
    assert (today.measured_coverage, today.is_partial) == (1.0, False)
    assert today.electrical_coverage == pytest.approx(1 / 14, abs=0.01)
    (month,) = energy_rows(home, "month", home.today, home.today)
    assert measured_coverage(home, month) == pytest.approx(1.0)
    assert not month.is_measured(NOW)


def test_a_hole_after_the_beginning_does_count(store: SqliteStore, site: Site) -> None:
    filled_from(store, site, AN_HOUR_AGO)
    start = int(AN_HOUR_AGO.timestamp()) + 1200
    store.delete(site.pk, "interval", start, start + 1800)
    home = Home.of(site, NOW)
    today = window(home, home.midnight(home.today), home.at_s)
    assert (today.measured_coverage, today.is_partial) == (0.5, True)


def test_heat_may_begin_later_than_electricity(store: SqliteStore, site: Site) -> None:
    house.set_up(site)
    begin = datetime(2026, 11, 22, 7, tzinfo=UTC)
    house.fill(store, site, begin, NOW, cloud_gap=(begin, AN_HOUR_AGO), polls=False)
    home = Home.of(site, NOW)
    assert measured_from(home, HEAT) == int(AN_HOUR_AGO.timestamp())
    assert measured_from(home) == int(begin.timestamp())


def test_a_home_of_an_hour_says_what_comes_when_and_draws_only_what_it_knows(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    filled_from(store, site, AN_HOUR_AGO)
    response = reader.get("/")
    page, context = text_of(response.content.decode()), response.context
    assert "From the start" in page and "Last 24 hours" not in page
    assert "partial" not in page and "Yesterday" not in page
    assert "13:05 to 14:05" in page
    assert context["coming"].known == "Electricity known since 13:05 · heat since 13:05"
    assert [(step.when, step.title) for step in context["coming"].steps] == [
        ("25 Nov 2026", "First full day"),
        ("1 Dec 2026", "First full week"),
        ("about 14 Dec 2026", "Forecast for the year"),
        ("a change, and 14 days", "First verdict"),
        ("24 Nov 2027", "Seasonal COP (JAZ)"),
    ]
    assert context["season"].jaz_title == "COP over less than a day"
    assert context["season"].jaz.meta.endswith("JAZ from 24 Nov 2027")
    energy = reader.get("/energy").context["energy"]
    assert [row.label for row in energy.rows] == ["2026-11-23"]
    assert energy.sums is None
    assert energy.bars.table.rows[0].cells[-1] == "100\u00a0%"
    assert "partial" not in energy.cards[0].meta
    assert "No run yet" in text_of(reader.get("/hot-water").content.decode())


def test_what_lies_before_the_beginning_is_no_gap_of_the_first_day(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    house.fill(store, site, AN_HOUR_AGO, NOW)
    panel = reader.get("/history").context["panel"]
    assert panel.gaps == []
    assert [plot.gaps for plot in panel.spec.plots] == [(), ()]
    assert [run.state for run in panel.spec.runs] == ["space", "off"]


def test_a_home_of_ten_days_waits_for_the_forecast_and_the_year(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    filled_from(store, site, datetime(2026, 11, 12, 23, tzinfo=UTC))
    response = reader.get("/")
    assert [(step.when, step.text) for step in response.context["coming"].steps[:1]] == [
        ("about 3 Dec 2026", "after 20 heating days; 10 so far")
    ]
    assert "Last 24 hours" in text_of(response.content.decode())
    energy = reader.get("/energy").context["energy"]
    assert energy.rows[0].label == "2026-11-13"
    page = reader.get("/efficiency").context["page"]
    assert (page.days, page.jaz.label) == ("13 Nov – 22 Nov 2026", "COP over 10 days")
    assert [row.head for row in page.starts.rows] == ["7 days", "30 days"]


def test_a_home_that_is_older_is_told_nothing_of_it(store: SqliteStore, site: Site, reader: Client) -> None:
    filled_from(store, site, NOW - timedelta(hours=2))
    later = NOW + timedelta(days=61)
    with clock.fixed(later):
        assert reader.get("/").context["coming"] is None
