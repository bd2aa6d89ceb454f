"""``GET /api/status`` and the states fresh, stale, offline."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from apps.devices import clock
from apps.devices.models import ApiCall, Site, SourceState
from apps.devices.wording import words
from apps.metrics.home import Home
from apps.metrics.status import current_status
from apps.metrics.status_words import fault_words
from apps.metrics.store.base import Row
from apps.metrics.store.front import Store
from tests.dashboard.house import fill, set_up

BERLIN = ZoneInfo("Europe/Berlin")


def meter_row(site: Site, at: datetime, **values: float | None) -> Row:
    epoch = int(at.timestamp()) // 10 * 10
    given = {"power_w": 742.0, "power_a_w": 742.0, "voltage_a_v": 231.5, "current_a_a": 3.2, **values}
    return Row(site=site.pk, measurement="meter", device="AABBCCDDEEFF", at=epoch, values=given)


def heat_pump_row(site: Site, at: datetime, *, source_at: datetime | None = None, **values: float) -> Row:
    epoch = int(at.timestamp())
    given: dict[str, float | None] = {
        "outside_temperature_c": 4.1,
        "supply_temperature_c": 36.1,
        "compressor_active": 1.0,
        "compressor_phase": 2.0,
        "requested_at": float(epoch),
        "newest_source_at": source_at.timestamp() if source_at else float(epoch - 60),
        **values,
    }
    start = epoch // 300 * 300
    return Row(site=site.pk, measurement="heat_pump", device="7571", at=start, values=given)


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(seconds=8), "fresh"),
        (timedelta(seconds=28), "fresh"),
        (timedelta(seconds=48), "stale"),
        (timedelta(minutes=4, seconds=58), "stale"),
        (timedelta(minutes=5, seconds=18), "offline"),
        (timedelta(days=20), "offline"),
    ],
)
def test_the_meter_is_stale_after_30_seconds_and_offline_after_5_minutes(
    store: Store, site: Site, now: datetime, age: timedelta, state: str
) -> None:
    set_up(site)
    store.write([meter_row(site, now - age)])
    meter = current_status(Home.of(site, now)).meter
    assert (meter.state, meter.power_w) == (state, 742.0)


def test_a_row_of_the_future_is_neither_the_newest_nor_fresh(store: Store, site: Site, now: datetime) -> None:
    set_up(site)
    store.write([meter_row(site, now - timedelta(minutes=2)), meter_row(site, now + timedelta(days=1))])
    meter = current_status(Home.of(site, now)).meter
    assert (meter.state, meter.measured_at) == ("stale", now - timedelta(minutes=2, seconds=8))


@pytest.mark.parametrize(
    ("poll_age", "source_age", "state"),
    [
        (timedelta(minutes=14), timedelta(minutes=20), "fresh"),
        (timedelta(minutes=16), timedelta(minutes=20), "stale"),
        (timedelta(minutes=3), timedelta(hours=1, minutes=59), "fresh"),
        (timedelta(minutes=3), timedelta(hours=2, minutes=1), "stale"),
        (timedelta(minutes=3), timedelta(hours=6, minutes=1), "offline"),
        (timedelta(hours=6, minutes=1), timedelta(hours=6, minutes=2), "offline"),
    ],
)
def test_the_heat_pump_is_late_by_its_polls_or_by_what_its_sources_say(
    store: Store, site: Site, now: datetime, poll_age: timedelta, source_age: timedelta, state: str
) -> None:
    set_up(site)
    store.write([heat_pump_row(site, now - poll_age, source_at=now - source_age)])
    heat_pump = current_status(Home.of(site, now)).heat_pump
    assert (heat_pump.state, heat_pump.outside_temperature_c) == (state, 4.1)


def test_without_devices_both_say_that_they_are_not_set_up(store: Store, site: Site, now: datetime) -> None:
    status = current_status(Home.of(site, now))
    assert (status.meter.state, status.heat_pump.state) == ("not_set_up", "not_set_up")
    assert fault_words(status.meter.fault) == "No meter is set up yet."
    assert status.meter.measured_at is None


def test_a_value_missing_in_the_newest_answer_is_none_and_not_the_older_one(
    store: Store, site: Site, now: datetime
) -> None:
    set_up(site)
    store.write(
        [
            heat_pump_row(site, now - timedelta(minutes=8), modulation_percent=80.0),
            heat_pump_row(site, now - timedelta(minutes=3)),
            meter_row(site, now - timedelta(seconds=18)),
            meter_row(site, now - timedelta(seconds=8), power_w=None, power_a_w=None),
        ]
    )
    status = current_status(Home.of(site, now))
    assert status.heat_pump.modulation_percent is None
    assert (status.meter.power_w, status.meter.phases[0].voltage_v) == (None, 231.5)


def test_what_went_wrong_last_is_the_message(store: Store, site: Site, now: datetime) -> None:
    set_up(site)
    SourceState.objects.create(
        site=site,
        source="meter",
        error_code="unreachable",
        error_details={"host": "192.168.1.50"},
        last_error_at=now,
    )
    assert fault_words(current_status(Home.of(site, now)).meter.fault) == (
        "The meter at 192.168.1.50 is not responding."
    )


def test_the_answer_has_exactly_the_fields_of_the_contract(
    reader: Client, store: Store, site: Site, now: datetime
) -> None:
    set_up(site)
    fill(store, site, now - timedelta(hours=2), now)
    body = reader.get("/api/status").json()
    assert {name: list(part) if isinstance(part, dict) else part for name, part in body.items()} == {
        "site": ["id", "name", "timezone", "demo"],
        "at": "2026-11-23T14:05:08+01:00",
        "meter": [
            "state", "measured_at", "power_w", "phases", "energy_counter_wh", "energy_returned_counter_wh",
            "clock_offset_s", "errors", "message",
        ],
        "heat_pump": [
            "state", "measured_at", "outside_temperature_c", "supply_temperature_c", "return_temperature_c",
            "secondary_supply_temperature_c", "dhw_storage_temperature_c", "compressor_active",
            "compressor_phase", "modulation_percent", "rated_power_kw", "circulation_pump_active",
            "dhw_charging", "circuits", "login_ends_at", "message",
        ],
        "interval": [
            "start", "end", "electrical_power_w", "thermal_power_modulation_kw", "thermal_power_delta_t_kw",
            "cop", "cop_delta_t", "reason",
        ],
        "today": [
            "electrical_energy_kwh", "thermal_energy_modulation_kwh", "cop", "electrical_coverage",
            "heat_coverage",
        ],
        "quota": ["limit", "stops_at", "used_24h", "used_utc_day", "blocked_until", "left"],
    }  # fmt: skip
    assert body["site"]["demo"] is True
    assert [list(phase) for phase in body["meter"]["phases"]] == [
        ["power_w", "voltage_v", "current_a", "connected", "errors"]
    ] * 3


def test_the_last_finished_five_minutes_are_shown(
    reader: Client, store: Store, site: Site, now: datetime
) -> None:
    set_up(site)
    later = now + timedelta(minutes=30)  # in the middle of a run
    fill(store, site, now - timedelta(hours=2), later)
    with clock.fixed(later):
        interval = reader.get("/api/status").json()["interval"]
    assert interval["start"] == "2026-11-23T14:30:00+01:00"
    assert interval["end"] == "2026-11-23T14:35:00+01:00"
    assert interval["electrical_power_w"] == pytest.approx(2400.0)
    assert interval["thermal_power_modulation_kw"] == pytest.approx(12.0)
    assert interval["cop"] == pytest.approx(5.0)


def test_what_the_meter_reports_of_itself_is_told(store: Store, site: Site, now: datetime) -> None:
    set_up(site)
    dead = {"voltage_b_v": 0.0, "power_b_w": None, "voltage_c_v": 0.0, "power_c_w": 0.0, "current_c_a": 0.027}
    store.write([meter_row(site, now, energy_returned_counter_wh=12.5, **dead)])
    SourceState.objects.create(
        site=site,
        source="meter",
        last_success_at=now,
        report={
            "errors": ["phase_sequence", "no_load"],
            "phases": {"a": ["out_of_range:voltage"]},
            "clock_offset_s": 2,
        },
    )
    meter = current_status(Home.of(site, now)).meter
    assert (meter.state, meter.energy_returned_counter_wh, meter.clock_offset_s) == ("fresh", 12.5, 2)
    assert meter.errors == ("phase_sequence", "no_load")
    assert [(phase.connected, phase.power_w, phase.current_a) for phase in meter.phases] == [
        (True, 742.0, 3.2),
        (False, None, None),
        (False, None, None),
    ]
    assert meter.phases[0].errors == ("out_of_range:voltage",)
    assert fault_words(meter.fault) == (
        "The meter reports: wrong sequence of the phases, phase A: voltage out of range."
    )


def test_a_wrong_clock_of_the_meter_is_told_by_how_much(store: Store, site: Site, now: datetime) -> None:
    set_up(site)
    store.write([meter_row(site, now)])
    SourceState.objects.create(
        site=site, source="meter", last_success_at=now, report={"clock_offset_s": -3660}
    )
    meter = current_status(Home.of(site, now)).meter
    assert fault_words(meter.fault) == "The clock of the meter at 192.168.1.50 is 61 min behind."


def test_a_login_that_ends_within_14_days_is_told(store: Store, site: Site, now: datetime) -> None:
    set_up(site)
    store.write([heat_pump_row(site, now)])
    state = SourceState.objects.create(
        site=site, source="heat_pump", last_success_at=now, login_ends_at=now + timedelta(days=15)
    )
    assert current_status(Home.of(site, now)).heat_pump.fault is None
    state.login_ends_at = now + timedelta(days=14)
    state.save()
    pump = current_status(Home.of(site, now)).heat_pump
    assert pump.login_ends_at == now + timedelta(days=14)
    assert fault_words(pump.fault) == "The sign-in to the Viessmann cloud ends on 7 Dec 2026."


def test_an_interval_that_was_not_calculated_says_so(store: Store, site: Site, now: datetime) -> None:
    interval = current_status(Home.of(site, now)).interval
    assert (interval.electrical_power_w, interval.cop, interval.reason) == (None, None, "not_calculated")


def test_the_quota_counts_the_calls_of_the_account(
    reader: Client, store: Store, site: Site, now: datetime
) -> None:
    set_up(site)
    for hours in (1, 14, 23, 25):
        ApiCall.objects.create(at=now - timedelta(hours=hours), account="client", purpose="poll", host="api")
    assert reader.get("/api/status").json()["quota"] == {
        "limit": 1450,
        "stops_at": 1305,
        "used_24h": 3,
        "used_utc_day": 1,
        "blocked_until": None,
        "left": 1302,
    }


def test_circuits_come_by_the_ids_that_the_device_gave(store: Store, site: Site, now: datetime) -> None:
    set_up(site)
    at = now - timedelta(minutes=3)
    circuit = Row(
        site=site.pk,
        measurement="heat_pump",
        device="7571",
        circuit="1",
        at=int(at.timestamp()) // 300 * 300,
        values={"supply_temperature_c": 36.1, "pump_active": 1.0, "operating_mode": 2.0},
    )
    store.write([heat_pump_row(site, at), circuit])
    (found,) = current_status(Home.of(site, now)).heat_pump.circuits
    assert (found.id, found.supply_temperature_c, found.pump_active) == ("1", 36.1, True)
    assert found.operating_mode == "dhwAndHeating"


def test_the_status_costs_few_queries(  # type: ignore[no-untyped-def]
    reader: Client, store: Store, site: Site, now: datetime, django_assert_max_num_queries
) -> None:
    set_up(site)
    store.engine.sources(site.pk, "meter")  # a process learns once what there is
    with django_assert_max_num_queries(12):
        reader.get("/api/status")


def test_a_source_that_repeats_itself_for_half_an_hour_is_told_with_its_time(
    store: Store, site: Site, now: datetime
) -> None:
    set_up(site)
    store.write([heat_pump_row(site, now - timedelta(minutes=3), source_at=now - timedelta(minutes=31))])
    heat_pump = current_status(Home.of(site, now)).heat_pump
    assert heat_pump.state == "fresh"
    assert heat_pump.fault is not None and heat_pump.fault.code == "source_silent"
    assert fault_words(heat_pump.fault, BERLIN) == (
        "The cloud responds, but the heat pump has sent it nothing new since 23 Nov 2026, 13:34."
    )


def test_a_pause_names_its_cause_and_the_next_attempt(
    reader: Client, store: Store, site: Site, now: datetime
) -> None:
    set_up(site)
    SourceState.objects.create(
        site=site,
        source="heat_pump",
        error_code="paid_plan",
        error_details={"until": "2026-11-23T14:00:00+00:00"},
        last_error_at=now,
    )
    assert reader.get("/api/status").json()["heat_pump"]["message"] == (
        f"{words('paid_plan', {}).sentence} Next attempt: 23 Nov 2026, 15:00."
    )
