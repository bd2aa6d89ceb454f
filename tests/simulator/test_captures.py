"""The fakes answer in the shape of captured devices: the same keys, types, units."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.simulator.shelly_meter import MONOPHASE_KEYS, TRIPHASE_KEYS
from apps.simulator.shelly_rpc import MONOPHASE, TRIPHASE
from apps.simulator.shelly_server import FakeShelly
from apps.simulator.world import SimulatedWorld
from tests.captures import captures_dir

pytestmark = pytest.mark.captures


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    return {int: "number", float: "number", type(None): "null"}.get(type(value), type(value).__name__)


def shape(value: Any) -> Any:
    """Keys and kinds, down to the leaves; lists by their first element."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key != "available_updates"}
    return kind(value)


def by_name(answer: bytes) -> dict[str, dict[str, Any]]:
    return {feature["feature"]: feature for feature in json.loads(answer)["data"]}


def answered(world: SimulatedWorld, method: str, profile: str = TRIPHASE, query: str = "?id=0") -> Any:
    shelly = FakeShelly(world.house, profile=profile)
    return json.loads(shelly.handle("GET", f"/rpc/{method}{query}", {}, b"", world.clock.epoch()).body)


@pytest.mark.parametrize(
    ("method", "profile", "capture"),
    [
        ("Shelly.GetDeviceInfo", TRIPHASE, "device_info/pro3em_triphase_fw1.7.5.json"),
        ("Shelly.GetDeviceInfo", MONOPHASE, "device_info/pro3em_monophase_fw1.7.5.json"),
        ("EM.GetStatus", TRIPHASE, "em_getstatus/normal_fw1.6.1.json"),
        ("EMData.GetStatus", TRIPHASE, "emdata_getstatus/normal_fw1.6.1.json"),
        ("EM1.GetStatus", MONOPHASE, "em1_getstatus/monophase_id0_fw1.7.5.json"),
        ("EM1Data.GetStatus", MONOPHASE, "em1data_getstatus/monophase_id0_fw1.7.5_after_profile_switch.json"),
        ("EM.GetConfig", TRIPHASE, "config/em0_triphase_fw1.7.5.json"),
        ("Sys.GetStatus", TRIPHASE, "sys_getstatus/synced_fw1.6.1.json"),
        ("Shelly.GetStatus", TRIPHASE, "shelly_getstatus/pro3em_triphase_one_phase_used_fw1.7.5.json"),
    ],
)
def test_the_meter_answers_in_the_captured_shape(
    world: SimulatedWorld, method: str, profile: str, capture: str
) -> None:
    captured = json.loads((captures_dir("shelly") / capture).read_text(encoding="utf-8"))
    assert shape(answered(world, method, profile)) == shape(captured)


def test_the_monophase_status_has_the_captured_components(world: SimulatedWorld) -> None:
    name = "shelly_getstatus/pro3em_monophase_fw1.7.5_after_profile_switch.json"
    captured = json.loads((captures_dir("shelly") / name).read_text(encoding="utf-8"))
    assert set(answered(world, "Shelly.GetStatus", MONOPHASE)) == set(captured)


@pytest.mark.parametrize(
    ("keys", "capture"), [(TRIPHASE_KEYS, "emdata_keys.json"), (MONOPHASE_KEYS, "em1data_keys.json")]
)
def test_rows_have_the_documented_columns(keys: tuple[str, ...], capture: str) -> None:
    captured = json.loads((captures_dir("shelly") / "history" / capture).read_text(encoding="utf-8"))
    assert list(keys) == captured


def test_the_cloud_answers_with_the_features_of_a_cu401b(world: SimulatedWorld) -> None:
    path = captures_dir("viessmann") / "Vitocal300G_CU401B.json"
    captured = {
        feature["feature"]: feature for feature in json.loads(path.read_text(encoding="utf-8"))["data"]
    }
    told = {
        feature["feature"]: feature
        for feature in json.loads(world.cloud.features(world.clock.epoch()))["data"]
    }
    assert set(told) == set(captured)
    wrong = {}
    for name, feature in captured.items():
        ours = told[name]
        assert set(ours) == set(feature), name
        expected = {key: (prop.get("type"), prop.get("unit")) for key, prop in feature["properties"].items()}
        given = {key: (prop.get("type"), prop.get("unit")) for key, prop in ours["properties"].items()}
        if given != expected or ours["isEnabled"] != feature["isEnabled"]:
            wrong[name] = (given, expected)
    assert wrong == {}
