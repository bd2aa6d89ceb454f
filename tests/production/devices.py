"""A simulated house on real time, served for services in other processes or containers.

    python -m tests.production.devices HOST METER_PORT CLOUD_PORT

``GET /control?delay_s=3`` at the meter's port makes it answer so late from then on; ``GET /control`` tells
its times of polls as JSON.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from apps.simulator.clock import RealClock
from apps.simulator.transport import serve
from apps.simulator.wire import Answer
from apps.simulator.world import SimulatedWorld

REMEMBERED = timedelta(hours=2)
POLL = "GetStatus"


class Devices:
    """The handlers of meter and cloud, with a record of live polls."""

    def __init__(self) -> None:
        self.clock = RealClock()
        self.world = SimulatedWorld(5, datetime.now(UTC) - REMEMBERED, clock=self.clock)
        self.delay_s = 0.0
        self.polls: list[float] = []

    def meter(self, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        if path.startswith("/control"):
            return self._control(path)
        if POLL in path or POLL.encode() in body:
            self.polls.append(time.time())
            time.sleep(self.delay_s)
        return self.world.meter_handler(method, path, headers, body, at)

    def cloud(self, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        handler = self.world.login_handler if path.startswith("/idp/") else self.world.cloud_handler
        return handler(method, path, headers, body, at)

    def _control(self, path: str) -> Answer:
        given = parse_qs(urlsplit(path).query)
        if "delay_s" in given:
            self.delay_s = float(given["delay_s"][0])
        calls = len(self.world.cloud.calls)
        return Answer(200, {}, json.dumps({"polls": self.polls, "cloud_calls": calls}).encode())


def main(host: str, meter_port: str, cloud_port: str) -> None:
    devices = Devices()
    servers = [
        serve(devices.meter, devices.clock, host, int(meter_port)),
        serve(devices.cloud, devices.clock, host, int(cloud_port)),
    ]
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_told: stop.set())
    stop.wait()
    for server in servers:
        server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:4])
