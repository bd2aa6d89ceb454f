"""What is kept of a device beside its values: model, firmware, faults, and a clock that is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from apps.devices.models import Device, HistoryGap, SourceState
from apps.devices.readings import PhaseReading, PowerReading
from apps.simulator.wire import Answer, json_answer
from heatmon import jobs
from heatmon.device_care import note_clock
from heatmon.source_states import warn_of_login
from tests.factories import JANUARY, METER_MAC, Home

from .conftest import MakeHome

MINUTE = timedelta(minutes=1)


class MeterClock:
    """Set before the simulated meter: its own time, and so the labels of its rows, are ``offset_s`` off."""

    def __init__(self, home: Home) -> None:
        self.offset_s = 0
        self.history_asked_from: list[datetime] = []
        self._inner = home.world.meter_handler.handler
        home.world.meter_handler.handler = self._handle

    def _handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        if "end_ts" in query:
            self.history_asked_from.append(datetime.fromtimestamp(int(query["ts"]), UTC))
            for name in ("ts", "end_ts"):
                query[name] = str(int(query[name]) - self.offset_s)
        asked = f"{parts.path}?{urlencode(query)}" if query else parts.path
        answer = self._inner(method, asked, headers, body, at)
        return self._shifted(parts.path, answer) if self.offset_s and answer.status == 200 else answer

    def _shifted(self, path: str, answer: Answer) -> Answer:
        if path.endswith(".csv"):
            return answer._replace(body=b"\r\n".join(map(self._line, answer.body.split(b"\r\n"))))
        content = json.loads(answer.body)
        for clock in (content, content.get("sys", {})):
            if clock.get("unixtime"):
                clock["unixtime"] += self.offset_s
        for block in content.get("data", ()):
            block["ts"] += self.offset_s
        return json_answer(answer.status, content)

    def _line(self, line: bytes) -> bytes:
        time, comma, rest = line.partition(b",")
        return str(int(time) + self.offset_s).encode() + comma + rest if time.isdigit() else line


def stored_wh(home: Home, end: datetime) -> list[float | None]:
    return home.minute_energies_wh(JANUARY + MINUTE, end)


def true_wh_at(home: Home, at_s: int) -> float | None:
    """The energy of one minute; None before and after what the meter can have measured."""
    at = datetime.fromtimestamp(at_s, UTC)
    energies = home.world.truth.minute_energies_wh(at, at + MINUTE) if at < home.at else []
    return energies[0] if energies else None


def true_wh(home: Home, end: datetime) -> list[float]:
    return home.world.truth.minute_energies_wh(JANUARY + MINUTE, end)


@pytest.mark.parametrize(
    "offset_s", [3600, *(pytest.param(each, marks=pytest.mark.slow) for each in (-3600, -86_400, 61))]
)
def test_a_wrong_clock_of_the_meter_files_no_minute_under_a_wrong_time(
    make_home: MakeHome, offset_s: int
) -> None:
    home = make_home(remembers_h=2)
    clock = MeterClock(home)
    home.run(minutes=10)
    home.move(minutes=40)
    clock.offset_s = offset_s
    went_wrong = home.at
    home.run(minutes=90)
    begin, end = JANUARY - timedelta(days=2), home.at + timedelta(days=1)
    wrong = [
        row.at
        for row in home.rows("meter_minute", begin, end)
        if row.values["energy_wh"] != pytest.approx(true_wh_at(home, row.at), abs=0.02)
    ]
    assert wrong == []
    assert len(home.rows("meter_minute", went_wrong + MINUTE, home.at)) >= 88
    assert home.device("meter").clock_wrong_since == went_wrong
    assert home.state("meter").report["clock_offset_s"] == offset_s


@pytest.mark.slow
def test_of_a_clock_that_is_right_again_only_rows_since_then_are_fetched(home: Home) -> None:
    clock = MeterClock(home)
    home.run(minutes=10)
    clock.offset_s = 3600
    home.run(minutes=60)
    clock.offset_s, clock.history_asked_from = 0, []
    right_at = home.at
    home.run(minutes=80)
    device = home.device("meter")
    assert (device.clock_wrong_since, device.history_from) == (None, right_at)
    assert min(clock.history_asked_from) == right_at
    end = home.at - 2 * MINUTE
    assert stored_wh(home, end) == pytest.approx(true_wh(home, end), abs=0.02)
    assert set(HistoryGap.objects.values_list("state", "reason")) <= {("filled", "")}


@pytest.mark.slow
def test_a_gap_from_before_the_clock_was_set_right_says_why_it_stays(home: Home) -> None:
    clock = MeterClock(home)
    home.run(minutes=10)
    home.move(minutes=60)  # nobody polls, and the clock goes wrong meanwhile
    clock.offset_s = 3600
    home.run(minutes=20)
    clock.offset_s = 0
    home.run(hours=2)
    reasons = set(HistoryGap.objects.filter(state="lost").values_list("reason", flat=True))
    assert reasons <= {"clock_was_wrong"}


def reading(at: datetime, offset_s: float, uptime_s: int) -> PowerReading:
    phase = PhaseReading(power_w=10.0, voltage_v=230.0)
    return PowerReading(
        measured_at=at,
        device=METER_MAC,
        profile="triphase",
        phases=(phase, phase, phase),
        clock_offset_s=offset_s,
        uptime_s=uptime_s,
    )


@pytest.fixture
def meter(home: Home) -> Device:
    home.call("poll_power")
    return home.device("meter")


def test_a_jump_of_our_own_clock_costs_no_row_of_the_meter(meter: Device) -> None:
    a_day = timedelta(days=1)
    assert note_clock(meter, reading(JANUARY + a_day, -86_400.0, 5000))
    assert meter.clock_wrong_since == JANUARY + a_day
    assert not note_clock(meter, reading(JANUARY + a_day + MINUTE, -86_400.0, 5060))
    assert note_clock(meter, reading(JANUARY + 2 * MINUTE, 0.3, 5120))
    kept = Device.objects.get(pk=meter.pk)
    assert (kept.clock_wrong_since, kept.history_from) == (None, None)


def test_a_meter_that_restarted_with_a_right_clock_is_believed_from_the_next_minute_on(meter: Device) -> None:
    note_clock(meter, reading(JANUARY, 3600.0, 5000))
    note_clock(meter, reading(JANUARY + timedelta(seconds=70), 0.3, 30))
    meter.refresh_from_db()
    assert meter.history_from == JANUARY + 2 * MINUTE


def test_a_clock_that_is_not_known_is_neither_right_nor_wrong(meter: Device) -> None:
    unknown = replace(reading(JANUARY, 0.0, 5), clock_offset_s=None)
    assert not note_clock(meter, unknown)
    note_clock(meter, reading(JANUARY, 3600.0, 5000))
    assert not note_clock(meter, unknown)
    assert meter.clock_wrong_since == JANUARY


def test_model_and_firmware_of_the_meter_are_written_down_and_once_an_hour_that_it_was_seen(
    home: Home,
) -> None:
    home.call("poll_power")
    device = home.device("meter")
    assert (device.model, device.firmware) == ("SPEM-003CEBEU", "1.7.5")
    home.run("poll_power", minutes=59)
    assert home.device("meter").last_seen_at < JANUARY + MINUTE
    home.run("poll_power", minutes=3)
    seen = home.device("meter").last_seen_at
    assert JANUARY + timedelta(hours=1) <= seen < JANUARY + timedelta(hours=1, minutes=1)


def test_a_new_fault_of_the_meter_is_stored_at_once(home: Home) -> None:
    home.call("poll_power")
    assert home.state("meter").report["errors"] == []
    inner = home.world.meter_handler.handler

    def faulty(method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        answer = inner(method, path, headers, body, at)
        content = json.loads(answer.body)
        content["em:0"] |= {"errors": ["phase_sequence"], "b_voltage": 0, "b_act_power": 0}
        return json_answer(200, content)

    home.world.meter_handler.handler = faulty
    home.move(seconds=10)
    home.call("poll_power")
    report = home.state("meter").report
    assert (report["errors"], report["not_connected"]) == (["phase_sequence"], ["b"])


def test_the_end_of_the_login_is_stored_and_said_in_the_log_from_the_14th_day_before_on(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    home.call("poll_heat_pump")
    ends_at = home.state("heat_pump").login_ends_at
    assert ends_at == JANUARY + timedelta(days=180)
    zone = home.collection.options.zone
    with caplog.at_level("WARNING", logger="heatmon"):
        caplog.clear()
        warn_of_login(home.site, JANUARY + timedelta(days=165), zone)
        assert caplog.messages == []
        jobs.keep_house(home.collection, JANUARY + timedelta(days=166))
    assert caplog.messages[0].startswith("heat_pump: The sign-in to the Viessmann cloud ends on 11 Jul 2026.")
    assert SourceState.objects.count() == 1
