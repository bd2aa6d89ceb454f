"""``collect --once`` over loopback: what a person reads when a device answers, and when it does not."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.devices.models import ApiCall, SourceState
from apps.devices.options import default_site
from apps.devices.wording import words
from apps.metrics.store.sqlite import SqliteStore
from apps.simulator.transport import RunningServer, serve
from apps.simulator.viessmann_catalogue import installations
from apps.simulator.wire import Answer, json_answer
from apps.simulator.world import RunningWorld, SimulatedWorld
from heatmon.options import load_options
from tests.factories import JANUARY, METER_MAC, answering_before

Collect = Callable[..., tuple[int, str]]
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def world() -> SimulatedWorld:
    return SimulatedWorld(3, JANUARY, auth="2.0.0")


@pytest.fixture
def running(world: SimulatedWorld) -> Iterator[RunningWorld]:
    with world.serve() as served:
        yield served


@pytest.fixture
def collect(
    world: SimulatedWorld,
    running: RunningWorld,
    scratch_store: SqliteStore,
    settings: LazySettings,
    tmp_path: Path,
) -> Collect:
    """Runs the command with the served world in the environment, but for what is ``given`` (None: left
    out). Gives exit code and output."""
    settings.TOKEN_PATH = tmp_path / "token.json"

    def run(*words: str, **given: str | None) -> tuple[int, str]:
        values: dict[str, str | None] = {
            "shelly_url": running.meter_url,
            "shelly_password": world.meter_password,
            "viessmann_user": world.cloud.user,
            "viessmann_password": world.cloud.password,
            "viessmann_client_id": world.cloud.client_id,
            "viessmann_api_url": running.cloud_api_url,
            "viessmann_iam_url": running.cloud_iam_url,
            **given,
        }
        environment = {f"HEATMON_{name.upper()}": text for name, text in values.items() if text is not None}
        settings.HEATMON = load_options(environment)
        out = io.StringIO()
        code = 0
        try:
            call_command("collect", "--once", *words, stdout=out, stderr=out)
        except CommandError as error:
            code = error.returncode
            out.write(str(error))
        except SystemExit as end:
            code = int(end.code or 0)
        return code, out.getvalue()

    return run


@pytest.fixture
def answers() -> Iterator[Callable[[Callable[[str], Answer]], str]]:
    """Serves something that is not the meter; gives its address."""
    served: list[RunningServer] = []
    clock = SimulatedWorld(3, JANUARY).clock

    def start(answer: Callable[[str], Answer]) -> str:
        server = serve(lambda method, path, headers, body, at: answer(path), clock)
        served.append(server)
        return server.url

    yield start
    for server in served:
        server.stop()


def test_both_devices_are_asked_stored_and_printed(collect: Collect, scratch_store: SqliteStore) -> None:
    code, said = collect()
    assert code == 0
    assert f"device                           {METER_MAC} (triphase)" in said
    assert "compressor" in said
    assert "requests in 24 h                 4 of 1305, 1301 left" in said
    assert scratch_store.extent(default_site().pk, "meter") is not None
    assert scratch_store.extent(default_site().pk, "heat_pump") is not None


def test_a_phase_to_which_nothing_is_connected_is_said_to_be(collect: Collect, world: SimulatedWorld) -> None:
    inner = world.meter_handler.handler

    def unplugged(method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        answer = inner(method, path, headers, body, at)
        if "GetStatus" not in path or answer.status != 200:
            return answer
        status = json.loads(answer.body)
        status["em:0"] |= {"b_voltage": 0.0, "b_act_power": 0.0, "b_current": 0.028}
        return json_answer(200, status)

    world.meter_handler.handler = unplugged
    _code, said = collect("meter")
    assert [line.split()[2:] for line in said.splitlines() if "channel b" in line] == [["not", "connected"]]
    assert " V, " in next(line for line in said.splitlines() if "channel a" in line)


def test_one_device_alone_is_asked(collect: Collect, world: SimulatedWorld) -> None:
    code, said = collect("meter")
    assert (code, "heat pump:" in said) == (0, False)
    assert world.cloud.calls == []
    code, said = collect("heat_pump")
    assert (code, "meter:" in said) == (0, False)


def test_a_second_run_uses_the_stored_login(collect: Collect, world: SimulatedWorld) -> None:
    collect("heat_pump")
    collect("heat_pump", viessmann_password=None)
    assert [kind for _, kind in world.cloud.calls[4:]] == ["features"]


def test_without_any_device_it_says_how_to_set_one_up(collect: Collect) -> None:
    code, said = collect(shelly_url=None, viessmann_client_id=None)
    assert code == 2
    assert "No device is set up. Set HEATMON_SHELLY_URL or HEATMON_VIESSMANN_CLIENT_ID" in said


def test_a_device_asked_for_by_name_that_is_not_set_up_is_an_error(collect: Collect) -> None:
    code, said = collect("heat_pump", viessmann_client_id=None)
    assert (code, said) == (1, "heat pump: not set up\n")


def test_one_device_failing_does_not_keep_the_other_from_its_poll(collect: Collect) -> None:
    code, said = collect(shelly_url=NOBODY)
    assert code == 1
    assert "heat pump:\n" in said
    states = {
        state.source: words(state.error_code, state.error_details).sentence
        for state in SourceState.objects.all()
    }
    assert states == {"meter": "The meter at 127.0.0.1:9 is not responding.", "heat_pump": ""}


# -- the meter -------------------------------------------------------------------------------------------


def test_an_unreachable_meter_is_told(collect: Collect) -> None:
    code, said = collect("meter", shelly_url=NOBODY)
    assert code == 1
    assert said == (
        "meter: The meter at 127.0.0.1:9 is not responding. "
        "Check that the meter has power and a network connection and that the address is right.\n"
    )


def test_a_wrong_password_of_the_meter_is_told(collect: Collect, running: RunningWorld) -> None:
    code, said = collect("meter", shelly_password="wrong")
    assert code == 1
    assert f"meter: The meter at {running.meter_url[7:]} rejected the password." in said
    assert "Enter the meter's password again in the settings" in said


def test_a_missing_password_of_the_meter_is_told(collect: Collect) -> None:
    code, said = collect("meter", shelly_password=None)
    assert code == 1
    assert "requires a password. Enter the meter's password in the settings." in said


def not_found(path: str) -> Answer:
    return Answer(404, {"Content-Type": "text/plain"}, b"Not Found")


def router_page(path: str) -> Answer:
    return Answer(200, {"Content-Type": "text/html"}, b"<html><title>My router</title></html>")


@pytest.mark.parametrize("device", [not_found, router_page])
def test_what_is_no_shelly_is_told(
    collect: Collect, answers: Callable[..., str], device: Callable[[str], Answer]
) -> None:
    url = answers(device)
    code, said = collect("meter", shelly_url=url)
    assert code == 1
    assert said == (
        f"meter: The device at {url[7:]} is not a Shelly. Check the address of the meter in the settings.\n"
    )


def test_a_shelly_without_energy_meter_is_told(collect: Collect, answers: Callable[..., str]) -> None:
    def plug(path: str) -> Answer:
        if path == "/shelly":
            return json_answer(
                200, {"mac": "0C0D0E0F1011", "model": "SNSW-001X16EU", "gen": 2, "ver": "1.7.5"}
            )
        return json_answer(200, {"switch:0": {"id": 0, "output": True}, "sys": {"mac": "0C0D0E0F1011"}})

    url = answers(plug)
    code, said = collect("meter", shelly_url=url)
    assert code == 1
    assert said == (
        f"meter: The Shelly at {url[7:]} has no energy meter. "
        "Check the address of the meter in the settings.\n"
    )


def test_a_shelly_of_the_first_generation_is_told(collect: Collect, answers: Callable[..., str]) -> None:
    def old(path: str) -> Answer:
        if path == "/shelly":
            return json_answer(200, {"type": "SHEM-3", "mac": "0C0D0E0F1011", "auth": False, "fw": "1.14"})
        return not_found(path)

    code, said = collect("meter", shelly_url=answers(old))
    assert code == 1
    assert "is a first-generation device. heatmon reads Shelly meters" in said


# -- the heat pump ---------------------------------------------------------------------------------------


def test_an_unreachable_cloud_is_told(collect: Collect) -> None:
    code, said = collect(
        "heat_pump", viessmann_api_url=f"{NOBODY}/iot/v2", viessmann_iam_url=f"{NOBODY}/idp/v3"
    )
    assert code == 1
    assert said == (
        "heat pump: The Viessmann cloud cannot be reached. "
        "Check the internet connection and the address. heatmon will try again at the next poll.\n"
    )


def test_a_wrong_client_id_is_told(collect: Collect) -> None:
    code, said = collect("heat_pump", viessmann_client_id="another")
    assert code == 1
    assert said == (
        "heat pump: The Viessmann cloud does not know this client ID. Copy it from the developer portal; "
        "its redirect address must be vicare://oauth-callback/everest.\n"
    )


def test_a_wrong_login_is_told_and_each_time_asked_anew(collect: Collect, world: SimulatedWorld) -> None:
    code, said = collect("heat_pump", viessmann_password="wrong")
    assert code == 1
    assert said == (
        "heat pump: The Viessmann cloud rejected the user name or password. "
        "Check both by signing in with the ViCare app.\n"
    )
    calls = len(world.cloud.calls)
    assert collect("heat_pump", viessmann_password="wrong") == (code, said)
    assert len(world.cloud.calls) == calls + 1
    assert ApiCall.objects.count() == calls + 1


def test_a_login_that_was_refused_in_an_outage_works_at_once_when_asked_by_hand(
    collect: Collect, world: SimulatedWorld
) -> None:
    handler = world.login_handler.handler
    world.login_handler.handler = answering_before(
        handler, lambda path: json_answer(401, {"error": "access_denied"}) if "/authorize" in path else None
    )
    assert collect("heat_pump")[0] == 1
    world.login_handler.handler = handler
    assert collect("heat_pump")[0] == 0


def test_the_heat_pumps_of_an_account_that_has_several_are_listed_and_one_is_chosen_by_the_option(
    collect: Collect, world: SimulatedWorld
) -> None:
    content = installations()
    devices = content["data"][0]["gateways"][0]["devices"]
    (pump,) = [one for one in devices if "type:heatpump" in one["roles"]]
    devices.append({**pump, "id": "1", "modelId": "CU401B_S"})
    world.cloud_handler.handler = answering_before(
        world.cloud_handler.handler,
        lambda path: json_answer(200, content) if "/equipment/installations" in path else None,
    )
    code, said = collect("heat_pump")
    gateway = pump["gatewaySerial"]
    assert code == 1
    assert said.endswith(f"  HEATMON_HEAT_PUMP={gateway}/0\n  HEATMON_HEAT_PUMP={gateway}/1\n")
    code, said = collect("heat_pump", heat_pump=f"{gateway}/0")
    assert code == 0
    assert f"{gateway}/0 CU401B_G" in said


def test_a_corrected_login_is_tried_at_once(collect: Collect) -> None:
    collect("heat_pump", viessmann_password="wrong")
    assert collect("heat_pump")[0] == 0
    assert SourceState.objects.get(source="heat_pump").error_code == ""


def test_a_login_without_password_is_told(collect: Collect) -> None:
    code, said = collect("heat_pump", viessmann_user=None, viessmann_password=None)
    assert code == 1
    assert "heatmon is not, or no longer, signed in to the Viessmann account. Enter user name" in said


def test_a_locked_account_is_told(collect: Collect, world: SimulatedWorld) -> None:
    page = Answer(423, {"Content-Type": "text/html"}, b"<html>Your account is locked</html>")
    world.login_handler.handler = answering_before(
        world.login_handler.handler, lambda path: page if "/authorize" in path else None
    )
    code, said = collect("heat_pump")
    assert code == 1
    assert said == (
        "heat pump: The Viessmann account is locked. "
        "Sign in with the ViCare app or reset the password there, then enter it here again.\n"
    )


def test_an_account_without_heat_pump_is_told(collect: Collect, world: SimulatedWorld) -> None:
    content = installations()
    for gateway in content["data"][0]["gateways"]:
        gateway["devices"] = [one for one in gateway["devices"] if "type:heatpump" not in one["roles"]]
    world.cloud_handler.handler = answering_before(
        world.cloud_handler.handler,
        lambda path: json_answer(200, content) if "/equipment/installations" in path else None,
    )
    code, said = collect("heat_pump")
    assert code == 1
    assert said == (
        "heat pump: The Viessmann account has no heat pump. "
        "Use the account under which the heat pump is registered in ViCare.\n"
    )


def test_data_outside_of_the_plan_are_told(collect: Collect, world: SimulatedWorld) -> None:
    refusal = {
        "viErrorId": "simulated",
        "statusCode": 402,
        "errorType": "PACKAGE_NOT_PAID_FOR",
        "message": "Package not paid for.",
    }
    world.cloud_handler.handler = answering_before(
        world.cloud_handler.handler,
        lambda path: json_answer(402, refusal) if "/features/" in path else None,
    )
    code, said = collect("heat_pump")
    assert code == 1
    assert said == (
        "heat pump: The Viessmann account's plan does not include this data. "
        "See the plan of your client ID in the Viessmann developer portal.\n"
    )


def test_an_exhausted_budget_is_told_and_nobody_called(collect: Collect, world: SimulatedWorld) -> None:
    collect("heat_pump", viessmann_daily_limit="10")
    for _ in range(6):
        code, said = collect("heat_pump", viessmann_daily_limit="10")
    calls = len(world.cloud.calls)
    assert calls == 9
    assert code == 1
    assert said.startswith("heat pump: ")
    assert SourceState.objects.get(source="heat_pump").error_code == "budget"


def test_the_failed_poll_stands_in_the_log_with_what_to_do(
    collect: Collect, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING", logger="heatmon"):
        collect("meter", shelly_url=NOBODY)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == (
        "meter: The meter at 127.0.0.1:9 is not responding. "
        "Check that the meter has power and a network connection and that the address is right."
    )


def test_the_password_is_in_no_output(collect: Collect, caplog: pytest.LogCaptureFixture) -> None:
    _, said = collect(shelly_password="CANARY-one", viessmann_password="CANARY-two")
    assert "CANARY" not in said + caplog.text


def test_the_demo_is_not_asked_for_devices_of_its_own(collect: Collect, settings: LazySettings) -> None:
    settings.DEMO = True
    code, said = collect()
    assert code == 2
    assert "polled by the running demo itself" in said
    assert SourceState.objects.count() == ApiCall.objects.count() == 0
