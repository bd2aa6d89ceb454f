"""Turns of the Celery tasks, without a broker: taken once, dropped when too late."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from celery.beat import PersistentScheduler, ScheduleEntry, Scheduler
from django.conf import settings
from kombu.common import Broadcast

from apps.devices import job_beats
from apps.devices.models import JobRun
from apps.metrics.store.base import StoreUnavailable
from apps.simulator.faults import METER, Fault, refuse
from heatmon import tasks
from heatmon.broker import WakingTransport
from heatmon.celery import Beat, Ticks, app
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


def test_whatever_scheduler_beat_is_given_keeps_its_file_in_the_data_directory() -> None:
    """The own one keeps none; Celery's would write into the folder that it is started in."""
    assert issubclass(Beat, Scheduler)
    assert not issubclass(Beat, PersistentScheduler)
    assert Path(app.conf.beat_schedule_filename).parent == Path(settings.DATA_DIR)


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


def test_a_store_that_is_away_is_one_line_in_the_log_and_the_job_is_not_done(
    worker: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_arguments: object) -> None:
        raise StoreUnavailable("InfluxDB does not answer")

    monkeypatch.setattr(worker.store.engine, "write", away)
    done_before = job_beats.done_at().get("poll_power")
    assert tasks.run(POLL_POWER, START)
    assert [record.exc_info for record in caplog.records if "does not answer" in record.message] == [None]
    assert job_beats.done_at().get("poll_power") == done_before


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


def test_a_hung_task_is_killed_after_a_turn_of_its_own_kind() -> None:
    limits = {name: task.time_limit for name, task in tasks.TASKS.items()}
    assert limits == {
        "poll_power": 10,
        "poll_heat_pump": 280,
        "refine_minutes": 280,
        "backfill": 280,
        "derive": 280,
        "judge_changes": 280,
        "keep_house": 280,
        "watch": 280,
        "back_up": 10_800,
        "back_up_asked": 10_800,
    }
    unguarded = [job for job in JOBS if not job.lock or job.keeps_lock]
    assert all(limits[job.name] <= job.period_s for job in unguarded)


def test_every_worker_hears_every_wake_and_nothing_is_kept_in_redis() -> None:
    assert {type(queue) for queue in app.conf.task_queues} == {Broadcast}
    assert {queue.alias for queue in app.conf.task_queues} == {job.thread for job in JOBS}
    assert issubclass(app.connection_for_read().get_transport_cls(), WakingTransport)
    assert not app.conf.worker_enable_remote_control


def test_turns_taken_before_the_clock_was_set_back_are_taken_again(worker: Home) -> None:
    for seconds in range(0, 3610, 10):
        JobRun.objects.create(site=worker.site, job="poll_power", due_at=JANUARY + timedelta(seconds=seconds))
    assert tasks.run(POLL_POWER, START + 0.2)
    assert list(JobRun.objects.values_list("due_at", flat=True)) == [JANUARY]


def test_a_turn_that_another_took_a_moment_ahead_is_no_clock_set_back(worker: Home) -> None:
    for seconds in (0, 10):
        JobRun.objects.create(site=worker.site, job="poll_power", due_at=JANUARY + timedelta(seconds=seconds))
    assert not tasks.run(POLL_POWER, START + 9.999)
    assert JobRun.objects.count() == 2


def test_a_job_is_noted_as_done_though_its_device_failed_but_not_when_it_broke(
    worker: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []
    monkeypatch.setattr(job_beats, "note_done", noted.append)
    worker.world.faults.append(Fault(name="away", target=METER, start=START, duration_s=5.0, effect=refuse))
    assert tasks.run(POLL_POWER, START)
    assert noted == ["poll_power"]

    def broken(_collection: object, _at: datetime) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("heatmon.jobs.poll_power", broken)
    with pytest.raises(RuntimeError):
        tasks.run(POLL_POWER, START + 10)
    assert noted == ["poll_power"]


class Sent(Beat):
    """Notes what is sent."""

    producer = None

    def __init__(self) -> None:
        self.sent: list[str] = []
        super().__init__(app)

    def apply_entry(self, entry: ScheduleEntry, producer: object = None) -> None:
        self.sent.append(entry.name)


def test_an_hour_after_the_clock_is_set_back_by_an_hour_all_jobs_were_woken_as_ever() -> None:
    with time_machine.travel(1_800_000_001.0, tick=False) as clock:
        beat = Sent()
        while time.time() < 1_800_000_061:
            clock.shift(beat.tick() + 0.001)
        clock.shift(-3600)
        beat.sent.clear()
        until = time.time() + 3600
        while time.time() < until:
            clock.shift(beat.tick() + 0.001)
    woken = Counter(beat.sent)
    assert {woken["poll_power"], woken["backfill"]} <= {360, 361}
    assert {woken["poll_heat_pump"], woken["refine_minutes"], woken["keep_house"]} <= {60, 61}
    assert woken["derive"] in {120, 121}
