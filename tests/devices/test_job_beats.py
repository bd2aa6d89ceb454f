"""Which jobs are late, told across processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.devices import job_beats
from apps.devices.job_beats import late

ALLOWED = {"poll_power": 30.0, "derive": 370.0}


@pytest.fixture
def folder(tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    settings.DATA_DIR = tmp_path
    yield tmp_path / "jobs"
    job_beats.expect({}, 0.0)


def test_a_job_is_late_once_it_was_not_done_for_its_time() -> None:
    assert late({"poll_power": 1000.0, "derive": 1000.0}, ALLOWED, 0.0, 1030.0) == []
    assert late({"poll_power": 1000.0, "derive": 1000.0}, ALLOWED, 0.0, 1030.1) == ["poll_power"]
    assert late({"poll_power": 1000.0, "derive": 1000.0}, ALLOWED, 0.0, 1370.1) == ["derive", "poll_power"]


def test_a_job_never_done_is_late_from_when_it_is_watched() -> None:
    assert late({}, ALLOWED, 2000.0, 2030.0) == []
    assert late({}, ALLOWED, 2000.0, 2030.1) == ["poll_power"]


def test_after_a_break_each_job_has_its_time_again() -> None:
    assert late({"poll_power": 1000.0, "derive": 1000.0}, ALLOWED, 9000.0, 9030.0) == []


def test_a_time_in_the_future_says_nothing() -> None:
    assert late({"poll_power": 9000.0, "derive": 9000.0}, ALLOWED, 1000.0, 1030.1) == ["poll_power"]


def test_what_one_process_notes_another_sees(folder: Path) -> None:
    job_beats.note_done("poll_power")
    assert time.time() - job_beats.done_at()["poll_power"] < 60
    assert oct((folder / "poll_power").stat().st_mode)[-3:] == "600"


def test_a_web_process_says_which_expected_jobs_are_late(folder: Path) -> None:
    assert job_beats.late_jobs(time.time() + 1e6) == []
    job_beats.expect(ALLOWED, time.time())
    job_beats.note_done("poll_power")
    job_beats.note_done("derive")
    at = time.time() + 5000
    os.utime(folder / "derive", (at, at))
    assert job_beats.late_jobs(at + 1) == ["poll_power"]
