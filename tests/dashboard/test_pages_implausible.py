"""Numbers that no heat pump has are said to be implausible wherever they stand; cooling has its own part."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client

from apps.devices.models import Site
from apps.metrics.grid import INTERVAL_S
from apps.metrics.store.base import Row, TimeSeriesStore

from . import house

WORDS = "implausible: rated power, channels or flow rate are probably set wrong"


def add(store: TimeSeriesStore, site: Site, start: datetime, end: datetime, **values: float) -> None:
    first, last = int(start.timestamp()) // INTERVAL_S * INTERVAL_S, int(end.timestamp())
    device = "7571000000000000"
    store.write(
        [
            Row(site=site.pk, measurement="interval", device=device, at=at, values=values)
            for at in range(first, last - INTERVAL_S + 1, INTERVAL_S)
            if house.running(at)
        ]
    )


@pytest.fixture
def absurd(store: TimeSeriesStore, site: Site, now: datetime) -> Iterator[Site]:
    """Two days of a COP of 16.7: 200 Wh give 3333 Wh of heat."""
    house.set_up(site)
    house.fill(store, site, now - timedelta(days=2), now)
    add(store, site, now - timedelta(days=2), now, full_thermal_energy_wh=3333.0, implausible_energy_wh=200.0)
    yield site


def test_the_energy_page_says_that_its_heat_is_implausible(reader: Client, absurd: Site) -> None:
    cards = reader.get("/energy").context["energy"].cards
    assert WORDS in next(card for card in cards if card.label == "Heat").meta


def test_a_jaz_that_no_heat_pump_has_is_struck_through_on_overview_and_efficiency(
    reader: Client, absurd: Site
) -> None:
    for address in ("/", "/efficiency"):
        page = reader.get(address).content.decode()
        assert WORDS in page
        assert "<s>" in page


def test_the_api_marks_it(reader: Client, absurd: Site) -> None:
    assert reader.get("/api/jaz").json()["implausible"] is True
    rows = reader.get("/api/energy?period=day&from=2026-11-22&to=2026-11-22").json()["rows"]
    assert [row["implausible"] for row in rows] == [True]


def test_a_sound_home_says_nothing_of_it(
    reader: Client, store: TimeSeriesStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    house.fill(store, site, now - timedelta(days=2), now)
    page = reader.get("/efficiency").content.decode()
    assert WORDS not in page
    assert "<s>" not in page
    energy = reader.get("/energy").context["energy"]
    assert "Cooling" not in energy.bars.table.columns
    assert "Cooling" not in [part.label for part in energy.legend]


def test_cooling_has_its_bar_its_column_and_its_part_of_the_sum(
    reader: Client, store: TimeSeriesStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    house.fill(store, site, now - timedelta(days=2), now)
    add(
        store, site, now - timedelta(days=2), now, electrical_energy_cooling_wh=200.0,
        electrical_energy_heating_wh=0.0, electrical_energy_dhw_wh=0.0,
    )  # fmt: skip
    energy = reader.get("/energy").context["energy"]
    assert "Cooling" in energy.bars.table.columns
    cooling = next(part for part in energy.legend if part.label == "Cooling")
    assert (cooling.key, cooling.total) == ("cooling", "38\u00a0kWh")
    assert "Cooling" in [each["label"] for each in energy.bars.data["sets"]]
