"""``/health`` and the probes."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from apps.devices import heartbeat
from apps.devices.models import ApiCall, Device, HistoryGap, MemorySearch, QuotaState, Site, SourceState
from apps.metrics.models import StaleRange
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

from .house import fill, set_up
from .test_pages_overview import text_of

pytestmark = pytest.mark.usefixtures("now")


def text(client: Client) -> str:
    response = client.get("/health")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_without_devices_it_says_so_and_where_to_set_them_up(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    page = text(reader)
    assert "No device is set up" in page
    assert '<a href="/settings#meter">Set it up</a>' in page
    assert "None: no minute is missing." not in page


def test_each_source_shows_its_error_with_the_hint(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    SourceState.objects.create(
        site=site,
        source="meter",
        error_code="unreachable",
        error_details={"host": "192.168.1.50"},
        last_error_at=now - timedelta(minutes=1),
    )
    page = text(reader)
    assert "<b>The meter at 192.168.1.50 is not responding.</b> Check that the meter has power" in page
    assert "A source is delayed" in page


def test_readings_of_the_last_day_are_counted(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    Device.objects.create(
        site=site,
        kind="meter",
        identifier="AABBCCDDEEFF",
        model="SPEM-003CEBEU",
        firmware="1.7.5",
        first_seen_at=now,
        last_seen_at=now,
    )
    fill(store, site, now - timedelta(hours=30), now, polls=False)
    page = text(reader)
    assert "Readings of the last 24 hours: 288 of 288" in page
    assert "1.7.5" in page


def test_nothing_is_missing_from_before_a_source_was_connected(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    Device.objects.create(
        site=site,
        kind="heat_pump",
        identifier="7571000000000000",
        first_seen_at=now - timedelta(hours=2, minutes=5),
        last_seen_at=now,
    )
    fill(store, site, now - timedelta(hours=1), now, polls=False)
    pump = reader.get("/health").context["sources"][1]
    assert [bar.kind for bar in pump.bars[-6:]] == ["none", "none", "no", "no", "ok", "ok"]
    assert {bar.kind for bar in pump.bars[:-6]} == {"none"}
    assert (pump.got, pump.expected) == (12, 24)
    assert ">23 Nov, 12:00</time>" in text(reader)


def test_a_source_of_this_minute_only_says_since_when(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    Device.objects.create(
        site=site, kind="meter", identifier="AABBCCDDEEFF", first_seen_at=now, last_seen_at=now
    )
    page = text(reader)
    assert 'Readings in 24 h</dt><dd>since <time datetime="2026-11-23T14:05:08+01:00">' in page
    assert 'class="no"' not in page


def test_a_source_that_never_answered_has_no_strip_and_no_age(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    SourceState.objects.create(
        site=site, source="heat_pump", error_code="cloud_unreachable", last_error_at=now
    )
    page = text(reader)
    assert "no response</span>" in page
    assert "never" not in page
    assert 'class="uptime"' not in page


def test_the_last_good_answer_is_never_older_than_the_newest_value(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    SourceState.objects.create(site=site, source="heat_pump", last_success_at=now - timedelta(hours=3))
    fill(store, site, now - timedelta(hours=1), now)
    pump = reader.get("/health").context["sources"][1]
    assert pump.last_success_at == pump.measured_at


def test_calls_are_listed_by_purpose(reader: Client, store: SqliteStore, site: Site, now: datetime) -> None:
    set_up(site)
    for hours, purpose in ((1, "poll"), (2, "poll"), (20, "poll"), (3, "login"), (26, "poll")):
        ApiCall.objects.create(at=now - timedelta(hours=hours), account="client", purpose=purpose, host="api")
    context = reader.get("/health").context
    rows = [(str(call["purpose"]), call["day"], call["utc"]) for call in context["calls"]]
    assert rows == [("Readings", 3, 2), ("Sign-in", 1, 1)]
    assert context["calls_sum"] == {"day": 4, "utc": 3}


def test_a_pause_that_the_cloud_demands_is_told_with_its_end(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    QuotaState.objects.create(account="client", blocked_until=now + timedelta(hours=2))
    page = text(reader)
    assert "The cloud is not accepting requests until <time" in page
    assert "23 Nov 2026, 16:05</time>." in page
    assert 'viewBox="0 0 1450 10"' in page
    assert "The UTC day restarts at <time" in page


def test_gaps_and_work_left_are_shown(reader: Client, store: SqliteStore, site: Site, now: datetime) -> None:
    HistoryGap.objects.create(
        site=site,
        device="AABBCCDDEEFF",
        start=now - timedelta(days=3),
        missing_minutes=45,
        state="filled",
        reason="unreachable",
        reason_details={"host": "192.168.1.50"},
    )
    HistoryGap.objects.create(
        site=site, device="AABBCCDDEEFF", start=now - timedelta(days=40), missing_minutes=60
    )
    StaleRange.objects.create(site=site, start=now - timedelta(hours=2), end=now - timedelta(hours=1))
    page = text(reader)
    assert "from its memory" in page
    assert "being fetched" not in page
    assert "Still to calculate</dt><dd>1 h</dd>" in page


def test_hours_that_nobody_asked_for_yet_are_one_line(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    HistoryGap.objects.bulk_create(
        HistoryGap(site=site, device="AABBCCDDEEFF", start=now - timedelta(hours=hours), missing_minutes=60)
        for hours in range(2, 102)
    )
    HistoryGap.objects.filter(start=now - timedelta(hours=9)).update(attempts=1)
    page = reader.get("/health")
    assert [gap.attempts for gap in page.context["gaps"]] == [1]
    said = "99 hours from 19 Nov 2026, 09:05 to 23 Nov 2026, 12:05 are being fetched from the meter’s memory."
    shown = text_of(page.content.decode())
    assert said in shown[shown.index("Gaps in the meter") :][:300]


def test_minutes_from_before_the_meter_was_connected_are_no_gaps(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    Device.objects.create(
        site=site,
        kind="meter",
        identifier="AABBCCDDEEFF",
        first_seen_at=now - timedelta(hours=5),
        last_seen_at=now,
    )
    for hours, attempted_at in ((7, now), (3, now), (2, None)):
        HistoryGap.objects.create(
            site=site,
            device="AABBCCDDEEFF",
            start=now - timedelta(hours=hours),
            missing_minutes=0,
            state="filled",
            last_attempt_at=attempted_at,
        )
    gaps = reader.get("/health").context["gaps"]
    assert [gap.start for gap in gaps] == [now - timedelta(hours=3)]


def test_no_minute_is_called_missing_or_there_before_it_was_looked_for(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    fill(store, site, now - timedelta(hours=1), now)
    Device.objects.create(
        site=site, kind="meter", identifier="AABBCCDDEEFF", first_seen_at=now, last_seen_at=now
    )
    assert "the meter’s memory has not been read" in text(reader)
    MemorySearch.objects.create(site=site, device="AABBCCDDEEFF", begins_at=now - timedelta(days=2))
    assert "None: no minute is missing." not in text(reader)
    MemorySearch.objects.update(whole_at=now)
    assert "None: no minute is missing." in text(reader)


def test_it_opens_while_the_store_is_away(reader: Client, store: SqliteStore, site: Site) -> None:
    set_up(site)
    store.close()
    assert "The store of measured values is not responding" in text(reader)


def test_a_network_without_tls_is_said_out_loud(
    reader: Client, store: SqliteStore, site: Site, settings: LazySettings
) -> None:
    assert "HEATMON_LAN_HTTP" not in text(reader)
    settings.HEATMON = replace(settings.HEATMON, values={**settings.HEATMON.values, "lan_http": True})
    settings.LOOPBACK_BIND = False
    assert "Signing in works without encryption" in text(reader)


def test_healthz_is_fine_and_tells_strangers_nothing_more(client: Client, db: None) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"ok": True, "failing": []})


def test_healthz_fails_with_one_word_while_a_loop_is_late(client: Client, db: None) -> None:
    heartbeat.promise("meter", time.monotonic() - 1)
    try:
        response = client.get("/healthz")
    finally:
        heartbeat.leave("meter")
    assert (response.status_code, response.json()) == (503, {"ok": False, "failing": ["loops"]})


def test_an_offline_cloud_never_fails_a_probe_but_is_told_to_those_signed_in(
    client: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    fill(store, site, now - timedelta(days=2), now - timedelta(hours=10))
    client.force_login(User.objects.create_superuser("anna"))
    for address in ("/healthz", "/readyz"):
        response = client.get(address)
        assert response.status_code == 200
        assert response.json()["sources"]["heat_pump"]["state"] == "offline"
        assert response.json()["sources"]["heat_pump"]["age_s"] > 9 * 3600


def test_readyz_names_the_store_that_does_not_answer(client: Client, store: SqliteStore, db: None) -> None:
    assert client.get("/readyz").json() == {"ok": True, "failing": []}
    store.close()
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"ok": False, "failing": ["store"]})


def test_readyz_names_the_broker_that_does_not_answer(
    client: Client, store: SqliteStore, db: None, settings: LazySettings
) -> None:
    values = {**settings.HEATMON.values, "redis_url": "redis://127.0.0.1:9/0"}
    settings.HEATMON = replace(settings.HEATMON, values=values)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["failing"]) == (503, ["broker"])


def test_two_readers_are_told_what_was_stored_once_each_in_their_language(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    SourceState.objects.create(
        site=site,
        source="meter",
        error_code="password_needed",
        error_details={"host": "192.168.1.50"},
        last_error_at=now,
    )
    HistoryGap.objects.create(
        site=site,
        device="a0b1c2d3e4f5",
        start=now - timedelta(hours=3),
        missing_minutes=60,
        reason="unreachable",
        reason_details={"host": "192.168.1.50"},
    )
    german = reader.get("/health", headers={"Accept-Language": "de"}).content.decode()
    assert "<b>Der Zähler unter 192.168.1.50 verlangt ein Passwort.</b> Das Passwort des Zählers" in german
    assert "<td>Der Zähler unter 192.168.1.50 antwortet nicht.</td>" in german
    english = reader.get("/health", headers={"Accept-Language": "en"}).content.decode()
    assert "<b>The meter at 192.168.1.50 requires a password.</b> Enter the meter&#x27;s" in english
    assert "<td>The meter at 192.168.1.50 is not responding.</td>" in english


def test_what_the_meter_says_of_itself_is_shown(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    values = {
        "power_w": 742.0,
        "voltage_a_v": 231.5,
        "voltage_b_v": 0.0,
        "voltage_c_v": 0.0,
        "energy_returned_counter_wh": 12.0,
    }
    at = int(now.timestamp()) // 10 * 10
    store.write([Row(site=site.pk, measurement="meter", device="AABBCCDDEEFF", at=at, values=values)])
    SourceState.objects.create(
        site=site,
        source="meter",
        last_success_at=now,
        report={
            "errors": ["database_error"],
            "phases": {"a": ["out_of_range:voltage"]},
            "clock_offset_s": 3661,
        },
    )
    page = text(reader)
    assert "The clock of the meter at 192.168.1.50 is 61 min ahead." in page
    assert "<dt>Phases not connected</dt><dd>B, C</dd>" in page
    faults = "its memory cannot be written; phase A: voltage out of range"
    assert f"<dt>Reported faults</dt><dd>{faults}</dd>" in page
    assert "<dt>Energy fed back</dt><dd>12 Wh</dd>" in page
    assert "<dt>Clock</dt><dd>61 min ahead</dd>" in page


def test_the_end_of_the_sign_in_is_shown_and_warned_of(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    fill(store, site, now - timedelta(minutes=20), now)
    SourceState.objects.create(
        site=site, source="heat_pump", last_success_at=now, login_ends_at=now + timedelta(days=13)
    )
    page = text(reader)
    assert "A source reports a fault" in page
    assert "The sign-in to the Viessmann cloud ends on 6 Dec 2026.</b> Enter the password again" in page
    assert "<dt>Sign-in ends</dt><dd>6 Dec 2026</dd>" in page


def test_the_calls_that_are_left_are_shown(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    for _ in range(5):
        ApiCall.objects.create(at=now - timedelta(hours=1), account="client", purpose="poll", host="api")
    assert "1,300 left; heatmon stops by itself at 1,305" in text(reader)


def test_a_job_of_the_workers_that_is_not_done_is_red(
    reader: Client, store: SqliteStore, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(site)
    assert "Not responding" not in text(reader)
    monkeypatch.setattr("apps.dashboard.pages.health.view.late_jobs", lambda _now: ["poll_power"])
    assert "Not responding: poll_power" in text(reader)


def test_what_backups_and_restores_keep_is_told_beside_the_data(
    reader: Client, store: SqliteStore, site: Site, settings: LazySettings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path / "data"
    for name, size_bytes in (("heatmon.sqlite3", 3072), ("before-restore-20261128/heatmon.sqlite3", 5120)):
        path = settings.DATA_DIR / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size_bytes))
    page = text_of(text(reader)).replace("\u00a0", " ")
    assert "All data, without backups 3.0 KB" in page
    assert "Kept from before a restore 5.0 KB" in page
