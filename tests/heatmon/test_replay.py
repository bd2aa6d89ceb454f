"""An answer of the cloud that the store did not take is kept, and stored with the next one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError

from apps.changelog.models import Entry
from apps.devices.models import RawAnswer
from apps.metrics.store.base import StoreUnavailable
from apps.simulator.settings import SLOPE
from heatmon import jobs, replay
from tests.factories import JANUARY, Home


def fail(*_arguments: object) -> None:
    raise StoreUnavailable("the time-series store cannot be used: database is locked")


def full(*_arguments: object) -> None:
    raise OperationalError("database or disk is full")


def polled_minutes(home: Home) -> list[int]:
    rows = home.rows("heat_pump", JANUARY, home.at + timedelta(minutes=5))
    return [int((row.values["requested_at"] or 0.0) - JANUARY.timestamp()) // 60 for row in rows]


def miss(home: Home, monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    with monkeypatch.context() as store_is_away:
        store_is_away.setattr(home.store, "write", fail)
        home.run("poll_heat_pump", minutes=minutes)


def test_answers_that_the_store_did_not_take_are_stored_with_the_next_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.run("poll_heat_pump", minutes=10)
    miss(home, monkeypatch, minutes=15)
    assert polled_minutes(home) == [2, 7]
    home.restart()
    home.run("poll_heat_pump", minutes=5)
    assert polled_minutes(home) == [2, 7, 12, 17, 22, 27]
    assert RawAnswer.objects.count() == 6


def test_an_answer_whose_process_was_killed_before_it_was_stored_is_stored(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.run("poll_heat_pump", minutes=10)

    def kill(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(jobs, "_store_answers", kill)
        with pytest.raises(KeyboardInterrupt):
            home.run("poll_heat_pump", minutes=5)
    home.restart()
    home.move(minutes=5)
    home.run("poll_heat_pump", minutes=5)
    assert polled_minutes(home)[:3] == [2, 7, 12]


def test_a_setting_seen_in_an_answer_that_was_not_stored_counts_as_seen_then(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.run("poll_heat_pump", minutes=10)
    home.world.house.change_setting(int(home.at.timestamp()) + 10, SLOPE, 0.7)
    home.move(minutes=5)
    miss(home, monkeypatch, minutes=5)
    assert not Entry.objects.exists()
    home.run("poll_heat_pump", minutes=5)
    (change,) = Entry.objects.get().setting_changes.all()
    assert (change.key, change.before, change.after) == (SLOPE, 0.6, 0.7)


def test_what_is_stored_is_not_read_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.run("poll_heat_pump", minutes=10)
    source = home.collection.connected().heat_pump
    monkeypatch.setattr(source, "read_again", fail)
    home.run("poll_heat_pump", minutes=15)
    assert len(polled_minutes(home)) == 5


def test_an_answer_that_could_not_even_be_kept_waits_in_memory(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.run("poll_heat_pump", minutes=10)
    with monkeypatch.context() as disk_is_full:
        disk_is_full.setattr(replay, "keep_answers", full)
        home.run("poll_heat_pump", minutes=10)
    assert RawAnswer.objects.count() == 2
    home.run("poll_heat_pump", minutes=5)
    assert RawAnswer.objects.count() == 5
    assert polled_minutes(home) == [2, 7, 12, 17, 22]
