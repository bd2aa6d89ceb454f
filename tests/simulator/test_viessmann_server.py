"""The simulated cloud: login, quota, features as late and rounded as the real one."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import PyViCare.PyViCareAbstractOAuthManager as abstract_manager
import PyViCare.PyViCareOAuthManager as manager
import requests
from PyViCare.PyViCare import PyViCare

from apps.simulator.settings import DHW_TARGET
from apps.simulator.world import RunningWorld, SimulatedWorld

from .conftest import JANUARY

VERIFIER = "a-verifier-that-is-long-enough-for-the-proof-key"
REDIRECT = "vicare://oauth-callback/everest"


def log_in(world: SimulatedWorld, session: requests.Session, scope: str = "IoT offline_access") -> Any:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    answer = session.post(
        f"{world.cloud_iam_url}/authorize",
        params={
            "client_id": world.cloud.client_id,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": scope,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "state": "s1",
        },
        auth=(world.cloud.user, world.cloud.password),
        allow_redirects=False,
    )
    assert answer.status_code == 302
    target = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert target["state"] == ["s1"]
    form = {"grant_type": "authorization_code", "code": target["code"][0], "code_verifier": VERIFIER}
    return session.post(f"{world.cloud_iam_url}/token", data=form).json()


@pytest.fixture
def signed_in(world: SimulatedWorld, session: requests.Session) -> requests.Session:
    session.headers["Authorization"] = f"Bearer {log_in(world, session)['access_token']}"
    return session


def fetch(world: SimulatedWorld, session: requests.Session) -> dict[str, dict[str, Any]]:
    installation = session.get(f"{world.cloud_api_url}/equipment/installations?includeGateways=true").json()
    gateway = installation["data"][0]["gateways"][0]
    url = (
        f"{world.cloud_api_url}/features/installations/{installation['data'][0]['id']}"
        f"/gateways/{gateway['serial']}/devices/{gateway['devices'][1]['id']}/features/"
    )
    answer = session.get(url)
    assert answer.status_code == 200, answer.text
    return {feature["feature"]: feature for feature in answer.json()["data"]}


def test_the_gateway_comes_before_the_heat_pump(world: SimulatedWorld, signed_in: requests.Session) -> None:
    url = f"{world.cloud_api_url}/equipment/installations?includeGateways=true"
    devices = signed_in.get(url).json()["data"][0]["gateways"][0]["devices"]
    assert [device["deviceType"] for device in devices] == ["vitoconnect", "heating"]
    assert "type:heatpump" in devices[1]["roles"]


def test_values_are_rounded_and_stamped_with_their_last_change(
    world: SimulatedWorld, signed_in: requests.Session
) -> None:
    features = fetch(world, signed_in)
    outside = features["heating.sensors.temperature.outside"]
    value = outside["properties"]["value"]["value"]
    assert value == round(value, 1)
    assert abs(value - world.house.outside_c) < 0.3
    assert JANUARY.strftime("%Y-%m-%d") in outside["timestamp"]
    assert outside["timestamp"].endswith("Z") and len(outside["timestamp"]) == 24
    assert features["heating.compressors.0.power"]["properties"]["value"] == {
        "type": "number",
        "value": 12,
        "unit": "kilowatt",
    }
    assert features["heating.circuits.0"]["isEnabled"] is False
    assert features["heating.circuits.0"]["properties"] == {}


def test_a_phase_reaches_the_cloud_up_to_two_minutes_late_and_the_modulation_before_it() -> None:
    world = SimulatedWorld(3, JANUARY)
    at = JANUARY
    while not any(
        phase == "heating" and when > JANUARY.timestamp() for when, phase in world.house.events["phase"]
    ):
        at += timedelta(seconds=10)
        world.advance_to(at)
    started = at.timestamp()
    seen: dict[str, float] = {}
    for second in range(0, 150):
        world.advance_to(at + timedelta(seconds=second))
        features = world.cloud.view.refresh(started + second)
        if features["heating.compressors.0"][0]["active"]["value"]:
            seen.setdefault("active", second)
        if features["heating.compressors.0.sensors.power"][0]["value"]["value"]:
            seen.setdefault("modulation", second)
    assert 10 <= seen["active"] <= 121
    assert 2 <= seen["modulation"] < seen["active"]


def test_a_changed_setting_appears_a_little_later_with_the_time_of_the_change(
    world: SimulatedWorld, signed_in: requests.Session
) -> None:
    changed_at = world.house.t + 60
    world.house.change_setting(changed_at, DHW_TARGET, 47)
    name = "heating.dhw.temperature.main"
    world.advance_to(world.start + timedelta(seconds=changed_at + 5 - world.house.log.start))
    assert fetch(world, signed_in)[name]["properties"]["value"]["value"] == 50
    world.advance_to(world.start + timedelta(seconds=changed_at + 80 - world.house.log.start))
    after = fetch(world, signed_in)[name]
    assert after["properties"]["value"]["value"] == 47
    assert after["timestamp"] == "2026-01-12T07:08:30.000Z"


def test_tokens_live_an_hour_of_virtual_time_and_are_refreshed(
    world: SimulatedWorld, session: requests.Session
) -> None:
    token = log_in(world, session)
    assert token["expires_in"] == 3600
    url = f"{world.cloud_api_url}/equipment/installations"
    session.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert session.get(url).status_code == 200
    world.advance_to(JANUARY + timedelta(hours=8, minutes=8))
    assert session.get(url).json() == {"error": "EXPIRED TOKEN"}
    form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    fresh = session.post(f"{world.cloud_iam_url}/token", data=form).json()
    session.headers["Authorization"] = f"Bearer {fresh['access_token']}"
    assert session.get(url).status_code == 200


def test_without_offline_access_there_is_no_refresh_token(
    world: SimulatedWorld, session: requests.Session
) -> None:
    assert "refresh_token" not in log_in(world, session, "IoT User")


def test_a_wrong_password_or_client_gets_no_code(world: SimulatedWorld, session: requests.Session) -> None:
    url = f"{world.cloud_iam_url}/authorize"
    params = {"client_id": world.cloud.client_id, "redirect_uri": REDIRECT}
    wrong = session.post(url, params=params, auth=(world.cloud.user, "x"), allow_redirects=False)
    assert "Location" not in wrong.headers
    params["client_id"] = "unknown"
    client = session.post(url, params=params, auth=(world.cloud.user, "x"), allow_redirects=False)
    assert (client.status_code, client.json()["error"]) == (401, "invalid_client")


def test_beyond_120_calls_in_ten_minutes_the_cloud_refuses(
    world: SimulatedWorld, signed_in: requests.Session
) -> None:
    url = f"{world.cloud_api_url}/equipment/installations"
    codes = [signed_in.get(url).status_code for _ in range(121)]
    assert codes == [200] * 120 + [429]
    refusal = signed_in.get(url).json()
    assert refusal["errorType"] == "RATE_LIMIT_EXCEEDED"
    assert refusal["extendedPayload"]["limitReset"] == int((world.clock.epoch() + 600) * 1000)


def test_the_daily_limit_ends_at_midnight_of_utc(world: SimulatedWorld, signed_in: requests.Session) -> None:
    world.cloud.daily_limit = 3
    url = f"{world.cloud_api_url}/equipment/installations"
    assert [signed_in.get(url).status_code for _ in range(4)] == [200, 200, 200, 429]
    payload = signed_in.get(url).json()["extendedPayload"]
    assert payload["requestCountLimit"] == 3
    assert payload["limitReset"] == int((JANUARY + timedelta(days=1)).timestamp() * 1000)
    assert world.truth.calls_total == 7
    assert world.truth.max_calls_utc_day() == 7


def test_only_what_changed_is_written_anew_but_the_answer_is_whole(world: SimulatedWorld) -> None:
    first = json.loads(world.cloud.features(world.clock.epoch()))["data"]
    world.advance_to(JANUARY + timedelta(hours=7, minutes=12))
    second = json.loads(world.cloud.features(world.clock.epoch()))["data"]
    assert [feature["feature"] for feature in first] == [feature["feature"] for feature in second]
    changed = sum(one != other for one, other in zip(first, second, strict=True))
    assert 0 < changed < 40


@pytest.fixture
def running(world: SimulatedWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningWorld]:
    with world.serve() as served:
        monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        monkeypatch.setattr(abstract_manager, "API_BASE_URL", served.cloud_api_url)
        monkeypatch.setattr(manager, "AUTHORIZE_URL", f"{served.cloud_iam_url}/authorize")
        monkeypatch.setattr(manager, "TOKEN_URL", f"{served.cloud_iam_url}/token")
        yield served


def test_pyvicare_reads_the_simulated_pump_over_real_http(
    world: SimulatedWorld, running: RunningWorld, tmp_path: Path
) -> None:
    account = PyViCare()
    cloud = world.cloud
    account.initWithCredentials(cloud.user, cloud.password, cloud.client_id, str(tmp_path / "token"))
    pump = account.devices[1].asHeatPump()
    circuit, compressor = pump.circuits[0], pump.compressors[0]
    assert circuit.id == "1"
    assert compressor.getPower() == 12
    assert 0 <= compressor.getModulation() <= 100
    assert compressor.getPhase() in {"off", "preparing", "heating", "pause"}
    assert abs(pump.getOutsideTemperature() - world.house.outside_c) < 0.3
    assert 15 < pump.getReturnTemperature() < 60
    assert 15 < pump.getSupplyTemperatureSecondaryCircuit() < 65
    assert 15 < circuit.getSupplyTemperature() < 50
    assert circuit.getHeatingCurveSlope() == 0.6
    assert circuit.getDesiredTemperatureForProgram("normal") == 21
    assert circuit.getHeatingSchedule()["mon"][1] == {
        "start": "05:30",
        "end": "22:00",
        "mode": "normal",
        "position": 1,
    }
    assert pump.getDomesticHotWaterConfiguredTemperature() == 50
    assert 38 < pump.getDomesticHotWaterStorageTemperature() < 62
    assert pump.getDomesticHotWaterCirculationPumpActive() in {True, False}
    assert len(pump.getDomesticHotWaterCirculationSchedule()["mon"]) == 2
    assert pump.getDomesticHotWaterChargingActive() in {True, False}
    account.oauth_manager.oauth_session.close()
