"""``simulated_devices``: what it prints is enough to set heatmon up over the network, through its pages."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from apps.devices.address import checked_address
from apps.devices.options import default_site, home_options
from apps.devices.shelly.discovery import announced_meters
from apps.simulator.announcement import announced
from tests.devices.shelly.announcing import SERVICE
from tests.production.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
HTMX = {"HX-Request": "true"}
ROLES = {f"role_{channel}": "heat_pump" for channel in "abc"}


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What the command prints, while it runs."""
    monkeypatch.setenv("HEATMON_DATA_DIR", str(tmp_path))
    addresses = [f"--{name}=127.0.0.1:{free_port()}" for name in ("meter", "cloud")]
    command = [sys.executable, "manage.py", "simulated_devices", "--days=1", *addresses]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("stop:"):
                break
        yield "".join(lines)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_heatmon_is_set_up_with_what_it_prints(
    printed: str, settings: LazySettings, client: Client, tmp_path: Path
) -> None:
    told = dict(
        re.findall(r"^\s*(meter|account|password|client ID|HEATMON_\w+)[ =]+([^\s,]+)", printed, re.M)
    )
    settings.DATA_DIR = tmp_path
    settings.TOKEN_PATH = tmp_path / "token.json"
    settings.HEATMON = replace(
        settings.HEATMON,
        values={
            **settings.HEATMON.values,
            "allow_loopback_devices": told["HEATMON_ALLOW_LOOPBACK_DEVICES"] == "on",
            "viessmann_api_url": told["HEATMON_VIESSMANN_API_URL"],
            "viessmann_iam_url": told["HEATMON_VIESSMANN_IAM_URL"],
        },
    )
    client.force_login(User.objects.create_superuser("anna"))

    meter = {"shelly_url": told["meter"], **ROLES}
    tried = client.post("/setup/meter", {**meter, "test": "1"}, headers=HTMX).content.decode()
    assert "Shelly Pro 3EM, triphase, firmware 1.7.5" in tried
    assert client.post("/setup/meter", meter).headers["Location"] == "/setup/heat-pump"

    login = {
        "viessmann_client_id": told["client ID"],
        "viessmann_user": told["account"],
        "viessmann_password": told["password"],
    }
    tried = client.post("/setup/heat-pump", {**login, "test": "1"}, headers=HTMX).content.decode()
    assert "note--good" in tried
    assert client.post("/setup/heat-pump", login).headers["Location"] == "/setup/house"
    options = home_options(default_site())
    assert options.meter_set_up and options.heat_pump_set_up


def test_the_simulated_meter_is_found_by_a_search() -> None:
    with announced("Simulated heat pump", "192.168.1.50", 8180, SERVICE):
        found = announced_meters(
            lambda url: checked_address(url, allow_loopback=False), listen_s=20.0, most=1, service=SERVICE
        )
    assert [(meter.name, meter.address) for meter in found] == [("Simulated heat pump", "192.168.1.50:8180")]


@pytest.mark.parametrize("wrong", ["--days=61", "--meter=nonsense"])
def test_what_makes_no_sense_is_refused_with_2(wrong: str) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("simulated_devices", wrong)
    assert caught.value.returncode == 2
