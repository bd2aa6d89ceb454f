"""Turns of the Celery tasks, without a broker: taken once, dropped when too late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from apps.devices.models import JobRun
from apps.simulator.faults import METER, Fault, refuse
from heatmon import tasks
from heatmon.celery import Ticks, app
from heatmon.device_locks import DeviceLocks
from heatmon.jobs import refine_minutes
from heatmon.schedule import JOBS, last_run, next_run
from tests.factories import JANUARY, Home

POLL_POWER = next(job for job in JOBS if job.name == "poll_power")
POLL_HEAT_PUMP = next(job for job in JOBS if job.name == "poll_heat_pump")
START = JANUARY.timestamp()


@pytest.fixture
def worker(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A worker process whose devices are the simulated ones."""
    monkeypatch.setattr(tasks, "collection", lambda: home.collection)
    tasks.locks.cache_clear()
    yield home
    tasks.locks().release()


def test_a_turn_is_done_at_the_time_it_was_due(worker: Home) -> None:
    worker.move(seconds=3)
    assert tasks.run(POLL_POWER, START + 3.2)
    (turn,) = JobRun.objects.all()
    assert (turn.job, turn.due_at) == ("poll_power", JANUARY)
    assert worker.state("meter").last_attempt_at == JANUARY


def test_of_two_schedulers_one_takes_the_turn(worker: Home) -> None:
    assert tasks.run(POLL_HEAT_PUMP, START + 150.4)
    calls = len(worker.world.cloud.calls)
    assert not tasks.run(POLL_HEAT_PUMP, START + 151.9)
    assert len(worker.world.cloud.calls) == calls
    assert JobRun.objects.count() == 1


def test_the_next_turn_is_another(worker: Home) -> None:
    assert tasks.run(POLL_POWER, START)
    assert tasks.run(POLL_POWER, START + 10)
    assert JobRun.objects.count() == 2


def test_a_turn_that_comes_too_late_is_dropped(worker: Home) -> None:
    assert not tasks.run(POLL_HEAT_PUMP, START + 150 + 120.1)
    assert JobRun.objects.count() == 0
    assert worker.world.cloud.calls == []
    assert tasks.run(POLL_HEAT_PUMP, START + 150 + 119.9)


def test_a_device_that_fails_ends_no_worker_and_its_turn_is_taken(worker: Home) -> None:
    worker.world.faults.append(Fault(name="away", target=METER, start=START, duration_s=5.0, effect=refuse))
    assert tasks.run(POLL_POWER, START)
    assert worker.state("meter").error_code == "unreachable"
    assert not tasks.run(POLL_POWER, START + 1)


@pytest.mark.parametrize("name", ["poll_heat_pump", "derive", "refine_minutes", "backfill"])
def test_saved_options_reach_every_worker_at_its_next_turn(worker: Home, name: str) -> None:
    job = next(job for job in JOBS if job.name == name)
    assert worker.collection.options.electricity_price is None
    worker.save(electricity_price=0.29)
    due = START + job.offset_s
    worker.world.advance_to(datetime.fromtimestamp(due, UTC))
    assert tasks.run(job, due)
    assert worker.collection.options.electricity_price == 0.29


def test_a_confirmed_meter_reaches_the_worker_within_a_minute(worker: Home) -> None:
    tasks.run(POLL_POWER, START)
    worker.world.shelly.mac = "0C0D0E0F1011"
    worker.move(seconds=10)
    tasks.run(POLL_POWER, START + 10)
    assert worker.state("meter").error_code == "other_meter"
    device = worker.device("meter")
    device.identifier = "0C0D0E0F1011"
    device.save()
    worker.world.advance_to(JANUARY + timedelta(seconds=60))
    tasks.run(POLL_POWER, START + 60)
    assert worker.state("meter").error_code == ""
    later = worker.rows("meter", JANUARY + timedelta(seconds=60), JANUARY + timedelta(seconds=70))
    assert [row.device for row in later] == ["0C0D0E0F1011"]


def test_minutes_refined_late_by_another_worker_are_derived_again(home: Home) -> None:
    home.run("poll_power", minutes=5, seconds=40)
    home.call("derive")
    provisional = home.rows("interval", JANUARY, JANUARY + timedelta(minutes=5))
    history_worker = home.fresh_collection()
    refine_minutes(history_worker, home.at)
    home.call("derive")
    (row,) = home.rows("interval", JANUARY, JANUARY + timedelta(minutes=5))
    truth = home.world.truth.energy_wh(JANUARY, JANUARY + timedelta(minutes=5))
    assert row.values["electrical_energy_wh"] == pytest.approx(truth, abs=1e-9)
    assert provisional != [row]


@pytest.mark.parametrize("second", [0.0, 0.7, 2.8, 4.9, 5.0, 5.1, 6.6, 7.4, 8.6, 9.5, 9.9])
def test_whenever_beat_is_started_none_of_60_polls_is_missed(second: float) -> None:
    started = 1_800_000_000 + second
    clock = [started]
    ticks = Ticks(10, 0, nowfun=lambda: datetime.fromtimestamp(clock[0], UTC))
    taken: set[int] = set()
    last_run_at = datetime.fromtimestamp(started, UTC)
    while clock[0] < started + 620:
        is_due, wait_s = ticks.is_due(last_run_at)
        if is_due:
            last_run_at = datetime.fromtimestamp(clock[0], UTC)
            delivered = clock[0] + 0.3
            assert delivered - last_run(POLL_POWER, delivered) <= 0.3 + 0.011
            taken.add(last_run(POLL_POWER, delivered))
        clock[0] += wait_s + 0.01
    first = next_run(POLL_POWER, started)
    assert taken >= set(range(first, first + 600, 10))


@pytest.mark.parametrize("tenth", range(0, 100, 5))
def test_a_poll_is_not_dropped_for_the_second_at_which_something_wakes_the_worker(tenth: int) -> None:
    wakes = [1_800_000_000 + tenth / 10 + 10 * number for number in range(60)]
    assert sum(now - last_run(POLL_POWER, now) <= POLL_POWER.expires_s for now in wakes) == 60


def test_a_beat_whose_clock_was_set_back_wakes_the_jobs_at_once() -> None:
    now = datetime(2026, 1, 12, 6, 0, 3, tzinfo=UTC)
    assert Ticks(10, 0, nowfun=lambda: now).is_due(now + timedelta(hours=1)).is_due


def test_the_meter_is_polled_from_one_process_and_its_turn_stays_free(worker: Home) -> None:
    other = DeviceLocks(worker.site.pk)
    with other.for_turn(POLL_POWER):
        pass  # the turn is over; the lock stays with the process
    assert not tasks.run(POLL_POWER, START)
    assert JobRun.objects.count() == 0
    assert worker.world.shelly.calls.total() == 0
    other.release()
    assert tasks.run(POLL_POWER, START + 1)


def test_refining_and_filling_in_are_never_on_the_meter_at_once(worker: Home) -> None:
    refine, backfill = (job for job in JOBS if job.name in {"refine_minutes", "backfill"})
    worker.call("poll_power")
    for running, other in (
        (refine, replace(backfill, lock_wait_s=0.0)),
        (backfill, replace(refine, lock_wait_s=0.0)),
    ):
        with DeviceLocks(worker.site.pk).for_turn(running):
            asked = worker.world.shelly.calls.total()
            assert not tasks.run(other, START + other.offset_s)
            assert worker.world.shelly.calls.total() == asked
        assert tasks.run(other, START + other.offset_s)


def test_the_live_poll_does_not_wait_for_the_meters_memory(worker: Home) -> None:
    backfill = next(job for job in JOBS if job.name == "backfill")
    with DeviceLocks(worker.site.pk).for_turn(backfill):
        assert tasks.run(POLL_POWER, START)


def test_every_job_is_a_task_on_the_queue_of_its_thread() -> None:
    assert set(tasks.TASKS) == {job.name for job in JOBS}
    assert {task.name for task in tasks.TASKS.values()} == {f"heatmon.{job.name}" for job in JOBS}
    assert app.conf.task_routes["heatmon.poll_power"] == {"queue": "meter"}
    assert set(app.conf.beat_schedule) == set(tasks.TASKS)


def test_a_task_ends_before_its_next_turn_unless_a_lock_keeps_that_one_out() -> None:
    limits = {name: task.time_limit for name, task in tasks.TASKS.items()}
    assert limits["poll_power"] == 30
    unguarded = [job for job in JOBS if not job.lock or job.keeps_lock]
    assert all(limits[job.name] <= max(30, job.period_s) for job in unguarded)
