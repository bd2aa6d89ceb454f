"""When jobs are due: multiples of the period plus the offset, whatever the clock does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from heatmon.schedule import JOBS, Job, due_turn, last_run, late_after_s, next_run

POLL = Job(name="poll_heat_pump", period_s=300, offset_s=150, expires_s=120, thread="heat_pump")


def test_the_heat_pump_is_polled_in_the_middle_of_an_interval() -> None:
    assert next_run(POLL, 600.0) == 750
    assert next_run(POLL, 750.0) == 1050
    assert last_run(POLL, 750.0) == 750
    assert last_run(POLL, 749.9) == 450


def test_every_job_has_a_name_of_its_own_and_expires_before_its_next_turn() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert [job.name for job in JOBS if job.expires_s >= job.period_s] == []


@given(st.sampled_from(JOBS), st.floats(min_value=0, max_value=4e9))
def test_the_next_turn_lies_after_now_and_at_most_one_period_away(job: Job, now: float) -> None:
    due = next_run(job, now)
    assert now < due <= now + job.period_s + 1
    assert (due - job.offset_s) % job.period_s == 0
    assert last_run(job, now) <= now


def test_a_missed_turn_is_made_up_until_it_expires_and_then_skipped() -> None:
    assert due_turn(POLL, 750.0) == 750
    assert due_turn(POLL, 870.0) == 750
    assert due_turn(POLL, 870.1) is None
    assert due_turn(POLL, 1050.0) == 1050


def test_housekeeping_missed_at_night_is_made_up_during_the_day() -> None:
    (job,) = (job for job in JOBS if job.name == "keep_house")
    night = 3 * 3600 + 1200
    assert due_turn(job, night + 20 * 3600) == night
    assert due_turn(job, night + 20 * 3600 + 1) is None


def test_a_job_is_late_after_three_periods_and_as_long_as_its_turn_may_take() -> None:
    assert {job.name: late_after_s(job) for job in JOBS} == {
        "poll_power": 30,
        "poll_heat_pump": 900,
        "refine_minutes": 900,
        "backfill": 310,
        "derive": 370,
        "judge_changes": 640,
        "keep_house": 259_200,
        "watch": 460,
        "back_up": 21_600,
        "back_up_asked": 10_845,
    }
