"""Real Redis, beat and worker on a simulated house: what disturbs them, and how soon polls come again.

``make celery-test`` runs this; it takes a few minutes of real time. Each figure is printed.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import Services, tell, wait_for

RESUME_WITHIN_S = 20.0
HELD_S = 12.0


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    if shutil.which("redis-server") is None:
        if os.environ.get("HEATMON_REQUIRE_REDIS") == "1":
            pytest.fail("redis-server is not installed (Debian: apt install redis-server)")
        pytest.skip("redis-server is not installed (Debian: apt install redis-server)")
    services = Services(tmp_path_factory.mktemp("services"))
    try:
        services.start_all()
        yield services
    finally:
        services.close()
        if os.environ.get("KEEP_LOGS"):
            tell("".join(services.log(name) for name in ("worker", "beat")))


@pytest.fixture(autouse=True)
def polls_go_on(services: Services) -> None:
    services.polled_after(time.time(), 30)


def resumed(services: Services, what: str, since: float | None = None) -> None:
    """Print and check how long after ``since`` (now) the meter was polled again."""
    took_s = services.polled_after(since or time.time(), 60)
    tell(f"{what}: polls again after {took_s:.1f} s")
    assert took_s <= RESUME_WITHIN_S


def on_the_grid(services: Services, seconds: int) -> None:
    """Watch so long from the next full ten seconds on: one poll each, none twice."""
    begin = (int(time.time()) // 10 + 1) * 10
    time.sleep(begin + seconds - 4 - time.time())
    polls = [at for at in services.polls() if begin <= at < begin + seconds]
    assert [int(at // 10) for at in polls] == list(range(begin // 10, (begin + seconds) // 10))
    tell(f"latest start of a poll: {max(at % 10 for at in polls):.2f} s after its time")


def test_whenever_beat_is_started_the_next_full_ten_seconds_are_polled(services: Services) -> None:
    services.end("beat")
    wait_for(lambda: 5.0 < time.time() % 10 < 6.0, 12)
    services.start_beat()
    began = time.time()
    resumed(services, "beat started in second 5", began)
    assert services.polls()[-1] % 10 < 2


def test_two_beats_and_two_workers_poll_once_each_time(services: Services) -> None:
    services.start_beat("beat-2")
    services.start_worker("worker-2")
    try:
        wait_for(lambda: "left to another process" in services.log("worker-2"), 40)
        on_the_grid(services, 30)
        services.end("worker", signal.SIGKILL)
        resumed(services, "of two workers the one on the meter was killed")
    finally:
        services.start_worker()
        services.end("worker-2")
        services.end("beat-2")


def test_redis_emptied(services: Services) -> None:
    assert services.redis("FLUSHALL") == "+OK"
    resumed(services, "Redis emptied")


def test_redis_stopped_and_started(services: Services) -> None:
    services.end("redis", signal.SIGKILL)
    time.sleep(HELD_S)
    services.start_redis()
    resumed(services, f"Redis back after {HELD_S:.0f} s")


def test_redis_full_and_refusing_writes(services: Services) -> None:
    assert services.redis("CONFIG", "SET", "maxmemory-policy", "noeviction") == "+OK"
    assert services.redis("CONFIG", "SET", "maxmemory", "1") == "+OK"
    try:
        assert services.redis("SET", "a", "b").startswith("-OOM")
        resumed(services, "Redis full")
        services.end("worker", signal.SIGKILL)
        services.start_worker()
        resumed(services, "Redis full, worker started")
        on_the_grid(services, 20)
    finally:
        services.redis("CONFIG", "SET", "maxmemory", "0")


def test_redis_frozen(services: Services) -> None:
    redis = services.running["redis"]
    redis.send_signal(signal.SIGSTOP)
    try:
        time.sleep(HELD_S)
    finally:
        redis.send_signal(signal.SIGCONT)
    resumed(services, f"Redis frozen for {HELD_S:.0f} s, going on")


def test_a_task_that_hangs_is_killed_and_the_log_says_so(services: Services) -> None:
    services.control("?delay_s=3")
    try:
        services.polled_after((time.time() // 10 + 1) * 10)  # at its time: other requests come at any
        _main, hung = meters_process(services)
        os.kill(hung, signal.SIGSTOP)
        began = time.time()
    finally:
        services.control("?delay_s=0")
    took_s = services.polled_after((began // 10 + 1) * 10, 60) + (began // 10 + 1) * 10 - began
    tell(f"a poll that hangs: polls again after {took_s:.1f} s")
    assert took_s <= RESUME_WITHIN_S
    assert "Hard time limit (10s) exceeded for heatmon.poll_power" in services.log("worker")
    assert not Path(f"/proc/{hung}").exists()


def test_a_worker_process_that_dies_is_replaced(services: Services) -> None:
    main, _child = meters_process(services)
    os.kill(main, signal.SIGKILL)
    resumed(services, "the meter's process killed")
    assert "the process for meter ended with -9" in services.log("worker")


def test_beat_killed_and_started(services: Services) -> None:
    services.end("beat", signal.SIGKILL)
    services.start_beat()
    resumed(services, "beat killed and started")


def test_each_service_ends_within_ten_seconds(services: Services) -> None:
    took_s = {name: services.end(name) for name in ("worker", "beat")}
    services.start_worker()
    services.start_beat()
    tell(f"SIGTERM ends: {', '.join(f'{name} {seconds:.1f} s' for name, seconds in took_s.items())}")
    assert max(took_s.values()) < 10


def meters_process(services: Services) -> tuple[int, int]:
    """Return the ids of the worker's process for the meter and of the child that does its tasks."""
    both = [pid for pid in services.children("worker") if "meter@" in read(pid, "cmdline")]
    (main,) = (pid for pid in both if parent(pid) not in both)
    (child,) = (pid for pid in both if parent(pid) == main)
    return main, child


def parent(pid: int) -> int:
    return int(read(pid, "stat").rpartition(")")[2].split()[1])


def read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
