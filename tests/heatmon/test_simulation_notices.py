"""What the simulation compares, each with a heatmon that does it wrong: it must be noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from apps.changelog.models import Entry
from apps.devices import budget
from apps.devices.errors import DeviceError, DeviceUnreachable
from apps.devices.readings import PowerReading
from apps.metrics.store.base import Row
from apps.metrics.store.front import Store
from apps.simulator.settings import SLOPE
from apps.simulator.world import SimulatedWorld
from heatmon import jobs, replay, turns
from heatmon.simulation import DAY, Simulation
from heatmon.simulation_truth import SimulationReport

START = datetime(2026, 2, 15, 5, 0, tzinfo=UTC)

Mutant = Callable[[pytest.MonkeyPatch], None]


def run(tmp_path: Path, minutes: int = 20) -> SimulationReport:
    """Twenty minutes of a morning, a setting changed in the fourth."""
    world = SimulatedWorld(3, START, end=START + DAY, logs_answers=True)
    world.house.change_setting(int(START.timestamp()) + 200, SLOPE, 0.7)
    return Simulation(world, tmp_path).compare(START, START + timedelta(minutes=minutes))


def complaints(tmp_path: Path) -> str:
    return "; ".join(run(tmp_path).complaints())


def on_rows(measurement: str, change: Callable[[Row], Row | None]) -> Mutant:
    """A store that changes the rows it is given, or loses them."""

    def mutate(monkeypatch: pytest.MonkeyPatch) -> None:
        write = Store.write

        def changed(self: Store, rows: Iterable[Row]) -> None:
            kept = [change(row) if row.measurement == measurement else row for row in rows]
            write(self, [row for row in kept if row is not None])

        monkeypatch.setattr(Store, "write", changed)

    return mutate


def with_values(row: Row, **change: Callable[[float], float]) -> Row:
    values = dict(row.values)
    for name, new in change.items():
        if (value := values.get(name)) is not None:
            values[name] = new(value)
    return replace(row, values=values)


def every_third(row: Row) -> Row | None:
    return None if row.at // 300 % 3 == 0 else row


def one_minute(change: Callable[[Row], Row | None]) -> Callable[[Row], Row | None]:
    chosen = int(START.timestamp()) + 540
    return lambda row: change(row) if row.at == chosen else row


def ledger_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget.CallBudget, "charge", lambda *_arguments: 0)


def asking_each_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger_off(monkeypatch)
    poll = jobs.poll_power

    def poll_both(collection: Any, at: datetime) -> PowerReading | None:
        for _ in range(3):
            with suppress(DeviceError):  # at last the cloud itself refuses
                jobs.poll_heat_pump(collection, at)
        return poll(collection, at)

    monkeypatch.setattr(jobs, "poll_power", poll_both)


def never_observing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "observe", lambda *_arguments: None)


def inventing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    observe = jobs.observe  # type: ignore[attr-defined]
    numbers = count()

    def invent(site: Any, configuration: Any) -> Any:
        if next(numbers) == 1:
            made = Entry.objects.create(site=site, kind=Entry.Kind.SETTING, at=configuration.observed_at)
            made.setting_changes.create(key="dhw.target_temperature_c", before=50, after=60)
        return observe(site, configuration)

    monkeypatch.setattr(jobs, "observe", invent)


def keeping_no_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "keep_answers", lambda *_arguments: None)


def fetching_no_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("refine_minutes", "backfill"):
        monkeypatch.setattr(jobs, name, lambda *_arguments, **_options: 0)


def skipping_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    next_run = turns.next_run  # type: ignore[attr-defined]
    monkeypatch.setattr(turns, "next_run", lambda job, after: next_run(job, after + job.period_s))


def failing_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    poll = jobs.poll_power

    def fail_sometimes(collection: Any, at: datetime) -> PowerReading | None:
        if at.minute == 2:
            raise DeviceUnreachable("timeout", host="meter.simulated")
        return poll(collection, at)

    monkeypatch.setattr(jobs, "poll_power", fail_sometimes)


def a_third_more(value: float) -> float:
    return value * 4 / 3


MUTANTS: dict[str, tuple[Mutant, str]] = {
    "the ledger is off": (ledger_off, "calls to the cloud are not in the ledger"),
    "the cloud is asked each ten seconds": (asking_each_ten_seconds, "calls were made in 10 minutes"),
    "every third answer of the heat pump is lost": (
        on_rows("heat_pump", every_third),
        "answers of the cloud are not stored",
    ),
    "the outside temperature is a degree off": (
        on_rows("heat_pump", lambda row: with_values(row, outside_temperature_c=lambda value: value + 1)),
        "answers of the cloud are stored with other values",
    ),
    "answers are not kept as they came": (keeping_no_answers, "answers of the cloud were not kept"),
    "the total of a minute is doubled": (
        on_rows("meter_minute", one_minute(lambda row: with_values(row, energy_wh=lambda value: 2 * value))),
        "minutes have another energy than the meter's",
    ),
    "a channel of a minute is wrong": (
        on_rows(
            "meter_minute", one_minute(lambda row: with_values(row, energy_b_wh=lambda value: value + 0.01))
        ),
        "minutes have another energy than the meter's",
    ),
    "a minute is lost": (on_rows("meter_minute", one_minute(lambda row: None)), "minutes are missing"),
    "no minutes are fetched": (fetching_no_minutes, "minutes are missing"),
    "every third live reading is lost": (
        on_rows("meter", lambda row: None if row.at // 10 % 3 == 0 else row),
        "live readings of the meter are not stored",
    ),
    "powers are a third too high": (
        on_rows("meter", lambda row: with_values(row, power_w=a_third_more)),
        "live readings of the meter are stored with another power",
    ),
    "settings are never observed": (never_observing, "settings are not known as they are"),
    "changes are invented": (inventing_changes, "changes were invented"),
    "every other poll is skipped": (skipping_turns, "polls were not made"),
    "polls fail though nothing is wrong": (failing_for_nothing, "polls failed though nothing was wrong"),
}


def test_what_works_has_no_complaints(db: None, tmp_path: Path) -> None:
    report = run(tmp_path)
    assert report.complaints() == []
    assert (report.minutes_remembered, report.polls_due, report.settings_changes_true) == (20, 124, 1)
    assert (report.power_readings_answered, report.heat_pump_answers) == (120, 4)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_noticed(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    mutate, complaint = MUTANTS[name]
    mutate(monkeypatch)
    assert complaint in complaints(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"minutes_doubled": 1}, "1 minutes are stored twice"),
        ({"max_day_error_wh": 1.5}, "a day is 1.50 Wh off"),
        ({"thermal_energy_modulation_kwh": 9.0}, "the heat is 9.0 kWh"),
        ({"settings_changes_logged": 0}, "0 of 1 changes were logged"),
        ({"max_calls_24h": 1306}, "1306 calls were made in 24 hours"),
        ({"max_calls_utc_day": 1306}, "1306 calls in a day of UTC"),
        ({"max_calls_10min": 111}, "111 calls were made in 10 minutes"),
        ({"overlapping_polls": 1}, "1 polls of the meter overlapped"),
    ],
)
def test_each_bound_is_held(change: dict[str, Any], complaint: str) -> None:
    good = SimulationReport(
        **{
            name: 0
            for name in SimulationReport.__dataclass_fields__
            if name not in {"faults", "settings_changes_true", "settings_changes_logged", "calls_stop_at"}
        },
        faults=[],
        settings_changes_true=1,
        settings_changes_logged=1,
        calls_stop_at=1305,
    )
    assert good.complaints() == []
    assert replace(good, **change).complaints() == [complaint]
