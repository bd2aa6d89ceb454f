"""Homes with parts missing: no wrong label, a dash for what is missing, and never a zero for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from apps.dashboard import formatting
from apps.devices import clock
from apps.devices.models import Site
from apps.metrics.models import Lump
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

from . import house
from .conftest import NOW

START = datetime(2026, 11, 20, 23, tzinfo=UTC)
"""Midnight of 21 November in Berlin."""


def fill_without_heat_pump(store: SqliteStore, site: Site, start: datetime, end: datetime) -> None:
    """Heat is 0 while the compressor stands, which the meter alone can tell, and unknown while it runs."""
    house.fill(store, site, start, end, cloud_gap=(start, end), polls=False)
    rests = [at for at in range(int(start.timestamp()), int(end.timestamp()), 300) if not house.running(at)]
    zeros: dict[str, float | None] = {
        "thermal_energy_modulation_wh": 0.0,
        "full_electrical_energy_wh": house.REST_W / 12,
        "full_thermal_energy_wh": 0.0,
        "electrical_energy_heating_wh": 0.0,
        "electrical_energy_dhw_wh": 0.0,
    }
    rows = [_row(site, "interval", at, zeros) for at in rests]
    rows += [_row(site, "thermal_power_modulation", at, {"value": 0.0}) for at in rests]
    store.write(rows)


def _row(site: Site, measurement: str, at: int, values: dict[str, float | None]) -> Row:
    return Row(site=site.pk, measurement=measurement, device="7571000000000000", at=at, values=values)


@pytest.fixture
def metered(store: SqliteStore, site: Site) -> Iterator[Site]:
    """A home with a meter and no heat pump account, two days and a half old."""
    house.set_up(site, viessmann_client_id=None)
    fill_without_heat_pump(store, site, START, NOW)
    with clock.fixed(NOW):
        yield site


@pytest.fixture
def away(store: SqliteStore, site: Site) -> Iterator[Site]:
    """All is measured but for a lump of 9 kWh from noon on 31 October to noon on 1 November in Berlin."""
    house.set_up(site)
    house.fill(store, site, datetime(2026, 10, 29, 23, tzinfo=UTC), datetime(2026, 10, 31, 11, tzinfo=UTC))
    house.fill(store, site, datetime(2026, 11, 1, 11, tzinfo=UTC), datetime(2026, 11, 2, 23, tzinfo=UTC))
    Lump.objects.create(
        site=site,
        start=datetime(2026, 10, 31, 11, tzinfo=UTC),
        end=datetime(2026, 11, 1, 11, tzinfo=UTC),
        energy_wh=9000.0,
        reason="gap",
    )
    with clock.fixed(datetime(2026, 11, 2, 23, tzinfo=UTC)):
        yield site


def test_heat_that_nobody_measured_is_a_dash_and_not_zero(reader: Client, metered: Site) -> None:
    context = reader.get("/energy").context["energy"]
    heat = context.cards[2]
    assert (heat.label, heat.value, heat.meta) == ("Heat", None, "no data")
    sunday = context.bars.table.rows[1]
    assert sunday.head == "Sun 22 Nov"
    # electricity, space heating, hot water, standby, not classified, heat, COP, heat known
    assert sunday.cells[:8] == ["19.7", "–", "–", "0.5", "19.2", "–", "–", "2\u00a0%"]
    assert [part.total for part in context.legend[:2]] == ["–", "–"]


def test_the_api_has_null_for_heat_of_which_only_the_rests_are_known(reader: Client, metered: Site) -> None:
    row = reader.get("/api/energy?period=day&from=2026-11-22&to=2026-11-22").json()["rows"][0]
    assert row["thermal_energy_modulation_kwh"] is None
    assert row["thermal_energy_delta_t_kwh"] is None
    assert row["electrical_energy_kwh"] == pytest.approx(19.68)
    assert reader.get("/api/status").json()["today"]["thermal_energy_modulation_kwh"] is None


def test_a_heat_of_zero_is_shown_where_the_compressor_only_stood(
    reader: Client, store: SqliteStore, metered: Site
) -> None:
    day = int(datetime(2026, 11, 21, 23, tzinfo=UTC).timestamp())
    rest = {
        "electrical_energy_wh": 2.5,
        "full_electrical_energy_wh": 2.5,
        "thermal_energy_modulation_wh": 0.0,
        "full_thermal_energy_wh": 0.0,
        "compressor_run_s": 0.0,
    }
    device = "7571000000000000"
    interval = [
        Row(site=metered.pk, measurement="interval", device=device, at=at, values=rest)
        for at in range(day, day + 86400, 300)
    ]
    store.write(interval)
    row = reader.get("/api/energy?period=day&from=2026-11-22&to=2026-11-22").json()["rows"][0]
    assert row["thermal_energy_modulation_kwh"] == 0.0


def test_without_heat_the_efficiency_page_names_no_number_of_days(reader: Client, metered: Site) -> None:
    page = reader.get("/efficiency").context["page"]
    assert (page.jaz.label, page.jaz.value) == ("COP", None)
    assert page.jaz.meta == "no heat data yet"
    assert page.sentence == ""


def test_the_history_of_days_has_no_heat_line_at_zero(reader: Client, metered: Site) -> None:
    panel = reader.get("/history?range=year&series=power_w,thermal_power_modulation_kw").context["panel"]
    heat = next(line for plot in panel.spec.plots for line in plot.lines if line.label.startswith("Heat A"))
    assert set(heat.values) == {None}
    column = panel.table.columns.index("Heat A, modulation (estimated) kWh")
    assert {row.cells[column - 1] for row in panel.table.rows} == {"–"}


def test_nothing_is_said_of_short_cycling_while_nothing_is_known(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    page = reader.get("/efficiency").content.decode()
    assert "No short cycling" not in page
    assert "Short cycling: unknown" in page


def test_a_day_without_an_outdoor_temperature_makes_no_empty_chart(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    house.fill(store, site, NOW - timedelta(days=1), NOW, polls=False)
    with clock.fixed(NOW):
        page = reader.get("/efficiency")
    assert not page.context["page"].has_hollow
    assert "No complete day yet" in page.content.decode()


def test_small_heat_is_not_rounded_to_hundreds(reader: Client, store: SqliteStore, site: Site) -> None:
    house.set_up(site)
    house.fill(store, site, NOW - timedelta(hours=20), NOW, polls=False)
    with clock.fixed(NOW):
        sentence = reader.get("/efficiency").context["page"].sentence
    assert sentence == "5\u00a0kWh of electricity produced about 24\u00a0kWh of heat."


def test_a_month_cut_by_a_lump_costs_at_least_what_is_known(reader: Client, away: Site) -> None:
    context = reader.get("/energy?period=month").context["energy"]
    november, october = context.bars.table.rows[:2]
    assert october.head == "October 2026"
    assert october.cells[0].startswith("≥\u00a0")
    assert october.cells[10].startswith("≥\u00a0")
    assert november.cells[10].startswith("≥\u00a0")


def test_the_sum_over_months_has_the_lump_in_energy_uses_and_cost(reader: Client, away: Site) -> None:
    foot = reader.get("/energy?period=month").context["energy"].bars.table.foot
    energy, space, dhw, standby, rest = (float(cell) for cell in foot.cells[:5])
    assert rest == 9.0
    assert energy == pytest.approx(space + dhw + standby + rest, abs=0.2)
    assert float(foot.cells[10].replace("≥\u00a0", "")) == pytest.approx(energy * 0.30, abs=0.02)


def test_a_sum_with_days_missing_costs_at_least_what_is_known(
    reader: Client, store: SqliteStore, metered: Site
) -> None:
    house.began(store, metered, datetime(2026, 11, 3, 11, tzinfo=UTC))
    context = reader.get("/energy").context["energy"]
    assert context.cards[1].meta == "at least · 30.00\u00a0ct/kWh"
    assert context.sum_legend[0].total.startswith("≥\u00a0€")


def test_a_meter_that_is_not_set_up_has_no_complete_minutes(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    page = reader.get("/health").content.decode()
    assert "every minute is there" not in page


def test_a_coverage_below_one_percent_is_not_called_none() -> None:
    assert formatting.coverage(0.003) == "<\u00a01\u00a0%"
    assert formatting.coverage(0.0) == "0\u00a0%"
    assert formatting.coverage(0.01) == "1\u00a0%"


def test_a_cop_is_not_promised_where_no_meter_sees_the_compressor(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site, shelly_url=None)
    store.write(house._heat_pump_rows(site.pk, int(NOW.timestamp()) // 300 * 300))
    cop = reader.get("/").context["live"].hero.cop
    assert (cop.value, cop.meta) == (None, "no current value")


def test_a_meter_that_never_answered_has_no_complete_minutes(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    page = reader.get("/health").content.decode()
    assert "every minute is there" not in page
    assert "Unknown: there are no meter values." in page


def test_short_cycling_is_not_denied_for_three_days_of_which_one_is_unknown(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    house.fill(store, site, START, NOW, polls=False)
    with clock.fixed(NOW):
        assert not reader.get("/efficiency").context["page"].cycling_known
        house.fill(store, site, START - timedelta(days=1), START, polls=False)
        assert reader.get("/efficiency").context["page"].cycling_known


def test_nothing_is_counted_without_a_meter(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    assert reader.get("/energy").context["energy"].subtitle == ""


def test_without_a_meter_a_silent_heat_pump_does_not_leave_electricity_behind(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site, shelly_url=None)
    effects = {gap.effect for gap in reader.get("/history").context["panel"].gaps}
    assert effects == {"electricity is missing", "heat is missing"}


def test_the_electricity_and_heat_of_the_sentence_make_the_cop_that_is_shown(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    house.set_up(site)
    start = NOW - timedelta(days=12)
    house.fill(store, site, start, NOW, cloud_gap=(start, start + timedelta(days=2)), polls=False)
    with clock.fixed(NOW):
        page = reader.get("/efficiency").context["page"]
    assert page.sentence == "186\u00a0kWh of electricity with known heat produced about 910\u00a0kWh."
    assert page.jaz.value == pytest.approx(4.9, abs=0.05)
