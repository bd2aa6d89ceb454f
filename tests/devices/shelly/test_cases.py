"""Meters of other people that heatmon once refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.devices import connection
from apps.devices.errors import WrongDevice
from apps.devices.shelly.client import ShellyClient
from apps.devices.shelly.parse import profile_of
from tests.captures import captures_dir

from .meters import InProcess, Reply, clock, session_with
from .payloads import payload


def meter(info: dict[str, Any], status: dict[str, Any]) -> InProcess:
    answers = {"/shelly": Reply(info), "/rpc/Shelly.GetStatus": Reply(status)}
    return InProcess(lambda path, query: answers[path])


def client(adapter: InProcess) -> ShellyClient:
    return ShellyClient("http://meter.test", clock=clock, session=session_with(adapter))


def test_a_one_channel_meter_of_the_fourth_generation_passes_setup() -> None:
    folder = captures_dir("cases") / "02_gen4_meter"
    adapter = meter(
        json.loads((folder / "shelly.json").read_text(encoding="utf-8")),
        json.loads((folder / "Shelly.GetStatus.json").read_text(encoding="utf-8")),
    )
    identity = client(adapter).identify()
    assert (identity.mac, identity.profile, identity.generation) == ("ABCDEF123456", "monophase", 4)
    reading = client(adapter).get_status()
    assert (reading.profile, reading.power_w, reading.energy_counter_wh) == ("monophase", 941.6, 12345.67)
    report = connection.test_meter("http://meter.test", None, clock, session_with(adapter))
    assert (report.ok, report.title) == (True, "S4EM-001CXCEU63, monophase, firmware 1.8.99; 942 W now")


def test_a_pro_3em_that_names_no_profile_is_asked_for_its_components() -> None:
    info = {**payload("device_info"), "model": "SPEM-003CEBEU400"}
    del info["profile"]
    adapter = meter(info, payload("status_triphase"))
    assert client(adapter).identify().profile == "triphase"
    assert [path for path, _query in adapter.asked] == ["/shelly", "/rpc/Shelly.GetStatus"]


def test_a_meter_of_a_make_to_come_is_a_meter_by_what_it_can() -> None:
    info = {"mac": "ABCDEF123456", "model": "S9XX-001", "gen": 9, "ver": "5.0.0"}
    adapter = meter(info, payload("status_monophase"))
    assert client(adapter).identify().profile == "monophase"
    assert connection.model_name("S9XX-001") == "S9XX-001"


@pytest.mark.parametrize(
    ("components", "profile"),
    [
        (["em:0", "emdata:0"], "triphase"),
        (["em:0"], "triphase"),
        (["emdata:0"], "triphase"),
        (["em1:0", "em1data:0"], "monophase"),
        (["em1:2"], "monophase"),
        (["em1data:1"], "monophase"),
        (["em:0", "em1:0"], "triphase"),
        (["switch:0", "pm1:0"], None),
    ],
)
def test_any_component_of_a_meter_makes_one(components: list[str], profile: str | None) -> None:
    assert profile_of({name: {} for name in (*components, "sys")}) == profile


def test_a_plug_has_no_energy_meter() -> None:
    adapter = meter(payload("device_info_plug"), {"switch:0": {"apower": 12.0}, "sys": {}})
    with pytest.raises(WrongDevice) as refused:
        client(adapter).identify()
    assert refused.value.code == "shelly_without_meter"
