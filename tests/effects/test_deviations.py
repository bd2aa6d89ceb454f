"""Entries of lasting deviations follow what the watch says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.changelog.models import Entry
from apps.changelog.timeline import view
from apps.devices.models import Site
from apps.devices.options import home_options
from apps.effects.deviations import note_deviations
from apps.effects.expected import Deviation
from apps.metrics.home import Home
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.house import set_up

from .lived import change

pytestmark = pytest.mark.django_db

FOUND = Deviation(
    since=date(2026, 10, 20),
    noticed=date(2026, 11, 12),
    until=None,
    over=None,
    percent=18.0,
    low_percent=12.0,
    high_percent=24.0,
    kwh_per_day=2.0,
)


@pytest.fixture
def home(site: Site, store: SqliteStore) -> Iterator[Home]:
    set_up(site)
    at = datetime(2026, 11, 23, 13, tzinfo=UTC)
    yield Home(site=site, options=home_options(site), store=store, at=at)


def told() -> list[tuple[str, str | None]]:
    """Local begin and end of all entries."""
    entries = Entry.objects.filter(event_code="lasting_deviation").order_by("at")
    return [(_day(entry.at), None if entry.ended_at is None else _day(entry.ended_at)) for entry in entries]


def _day(at: datetime) -> str:
    return (at + timedelta(hours=2)).date().isoformat()


@pytest.mark.parametrize(
    "anew",
    [
        replace(FOUND, noticed=date(2026, 11, 11)),
        replace(FOUND, since=date(2026, 10, 24)),
        replace(FOUND, since=date(2026, 10, 24), noticed=date(2026, 11, 11)),
        replace(FOUND, since=date(2026, 10, 11), noticed=date(2026, 11, 15)),
    ],
)
def test_one_that_is_dated_anew_keeps_its_entry(home: Home, anew: Deviation) -> None:
    note_deviations(home, [FOUND])
    kept = Entry.objects.get(event_code="lasting_deviation").pk
    note_deviations(home, [anew])
    assert told() == [(anew.since.isoformat(), None)]
    assert Entry.objects.get(event_code="lasting_deviation").pk == kept


def test_its_title_is_rounded_once_as_its_page_is(home: Home) -> None:
    note_deviations(home, [replace(FOUND, percent=44.52)])
    assert view(Entry.objects.get(event_code="lasting_deviation")).title == "Consumption 45 % above expected"


def test_one_after_the_other_are_two(home: Home) -> None:
    over = replace(FOUND, until=date(2026, 11, 14), over=date(2026, 11, 18))
    note_deviations(home, [FOUND])
    note_deviations(home, [over, replace(FOUND, since=date(2026, 11, 15), noticed=date(2026, 11, 22))])
    assert told() == [("2026-10-20", "2026-11-15"), ("2026-11-15", None)]


def test_one_that_late_days_do_not_show_any_more_is_taken_back(home: Home) -> None:
    note_deviations(home, [FOUND])
    note_deviations(home, [])
    assert told() == []


def test_one_that_a_change_noticed_later_explains_is_taken_back(home: Home) -> None:
    note_deviations(home, [FOUND])
    change(home.site, date(2026, 10, 19), dhw__target_temperature_c=(45, 60))
    note_deviations(home, [FOUND])
    assert told() == []


def test_what_somebody_wrote_to_it_stays_with_an_end(home: Home) -> None:
    note_deviations(home, [FOUND])
    Entry.objects.filter(event_code="lasting_deviation").update(text="A valve stuck.")
    note_deviations(home, [])
    assert told() == [("2026-10-20", "2026-11-23")]


def test_one_that_is_over_stays_when_the_watch_looks_back_no_farther(home: Home) -> None:
    note_deviations(home, [replace(FOUND, until=date(2026, 11, 14))])
    note_deviations(home, [])
    assert told() == [("2026-10-20", "2026-11-15")]
