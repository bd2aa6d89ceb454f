"""Turns of the Celery tasks, without a broker: taken once, dropped when too late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from apps.devices.models import JobRun
from apps.simulator.faults import METER, Fault, refuse
from heatmon import tasks
from heatmon.celery import app
from heatmon.jobs import refine_minutes
from heatmon.schedule import JOBS
from tests.factories import JANUARY, Home

POLL_POWER = next(job for job in JOBS if job.name == "poll_power")
POLL_HEAT_PUMP = next(job for job in JOBS if job.name == "poll_heat_pump")
START = JANUARY.timestamp()


@pytest.fixture
def worker(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A worker process whose devices are the simulated ones."""
    monkeypatch.setattr(tasks, "collection", lambda: home.collection)
    yield home


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
    assert not tasks.run(POLL_POWER, START + 5.1)
    assert JobRun.objects.count() == 0
    assert worker.world.shelly.calls.total() == 0
    assert tasks.run(POLL_POWER, START + 4.9)


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


def test_every_job_is_a_task_on_the_queue_of_its_thread() -> None:
    assert set(tasks.TASKS) == {job.name for job in JOBS}
    assert {task.name for task in tasks.TASKS.values()} == {f"heatmon.{job.name}" for job in JOBS}
    assert app.conf.task_routes["heatmon.poll_power"] == {"queue": "meter"}
    assert set(app.conf.beat_schedule) == set(tasks.TASKS)


def test_a_task_ends_before_its_turn_would_be_taken_again() -> None:
    limits = {name: task.time_limit for name, task in tasks.TASKS.items()}
    assert limits["poll_power"] == 30
    assert all(limits[job.name] <= max(30, job.period_s) for job in JOBS)
