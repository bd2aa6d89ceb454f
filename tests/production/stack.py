"""The compose file running for real, with a simulated house beside it, installed as the documents say."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tools import containers

from .processes import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
IMAGE = "heatmon:0.1.0"
BASES = ("python:3.13.9-slim-trixie", "redis:8.2.2-bookworm", "caddy:2.10.2")
INFLUXDB = "docker.io/library/influxdb:2.9.1"
DEVICES = """
HEATMON_SHELLY_URL=http://devices:8081
HEATMON_VIESSMANN_API_URL=http://devices:8082/iot/v2
HEATMON_VIESSMANN_IAM_URL=http://devices:8082/idp/v3
HEATMON_VIESSMANN_USER=owner@example.com
HEATMON_VIESSMANN_PASSWORD=heat-pump-password
HEATMON_VIESSMANN_CLIENT_ID=simulated-client
"""


def influxd() -> str | None:
    """Return the path of an influxd, None where there is none."""
    return os.environ.get("HEATMON_TEST_INFLUXDB") or shutil.which("influxd")


def need_containers() -> None:
    """Skip the test where containers cannot be had, or fail it where they must."""
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        return
    if os.environ.get("HEATMON_REQUIRE_CONTAINERS") == "1":
        pytest.fail("containers need root on Debian")
    pytest.skip("this needs root on Debian; elsewhere try docker compose itself")


@functools.cache
def build_images() -> None:
    """Build heatmon's image and the stand-ins for the public ones, once a run."""
    containers.install()
    containers.bases(BASES)
    containers.build(ROOT, IMAGE)
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        (context / "bin").mkdir()
        shutil.copy(HERE / "influxdb" / "Dockerfile", context)
        shutil.copy(HERE / "influxdb" / "influx", context / "bin")
        without = shutil.ignore_patterns("__pycache__", "payloads")
        shutil.copytree(ROOT / "tests", context / "tests", ignore=without)
        if (server := influxd()) is not None:
            shutil.copy(server, context / "bin" / "influxd")
        containers.build(context, INFLUXDB)


class Stack:
    """An installation in ``folder``. ``settings``: further lines of its .env."""

    def __init__(self, folder: Path, settings: str = "", profiles: tuple[str, ...] = ("proxy",)) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("PORT", "HTTP_PORT", "HTTPS_PORT", "METER_PORT")}
        for name in ("docker-compose.yml", ".env.example"):
            shutil.copy(ROOT / name, folder)
        shutil.copytree(ROOT / "contrib", folder / "contrib")
        shutil.copy(HERE / "compose.yml", folder / "devices.yml")
        shutil.copy(folder / ".env.example", folder / ".env")
        ports = "".join(f"{name}={port}\n" for name, port in self.ports.items())
        with (folder / ".env").open("a", encoding="utf-8") as file:
            file.write(
                f"{ports}TESTS={ROOT / 'tests'}\nNETWORK=172.30.{os.getpid() % 200 + 20}\n{DEVICES}{settings}"
            )
        subprocess.run(["sh", "contrib/make-secrets.sh"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        files = [folder / "docker-compose.yml", folder / "devices.yml"]
        self.project = containers.Project(
            files, profiles, name=f"heatmon-test-{os.getpid()}-{folder.name}".lower()
        )

    def up(self) -> dict[str, float]:
        """Start the simulated house, then everything; return how long each took to be healthy [s]."""
        self.project.compose("up", "-d", "--no-deps", "devices")
        return self.project.up()

    def manage(self, *arguments: str, service: str = "web") -> str:
        """Run one of heatmon's commands as the documents say: docker compose exec web ..."""
        return self.project.execute(service, "python", "manage.py", *arguments)

    @property
    def meter(self) -> str:
        return f"http://127.0.0.1:{self.ports['METER_PORT']}"

    def control(self, query: str = "") -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.meter}/control{query}", timeout=5) as answer:
            return dict(json.load(answer))

    def polls(self) -> list[float]:
        """Return the times of the meter's live polls [epoch s]."""
        return [at for at in self.control()["polls"] if at % 10 < 4]

    def polled_after(self, moment: float, within_s: float = 60) -> float:
        """Wait for a poll after ``moment``; return how long after it came [s]."""
        later = wait_for(lambda: [at for at in self.polls() if at > moment], within_s, "a poll")
        return float(later[0]) - moment

    def crash(self, service: str) -> None:
        """Kill a service's first process from outside, as the kernel would."""
        name = self.project.container(service)
        os.kill(int(containers.run("podman", "inspect", "-f", "{{.State.Pid}}", name).stdout), signal.SIGKILL)

    def start(self, service: str) -> None:
        containers.run("podman", "start", self.project.container(service))

    def stop(self, service: str) -> tuple[float, int]:
        """End a service by SIGTERM; return how long it took [s] and its exit code."""
        name = self.project.container(service)
        began = time.monotonic()
        containers.run("podman", "stop", "-t", "20", name)
        took_s = time.monotonic() - began
        return took_s, int(containers.run("podman", "inspect", "-f", "{{.State.ExitCode}}", name).stdout)

    def close(self) -> None:
        self.project.profiles = ["proxy"]
        self.project.down(volumes=True)
