"""Small things that add up: plurals, base fees, years, notes of the demo, spoken states, JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import translation

from apps.api.answers import json_answer, rounded
from apps.changelog.demo_notes import NOTES, in_readers_language
from apps.changelog.sentences import note_title
from apps.dashboard import formatting
from apps.dashboard.charts.lines import Run
from apps.dashboard.pages.panel.frame import states_summary
from apps.devices import clock
from apps.devices.models import Site
from apps.devices.options import HomeOptions
from apps.metrics.home import Home
from apps.metrics.store.sqlite import SqliteStore

from . import house
from .conftest import NOW
from .test_pages_overview import text_of


def home(store: SqliteStore) -> Home:
    return Home(site=Site(pk=1), options=HomeOptions(), store=store, at=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/history?series=power_w,room", "“room” is not a series of this page"),
        ("/history?range=day&date=2031-01-01", "“2031-01-01” is in the future"),
        ("/energy?date=2031-01-01", "“2031-01-01” is in the future"),
        ("/energy?date=tomorrow", "“tomorrow” is not a valid date"),
        ("/efficiency?range=fortnight", "“fortnight” is not a valid range"),
        ("/hot-water?days=12", "“12” is not a valid range"),
        ("/compare?b_from=soon", "“soon” is not a valid date"),
    ],
)
def test_what_an_address_asks_for_in_vain_is_named_with_a_status(
    reader: Client, store: SqliteStore, site: Site, now: datetime, address: str, said: str
) -> None:
    house.set_up(site)
    response = reader.get(address)
    assert response.status_code == 400
    assert said in text_of(response.content.decode())


@pytest.mark.django_db
def test_a_base_fee_is_spoken_of_only_where_there_is_one(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    house.fill(store, site, datetime(2026, 11, 21, 23, tzinfo=UTC), NOW, polls=False)
    with clock.fixed(NOW):
        assert "Base fee included" not in reader.get("/energy").content.decode()
        assert "1 start · 30 min" not in text_of(reader.get("/").content.decode())
        house.set_up(site, base_fee_per_day=0.36)
        assert "Base fee included" in reader.get("/energy").content.decode()


def test_a_time_of_another_year_has_its_year(store: SqliteStore) -> None:
    then = datetime(2025, 12, 31, 20, tzinfo=UTC)
    assert formatting.moment(home(store), then) == "31 Dec 2025, 21:00"
    assert formatting.moment(home(store), NOW.replace(day=2)) == "2 Nov, 14:05"
    assert formatting.day_of(home(store), date(2025, 12, 31), "weekday_day") == "Wed 31 Dec 2025"
    assert formatting.day_of(home(store), date(2026, 1, 1), "weekday_day") == "Thu 1 Jan"
    assert formatting.date_range(date(2025, 12, 30), date(2026, 1, 2)) == "30 Dec 2025 – 2 Jan 2026"


def test_notes_of_the_demo_are_told_in_the_readers_language_and_a_persons_own_as_written(
    settings: LazySettings,
) -> None:
    text = NOTES[0][1]
    with translation.override("de"):
        settings.DEMO = True
        assert in_readers_language("Bled the radiators myself.") == "Bled the radiators myself."
        assert note_title(in_readers_language(text)) == translation.gettext(text)
        settings.DEMO = False
        assert in_readers_language(text) == text


def test_the_state_strip_is_spoken_with_how_long_each_state_lasted() -> None:
    runs = [
        Run(start=0, end=3600, state="space"),
        Run(start=3600, end=5400, state="dhw"),
        Run(start=5400, end=20_000, state="off"),
        Run(start=20_000, end=23_600, state="space"),
    ]
    assert (
        states_summary(runs) == "State of the heat pump: Off 4 h 3 min, Space heating 2 h, Hot water 30 min"
    )


def test_json_has_no_noise_of_sums() -> None:
    sums = {"rows": [{"cost": 0.1 + 0.2, "starts": 3, "cop": None}], "at": "now", "values": (1 / 3,)}
    assert rounded(sums) == {
        "rows": [{"cost": 0.3, "starts": 3, "cop": None}], "at": "now", "values": [0.333333],
    }  # fmt: skip
    assert json_answer({"jaz": 4.0532854638525375}).content == b'{"jaz":4.053285464}'
