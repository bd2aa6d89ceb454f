"""The hot-water page: last run, runs and draws, the circulation pump, reheats at night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from apps.dashboard.pages.hot_water.drawing import marks_of
from apps.devices import clock
from apps.devices.models import Site
from apps.metrics.home import Home
from apps.metrics.hot_water import heating, hot_water
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.use_runs import Run

from . import house
from .conftest import NOW
from .test_pages_overview import text_of

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 11, 20, 23, tzinfo=UTC)


@pytest.fixture
def filled(store: SqliteStore, site: Site) -> Iterator[Site]:
    """Runs of half an hour at 07:00, 08:30, 19:00 and 20:30 in Berlin, from 21 November on."""
    house.set_up(site)
    house.began(store, site, datetime(2026, 1, 1, 11, tzinfo=UTC))
    house.fill(store, site, BEGIN, NOW, polls=False)
    with clock.fixed(NOW):
        yield site


def pump_row(site: Site, at: datetime, **values: float) -> Row:
    return Row(
        site=site.pk,
        measurement="heat_pump",
        device="7571000000000000",
        at=int(at.timestamp()),
        values={"newest_source_at": at.timestamp() + 60, "requested_at": at.timestamp() + 150, **values},
    )


def test_the_last_run_is_told_with_its_times_temperatures_energy_cost_and_cop(
    reader: Client, filled: Site
) -> None:
    last = reader.get("/hot-water").context["water"].last
    assert last.title == "Last heated 08:30 to 09:00"
    assert last.detail == "5 h ago"
    assert last.href == "from=2026-11-23T07:00Z&to=2026-11-23T08:30Z"
    tank, energy, cost, cop = last.cards
    assert (energy.value, cost.text, cop.value) == (1.2, "€0.36", 5.0)
    assert tank.meta == "in 30 min"
    assert '<a href="/hot-water">Hot water</a>' in reader.get("/").content.decode()


def test_runs_are_counted_by_day_newest_first_and_rates_are_over_known_time(
    reader: Client, filled: Site
) -> None:
    water = reader.get("/hot-water?days=7").context["water"]
    assert water.counts.data["sets"][0]["values"] == [None, None, None, None, 4, 4, 2]
    assert [(fact.value, fact.name) for fact in water.readout[:2]] == [("10", "runs"), ("12.0", "kWh")]
    assert water.readout[0].note == "3.9 a day"
    assert water.by_day.rows[0].head == "Mon 23 Nov"
    assert water.by_day.rows[-1].cells == ["–", "–", "–", "–", "–", "0\u00a0%"]
    assert water.night_note == ""
    assert [row.head for row in water.runs.rows[:2]] == [
        "Mon 23 Nov, 08:30–09:00",
        "Mon 23 Nov, 07:00–07:30",
    ]
    assert len(water.newest.rows) == 6


def test_a_run_between_ten_in_the_evening_and_five_is_a_reheat_at_night(
    reader: Client, filled: Site, store: SqliteStore
) -> None:
    at = int(datetime(2026, 11, 21, 22, 0, tzinfo=UTC).timestamp())  # 23:00 at home, in the middle of a pause
    for number in range(4):
        values = {"electrical_energy_wh": 150.0, "electrical_energy_dhw_wh": 150.0, "electric_s": 300.0}
        store.write(
            [
                Row(
                    site=filled.pk, measurement="interval", device="7571000000000000",
                    at=at + 1800 + 300 * number, values=values,
                )
            ]
        )  # fmt: skip
    water = reader.get("/hot-water?days=7").context["water"]
    assert water.night_note == "1 reheat at night, 0.6\u00a0kWh."
    assert [row.cells[1] for row in water.by_day.rows] == ["0", "0", "1", "–", "–", "–", "–"]


@pytest.mark.parametrize("days", ["5", "²", "30"])
def test_days_beside_exact_days_are_not_asked(reader: Client, filled: Site, days: str) -> None:
    response = reader.get("/hot-water", {"from": "2026-11-21", "to": "2026-11-22", "days": days})
    assert (response.status_code, response.context["water"].title) == (200, "2 days")


def test_time_in_which_nobody_told_what_it_ran_for_is_unknown_and_no_time_without_runs(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    gap = datetime(2026, 11, 21, 19, 45, tzinfo=UTC), NOW
    house.fill(store, site, BEGIN, NOW, cloud_gap=gap, polls=False)
    for at in range(int(gap[0].timestamp()), int(NOW.timestamp()) - 300, 300):
        values = {"electrical_energy_dhw_wh": 0.0}
        store.write(
            [Row(site=site.pk, measurement="interval", device="7571000000000000", at=at, values=values)]
        )
    water = reader.get("/hot-water?days=7").context["water"]
    assert (water.readout[0].value, water.readout[0].note) == ("4", "4.7 a day")
    assert water.runs.rows[0].cells[-1] == "at least"
    assert [row.cells[-1] for row in water.by_day.rows[:2]] == ["0\u00a0%", "0\u00a0%"]


def test_the_circulation_pump_counts_five_minutes_a_response_and_repeats_count_nothing(
    store: SqliteStore, filled: Site
) -> None:
    noon = datetime(2026, 11, 22, 11, tzinfo=UTC)
    rows = [
        pump_row(
            filled, datetime.fromtimestamp(noon.timestamp() + 300 * number, UTC),
            circulation_pump_active=1.0 if number < 6 else 0.0,
        )
        for number in range(12)
    ]  # fmt: skip
    store.write(rows)
    day = hot_water(Home.of(filled, NOW), NOW.date(), NOW.date())
    assert day.days[0].circulation.known_h == 0
    sunday = noon.date()
    (found,) = hot_water(Home.of(filled, NOW), sunday, sunday).days
    assert [found.circulation.on_h, found.circulation.known_h] == pytest.approx([0.5, 1.0])
    store.write(
        [
            pump_row(filled, row_at, circulation_pump_active=1.0, newest_source_at=1.0)
            for row_at in _hour(noon)
        ]
    )
    (found,) = hot_water(Home.of(filled, NOW), sunday, sunday).days
    assert [found.circulation.on_h, found.circulation.known_h] == pytest.approx([1 / 12, 1 / 12])


def _hour(start: datetime) -> list[datetime]:
    return [datetime.fromtimestamp(start.timestamp() + 300 * number, UTC) for number in range(12)]


def test_heating_is_told_apart_from_hot_water(reader: Client, filled: Site) -> None:
    sunday = date(2026, 11, 22)
    found = heating(Home.of(filled, NOW), sunday, sunday)
    assert found is not None
    assert (found.run_s, found.starts, found.mean_run_s) == (12 * 1800, 12, 1800)
    facts = reader.get("/energy?period=day&from=2026-11-22&to=2026-11-22").context["energy"].running
    assert [(fact.value, fact.name, fact.note) for fact in facts] == [
        ("6 h", "for heating", "12 heating starts, mean run time 30 min"),
        ("4", "hot-water runs", "1.2\u00a0kWh each"),
    ]


@pytest.mark.parametrize(
    ("begin", "end", "drawn"),
    [
        ("2026-10-25T07:00+01:00", "2026-10-25T07:45+01:00", [("420", "45")]),
        ("2026-10-25T02:30+02:00", "2026-10-25T02:15+01:00", [("150", "45")]),  # the clock went back
        (
            "2026-10-25T23:30+01:00",
            "2026-10-26T00:30+01:00",
            [("1410", "30")],
        ),  # into a day that is not shown
        ("2026-10-24T23:30+02:00", "2026-10-25T00:30+02:00", [("1410", "30"), ("0", "30")]),
    ],
)
def test_a_run_is_drawn_at_its_time_of_day(begin: str, end: str, drawn: list[tuple[str, str]]) -> None:
    start, ended = (int(datetime.fromisoformat(text).timestamp()) for text in (begin, end))
    run = Run(
        start=start, end=ended, energy_wh=900.0, full_energy_wh=900.0, heat_wh=2700.0,
        before_c=None, after_c=None, is_cut=False, has_hole=False,
    )  # fmt: skip
    shown = date(2026, 10, 24), date(2026, 10, 25)
    marks = marks_of(*shown, [run], frozenset(), [], ZoneInfo("Europe/Berlin"))
    assert [(mark.y, mark.height) for mark in marks] == drawn


def test_a_home_without_any_run_says_so_without_an_axis(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    page = reader.get("/hot-water").content.decode()
    assert "No run yet" in text_of(page)
    assert "<canvas" not in page and "clock__runs" not in page
