"""Last week, last month, last heating season: one click on each page with a range."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from django.test import Client

from apps.dashboard.pages.quick import quick_ranges
from apps.devices import clock
from apps.devices.models import Site
from apps.metrics.store.sqlite import SqliteStore

from . import house
from .conftest import NOW

EVER = date(2020, 1, 1)


def ranges(today: date, stored_from: date | None = EVER) -> dict[str, tuple[str, str]]:
    return {
        each.kind: (each.first.isoformat(), each.last.isoformat())
        for each in quick_ranges(today, stored_from)
    }


def test_the_last_week_month_and_season_are_those_that_are_over() -> None:
    assert ranges(date(2026, 11, 23)) == {
        "last-week": ("2026-11-16", "2026-11-22"),
        "last-month": ("2026-10-01", "2026-10-31"),
        "last-season": ("2025-10-01", "2026-04-30"),
    }


@pytest.mark.parametrize(
    ("today", "season"),
    [
        (date(2026, 4, 30), "2024-10-01"),
        (date(2026, 5, 1), "2025-10-01"),
        (date(2027, 1, 1), "2025-10-01"),
    ],
)
def test_a_season_that_still_runs_is_not_the_last(today: date, season: str) -> None:
    assert ranges(today)["last-season"][0] == season


def test_what_ended_before_anything_was_stored_is_not_offered() -> None:
    assert set(ranges(date(2026, 11, 23), date(2026, 11, 18))) == {"last-week"}
    assert ranges(date(2026, 11, 23), None) == {}


@pytest.fixture
def filled(store: SqliteStore, site: Site) -> Iterator[Site]:
    house.set_up(site)
    house.fill(store, site, datetime(2026, 11, 14, 23, tzinfo=UTC), NOW, polls=False)
    with clock.fixed(NOW):
        yield site


@pytest.mark.django_db
def test_one_click_shows_last_week_and_its_cop(reader: Client, filled: Site) -> None:
    for path, href in (
        ("/energy", "?period=day&amp;from=2026-11-16&amp;to=2026-11-22"),
        ("/history", "?range=week&amp;date=2026-11-16"),
        ("/efficiency", "?range=last-week"),
        ("/hot-water", "?from=2026-11-16&amp;to=2026-11-22"),
    ):
        assert f'<a href="{href}">Last week</a>' in reader.get(path).content.decode()
        page = reader.get(path + href.replace("&amp;", "&")).content.decode()
        assert f'<a href="{href}" aria-current="true">Last week</a>' in page
        assert "Last heating season" not in page
    span = reader.get("/energy?period=day&from=2026-11-16&to=2026-11-22").context["energy"]
    assert [row.label for row in span.rows] == [f"2026-11-{day}" for day in range(16, 23)]
    assert span.span.label == "16 Nov – 22 Nov 2026"
    assert span.cards[2].meta.startswith("COP 4.88")
    assert span.span.earlier == "?period=day&from=2026-11-09&to=2026-11-15"
    assert span.span.later == "?period=day&from=2026-11-23&to=2026-11-29"
    assert span.running[-1].name == "on Mon 16 Nov, the highest day"
    assert span.running[-1].href == "/history?range=day&date=2026-11-16"
    page = reader.get("/efficiency?range=last-week").context["page"]
    assert (page.first, page.last) == (date(2026, 11, 16), date(2026, 11, 22))


@pytest.mark.django_db
def test_one_click_shows_the_last_two_hours_as_they_were_measured(reader: Client, filled: Site) -> None:
    (link,) = [each for each in reader.get("/history").context["bar"].quick if each.label == "Last 2 hours"]
    assert link.href == "?from=2026-11-23T11%3A05%3A00Z&to=2026-11-23T13%3A05%3A00Z"
    assert reader.get(f"/history{link.href}").context["error"] == ""


@pytest.mark.django_db
def test_dates_that_are_none_are_named(reader: Client, store: SqliteStore, site: Site, now: datetime) -> None:
    house.set_up(site)
    for query, said in (
        ("from=2026-11-22&to=2026-11-16", "The range ends before it begins"),
        ("from=2027-11-22&to=2027-11-23", "“2027-11-22” is in the future"),
        ("from=2026-11-16", "“” is not a valid date"),
        ("from=soon&to=2026-11-16", "“soon” is not a valid date"),
    ):
        assert said in reader.get(f"/energy?{query}").context["error"]
        assert said in reader.get(f"/hot-water?{query}").context["error"]
