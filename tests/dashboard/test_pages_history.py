"""The history page: any stretch of time, any series, without JavaScript too."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from apps.changelog.models import Entry
from apps.devices.models import Site
from apps.metrics.models import DerivedState
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

from . import house
from .test_pages_overview import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(store: SqliteStore, site: Site, now: datetime) -> Site:
    house.set_up(site)
    gap = (datetime(2026, 11, 23, 1, 20, tzinfo=UTC), datetime(2026, 11, 23, 2, 35, tzinfo=UTC))
    house.fill(store, site, now - timedelta(days=3), now, cloud_gap=gap)
    return site


def test_a_gap_is_hatched_and_told_in_words(reader: Client, filled: Site) -> None:
    response = reader.get("/history")
    temperature = next(plot for plot in response.context["panel"].spec.plots if plot.name == "temperature")
    assert [(gap.start, gap.end) for gap in temperature.gaps] == [
        (
            int(datetime(2026, 11, 23, 1, 20, tzinfo=UTC).timestamp()),
            int(datetime(2026, 11, 23, 2, 35, tzinfo=UTC).timestamp()),
        )
    ]
    assert "23 Nov, 02:20–03:35 Heat pump no values from the heat pump" in text_of(response.content.decode())


@pytest.mark.parametrize("series", ["cop", "cop_delta_t", "power_w,cop,cop_delta_t"])
def test_a_compressor_that_is_off_leaves_no_gap_in_its_cop(reader: Client, filled: Site, series: str) -> None:
    response = reader.get(f"/history?range=day&series={series}")
    cop = next(plot for plot in response.context["panel"].spec.plots if plot.name == "cop")
    assert [(gap.start, gap.end) for gap in cop.gaps] == [
        (
            int(datetime(2026, 11, 23, 1, 20, tzinfo=UTC).timestamp()),
            int(datetime(2026, 11, 23, 2, 35, tzinfo=UTC).timestamp()),
        )
    ]
    assert response.context["panel"].plots[-1].legend[-1].label == "No data"
    assert "No data" not in text_of(reader.get(f"/history?date=2026-11-21&series={series}").content.decode())


def test_a_plot_without_values_says_so_instead_of_drawing_an_axis(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    silent = (now - timedelta(days=1), now + timedelta(days=1))
    house.fill(store, site, now - timedelta(hours=3), now, cloud_gap=silent)
    response = reader.get("/history?range=day")
    assert [plot.empty for plot in response.context["panel"].plots] == [False, True]
    page = response.content.decode()
    assert 'data-plot="power"' in page
    assert 'data-plot="temperature"' not in page
    assert "No data in this range" in text_of(page)


def test_where_no_memory_was_searched_nothing_is_called_lost(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    effects = {gap.effect for gap in reader.get("/history").context["panel"].gaps}
    assert effects == {
        "electricity is missing; the meter's memory has not been searched yet",
        "heat is missing",
    }


def test_part_of_a_day_tells_the_whole_run_time(reader: Client, filled: Site) -> None:
    text = text_of(reader.get("/history?from=2026-11-22T00:00:00Z&to=2026-11-22T01:00:00Z").content.decode())
    assert "1 start, run time 30 min" in text


POLLED = "from=2026-11-23T10:00:00Z&to=2026-11-23T12:00:00Z"


def test_two_hours_show_every_poll_and_hold_what_the_heat_pump_said(
    reader: Client, store: SqliteStore, filled: Site
) -> None:
    first = int(datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp())
    store.write(
        [
            Row(
                site=filled.pk,
                measurement="meter",
                device="AABBCCDDEEFF",
                at=at,
                values={"power_w": 1000.0 + at % 7},
            )
            for at in range(first, first + 7200, 10)
        ]
    )
    panel = reader.get(f"/history?{POLLED}").context["panel"]
    power, heat, *_rest = panel.spec.plots[0].lines
    assert (power.step_s, len(power.time), power.values[1]) == (
        10,
        720,
        round(1.0 + (first + 10) % 7 / 1000, 3),
    )
    assert (heat.step_s, heat.stepped, power.stepped) == (300, True, False)
    assert panel.spec.plots[0].gaps == ()
    assert panel.subtitle == "Power every 10 s, everything else every 5 min."


def test_a_poll_a_minute_is_shown_as_minutes_without_a_tear(reader: Client, filled: Site) -> None:
    panel = reader.get(f"/history?{POLLED}").context["panel"]
    power = panel.spec.plots[0].lines[0]
    assert (power.step_s, len(power.time), None in power.values) == (60, 120, False)
    assert panel.spec.plots[0].gaps == ()


def test_the_window_is_summed_up(reader: Client, filled: Site) -> None:
    text = text_of(reader.get("/history?from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z").content.decode())
    assert "In this window 19.7 kWh electricity 4.88 COP estimated 16 starts, mean run time 30 min" in text


def test_an_unmeasured_part_is_said(reader: Client, store: SqliteStore, filled: Site) -> None:
    house.began(store, filled, datetime(2026, 11, 10, tzinfo=UTC))
    text = text_of(reader.get("/history?range=week").content.decode())
    assert "partial," not in text_of(reader.get("/history").content.decode())
    early = text_of(reader.get("/history?from=2026-11-19T14:05&to=2026-11-21T14:05").content.decode())
    assert "partial, 50 % measured" in early
    assert "Week 48, 2026" in text


def test_only_the_chosen_series_are_drawn(reader: Client, filled: Site) -> None:
    response = reader.get("/history?series=cop&series=outside_temperature_c,modulation_percent")
    plots = response.context["panel"].spec.plots
    assert [plot.name for plot in plots] == ["temperature", "modulation", "cop"]
    assert [line.name for plot in plots for line in plot.lines] == [
        "outside_temperature_c",
        "modulation_percent",
        "cop",
    ]
    assert 'value="power_w" checked' not in response.content.decode()


def test_the_choice_of_series_stays_when_the_range_moves(reader: Client, filled: Site) -> None:
    bar = reader.get("/history?range=day&date=2026-11-22&series=power_w").context["bar"]
    assert bar.earlier == "?range=day&date=2026-11-21&series=power_w"
    assert bar.later == "?range=day&date=2026-11-23&series=power_w"
    assert bar.links[1].href == "?range=week&date=2026-11-22&series=power_w"


def test_a_longer_range_and_back_shows_the_same_day(reader: Client, filled: Site) -> None:
    def links(query: str) -> dict[str, str]:
        return {link.label: link.href for link in reader.get(f"/history{query}").context["bar"].links}

    assert links("")["Year"] == "?range=year&date=2026-11-23"
    assert links("?range=year&date=2026-11-23")["Day"] == "?range=day&date=2026-11-23"
    assert links("?range=year&date=2026-11-21")["Day"] == "?range=day&date=2026-11-21"
    assert links("?range=year&date=2026-01-01")["Day"] == "?range=day&date=2026-11-23"
    assert links("?range=year&date=2025-01-01")["Day"] == "?range=day&date=2025-01-01"


def test_arrows_stop_at_the_first_stored_day_and_today(reader: Client, filled: Site) -> None:
    assert reader.get("/history?date=2026-11-23").context["bar"].later == ""
    assert reader.get("/history?date=2026-11-20").context["bar"].earlier == ""


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("range=fortnight", "“fortnight” is not a valid range"),
        ("date=noon", "“noon” is not a valid date"),
        ("date=0001-01-01", "“0001-01-01” is out of range"),
        ("from=x", "“x” is not a valid date"),
        ("from=2026-02-30T00:00", "“2026-02-30T00:00” is not a valid date"),
        ("from=2027-02-01T00:00", "“2027-02-01T00:00” is in the future"),
        ("from=2026-11-22T00:00&to=2026-11-21T00:00", "The range ends before it begins"),
        ("from=2026-11-22T00:00&to=2026-11-22T00:01", "The range is shorter than five minutes"),
        ("from=1990-01-01T00:00&to=2026-11-22T00:00", "The range is longer than thirty years"),
    ],
)
def test_nonsense_shows_today_and_says_why(reader: Client, filled: Site, query: str, fault: str) -> None:
    response = reader.get(f"/history?{query}")
    assert response.status_code == 400
    assert f"{fault}. Showing today instead." in text_of(response.content.decode())


def test_never_more_points_than_a_chart_can_show(reader: Client, filled: Site) -> None:
    for query in (
        "range=day",
        "range=week",
        "range=month",
        "range=year",
        "from=2026-11-23T10:00&to=2026-11-23T10:30",
    ):
        for plot in reader.get(f"/history?{query}").context["panel"].spec.plots:
            assert all(len(line.time) <= 820 for line in plot.lines)


def test_long_ranges_have_no_state_band_and_fewer_rows(reader: Client, filled: Site) -> None:
    month = reader.get("/history?range=month").context["panel"]
    assert month.spec.runs == ()
    assert len(month.table.rows) == 4  # since the first data
    assert month.table.rows[1].head == "Sun 22 Nov"


def test_columns_are_hatched_where_they_miss_something_and_blank_where_nothing_was_installed_yet(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    begin, back = datetime(2026, 11, 9, 23, tzinfo=UTC), datetime(2026, 11, 19, 23, tzinfo=UTC)
    gone = datetime(2026, 11, 16, 23, tzinfo=UTC)
    house.fill(store, site, begin, gone)
    house.fill(store, site, back, now, cloud_gap=(back, back + timedelta(days=1)))
    response = reader.get("/history?range=month")
    plots = {plot.name: plot for plot in response.context["panel"].spec.plots}
    without_meter = [(int(gone.timestamp()), int(back.timestamp()), "A")]
    without_heat_pump = (int(gone.timestamp()), int(back.timestamp()) + 86400, "B")
    assert [(gap.start, gap.end, gap.letter) for gap in plots["energy"].gaps] == without_meter
    assert [(gap.start, gap.end, gap.letter) for gap in plots["temperature"].gaps] == [without_heat_pump]
    assert [gap.cause for gap in plots["cop"].gaps] == [
        "no values from the meter",
        "no values from the heat pump",
    ]
    assert plots["energy"].bars.totals[8] is None and plots["cop"].dots[0].values[0] is not None
    text = text_of(response.content.decode())
    assert "B 17 Nov, 00:00–21 Nov, 00:00 no values from the heat pump" in text
    assert "A 17 Nov, 00:00–20 Nov, 00:00 no values from the meter" in text


def test_a_week_has_hours_of_electricity_and_six_hours_of_the_rest(reader: Client, filled: Site) -> None:
    plots = reader.get("/history?range=week").context["panel"].spec.plots
    assert [(plot.name, len(plot.edges) - 1) for plot in plots] == [
        ("energy", 168),
        ("temperature", 28),
        ("cop", 28),
    ]


def test_heat_has_a_chart_of_its_own_in_a_long_range_where_it_is_asked_for(
    reader: Client, filled: Site
) -> None:
    def plots(query: str) -> list[str]:
        return [plot.name for plot in reader.get(f"/history?range=month{query}").context["panel"].spec.plots]

    assert plots("") == ["energy", "temperature", "cop", "hours"]
    assert plots("&series=thermal_power_modulation_kw,thermal_power_delta_t_kw") == ["heat"]


def test_a_range_without_data_says_so(reader: Client, store: SqliteStore, site: Site, now: datetime) -> None:
    house.set_up(site)
    assert "No data in this range" in text_of(reader.get("/history").content.decode())


def test_the_download_asks_for_the_same_range_and_series(reader: Client, filled: Site) -> None:
    csv = reader.get("/history?series=power_w&date=2026-11-22").context["panel"].csv
    assert csv == (
        "/api/history?series=power_w&from=2026-11-21T23%3A00%3A00Z&to=2026-11-22T23%3A00%3A00Z"
        "&points=1000&format=csv"
    )


def test_pages_are_only_read(reader: Client, filled: Site) -> None:
    assert reader.post("/history").status_code == 405


@pytest.mark.parametrize("address", ["/", "/history", "/energy", "/efficiency?range=month"])
def test_without_scripts_the_page_points_to_the_table(reader: Client, filled: Site, address: str) -> None:
    page = reader.get(address).content.decode()
    assert re.search(r"<noscript>.*Charts need JavaScript; the table below shows the same figures\.", page)


@pytest.fixture
def by_hand(filled: Site) -> Site:
    """A home with comfort from 22 November 23:00 to 23 November 06:00 and hot water on since 12:00 (UTC)."""
    DerivedState.objects.create(site=filled, version=1)
    for place, program, hour, ended_at in (
        ("circuits.1", "comfort", -1, datetime(2026, 11, 23, 6, tzinfo=UTC)),
        ("dhw", "one_time_charge", 12, None),
    ):
        Entry.objects.create(
            site=filled,
            at=datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hour),
            ended_at=ended_at,
            kind=Entry.Kind.EVENT,
            event_code="by_hand",
            event_details={"place": place, "program": program},
            source_key=f"event:{place}",
        )
    return filled


def test_a_program_by_hand_is_a_band_from_its_begin_to_its_end_or_now(
    reader: Client, by_hand: Site, now: datetime
) -> None:
    spec = reader.get("/history?range=day&date=2026-11-23").context["panel"].spec
    assert [(mark.number, mark.at, mark.until) for mark in spec.markers] == [
        (1, 1795388400, 1795413600),
        (2, 1795435200, int(now.timestamp())),
    ]


def test_a_band_is_named_in_legend_list_and_for_those_who_do_not_see_it(
    reader: Client, by_hand: Site
) -> None:
    response = reader.get("/history?range=day&date=2026-11-23")
    plots = response.context["panel"].plots
    assert all(plot.legend[-1].label == "Program switched on by hand" for plot in plots)
    said = "Heating circuit 1: comfort by hand for 7 hours"
    assert all(f"{said}: 23 Nov, 00:00–07:00" in plot.summary for plot in plots)
    assert f"1 23 Nov, 00:00 {said}" in text_of(response.content.decode())


def test_a_program_that_ends_ends_its_band_at_once(reader: Client, by_hand: Site) -> None:
    reader.get("/history?range=day&date=2026-11-23")
    Entry.objects.filter(ended_at=None).update(ended_at=datetime(2026, 11, 23, 12, 30, tzinfo=UTC))
    spec = reader.get("/history?range=day&date=2026-11-23").context["panel"].spec
    assert [mark.until for mark in spec.markers] == [1795413600, 1795437000]


def test_without_a_program_by_hand_the_legend_names_lines_alone(reader: Client, filled: Site) -> None:
    Entry.objects.create(site=filled, at=datetime(2026, 11, 23, 8, tzinfo=UTC), kind="note", text="Bled")
    panel = reader.get("/history").context["panel"]
    assert [mark.until for mark in panel.spec.markers] == [None]
    assert {item.key for plot in panel.plots for item in plot.legend}.isdisjoint({"k-hand"})
