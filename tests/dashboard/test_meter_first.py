"""A meter that was connected first: its memory reaches back for days, the heat pump is known for minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from apps.devices.models import Device, Site
from apps.metrics.codes import REASONS
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

from . import house
from .conftest import NOW
from .test_pages_overview import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
DAYS_AGO = datetime(2026, 11, 2, 23, tzinfo=UTC)  # midnight in Berlin
NO_SNAPSHOT = next(code for code, word in REASONS.items() if word == "no_snapshot")
CONNECTED = datetime(2026, 11, 23, 12, 50, tzinfo=UTC)


def meter_alone(store: SqliteStore, site: Site, until: datetime = NOW) -> None:
    """Three weeks of electricity with runs of unknown purpose, and the meter's polls of the last hour."""
    house.fill(store, site, DAYS_AGO, until, cloud_gap=(DAYS_AGO, until), polls=False)
    if until < NOW:
        house.fill(store, site, until, NOW, polls=False)
    house.fill(store, site, NOW - timedelta(seconds=60), NOW, cloud_gap=(DAYS_AGO, NOW))


def page_of(reader: Client, address: str) -> str:
    return text_of(reader.get(address).content.decode())


def test_hot_water_is_unknown_before_the_heat_pump_is_connected(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site, viessmann_client_id=None)
    meter_alone(store, site)
    page = page_of(reader, "/hot-water")
    assert "What it does is not yet known" in page and "No data in this range" in page
    assert "No run in the last 14 days" not in page and "No hot water was made" not in page


def test_hot_water_says_since_when_it_is_known(reader: Client, store: SqliteStore, site: Site) -> None:
    house.set_up(site)
    meter_alone(store, site, datetime(2026, 11, 23, 9, tzinfo=UTC))
    page = page_of(reader, "/hot-water")
    assert "No run yet" in page and "What it does is known since 10:00." in page
    assert "No hot water was made since 10:00 Before that nobody told heatmon" in page
    assert "No run in the last 14 days" not in page and "was made in these days" not in page


def test_heat_and_jaz_begin_with_the_heat_pumps_first_answer(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    meter_alone(store, site, CONNECTED)
    context = reader.get("/").context
    assert context["coming"].known == "Electricity known since 3 Nov, 00:00 · heat since 13:50"
    assert (context["coming"].steps[-1].when, context["coming"].steps[-1].title) == (
        "24 Nov 2027",
        "Seasonal COP (JAZ)",
    )
    assert "Forecast for the year" not in [step.title for step in context["coming"].steps]
    assert reader.get("/energy?forecast=1").context["year"].by_share, "it is there already"


def test_without_a_heat_pump_no_date_is_told_for_the_jaz(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site, viessmann_client_id=None)
    meter_alone(store, site)
    coming = reader.get("/").context["coming"]
    assert coming.known == "Electricity known since 3 Nov, 00:00 · heat not yet known"
    assert coming.steps[-1].when == "a year after the first heat"


def test_a_heat_pump_that_is_not_connected_is_the_reason_and_not_all_is_well(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site, viessmann_client_id=None)
    meter_alone(store, site)
    live = reader.get("/").context["live"]
    assert (live.hero.heat.meta, live.hero.cop.meta) == ("heat pump not connected",) * 2
    assert [(alarm.level, alarm.text) for alarm in live.alarms] == [("info", "Heat pump not connected")]


def test_a_heat_pump_of_this_minute_says_when_its_first_value_comes(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    meter_alone(store, site)
    asked_at = NOW.timestamp() - 5
    values = {"requested_at": asked_at, "newest_source_at": asked_at, "compressor_active": 0.0}
    at = int(asked_at) // 300 * 300
    store.write([Row(site=site.pk, measurement="heat_pump", device="PUMP", at=at, values=values)])
    store.delete(site.pk, "interval", at - 600, at)
    live = reader.get("/").context["live"]
    assert live.hero.heat.meta == "first value comes at 14:10"


def test_hot_water_of_a_heat_pump_that_just_answered_does_not_say_that_it_never_did(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    meter_alone(store, site)
    values = {"requested_at": NOW.timestamp() - 5, "dhw_storage_temperature_c": 47.9}
    at = int(NOW.timestamp()) - 300
    store.write([Row(site=site.pk, measurement="heat_pump", device="PUMP", at=at, values=values)])
    page = page_of(reader, "/hot-water")
    assert "47.9" in page and "What it does is known from its first whole five minutes on." in page
    assert "has not answered" not in page


def test_a_heat_pump_that_was_just_set_up_is_awaited_and_not_a_fault(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    meter_alone(store, site)
    live = reader.get("/").context["live"]
    assert [(alarm.level, alarm.text) for alarm in live.alarms] == [
        ("info", "Heat pump: first values within 5 minutes")
    ]
    assert (live.hero.heat.meta, live.hero.cop.meta) == ("first values within 5 minutes",) * 2


def test_a_heat_pump_without_values_is_a_fault_where_nothing_is_polled(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    meter_alone(store, site, NOW - timedelta(hours=1))
    store.delete(site.pk, "meter", 0, int(NOW.timestamp()) + 1)
    store.delete(site.pk, "heat_pump", 0, int(NOW.timestamp()) + 1)
    live = reader.get("/").context["live"]
    assert ("bad", "Heat pump: no values yet") in [(alarm.level, alarm.text) for alarm in live.alarms]


def test_after_a_restart_the_heat_of_a_heat_pump_that_answers_comes_with_the_next_interval(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    away_from = NOW - timedelta(minutes=15)
    house.fill(store, site, DAYS_AGO, NOW, cloud_gap=(away_from, NOW - timedelta(seconds=1)))
    asked_at = NOW.timestamp() - 5
    at = int(asked_at) // 300 * 300
    values = {"requested_at": asked_at, "newest_source_at": asked_at, "compressor_active": 1.0}
    device = "7571000000000000"
    unanswered = {"electrical_energy_wh": 200.0, "electric_s": 300.0, "reason": float(NO_SNAPSHOT)}
    store.write(
        [
            Row(site=site.pk, measurement="heat_pump", device=device, at=at, values=values),
            Row(site=site.pk, measurement="interval", device=device, at=at - 300, values=unanswered),
        ]
    )
    assert reader.get("/").context["live"].hero.heat.meta == "next value comes at 14:10"


@pytest.mark.parametrize(("seconds", "polls"), [(0, 42), (40, 38)])
def test_the_polls_of_a_perfect_start_are_complete(
    reader: Client, store: SqliteStore, site: Site, seconds: int, polls: int
) -> None:
    house.set_up(site)
    saved_at = datetime(2026, 11, 23, 12, 58, tzinfo=UTC)
    for kind in ("meter", "heat_pump"):
        Device.objects.create(site=site, kind=kind, identifier=kind, first_seen_at=saved_at, last_seen_at=NOW)
    first = int(saved_at.timestamp()) + seconds
    store.write(
        Row(site=site.pk, measurement="meter", device="meter", at=at, values={"voltage_a_v": 230.0})
        for at in range(first, int(NOW.timestamp()), 10)
    )
    store.write(
        Row(site=site.pk, measurement="heat_pump", device="heat_pump", at=at, values={"requested_at": at})
        for at in range(int(saved_at.timestamp()) // 300 * 300, int(NOW.timestamp()), 300)
    )
    meter, pump = reader.get("/health").context["sources"]
    assert (meter.got, meter.expected) == (polls, polls)
    assert (pump.got, pump.expected) == (2, 2)
    assert {bar.kind for bar in meter.bars} == {"none", "ok"}


def test_health_does_not_call_all_sources_up_to_date_while_one_is_not_set_up(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site, viessmann_client_id=None)
    meter_alone(store, site)
    page = page_of(reader, "/health")
    assert "One source is not set up" in page and "All sources up to date" not in page
