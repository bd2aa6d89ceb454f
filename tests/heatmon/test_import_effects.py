"""Fortnights imported from files around one change give a verdict for that past period."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.changelog.models import Entry
from apps.devices import clock
from apps.devices.options import home_options
from apps.effects.effects import effect_of
from apps.metrics.home import Home as NumbersHome
from apps.simulator.settings import SLOPE
from tests.factories import Home

from .importing import run

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
FIRST = datetime(2025, 12, 12, 23, tzinfo=UTC)
"""Midnight in Berlin."""
DAYS = 30
CHANGE = FIRST + 15 * DAY - timedelta(hours=5)
SAVES = 0.75
OUTSIDE = "heating.sensors.temperature.outside"
SENSOR = "heating.buffer.sensors.temperature.main"
KEPT = ("heating.circuits", "heating.compressors.0", SENSOR)


@pytest.fixture(autouse=True)
def soon_after() -> Iterator[None]:
    with clock.fixed(FIRST + (DAYS + 1) * DAY):
        yield


def outside_c(number: int) -> float:
    return round(3.0 + random.Random(number).gauss(0, 3), 1)


def wh_a_minute(at: datetime) -> float:
    """A steady house: what a day needs at its temperature, a quarter less after the change."""
    number = (at - FIRST) // DAY
    kwh = (4.0 + 1.1 * (15.0 - outside_c(number))) * (1 + random.Random(-number).gauss(0, 0.02))
    return kwh * 1000 / 1440 * (SAVES if at > CHANGE else 1.0)


def meter_file(home: Home) -> Path:
    """The meter's own export: its header and one of its rows, with other times and energies."""
    session = requests.Session()
    session.mount("http://", home.world.adapter())
    home.move(minutes=5)
    stamp = int(home.at.timestamp()) // 60 * 60 - 120
    url = f"{home.world.meter_url}/emdata/0/data.csv?add_keys=true&ts={stamp}&end_ts={stamp}"
    header, row = session.get(url).text.split()[:2]
    keys, values = header.split(","), row.split(",")
    energies = [place for place, key in enumerate(keys) if key.endswith("total_act_energy")]
    lines = [header]
    for number in range(DAYS * 1440):
        at = FIRST + number * timedelta(minutes=1)
        values[0] = str(int(at.timestamp()))
        for place in energies:
            values[place] = f"{wh_a_minute(at) / len(energies):.4f}"
        lines.append(",".join(values))
    path = home.folder / "meter.csv"
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


def answers_file(home: Home) -> Path:
    """Answers every five minutes; the slope is another one from the change on."""
    home.move(minutes=30)  # until every sensor has reported
    before = answer(home)
    home.world.house.change_setting(int(home.at.timestamp()) + 60, SLOPE, 0.5)
    home.move(minutes=10)
    after = answer(home)
    lines = []
    for number in range(DAYS * 288):
        at = FIRST + number * timedelta(minutes=5) + timedelta(seconds=150)
        payload = after if at > CHANGE else before
        lines.append(json.dumps({"at": at.isoformat(), "payload": at_time(payload, at)}))
    path = home.folder / "answers.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def answer(home: Home) -> dict[str, Any]:
    """What the cloud says now, of the few features that matter here."""
    found: dict[str, Any] = json.loads(home.world.cloud.features(home.at.timestamp()))
    kept = [each for each in found["data"] if each["feature"].startswith(KEPT)]
    template = next(each for each in kept if each["feature"] == SENSOR)
    return {"data": [*kept, {**template, "feature": OUTSIDE, "uri": ""}]}


def at_time(payload: dict[str, Any], at: datetime) -> dict[str, Any]:
    stamp = (at - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    features = [{**each, "timestamp": stamp} for each in payload["data"]]
    for each in features:
        if each["feature"] == OUTSIDE:
            value = {**each["properties"]["value"], "value": outside_c((at - FIRST) // DAY)}
            each["properties"] = {**each["properties"], "value": value}
    return {"data": features}


def test_imported_fortnights_have_a_verdict(home: Home) -> None:
    run("import_features", answers_file(home))
    run("import_meter", meter_file(home))
    (entry,) = Entry.objects.filter(kind=Entry.Kind.SETTING)
    assert abs(entry.at - CHANGE) < timedelta(minutes=10)
    numbers = NumbersHome(
        site=home.site, options=home_options(home.site), store=home.store, at=FIRST + (DAYS + 1) * DAY
    )
    found = effect_of(numbers, entry).verdict
    assert (found.state, found.before.valid_days, found.after.valid_days) == ("found", 14, 14)
    assert (found.target, found.leads) == ("total", "efficiency")
    assert found.electricity is not None
    assert found.electricity.percent == pytest.approx(-25.0, abs=2.5)
