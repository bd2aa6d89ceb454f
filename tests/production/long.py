"""Fifteen minutes of the compose file in which each service is killed in turn: no minute that the meter
remembers is lost.

    make production-test-long
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from pathlib import Path

from .soak import say
from .stack import Stack, build_images, influxd

SERVICES = ("worker", "redis", "influxdb", "beat", "web")
LASTS_S = 15 * 60
KILL_EVERY_S = 60
CAUGHT_UP_WITHIN_S = 600
MISSING = """
from apps.devices.options import default_site
from apps.metrics.apps import default_store
fields = ["energy_wh", "provisional"]
rows = default_store().rows(default_site().pk, "meter_minute", {begin}, {end}, fields=fields)
at = {{row.at for row in rows if row.values["energy_wh"] is not None and not row.values["provisional"]}}
print(len(set(range({begin}, {end}, 60)) - at))
"""


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="long-"))
    build_images()
    stack = Stack(folder, profiles=())
    # The stand-in keeps everything in memory, so it is left alone.
    killed = [service for service in SERVICES if service != "influxdb" or influxd()]
    try:
        stack.up()
        stack.polled_after(time.time())
        return 0 if disturb(stack, killed) else 1
    finally:
        stack.close()


def disturb(stack: Stack, killed: list[str]) -> bool:
    """Kill one service a minute; return whether all minutes of that time were stored in the end."""
    began = int(time.time())
    begin, end = began // 60 * 60 - 3600, (began + LASTS_S) // 60 * 60
    longest_s = 0.0
    for service in itertools.cycle(killed):
        at = time.time()
        stack.crash(service)
        took_s = stack.polled_after(at, 90)
        longest_s = max(longest_s, took_s)
        say(f"{service} killed: polls again after {took_s:.1f} s")
        if time.time() + KILL_EVERY_S > began + LASTS_S:
            break
        time.sleep(max(0.0, at + KILL_EVERY_S - time.time()))
    deadline = time.time() + CAUGHT_UP_WITHIN_S
    while (missing := lost(stack, begin, end)) and time.time() < deadline:
        say(f"{missing} minutes of {(end - begin) // 60} are not there yet")
        time.sleep(30)
    say(f"lost {missing} of {(end - begin) // 60} minutes; polls came back after {longest_s:.1f} s at most")
    return missing == 0


def lost(stack: Stack, begin: int, end: int) -> int:
    command = ("shell", "--no-imports", "-c", MISSING.format(begin=begin, end=end))
    return int(stack.manage(*command).split()[-1])


if __name__ == "__main__":
    sys.exit(main())
