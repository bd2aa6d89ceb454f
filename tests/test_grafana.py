"""The dashboard of the profile grafana: its Flux is checked, and asks for what heatmon writes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from apps.metrics.store.schema import measurement_named

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
