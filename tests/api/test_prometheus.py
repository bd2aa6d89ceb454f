"""``/metrics``: read by Prometheus' own parser; what is not known is left out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from apps.accounts.tokens import create_token
from apps.alerts.models import Alert
from apps.api.gauges import outbox_gauges
from apps.backups import folder
from apps.devices.models import ApiCall, HistoryGap, Site, SourceState
from apps.metrics.apps import use_store
from apps.metrics.models import DerivedState, StaleRange
from apps.metrics.store.base import Row, StoreRefused, Waiting
from apps.metrics.store.front import Store
from tests.dashboard.house import set_up

from .test_status import heat_pump_row, meter_row

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def public(settings: Any, tmp_path: Path) -> None:
    switch(settings, "public")
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path, tmp_path / "backups"


def switch(settings: Any, mode: str) -> None:
    values = {**settings.HEATMON.values, "metrics": mode}
    settings.HEATMON = type(settings.HEATMON)(values=values, given=frozenset())


def scraped(client: Client) -> dict[str, float]:
    """Return ``name{label="value"}`` → value as Prometheus would store it, without the prefix."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[sample.name.removeprefix("heatmon_") + (f"[{labels}]" if labels else "")] = sample.value
    return found


@pytest.fixture
def lived(store: Store, site: Site, now: datetime) -> datetime:
    """A home with everything that has a figure."""
    set_up(site)
    counted = {"energy_counter_wh": 12_384_216.02, "power_b_w": 10.0, "voltage_b_v": 230.0}
    store.write([meter_row(site, now - timedelta(seconds=8 + 10 * n), **counted) for n in range(6)])
    store.write([heat_pump_row(site, now - timedelta(minutes=4), modulation_percent=35.0)])
    end = int(now.timestamp()) // 300 * 300
    for measurement, value in (("thermal_power_modulation", 9.1), ("cop", 4.6)):
        row = Row(
            site=site.pk, measurement=measurement, device="heatmon", at=end - 300, values={"value": value}
        )
        store.write([row])
    values = {"electrical_energy_wh": 165.0, "state": 1.0}
    store.write([Row(site=site.pk, measurement="interval", device="heatmon", at=end - 300, values=values)])
    SourceState.objects.create(site=site, source="meter", last_success_at=now)
    SourceState.objects.create(site=site, source="heat_pump", error_code="cloud_error", last_error_at=now)
    for minutes, status in ((5, 200), (10, 502), (15, None), (1500, 200)):
        at = now - timedelta(minutes=minutes)
        ApiCall.objects.create(at=at, account="client", purpose="poll", host="h", status=status)
    for hour, state in ((1, "open"), (2, "open"), (3, "filled")):
        HistoryGap.objects.create(
            site=site, device="D", start=now - timedelta(hours=hour), missing_minutes=20, state=state
        )
    DerivedState.objects.create(site=site, derived_until=now - timedelta(seconds=308))
    StaleRange.objects.create(site=site, start=now - timedelta(hours=2), end=now - timedelta(hours=1))
    Alert.objects.create(site=site, kind="disk_full", raised_at=now)
    (folder.folder() / folder.name_at(now - timedelta(hours=11))).write_bytes(b"x" * 100)
    return now


def test_every_figure_of_a_home_is_there(client: Client, lived: datetime) -> None:
    found = scraped(client)
    expected = {
        "source_age_seconds[source=meter]": 8.0,
        "source_age_seconds[source=heat_pump]": 240.0,
        "source_fresh[source=meter]": 1.0,
        "source_failing[source=meter]": 0.0,
        "source_failing[source=heat_pump]": 1.0,
        "source_last_error_timestamp_seconds[source=heat_pump]": lived.timestamp(),
        "polls_due_24h[source=meter]": 8640.0,
        "polls_due_24h[source=heat_pump]": 288.0,
        "cloud_calls_24h": 3.0,
        "cloud_calls_failed_24h": 2.0,
        "cloud_calls_limit": 1450.0,
        "cloud_calls_stop": 1305.0,
        "gap_hours": 2.0,
        "gap_minutes": 40.0,
        "derived_lag_seconds": 308.0,
        "derived_backlog_seconds": 3600.0,
        "power_watts": 742.0,
        "phase_power_watts[phase=a]": 742.0,
        "phase_power_watts[phase=b]": 10.0,
        "energy_watt_hours_total": 12_384_216.02,
        "temperature_celsius[circuit=,sensor=outside]": 4.1,
        "temperature_celsius[circuit=,sensor=supply]": 36.1,
        "compressor_active": 1.0,
        "modulation_ratio": 0.35,
        "thermal_power_watts[method=modulation]": 9100.0,
        "cop[method=modulation]": 4.6,
        "store_up": 1.0,
        "backup_age_seconds": 39_600.0,
        "backup_size_bytes": 100.0,
        "backup_failed": 0.0,
        "alerts_active[kind=disk_full]": 1.0,
        "alerts_active[kind=quota]": 0.0,
        "info[version=0.1.0]": 1.0,
    }
    assert {name: found.get(name) for name in expected} == pytest.approx(expected)


def test_what_is_not_known_is_left_out_and_never_zero(client: Client, store: Store, site: Site) -> None:
    found = scraped(client)
    names = {name.partition("[")[0] for name in found}
    unknown = {"power_watts", "temperature_celsius", "cop", "thermal_power_watts", "source_age_seconds"}
    assert names.isdisjoint(unknown | {"derived_lag_seconds", "backup_age_seconds", "cloud_calls_24h"})
    assert {"store_up", "disk_free_bytes", "info"} <= names


def test_a_source_that_is_away_has_an_age_and_no_values(
    client: Client, store: Store, site: Site, now: datetime
) -> None:
    set_up(site)
    store.write([meter_row(site, now - timedelta(minutes=10), energy_counter_wh=5.0)])
    found = scraped(client)
    assert found["source_age_seconds[source=meter]"] == 608.0
    assert found["source_fresh[source=meter]"] == 0.0
    assert not {"power_watts", "energy_watt_hours_total"} & set(found)


def test_without_the_store_the_rest_is_told(client: Client, site: Site) -> None:
    with use_store(Store.refused(StoreRefused("damaged", "it cannot be read"))):
        found = scraped(client)
    assert found["store_up"] == 0.0
    assert "disk_free_bytes" in found


def test_what_waits_for_the_store_is_told_with_the_age_of_the_oldest(now: datetime) -> None:
    waiting = Waiting(
        writes=3,
        size_bytes=900,
        oldest_at=now - timedelta(minutes=5),
        code="unreachable",
        reason="",
        refused=1,
        refused_reason="",
    )
    assert {gauge.name: gauge.values[()] for gauge in outbox_gauges(waiting, now)} == {
        "outbox_writes": 3,
        "outbox_bytes": 900,
        "outbox_age_seconds": 300.0,
        "outbox_refused_writes": 1,
    }
    assert list(outbox_gauges(None, now)) == []


def test_who_may_read_it_is_the_options_choice(
    client: Client, site: Site, store: Store, settings: Any, now: datetime
) -> None:
    switch(settings, "off")
    assert client.get("/metrics").status_code == 404
    switch(settings, "token")
    assert client.get("/metrics").status_code == 401
    wrong = client.get("/metrics", headers={"Authorization": "Bearer hm_wrong"})
    assert (wrong.status_code, wrong["WWW-Authenticate"]) == (401, "Bearer")
    _token, plain = create_token("prometheus", write=False, at=now)
    assert client.get("/metrics", headers={"Authorization": f"Bearer {plain}"}).status_code == 200
    _token, old = create_token("old", write=False, at=now, expires_at=now - timedelta(days=1))
    assert client.get("/metrics", headers={"Authorization": f"Bearer {old}"}).status_code == 401


def test_every_metric_is_documented_and_every_documented_one_is_there(
    client: Client, lived: datetime, store: Store
) -> None:
    table = DOCS.split("## Prometheus")[1]
    documented = {
        name
        for row in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    names = {name.partition("[")[0] for name in scraped(client)}
    only_with_influxdb = {name for name in documented if name.startswith("outbox_")}
    assert names == documented - only_with_influxdb


def test_the_example_of_the_documents_is_what_prometheus_takes() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    (job,) = yaml.safe_load(text)["scrape_configs"]
    assert job == {
        "job_name": "heatmon",
        "scrape_interval": "30s",
        "metrics_path": "/metrics",
        "authorization": {"credentials_file": "/etc/prometheus/heatmon-token"},
        "static_configs": [{"targets": ["heatmon.local:8000"]}],
    }
