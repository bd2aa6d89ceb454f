"""The efficiency page: what may be called JAZ, three methods, curve, cycling."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from apps.changelog.models import ConfigurationVersion
from apps.dashboard.pages.efficiency.curves import curve_offset_k, set_periods
from apps.devices import clock
from apps.devices.models import Site
from apps.metrics.efficiency import heating_curve
from apps.metrics.home import Home
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

from . import house
from .conftest import NOW
from .test_pages_overview import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(store: SqliteStore, site: Site) -> Iterator[Site]:
    house.set_up(site, estimated_flow_rate=1.4)
    house.fill(store, site, datetime(2026, 11, 15, 23, tzinfo=UTC), NOW, polls=False)
    with clock.fixed(NOW):
        yield site


def test_less_than_a_year_is_never_called_jaz(reader: Client, filled: Site) -> None:
    for query in ("", "?range=month", "?range=season"):
        text = text_of(reader.get(f"/efficiency{query}").content.decode())
        assert "JAZ" not in text.replace("JAZ from 16 Nov 2027", "")
        assert "COP over 7 days" in text
    assert "JAZ from 16 Nov 2027" in text_of(reader.get("/efficiency").content.decode())


def test_a_cop_of_few_days_is_greyed_and_has_its_band(reader: Client, filled: Site) -> None:
    page = reader.get("/efficiency?range=month").context["page"]
    assert page.jaz.state == "partial"
    assert page.jaz.value == pytest.approx(96 / 19.68, abs=1e-9)
    assert page.jaz_range == "(4.4–5.4), estimated"
    assert page.sentence == "138\u00a0kWh of electricity produced about 670\u00a0kWh of heat."


def test_three_methods_stand_beside_each_other(reader: Client, filled: Site) -> None:
    page = reader.get("/efficiency?range=month").context["page"]
    assert [(row.head, row.cells[-1]) for row in page.methods_table.rows] == [
        ("A modulation", "4.9"),
        ("B delta T", "4.5"),
        ("C device", "4.7"),
    ]
    assert page.agree is True
    assert "1.40\u00a0m³/h × (flow − return)" in page.methods_table.rows[1].cells


def test_methods_that_disagree_show_only_the_range(reader: Client, store: SqliteStore, filled: Site) -> None:
    rows = [
        Row(
            site=filled.pk, measurement="interval", device="7571000000000000", at=at,
            values={"full_delta_t_thermal_energy_wh": 700.0},
        )
        for at in range(int(datetime(2026, 11, 15, 23, tzinfo=UTC).timestamp()), int(NOW.timestamp()), 300)
        if house.running(at)
    ]  # fmt: skip
    store.write(rows)
    response = reader.get("/efficiency?range=month")
    page = response.context["page"]
    assert page.jaz.value is None
    assert page.jaz_range == "3.4–5.4, methods disagree"
    assert page.agree is False
    assert page.methods_table.rows[0].cells[-1] == "4.9"
    assert "only the range is shown" in text_of(response.content.decode())


def test_days_below_90_percent_are_hollow(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    gap = (datetime(2026, 11, 21, 23, tzinfo=UTC), datetime(2026, 11, 22, 2, 30, tzinfo=UTC))
    house.fill(store, site, datetime(2026, 11, 18, 23, tzinfo=UTC), now, polls=False, cloud_gap=gap)
    page = reader.get("/efficiency?range=month").context["page"]
    filled, hollow = page.cop.data["sets"]
    assert (len(filled["points"]), len(hollow["points"])) == (3, 1)
    assert page.has_hollow
    assert hollow["texts"][0].startswith("22 Nov 2026 · ")


def test_the_set_curve_is_drawn_and_its_offset_told(reader: Client, filled: Site) -> None:
    ConfigurationVersion.objects.create(
        site=filled,
        device="7571000000000000",
        at=NOW - timedelta(days=3),
        settings={"circuits.1.curve.slope": 0.8, "circuits.1.curve.shift": 0},
    )
    page = reader.get("/efficiency?range=month").context["page"]
    assert [curve.circuit for curve in page.curves] == ["1"]
    assert page.curves[0].periods[0].set_words == "Set: slope 0.8, shift 0, room 20.0\u00a0°C"
    assert "the set curve" in page.curves[0].periods[0].conclusion
    assert len(page.curves[0].chart.data["lines"][0]["points"]) >= 2


def test_the_offset_is_the_mean_distance_to_the_set_curve() -> None:
    settings = {"circuits.1.curve.slope": 1.0, "circuits.1.curve.shift": 0}
    curve = heating_curve("1", settings, (0.0, 10.0))
    assert curve is not None
    days = [
        (date(2026, 1, day), outside, flow - 2.0) for day, (outside, flow) in enumerate(curve.points, start=1)
    ]
    assert curve_offset_k(curve, days) == pytest.approx(-2.0, abs=0.01)


def test_each_day_is_compared_with_the_curve_that_was_set_then(filled: Site) -> None:
    changed_at = datetime(2026, 11, 19, 9, tzinfo=UTC)
    old, new = (
        {"circuits.1.curve.slope": slope, "circuits.1.curve.shift": 0, "dhw.target_temperature_c": 50.0}
        for slope in (0.8, 1.2)
    )
    days = []
    for number in range(14, 25):
        settings, apart_k = (old, -2.0) if number <= 19 else (new, 3.0)
        curve = heating_curve("1", settings, (5.0,))
        assert curve is not None
        days.append((date(2026, 11, number), 5.0, curve.points[0][1] + apart_k))
    history = [(changed_at - timedelta(days=5, hours=10), old), (changed_at, new)]
    home = Home.of(filled, NOW)
    periods = set_periods(home, "1", history, datetime(2026, 11, 25, 23, tzinfo=UTC), days)
    assert [period.curve.slope for period in periods] == [0.8, 1.2]
    assert [[day.day for day, *_ in period.days] for period in periods] == [
        [14, 15, 16, 17, 18],
        [20, 21, 22, 23, 24],
    ]
    offsets = [curve_offset_k(period.curve, period.days) for period in periods]
    assert offsets == pytest.approx([-2.0, 3.0], abs=0.05)


def test_two_curves_in_one_range_have_a_verdict_each(reader: Client, filled: Site) -> None:
    for days_ago, shift in ((6, 0), (3, 10)):
        ConfigurationVersion.objects.create(
            site=filled,
            device="7571000000000000",
            at=NOW - timedelta(days=days_ago),
            settings={"circuits.1.curve.slope": 0.8, "circuits.1.curve.shift": shift},
        )
    (block,) = reader.get("/efficiency?range=month").context["page"].curves
    assert [line["label"] for line in block.chart.data["lines"]] == [
        "Set curve from 17 Nov 2026",
        "Set curve from 20 Nov 2026",
    ]
    assert [period.conclusion for period in block.periods] == [
        "From 17 Nov 2026: The measurements are 1.2\u00a0K below the set curve on average",
        "From 20 Nov 2026: The measurements are 11.5\u00a0K below the set curve on average",
    ]


def test_many_curves_are_numbered_and_the_newest_six_drawn(reader: Client, filled: Site) -> None:
    for days_ago in range(8, 0, -1):
        ConfigurationVersion.objects.create(
            site=filled,
            device="7571000000000000",
            at=NOW - timedelta(days=days_ago),
            settings={"circuits.1.curve.slope": 0.8, "circuits.1.curve.shift": days_ago},
        )
    response = reader.get("/efficiency?range=month")
    (block,) = response.context["page"].curves
    assert [line["name"] for line in block.chart.data["lines"]] == ["3", "4", "5", "6", "7", "8"]
    assert [period.name for period in block.periods if not period.style] == ["1", "2"]
    assert "2 earlier curves are not drawn" in text_of(response.content.decode())


def test_without_a_known_curve_the_flow_is_still_shown(reader: Client, filled: Site) -> None:
    response = reader.get("/efficiency?range=month")
    assert [curve.circuit for curve in response.context["page"].curves] == [""]
    assert "The set curve is not known yet" in text_of(response.content.decode())


def test_starts_and_run_times_of_the_spans_that_the_home_has_lived(reader: Client, filled: Site) -> None:
    rows = reader.get("/efficiency").context["page"].starts.rows
    assert rows[0].head == "7 days"
    assert rows[0].cells == [
        "112", "16.0", "56 h", "30 min", "3.4", "100\u00a0%", "known on 0 of 7 days",
    ]  # fmt: skip
    assert len(rows) == 1  # nothing is known of the 358 days before the first


def test_starts_that_the_device_counted_otherwise_say_by_how_much(
    reader: Client, store: SqliteStore, filled: Site
) -> None:
    start = int(datetime(2026, 11, 15, 23, tzinfo=UTC).timestamp())
    counts = {start + 300: 1000.0, start + 7 * 86400 - 300: 1120.0}
    counts |= {start + day * 86400 + 43200: 1000.0 + 16 * day for day in range(7)}
    rows = [
        Row(
            site=filled.pk,
            measurement="heat_pump",
            device="7571000000000000",
            at=at,
            values={"compressor_starts_count": count},
        )
        for at, count in counts.items()
    ]
    store.write(rows)
    assert reader.get("/efficiency").context["page"].starts.rows[0].cells[-1] == "120 (differs by 8)"


def test_every_number_tells_how_it_was_made(reader: Client, filled: Site) -> None:
    text = text_of(reader.get("/efficiency").content.decode())
    assert text.count("How is this calculated?") == 4


def test_nonsense_shows_the_last_365_days(reader: Client, filled: Site) -> None:
    response = reader.get("/efficiency?range=decade")
    assert response.status_code == 400
    assert "Showing the last 365 days instead" in text_of(response.content.decode())


def test_the_days_can_be_downloaded(reader: Client, filled: Site) -> None:
    answer = reader.get("/efficiency?range=month&format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert rows[-1]["day"] == "2026-11-22"
    assert rows[-1]["cop"] == "4.878"
    assert rows[-1]["cop_is_valid"] == "true"


def test_an_empty_house_has_a_page_too(reader: Client, store: SqliteStore, site: Site, now: datetime) -> None:
    house.set_up(site)
    for query in ("", "?range=month", "?range=season", "?range=all"):
        response = reader.get(f"/efficiency{query}")
        assert response.status_code == 200
    assert "No complete day yet" in text_of(response.content.decode())
