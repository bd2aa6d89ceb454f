"""The dashboard of the profile grafana: its Flux is checked, asks for what heatmon writes, and gets it from a
real server."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
import requests

from apps.devices.models import Site
from apps.metrics.extents import DatabaseExtents
from apps.metrics.store.base import Row
from apps.metrics.store.front import Store
from apps.metrics.store.influxdb.engine import InfluxEngine
from apps.metrics.store.schema import measurement_named
from tests.metrics.store.engines import DAY, MIDNIGHT, needs_influxd

from .flux_checker import checked, needs_flux_checker

ROOT = Path(__file__).resolve().parents[1]
DASHBOARD = json.loads((ROOT / "contrib/grafana/dashboards/heatmon.json").read_text(encoding="utf-8"))
QUERIES = {
    panel["title"]: target["query"].replace("${site}", "1").replace("${zone}", "Europe/Berlin")
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
}
GRAFANA = """option v = {
  timeRangeStart: 2026-01-01T00:00:00Z, timeRangeStop: 2026-01-08T00:00:00Z, windowPeriod: 5m
}"""


def test_the_dashboard_shows_power_temperatures_cop_and_energy() -> None:
    assert list(QUERIES) == ["Power", "Temperatures", "COP by hour", "Energy by day"]


@pytest.mark.parametrize("title", QUERIES)
def test_each_panel_asks_for_fields_that_are_stored(title: str) -> None:
    (name,) = re.findall(r'r\._measurement == "(\w+)"', QUERIES[title])
    stored = {field.column for field in measurement_named(name).fields}
    asked = set(re.findall(r'r\._field == "(\w+)"', QUERIES[title]))
    assert asked
    assert asked <= stored


@needs_flux_checker
def test_each_panel_is_flux() -> None:
    batch = [{"name": name, "query": text, "extern": GRAFANA} for name, text in QUERIES.items()]
    assert [one for one in checked(batch) if not one["ok"]] == []


@pytest.mark.influxd
@needs_influxd
def test_each_panel_draws_what_is_in_the_bucket(db: None) -> None:
    from tests.metrics.store.influxdb.influxd import influxd

    Site.objects.get_or_create(pk=1)
    address = influxd().new_bucket()
    engine = InfluxEngine(address)
    store = Store(engine, DatabaseExtents(engine))
    noon = MIDNIGHT + DAY // 2
    results = {"electrical_energy_wh": 200.0, "thermal_energy_modulation_wh": 700.0}
    counted = {"full_electrical_energy_wh": 200.0, "full_thermal_energy_wh": 700.0}
    pump = {"outside_temperature_c": 3.0, "return_temperature_c": 28.5}
    store.write(
        [row("meter", "M", noon + 10 * n, {"power_w": 600.0 + 300 * (n % 2)}) for n in range(30)]
        + [
            row("heat_pump", "P", noon, pump),
            row("heat_pump", "P", noon, {"supply_temperature_c": 32.0}, "0"),
        ]
        + [row("interval", "heatmon", noon + 300 * n, {**results, **counted}) for n in range(12)]
    )
    store.close()

    def drawn(title: str) -> list[tuple[str, float]]:
        query = QUERIES[title].replace('bucket: "heatmon"', f'bucket: "{address.bucket}"')
        answer = requests.post(
            f"{address.url}/api/v2/query?org={address.org}",
            json={"query": with_range(query), "type": "flux"},
            headers={"Authorization": f"Token {address.token}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        table = csv.DictReader(io.StringIO(answer.text.replace("\r\n", "\n")))
        return sorted(
            (line.get("_field", "COP"), float(line["_value"] if "_value" in line else line["COP"]))
            for line in table
            if line.get("_time", "_time") != "_time"
        )

    assert drawn("Power") == [("power_w", 750.0)]
    assert drawn("Temperatures") == [
        ("outside_temperature_c", 3.0),
        ("return_temperature_c", 28.5),
        ("supply_temperature_c", 32.0),
    ]
    assert drawn("COP by hour") == [("COP", 3.5)]
    assert drawn("Energy by day") == [("electrical_energy_wh", 2.4), ("thermal_energy_modulation_wh", 8.4)]


def row(measurement: str, device: str, at: int, values: dict[str, float], circuit: str = "") -> Row:
    return Row(site=1, measurement=measurement, device=device, at=at, values=values, circuit=circuit)


def with_range(query: str) -> str:
    """Return the query with the time range that Grafana puts behind the imports."""
    imports = re.match(r'(?:import "\w+"\s+)*', query)
    assert imports is not None
    return f"{imports.group()}{GRAFANA}\n{query[imports.end() :]}"
