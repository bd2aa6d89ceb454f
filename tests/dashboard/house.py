"""A house whose store is filled by hand: runs of 30 minutes every 90, hot water at 06:00 and 18:00 UTC.

Power is 2400 W while running and 30 W otherwise, heat 12 kW by modulation and 11 kW by delta T, so that a
whole running interval is 200 Wh of electricity and 1000 Wh of heat.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime

from apps.devices.models import Site
from apps.devices.options import save_home_options
from apps.metrics.grid import INTERVAL_S
from apps.metrics.store.base import Row, TimeSeriesStore

RUN_W, REST_W = 2400.0, 30.0


def set_up(site: Site, **values: object) -> None:
    """Devices and prices as saved on the settings page."""
    save_home_options(
        site,
        {
            "shelly_url": "http://192.168.1.50",
            "viessmann_client_id": "client",
            "electricity_price": 0.30,
            "time_zone": "Europe/Berlin",
            **values,
        },
    )


def running(at: int) -> bool:
    """Whether the compressor runs in the interval that starts at ``at``."""
    return at % 5400 < 1800


def charging(at: int) -> bool:
    return running(at) and (at % 86400) // 3600 in {6, 7, 18, 19}


def fill(
    store: TimeSeriesStore,
    site: Site,
    start: datetime,
    end: datetime,
    *,
    cloud_gap: tuple[datetime, datetime] | None = None,
    polls: bool = True,
) -> None:
    """Rows of [start, end): derived intervals, snapshots of the heat pump, and polls of the meter (one
    a minute, and every 10 s in the last minute). In ``cloud_gap`` the heat pump is silent."""
    first, last = int(start.timestamp()), int(end.timestamp())
    gap = (int(cloud_gap[0].timestamp()), int(cloud_gap[1].timestamp())) if cloud_gap else (0, 0)
    rows: list[Row] = []
    for at in range(first // INTERVAL_S * INTERVAL_S, last, INTERVAL_S):
        silent = gap[0] <= at < gap[1]
        if at + INTERVAL_S <= last:
            rows.extend(_interval_rows(site.pk, at, silent))
        if not silent and at + 150 < last:
            rows.extend(_heat_pump_rows(site.pk, at))
    if polls:
        rows.extend(_meter_rows(site.pk, first, last))
    store.write(rows)


def began(store: TimeSeriesStore, site: Site, at: datetime) -> None:
    """Let the home be measured since ``at``: one interval without any use, long before the rest."""
    values = {"electrical_energy_wh": 0.0, "electric_s": 300.0}
    store.write([_row(site.pk, "interval", int(at.timestamp()), values)])


def _row(site: int, measurement: str, at: int, values: Mapping[str, float | None], circuit: str = "") -> Row:
    device = "AABBCCDDEEFF" if measurement.startswith("meter") else "7571000000000000"
    return Row(site=site, measurement=measurement, device=device, at=at, values=values, circuit=circuit)


def _interval_rows(site: int, at: int, silent: bool) -> Iterator[Row]:
    on, dhw = running(at), charging(at)
    energy = (RUN_W if on else REST_W) / 12
    heat = 1000.0 if on else 0.0
    values: dict[str, float | None] = {
        "electrical_energy_wh": energy,
        "electric_s": 300.0,
        "compressor_run_s": 300.0 if on else 0.0,
        "compressor_known_s": 300.0,
        "compressor_starts": 1.0 if on and not running(at - INTERVAL_S) else 0.0,
        "electrical_energy_standby_wh": 0.0 if on else energy,
        "state": 1.0 if silent else 2.0,
        "method_version": 1.0,
        "full_s": 0.0 if silent else 300.0,
    }
    if silent:
        values["electrical_energy_unclassified_wh"] = energy if on else 0.0
        yield _row(site, "interval", at, values)
        return
    delta_t = heat * 11 / 12
    values |= {
        "thermal_energy_modulation_wh": heat,
        "thermal_energy_delta_t_wh": delta_t,
        "full_electrical_energy_wh": energy,
        "full_thermal_energy_wh": heat,
        "full_delta_t_electrical_energy_wh": energy,
        "full_delta_t_thermal_energy_wh": delta_t,
        "electrical_energy_heating_wh": energy if on and not dhw else 0.0,
        "electrical_energy_dhw_wh": energy if dhw else 0.0,
        "electrical_energy_unclassified_wh": 0.0,
        "full_electrical_energy_heating_wh": energy if on and not dhw else 0.0,
        "full_thermal_energy_heating_wh": heat if on and not dhw else 0.0,
        "full_electrical_energy_dhw_wh": energy if dhw else 0.0,
        "full_thermal_energy_dhw_wh": heat if dhw else 0.0,
        "flow_weighted_wh_c": heat * (49.0 if dhw else 36.0),
        "flow_weight_wh": heat,
        "carnot_work_wh": heat / 8,
        "carnot_energy_wh": energy if on else 0.0,
    }
    yield _row(site, "interval", at, values)
    yield _row(site, "thermal_power_modulation", at, {"value": heat * 12 / 1000})
    yield _row(site, "thermal_power_delta_t", at, {"value": delta_t * 12 / 1000})
    yield _row(site, "cop", at, {"value": heat / energy if on else None})
    yield _row(site, "cop_delta_t", at, {"value": delta_t / energy if on else None})


def _heat_pump_rows(site: int, at: int) -> Iterator[Row]:
    on, dhw = running(at), charging(at)
    flow = 49.0 if dhw else 36.0 if on else 30.0
    outside = outside_c(at)
    yield _row(
        site,
        "heat_pump",
        at,
        {
            "outside_temperature_c": outside,
            "supply_temperature_c": flow,
            "secondary_supply_temperature_c": flow + 0.5,
            "return_temperature_c": flow - 6.0 if on else 28.0,
            "dhw_storage_temperature_c": 50.0 - (at % 43200) / 43200 * 4,
            "modulation_percent": 100.0 if on else 0.0,
            "rated_power_kw": 12.0,
            "compressor_active": 1.0 if on else 0.0,
            "compressor_phase": 2.0 if on else 0.0,
            "dhw_charging": 1.0 if dhw else 0.0,
            "newest_source_at": float(at + 60),
            "requested_at": float(at + 150),
            "device_cop_total": 4.7,
        },
    )
    yield _row(site, "heat_pump", at, {"supply_temperature_c": flow, "target_temperature_c": 33.0}, "1")


def outside_c(at: int) -> float:
    """Colder in winter and at night."""
    season = math.cos((at / 86400 - 15) / 365.25 * 2 * math.pi)
    night = math.cos((at / 3600 - 4) / 24 * 2 * math.pi)
    return round(9.5 - 8.5 * season - 3 * night, 1)


def _meter_rows(site: int, first: int, last: int) -> Iterator[Row]:
    for at in [*range(first // 60 * 60, last - 60, 60), *range((last - 60) // 10 * 10, last, 10)]:
        power = RUN_W if running(at) else REST_W
        yield _row(
            site,
            "meter",
            at,
            {
                "power_w": power,
                "power_a_w": power / 3,
                "power_b_w": power / 3,
                "power_c_w": power / 3,
                "voltage_a_v": 231.0,
                "energy_counter_wh": 1_000_000.0 + at % 1_000_000,
            },
        )
