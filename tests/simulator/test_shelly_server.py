"""The simulated meter: protocol, counters, history, login."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
import requests
from requests.auth import HTTPDigestAuth

from apps.simulator.digest import MODES
from apps.simulator.minutes import METER
from apps.simulator.shelly_rpc import MONOPHASE
from apps.simulator.shelly_server import FakeShelly
from apps.simulator.world import SimulatedWorld

from .conftest import JANUARY


def call(session: requests.Session, world: SimulatedWorld, method: str, **params: Any) -> Any:
    answer = session.get(f"{world.meter_url}/rpc/{method}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def secured(mode: str) -> tuple[SimulatedWorld, requests.Session]:
    world = SimulatedWorld(3, JANUARY, auth=mode)
    world.advance_to(JANUARY + timedelta(minutes=10))
    session = requests.Session()
    session.mount("http://", world.adapter())
    session.auth = HTTPDigestAuth("admin", world.meter_password)
    return world, session


def test_the_counter_stands_between_full_minutes_and_steps_by_the_minutes_energy(
    world: SimulatedWorld, session: requests.Session
) -> None:
    seen = []
    for _ in range(12):
        world.advance_to(world.clock.now() + timedelta(seconds=10))
        seen.append(call(session, world, "EMData.GetStatus", id=0)["total_act"])
    assert len(set(seen)) == 3
    row = world.truth.minute_energies_wh(JANUARY, JANUARY + timedelta(hours=7, minutes=9))[-1]
    assert seen[-1] - seen[-7] == pytest.approx(row, abs=0.02)


def test_a_poll_at_the_full_minute_still_shows_the_counter_of_the_one_before(world: SimulatedWorld) -> None:
    edge = (JANUARY + timedelta(hours=7, minutes=8)).timestamp()
    world.house.advance_to(edge + 1)
    before = world.shelly.meter.counters(edge - 1)
    assert world.shelly.meter.counters(edge) == before
    assert world.shelly.meter.counters(edge + 0.3) != before


def test_the_counter_is_the_sum_of_the_rows(world: SimulatedWorld, session: requests.Session) -> None:
    start = world.house.log.start
    spec_sum = sum(world.house.spec.counters_wh)
    text = session.get(f"{world.meter_url}/emdata/0/data.csv", params={"ts": start, "end_ts": start + 10_000})
    rows = list(csv.DictReader(io.StringIO(text.text)))
    end = start + 60 * len(rows)
    energy = sum(float(row[f"{phase}_total_act_energy"]) for row in rows for phase in "abc")
    counter = sum(world.shelly.meter.counters(end + 1)[:3]) / 10_000
    assert len(rows) == 167
    assert counter == pytest.approx(spec_sum + energy, abs=0.03)


def test_history_comes_in_pages_of_six_rows(world: SimulatedWorld, session: requests.Session) -> None:
    start = world.house.log.start
    page = call(session, world, "EMData.GetData", id=0, ts=start, end_ts=start + 600)
    assert len(page["keys"]) == 51
    assert page["data"][0]["ts"] == start
    assert page["data"][0]["period"] == 60
    assert [len(block["values"]) for block in page["data"]] == [6]
    assert page["next_record_ts"] == start + 360
    last = call(session, world, "EMData.GetData", id=0, ts=start + 360, end_ts=start + 600)
    assert [len(block["values"]) for block in last["data"]] == [5]
    assert "next_record_ts" not in last


def test_a_power_cut_leaves_a_hole_in_rows_and_counter(
    world: SimulatedWorld, session: requests.Session
) -> None:
    start = world.house.log.start
    full = sum(world.shelly.meter.counters(world.house.t))
    world.shelly.power_cut(start + 600, start + 900)
    records = call(session, world, "EMData.GetRecords", id=0, ts=0)["data_blocks"]
    assert [(block["ts"], block["records"]) for block in records] == [(start, 10), (start + 900, 412)]
    lost = sum(world.house.log.energies("import_a", 10, 15)) + sum(
        world.house.log.energies("import_b", 10, 15)
    )
    lost += sum(world.house.log.energies("import_c", 10, 15))
    assert full - sum(world.shelly.meter.counters(world.house.t)) == lost
    page = call(session, world, "EMData.GetData", id=0, ts=start + 480, end_ts=start + 1200)
    assert [(block["ts"], len(block["values"])) for block in page["data"]] == [
        (start + 480, 2),
        (start + 900, 4),
    ]


def test_reset_counters_start_from_zero_and_rows_stay(
    world: SimulatedWorld, session: requests.Session
) -> None:
    call(session, world, "EMData.ResetCounters", id=0)
    assert call(session, world, "EMData.GetStatus", id=0)["total_act"] == 0.0
    assert call(session, world, "EMData.GetRecords", id=0, ts=0)["data_blocks"][0]["records"] == 427
    world.advance_to(JANUARY + timedelta(hours=7, minutes=9, seconds=10))
    grown = call(session, world, "EMData.GetStatus", id=0)["total_act"]
    rows = world.truth.minute_energies_wh(JANUARY, JANUARY + timedelta(hours=7, minutes=9))
    assert grown == pytest.approx(rows[-1] + rows[-2], abs=0.02)


def test_net_energies_are_sums_of_minutes(world: SimulatedWorld, session: requests.Session) -> None:
    start = world.house.log.start
    answer = call(session, world, "EMData.GetNetEnergies", id=0, ts=start, period=300)
    assert answer["keys"] == ["a_net_act_energy", "b_net_act_energy", "c_net_act_energy"]
    first = answer["data"][0]["values"][0]
    assert first[0] == pytest.approx(sum(world.house.log.energies("import_a", 0, 5)) / 10_000, abs=1e-4)


def test_rows_older_than_the_retention_are_gone(world: SimulatedWorld, session: requests.Session) -> None:
    world.shelly.meter.retention_s = 3600
    blocks = call(session, world, "EMData.GetRecords", id=0, ts=0)["data_blocks"]
    assert [block["records"] for block in blocks] == [60]


def test_a_meter_that_forgets_keeps_its_counter(world: SimulatedWorld) -> None:
    shelly = FakeShelly(world.house, forgets=True)
    start = world.house.log.start
    shelly.meter.retention_s = 86_400
    shelly.power_cut(start + 600, start + 900)
    world.house.advance_to(start + 2 * 86_400)
    before = shelly.meter.counters(start + 2 * 86_400 + 1)
    world.house.advance_to(start + 3 * 86_400 + 120)
    shelly.handle("GET", "/shelly", {}, b"", start + 3 * 86_400 + 121)
    log = world.house.log
    assert log.start == start + 86_400 + 120
    first = log.index(start + 2 * 86_400)
    now = shelly.meter.counters(start + 3 * 86_400 + 121)
    grown = [late - early for late, early in zip(now, before, strict=True)]
    assert grown == [sum(log.energies(name, first)) for name in METER]


def test_the_clock_is_unknown_just_after_a_boot(world: SimulatedWorld, session: requests.Session) -> None:
    world.shelly.reboot(world.clock.epoch() - 5)
    status = call(session, world, "Sys.GetStatus")
    assert (status["unixtime"], status["time"], status["last_sync_ts"]) == (None, None, None)
    assert status["uptime"] <= 6


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("EM.GetStatus", 500, {"code": -103, "message": "Missing required 'id'"}),
        ("EM.GetStatus?id=7", 500, {"code": -105, "message": "Bad id=7"}),
        ("EM1.GetStatus?id=0", 404, {"code": 404, "message": "No handler for EM1.GetStatus"}),
    ],
)
def test_wrong_calls_are_refused_as_the_device_does(
    world: SimulatedWorld, session: requests.Session, path: str, status: int, body: dict[str, Any]
) -> None:
    answer = session.get(f"{world.meter_url}/rpc/{path}")
    assert (answer.status_code, answer.json()) == (status, body)


def test_a_posted_frame_is_answered_by_a_frame(world: SimulatedWorld, session: requests.Session) -> None:
    frame = {"id": 5, "src": "tester", "method": "EM.GetStatus", "params": {"id": 0}}
    answer = session.post(f"{world.meter_url}/rpc", json=frame).json()
    assert (answer["id"], answer["src"], answer["dst"]) == (5, "shellypro3em-a0b1c2d3e4f5", "tester")
    assert answer["result"]["id"] == 0
    frame["params"] = {}
    error = session.post(f"{world.meter_url}/rpc", json=frame).json()["error"]
    assert error == {"code": -103, "message": "Missing required 'id'"}


def test_the_monophase_profile_has_three_channels_and_counters_of_its_own() -> None:
    world = SimulatedWorld(3, JANUARY)
    world.advance_to(JANUARY + timedelta(minutes=30))
    session = requests.Session()
    session.mount("http://", world.adapter())
    before = call(session, world, "EMData.GetStatus", id=0)["a_total_act_energy"]
    world.shelly.switch_profile(world.clock.epoch())
    assert world.shelly.profile == MONOPHASE
    world.advance_to(JANUARY + timedelta(minutes=32, seconds=10))
    status = call(session, world, "Shelly.GetStatus")
    assert "em:0" not in status
    assert 0.0 < status["em1data:0"]["total_act_energy"] < 100.0
    data = call(session, world, "EM1Data.GetData", id=2, ts=world.house.log.start + 1800)
    assert len(data["keys"]) == len(data["data"][0]["values"][0]) == 14
    world.shelly.switch_profile(world.clock.epoch())
    world.advance_to(JANUARY + timedelta(minutes=32, seconds=30))
    assert call(session, world, "EMData.GetStatus", id=0)["a_total_act_energy"] == before


def test_the_csv_export_takes_its_time_and_breaks_beyond_six_hours(
    world: SimulatedWorld, session: requests.Session
) -> None:
    start = world.house.log.start
    url = f"{world.meter_url}/emdata/0/data.csv"
    with pytest.raises(requests.ReadTimeout):
        session.get(url, params={"ts": start, "end_ts": start + 3600}, timeout=0.5)
    assert session.get(url, params={"ts": start, "end_ts": start + 3540}, timeout=2).text.count("\n") == 61
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        session.get(url, params={"ts": start, "end_ts": start + 7 * 3600}, timeout=60)


@pytest.mark.parametrize("mode", MODES)
def test_requests_logs_in_by_digest(mode: str) -> None:
    world, session = secured(mode)
    for _ in range(5):
        call(session, world, "Shelly.GetStatus")
    assert world.shelly.login.refusals == (0 if mode == "off" else 1)
    info = requests.Session()
    info.mount("http://", world.adapter())
    assert info.get(f"{world.meter_url}/shelly").json()["auth_en"] is (mode != "off")
    expected = 200 if mode == "off" else 401
    assert info.get(f"{world.meter_url}/rpc/Shelly.GetStatus").status_code == expected


@pytest.mark.parametrize("mode", ["1.x", "2.0.0"])
def test_a_wrong_password_is_refused(mode: str) -> None:
    world, session = secured(mode)
    session.auth = HTTPDigestAuth("admin", "wrong")
    assert session.get(f"{world.meter_url}/rpc/Shelly.GetStatus").status_code == 401


def test_an_expired_nonce_is_renewed_without_the_caller_noticing() -> None:
    world, session = secured("2.0.0")
    call(session, world, "Shelly.GetStatus")
    world.advance_to(JANUARY + timedelta(hours=2))
    call(session, world, "Shelly.GetStatus")
    assert world.shelly.login.refusals == 2


def test_a_full_nonce_table_locks_an_old_login_out_until_it_begins_afresh() -> None:
    world, session = secured("2.0.0")
    call(session, world, "Shelly.GetStatus")
    for _ in range(32):
        session.get(
            f"{world.meter_url}/rpc/Shelly.GetStatus", auth=HTTPDigestAuth("admin", world.meter_password)
        )
    url = f"{world.meter_url}/rpc/Shelly.GetStatus"
    assert [session.get(url).status_code for _ in range(3)] == [429, 429, 429]
    session.auth = HTTPDigestAuth("admin", world.meter_password)
    assert session.get(url).status_code == 200


def test_calls_are_counted_by_method(world: SimulatedWorld, session: requests.Session) -> None:
    call(session, world, "Shelly.GetStatus")
    call(session, world, "Shelly.GetStatus")
    assert world.shelly.calls["Shelly.GetStatus"] == 2
    assert world.shelly.overlaps == 0
