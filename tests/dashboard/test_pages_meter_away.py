"""The meter is gone for three hours, the heat pump is fine: no page calls anything complete or lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from apps.devices import clock
from apps.devices.models import Device, HistoryGap, MemorySearch, Site, SourceState
from apps.metrics.store.sqlite import SqliteStore

from . import house
from .conftest import NOW
from .test_pages_overview import text_of

METER = "AABBCCDDEEFF"
AWAY_FROM = NOW.replace(minute=0, second=0) - timedelta(hours=3)
HISTORY = "/history?from=2026-11-23T09:00:00Z&to=2026-11-23T13:05:00Z"


@pytest.fixture
def away(store: SqliteStore, site: Site) -> Iterator[Site]:
    """Away from 11:00 in Berlin, at 14:05; what is missing was looked for until 10:59:30."""
    house.set_up(site)
    house.fill(store, site, NOW - timedelta(days=2), AWAY_FROM)
    house.fill(store, site, AWAY_FROM, NOW, polls=False)
    begin = int(AWAY_FROM.timestamp())
    for name in ("interval", "cop", "cop_delta_t", "thermal_power_modulation", "thermal_power_delta_t"):
        store.delete(site.pk, name, begin, int(NOW.timestamp()))
    Device.objects.create(
        site=site,
        kind="meter",
        identifier=METER,
        first_seen_at=NOW - timedelta(days=9),
        last_seen_at=AWAY_FROM,
    )
    MemorySearch.objects.create(
        site=site,
        device=METER,
        begins_at=NOW - timedelta(days=40),
        whole_at=AWAY_FROM - timedelta(hours=2),
        searched_until=AWAY_FROM - timedelta(seconds=30),
    )
    SourceState.objects.create(
        site=site,
        source="meter",
        last_success_at=AWAY_FROM,
        last_error_at=NOW,
        error_code="unreachable",
        error_details={"host": "192.168.1.50"},
    )
    with clock.fixed(NOW):
        yield site


def effects(reader: Client) -> set[str]:
    return {gap.effect for gap in reader.get(HISTORY).context["panel"].gaps}


def hour(site: Site, start: datetime, missing: int, state: str = "open", **values: object) -> HistoryGap:
    return HistoryGap.objects.create(
        site=site, device=METER, start=start, missing_minutes=missing, state=state, **values
    )


def test_what_lies_after_the_last_look_is_not_called_lost(reader: Client, away: Site) -> None:
    assert "electricity is missing; the meter's memory has not been searched yet" in effects(reader)
    assert "electricity is missing; the meter no longer has it" not in effects(reader)


def test_what_was_looked_for_and_given_up_is_lost(reader: Client, away: Site) -> None:
    for number in range(3):
        hour(away, AWAY_FROM + timedelta(hours=number), 60, "lost")
    assert "electricity is missing; the meter no longer has it" in effects(reader)


def test_hours_to_fetch_wait_for_a_meter_that_does_not_respond(reader: Client, away: Site) -> None:
    hour(away, AWAY_FROM, 60)
    waiting = "electricity is missing; it is fetched from the meter's memory once the meter responds"
    assert waiting in effects(reader)
    page = text_of(reader.get("/health").content.decode())
    assert "60 The meter at 192.168.1.50 is not responding. 0 once the meter responds" in page
    assert "being fetched" not in page
    SourceState.objects.update(error_code="")
    assert "being fetched from the meter's memory" in effects(reader)


def test_no_minute_is_called_there_that_nobody_looked_for(reader: Client, away: Site) -> None:
    page = text_of(reader.get("/health").content.decode())
    assert "None: no minute is missing." not in page
    assert "None before 23 Nov 2026, 10:00 ; later minutes have not been looked for yet." in page


def test_the_running_hour_is_not_listed_as_filled(reader: Client, away: Site) -> None:
    running = NOW.replace(minute=0, second=0)
    for start in (running, running - timedelta(hours=2)):
        hour(away, start, 0, "filled", last_attempt_at=NOW)
    assert [gap.start for gap in reader.get("/health").context["gaps"]] == [running - timedelta(hours=2)]


def test_today_is_partial_and_costs_at_least_what_is_known(reader: Client, away: Site) -> None:
    text = text_of(reader.get("/").content.decode())
    assert "Electricity 8.6 kWh partial, 78 % measured Cost €2.59 at least" in text


def test_how_long_fetching_will_take_is_not_told_while_the_meter_is_silent(
    reader: Client, away: Site
) -> None:
    for number in range(8):
        hour(away, datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=number), 60)
    assert reader.get("/").context["memory"] is None
    SourceState.objects.all().delete()
    assert reader.get("/").context["memory"] is not None
