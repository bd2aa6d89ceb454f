"""The loops of the embedded run, on clocks of the tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from apps.devices import heartbeat
from apps.devices.errors import DeviceUnreachable
from heatmon.embedded import AlreadyRunning, ProcessLock, Runner
from heatmon.log import OneLineFormatter
from heatmon.masking import masked
from heatmon.schedule import Job

POLL = Job(name="poll", period_s=10, offset_s=0, expires_s=5, thread="meter")
SLOW = Job(name="slow", period_s=60, offset_s=30, expires_s=50, thread="meter")


class Clock:
    """Time that moves only by waiting, and by what ``jumps`` says before a wait."""

    def __init__(self, start: float, turns: int) -> None:
        self.now = start
        self.turns = turns
        self.jumps: dict[int, float] = {}

    def wait(self, seconds: float) -> bool:
        self.now += self.jumps.pop(self.turns, seconds)
        self.turns -= 1
        return self.turns < 0


def run(jobs: list[Job], clock: Clock, work: dict[str, Callable[[datetime], Any]]) -> None:
    runner = Runner(jobs, work, wall=lambda: clock.now, monotonic=lambda: clock.now, wait=clock.wait)
    runner.loop("meter", jobs)


def at(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def test_polls_happen_on_the_ten_second_grid(db: None) -> None:
    seen: list[datetime] = []
    run([POLL], Clock(1003.5, turns=3), {"poll": seen.append})
    assert seen == [at(1010), at(1020), at(1030)]


def test_jobs_of_one_thread_take_turns(db: None) -> None:
    seen: list[tuple[str, datetime]] = []
    work = {"poll": lambda due: seen.append(("poll", due)), "slow": lambda due: seen.append(("slow", due))}
    run([POLL, SLOW], Clock(1000.0, turns=6), work)
    assert ("slow", at(1050)) in seen
    assert seen.count(("slow", at(1050))) == 1


def test_a_device_error_does_not_end_the_loop(db: None) -> None:
    seen: list[datetime] = []

    def work(due: datetime) -> None:
        seen.append(due)
        raise DeviceUnreachable("away")

    run([POLL], Clock(1000.0, turns=2), {"poll": work})
    assert seen == [at(1010), at(1020)]


def test_an_unexpected_fault_is_logged_and_the_loop_goes_on(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[datetime] = []

    def work(due: datetime) -> None:
        seen.append(due)
        raise RuntimeError("boom")

    run([POLL], Clock(1000.0, turns=2), {"poll": work})
    assert len(seen) == 2
    assert "poll failed" in caplog.text and "boom" in caplog.text


def test_a_clock_set_back_one_hour_makes_no_pause_of_an_hour(db: None) -> None:
    seen: list[datetime] = []
    clock = Clock(10_000.0, turns=4)
    clock.jumps[3] = -3600.0
    run([POLL], clock, {"poll": seen.append})
    assert at(6420) in seen or at(6410) in seen


def test_after_a_suspension_the_missed_turns_are_dropped(db: None) -> None:
    seen: list[datetime] = []
    clock = Clock(1000.0, turns=4)
    clock.jumps[3] = 3600.0
    run([POLL], clock, {"poll": seen.append})
    assert len(seen) <= 4
    assert all(due == at(1010) or due > at(4600) for due in seen)


def test_a_loop_that_ended_is_not_called_late(db: None) -> None:
    run([POLL], Clock(1000.0, turns=2), {"poll": lambda due: None})
    assert "meter" not in heartbeat.late_loops(1e12)


def test_a_loop_that_does_not_speak_is_late() -> None:
    heartbeat.promise("hung", 100.0)
    assert "hung" in heartbeat.late_loops(100.1)
    heartbeat.leave("hung")
    assert "hung" not in heartbeat.late_loops(1e12)


def test_a_second_process_is_told_who_holds_the_data_directory(tmp_path: Path) -> None:
    with ProcessLock(tmp_path / "lock"), pytest.raises(AlreadyRunning, match=r"process \d+"):
        ProcessLock(tmp_path / "lock").__enter__()
    with ProcessLock(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "message",
    [
        '{"refresh_token": "CANARY"}',
        "POST /token?code=CANARY&x=1",
        "Authorization: Bearer CANARY",
        "password=CANARY",
        "http://user:CANARY@192.0.2.1/rpc",
        "redis://:CANARY@redis:6379/0",
        "postgres://heatmon:CANARY@db/heatmon and rediss://user:p@CANARY@redis",
        "host=db password=CANARY dbname=heatmon",
        "{'access_token': 'CANARY', 'refresh_token': 'a b CANARY'}",
        "{'password': \"it's CANARY\"}",
        'Login(code="a CANARY b")',
        'Authorization: Digest username="admin", nonce="1, 2", response="CANARY"',
        "{'Authorization': 'Digest username=\"admin\", response=\"CANARY\"', 'Accept': '*/*'}",
        "Authorization: Token CANARY",
        "header {'Cookie': 'a=b; heatmon_session=CANARY'}",
        "Cookie: csrftoken=CANARY; heatmon_session=CANARY",
        "sent heatmon_session=CANARY; path=/",
        "tried Bearer CANARY123456",
        "the token hm_CANARY_0123456789abcdef was shown",
        "secret_key: 'CANARY'",
    ],
)
def test_secrets_are_masked_in_log_lines(message: str) -> None:
    assert "CANARY" not in masked(message)


def test_what_is_no_secret_stays_readable() -> None:
    line = "GET http://192.168.1.50/rpc?id=0 answered 200 in 0.1 s; user anna@example.org, energy: 1.5"
    assert masked(line) == line


def test_the_log_masks_what_passes_through_it() -> None:
    import logging

    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", ({"password": "CANARY"},), None)
    assert "CANARY" not in OneLineFormatter().format(record)


def test_a_log_line_is_one_line() -> None:
    import logging

    record = logging.LogRecord("x", logging.INFO, "", 0, "a\nb\x1b[31m\x00", None, None)
    assert "\n" not in OneLineFormatter().format(record)
    assert "\x1b" not in OneLineFormatter().format(record)
