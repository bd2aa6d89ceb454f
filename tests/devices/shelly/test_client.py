"""The live poll as its callers see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from apps.devices.errors import DeviceError, DeviceRefused, PayloadInvalid, WrongDevice
from apps.devices.shelly.client import ShellyClient
from apps.devices.wording import words_of

from .meters import AT, Answer, DigestLogin, InProcess, Reply, always, clock, serving, session_with
from .payloads import payload

MAC = "0A1B2C3D4E5F"


def client(answer: Answer, password: str | None = None) -> tuple[ShellyClient, InProcess]:
    adapter = InProcess(answer)
    meter = ShellyClient(
        "http://meter.test", password, clock=clock, session=session_with(adapter), sleep=lambda seconds: None
    )
    return meter, adapter


def error_of(call: Callable[[], object], kind: type[DeviceError]) -> DeviceError:
    with pytest.raises(kind) as caught:
        call()
    return caught.value


def test_a_poll_is_one_request() -> None:
    meter, adapter = client(always(Reply(payload("status_triphase"))))
    reading = meter.get_status()
    assert (reading.device, reading.power_w, reading.measured_at) == (MAC, 1388.214, AT)
    assert reading.clock_offset_s == 0.0
    assert adapter.asked == [("/rpc/Shelly.GetStatus", {})]


def test_a_poll_is_dated_in_the_middle_of_its_request() -> None:
    times = iter([AT, AT + timedelta(seconds=1), AT + timedelta(seconds=3)])
    adapter = InProcess(always(Reply(payload("status_triphase"))))
    meter = ShellyClient("http://meter.test", clock=lambda: next(times), session=session_with(adapter))
    assert meter.get_status().measured_at == AT + timedelta(seconds=2)


def test_a_wait_for_a_busy_meter_is_not_part_of_the_request() -> None:
    now = [AT]
    replies = iter([Reply(b"", 429), Reply(payload("status_triphase"))])
    adapter = InProcess(lambda path, query: next(replies))

    def sleep(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)

    meter = ShellyClient(
        "http://meter.test", clock=lambda: now[0], session=session_with(adapter), sleep=sleep
    )
    assert meter.get_status().measured_at == AT + timedelta(seconds=3)


def test_a_poll_with_a_password_over_http() -> None:
    with serving(Reply(payload("status_monophase")), DigestLogin("secret")) as server:
        meter = ShellyClient(server.url, "secret", clock=clock)
        assert [meter.get_status().profile for _ in range(3)] == ["monophase"] * 3
        assert (len(server.asked), server.connections) == (4, 1)
        meter.close()


def test_the_meter_tells_who_it_is_without_a_password() -> None:
    meter, adapter = client(always(Reply(payload("device_info"))))
    assert (meter.identify().mac, adapter.asked) == (MAC, [("/shelly", {})])


@pytest.mark.parametrize(
    ("reply", "code", "sentence"),
    [
        (
            Reply(payload("device_info_plug")),
            "shelly_without_meter",
            "The Shelly at meter.test has no energy meter.",
        ),
        (
            Reply(payload("device_info_first_generation")),
            "old_shelly",
            "The Shelly at meter.test is a first-generation device.",
        ),
        (
            Reply(b"<html>Router</html>"),
            "not_a_shelly",
            "The device at meter.test is not a Shelly.",
        ),
        (Reply({"hello": 1}), "not_a_shelly", "The device at meter.test is not a Shelly."),
        (Reply(b"nothing here", 404), "not_a_shelly", "The device at meter.test is not a Shelly."),
    ],
)
def test_what_is_not_the_meter_says_so_in_one_sentence(reply: Reply, code: str, sentence: str) -> None:
    error = error_of(client(always(reply))[0].identify, WrongDevice)
    assert (error.code, words_of(error).sentence, error.permanent) == (code, sentence, True)
    assert words_of(error).hint


def test_an_answer_that_cannot_be_read_names_the_place() -> None:
    error = error_of(client(always(Reply({"sys": {"mac": MAC}})))[0].get_status, PayloadInvalid)
    assert isinstance(error, PayloadInvalid)
    assert (error.code, error.path) == ("no_meter_values", "em:0")
    assert words_of(error).sentence == "The Shelly at meter.test is not sending any readings."


def test_the_body_of_a_wrong_answer_is_never_shown() -> None:
    error = error_of(client(always(Reply(b"<b>canary</b>", 500)))[0].get_status, DeviceError)
    assert "canary" not in f"{error}{words_of(error)}{error.args}"


def test_another_device_at_the_address_is_the_callers_to_see() -> None:
    other = payload("status_triphase")
    other["sys"]["mac"] = "FFFFFFFFFFFF"
    replies = iter([payload("status_triphase"), other])
    meter, _ = client(lambda path, query: Reply(next(replies)))
    assert [meter.get_status().device, meter.get_status().device] == [MAC, "FFFFFFFFFFFF"]


def test_the_known_meter_is_kept_where_an_answer_names_none() -> None:
    nameless = payload("status_triphase")
    del nameless["sys"]["mac"]
    replies = iter([payload("device_info"), nameless])
    meter, _ = client(lambda path, query: Reply(next(replies)))
    meter.identify()
    assert meter.get_status().device == MAC


def test_the_last_minutes_are_one_request() -> None:
    def answer(path: str, query: dict[str, str]) -> Reply:
        return Reply(payload("device_info" if path == "/shelly" else "history_triphase"))

    meter, adapter = client(answer)
    start = datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
    # AT is the fifth second of that minute: later rows are not asked for, and not believed.
    assert list(meter.history(start, start + timedelta(minutes=5), "triphase")) == [
        row for row in meter.history(start, AT, "triphase") if row.at == start
    ]
    assert adapter.asked[:2] == [
        ("/shelly", {}),
        (
            "/rpc/EMData.GetData",
            {"id": "0", "ts": "1767247200", "end_ts": "1767247205", "add_keys": "true"},
        ),
    ]
    assert len(adapter.asked) == 3


def test_a_refused_password_stops_every_kind_of_request() -> None:
    with serving(Reply({}), DigestLogin("secret")) as server:
        meter = ShellyClient(server.url, "wrong", clock=clock)
        for call in (meter.get_status, meter.identify, meter.get_status):
            assert error_of(call, DeviceRefused).code == "wrong_password"
        assert len(server.asked) == 2
        meter.close()
