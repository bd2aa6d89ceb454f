"""The compose file running for hours of real time: every poll counted, how late each began, and memory.

make production-soak MINUTES=120
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tools import containers

from .stack import Stack, build_images, influxd

SERVICES = ("web", "worker", "beat", "redis", "influxdb")
PERIOD_S = 10
COUNT = """
from apps.devices.options import default_site
from apps.metrics.apps import default_store
rows = default_store().rows(default_site().pk, "meter", {begin}, {end}, fields=["power_w"])
print(len({{row.at for row in rows}}))
"""


def memory(stack: Stack) -> str:
    """Return the memory in use by each service."""
    names = [stack.project.container(service) for service in SERVICES]
    said = containers.run("podman", "stats", "--no-stream", "--format", "{{.MemUsage}}", *names).stdout
    used = [line.split(" / ")[0] for line in said.splitlines()]
    return ", ".join(f"{service} {size}" for service, size in zip(SERVICES, used, strict=True))


def restarts(stack: Stack) -> int:
    names = [stack.project.container(service) for service in SERVICES]
    return sum(
        int(count)
        for count in containers.run("podman", "inspect", "-f", "{{.RestartCount}}", *names).stdout.split()
    )


def say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def measure(stack: Stack, minutes: float) -> bool:
    """Watch the polls of so many minutes and tell what was seen; return whether none was missed."""
    begin = (int(time.time()) // PERIOD_S + 2) * PERIOD_S
    end = begin + int(minutes * 60)
    say(f"memory at the start: {memory(stack)}")
    while (left_s := end + 5 - time.time()) > 0:
        time.sleep(min(left_s, 600))
        say(f"{len(in_time(stack, begin, end))} polls of {minutes * 6:.0f}")
    polls = in_time(stack, begin, end)
    late_s = sorted(at % PERIOD_S for at in polls)
    stored = int(stack.manage("shell", "--no-imports", "-c", COUNT.format(begin=begin, end=end)).split()[-1])
    expected = (end - begin) // PERIOD_S
    say(f"polled {len(polls)} of {expected}, stored {stored}; restarts {restarts(stack)}")
    say(
        f"begun after the full ten seconds: median {late_s[len(late_s) // 2]:.3f} s, p99 "
        f"{late_s[int(len(late_s) * 0.99)]:.3f} s, latest {late_s[-1]:.3f} s"
    )
    say(f"memory at the end: {memory(stack)}")
    return len(polls) == stored == expected


def in_time(stack: Stack, begin: int, end: int) -> list[float]:
    return [at for at in stack.polls() if begin <= at < end]


def main(minutes: str) -> int:
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    build_images()
    (folder / "home").mkdir()
    stack = Stack(folder / "home", profiles=())
    say("with influxd" if influxd() else "with the stand-in for InfluxDB")
    try:
        stack.up()
        stack.polled_after(time.time())
        return 0 if measure(stack, float(minutes)) else 1
    finally:
        stack.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
