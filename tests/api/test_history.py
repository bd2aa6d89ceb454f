"""``GET /api/history``."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.api import history as history_module
from apps.devices.models import Site
from apps.metrics.store.front import Store
from tests.dashboard.house import fill, set_up

HOUR = "from=2026-11-23T13:00:00%2B01:00&to=2026-11-23T14:00:00%2B01:00"


@pytest.fixture
def filled(reader: Client, store: Store, site: Site, now: datetime) -> Client:
    set_up(site)
    fill(store, site, now - timedelta(hours=3), now)
    return reader


def test_steps_begin_on_the_utc_grid_and_carry_their_units(filled: Client) -> None:
    body = filled.get(f"/api/history?series=outside_temperature_c,cop&{HOUR}").json()
    assert (body["from"], body["to"]) == ("2026-11-23T13:00:00+01:00", "2026-11-23T14:00:00+01:00")
    assert body["step_s"] == 300
    line = body["series"]["cop"]
    assert list(line) == ["unit", "time", "mean", "min", "max"]
    assert line["time"] == list(range(1795435200, 1795435200 + 3600, 300))
    assert body["series"]["outside_temperature_c"]["unit"] == "°C"


def test_a_blank_where_plus_was_is_understood(filled: Client) -> None:
    query = "series=cop&from=2026-11-23T13:00:00 01:00&to=2026-11-23T14:00:00 01:00"
    assert filled.get(f"/api/history?{query}").json()["from"] == "2026-11-23T13:00:00+01:00"


def test_steps_without_data_are_null(filled: Client) -> None:
    query = "series=cop&from=2026-11-22T00:00:00Z&to=2026-11-22T01:00:00Z"
    assert filled.get(f"/api/history?{query}").json()["series"]["cop"]["mean"] == [None] * 12


def test_never_more_points_than_asked_for(filled: Client) -> None:
    query = "series=power_w&from=2016-01-01T00:00:00Z&to=2026-11-23T12:00:00Z&points=100"
    body = filled.get(f"/api/history?{query}").json()
    assert 50 < len(body["series"]["power_w"]["time"]) <= 100


def test_csv_is_a_download_named_after_its_days_with_the_same_numbers(filled: Client) -> None:
    answer = filled.get(f"/api/history?series=cop,outside_temperature_c&{HOUR}&format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="heatmon-demo-2026-11-23-2026-11-23.csv"'
    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    points = filled.get(f"/api/history?series=cop,outside_temperature_c&{HOUR}").json()["series"]
    assert len(rows) == 12
    assert rows[0]["time"] == "2026-11-23T13:00:00+01:00"
    assert [float(row["outside_temperature_c"]) for row in rows] == points["outside_temperature_c"]["mean"]


def test_the_fifth_reader_at_once_is_sent_away(filled: Client) -> None:
    for _ in range(4):
        assert history_module._places.acquire(blocking=False)
    try:
        answer = filled.get(f"/api/history?series=cop&{HOUR}")
    finally:
        for _ in range(4):
            history_module._places.release()
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many")
    assert filled.get(f"/api/history?series=cop&{HOUR}").status_code == 200


def test_a_refused_question_gives_its_place_back(filled: Client) -> None:
    for _ in range(6):
        assert filled.get(f"/api/history?series=nothing&{HOUR}").status_code == 400
    assert filled.get(f"/api/history?series=cop&{HOUR}").status_code == 200


def test_a_signed_in_chart_costs_four_queries(  # type: ignore[no-untyped-def]
    client: Client, store: Store, site: Site, now: datetime, django_assert_num_queries
) -> None:
    client.force_login(User.objects.create_superuser("anna"))
    client.get(f"/api/history?series=power_w&{HOUR}")
    with django_assert_num_queries(4):  # user, site, its options and version; the session is cached
        assert client.get(f"/api/history?series=power_w&{HOUR}").status_code == 200
