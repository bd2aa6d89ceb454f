"""What a simulated run stored, compared with what really happened: the logs of the simulated devices and the
house, never heatmon's own books.
"""

from __future__ import annotations

import math
import zlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.changelog.models import ConfigurationVersion, Entry
from apps.devices.budget import BURST_LIMIT, CallBudget
from apps.devices.models import ApiCall, RawAnswer
from apps.metrics.models import Lump
from apps.metrics.windows import day_edges, local_date
from apps.simulator.answered import CloudAnswer
from apps.simulator.cloud_view import setting_lag_s
from apps.simulator.faults import CLOUD, HOST, LOGIN, METER, Fault
from apps.simulator.settings import SettingChange
from apps.simulator.world import SimulatedWorld

from .collection import Collection
from .turns import Turn

POLLS: Mapping[str, int] = {"poll_power": 10, "poll_heat_pump": 300}
DAY_TOLERANCE_WH = 1.0
HEAT_TOLERANCE = 0.05
MINUTE_TOLERANCE_WH = 0.00035  # three channels, each rounded to 0.0001 Wh
POWER_TOLERANCE_W = 0.16
# How long after its fault a poll may still fail: a cloud that refused is asked rarely, at last a day later.
FAILS_AFTER_S = {"poll_power": 60.0, "poll_heat_pump": 90_000.0}
TARGETS = {"poll_power": {METER, HOST}, "poll_heat_pump": {CLOUD, LOGIN, HOST}}
HIDES_SETTINGS = {"cloud_frozen", "cloud_features_missing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport:
    """What ``simulate --json`` prints; names as in the design. Energies in kWh over the whole run; both
    heats and the true heat over the intervals in state ``full``. What is ``wrong`` or ``missing`` is so by
    the truth."""

    days: int = 0
    seed: int = 0
    faults: list[str] = field(default_factory=list)
    duration_s: float = 0.0
    minutes_remembered: int
    minutes_missing: int
    minutes_doubled: int
    minutes_wrong: int
    max_day_error_wh: float
    electrical_energy_kwh: float
    true_electrical_energy_kwh: float
    thermal_energy_modulation_kwh: float
    thermal_energy_delta_t_kwh: float
    true_thermal_energy_kwh: float
    power_readings_answered: int
    power_readings_missing: int
    power_readings_wrong: int
    heat_pump_answers: int
    heat_pump_answers_not_kept: int
    heat_pump_rows_missing: int
    heat_pump_rows_wrong: int
    calls_total: int
    calls_not_in_ledger: int
    calls_stop_at: int
    max_calls_24h: int
    max_calls_utc_day: int
    max_calls_10min: int
    settings_changes_true: int
    settings_changes_logged: int
    settings_changes_false: int
    settings_wrong: int
    polls_due: int
    polls_not_made: int
    missed_polls: int
    missed_polls_without_fault: int
    overlapping_polls: int

    def complaints(self) -> list[str]:
        """Return what does not hold; empty when all went well."""
        none_of = {
            "minutes_missing": "minutes are missing",
            "minutes_doubled": "minutes are stored twice",
            "minutes_wrong": "minutes have another energy than the meter's, in total or of a channel",
            "power_readings_missing": "live readings of the meter are not stored",
            "power_readings_wrong": "live readings of the meter are stored with another power",
            "heat_pump_answers_not_kept": "answers of the cloud were not kept",
            "heat_pump_rows_missing": "answers of the cloud are not stored",
            "heat_pump_rows_wrong": "answers of the cloud are stored with other values",
            "calls_not_in_ledger": "calls to the cloud are not in the ledger",
            "settings_changes_false": "changes were invented",
            "settings_wrong": "settings are not known as they are",
            "polls_not_made": "polls were not made",
            "missed_polls_without_fault": "polls failed though nothing was wrong",
            "overlapping_polls": "polls of the meter overlapped",
        }
        found = [f"{getattr(self, name)} {words}" for name, words in none_of.items() if getattr(self, name)]
        checks = (
            (self.max_day_error_wh <= DAY_TOLERANCE_WH, f"a day is {self.max_day_error_wh:.2f} Wh off"),
            (
                self.settings_changes_logged == self.settings_changes_true,
                f"{self.settings_changes_logged} of {self.settings_changes_true} changes were logged",
            ),
            (self.max_calls_24h <= self.calls_stop_at, f"{self.max_calls_24h} calls were made in 24 hours"),
            (self.max_calls_utc_day <= self.calls_stop_at, f"{self.max_calls_utc_day} calls in a day of UTC"),
            (self.max_calls_10min <= BURST_LIMIT, f"{self.max_calls_10min} calls were made in 10 minutes"),
            (self._heat_is_near(), f"the heat is {self.thermal_energy_modulation_kwh} kWh"),
        )
        return found + [complaint for holds, complaint in checks if not holds]

    def _heat_is_near(self) -> bool:
        true = self.true_thermal_energy_kwh
        return abs(self.thermal_energy_modulation_kwh - true) <= HEAT_TOLERANCE * max(true, 1.0)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A finished run: what the comparison needs. ``turns`` are those of the polls; ``stretches`` is when
    heatmon was running (epoch s)."""

    world: SimulatedWorld
    collection: Collection
    start: datetime
    end: datetime
    turns: Sequence[Turn]
    stretches: Sequence[tuple[float, float]]
    faults: Sequence[Fault]

    def rows(self, measurement: str, fields: list[str]) -> list[Any]:
        """Return the stored rows of the run and the quarter of an hour after it."""
        site, end = self.collection.site.pk, int(self.end.timestamp()) + 1800
        return list(self.collection.store.rows(site, measurement, int(self.start.timestamp()), end, fields))


def compared(run: FinishedRun) -> SimulationReport:
    """Return the report of a finished run; whoever made it names it."""
    truth = run.world.truth
    electrical_wh, worst_wh = _days(run)
    heat = _heat(run)
    counts: dict[str, Any] = {}
    for compare in (_minutes, _readings, _answers, _calls, _settings, _polls):
        counts |= compare(run)
    return SimulationReport(
        max_day_error_wh=round(worst_wh, 4),
        electrical_energy_kwh=round(electrical_wh / 1000, 6),
        true_electrical_energy_kwh=round(truth.energy_wh(run.start, run.end) / 1000, 6),
        thermal_energy_modulation_kwh=round(heat[0] / 1000, 3),
        thermal_energy_delta_t_kwh=round(heat[1] / 1000, 3),
        true_thermal_energy_kwh=round(heat[2] / 1000, 3),
        overlapping_polls=run.world.shelly.overlaps,
        **counts,
    )


def _minutes(run: FinishedRun) -> dict[str, int]:
    """Compare the minutes that the meter holds with the final rows, total and by channel."""
    first, last = run.start.timestamp(), run.end.timestamp()
    held = {
        minute
        for minute in run.world.truth.remembered_minutes(run.end + timedelta(minutes=1))
        if first <= minute < last
    }
    fields = ["energy_wh", "energy_a_wh", "energy_b_wh", "energy_c_wh", "provisional"]
    rows = [
        row for row in run.rows("meter_minute", fields) if row.at < last and not row.values["provisional"]
    ]
    stored = [row.at for row in rows if row.values["energy_wh"] is not None]
    return {
        "minutes_remembered": len(held),
        "minutes_missing": len(held - set(stored)),
        "minutes_doubled": len(stored) - len(set(stored)),
        "minutes_wrong": sum(
            not _is_true(row.values, run.world.truth.minute_channels_wh(row.at)) for row in rows
        ),
    }


def _is_true(values: Mapping[str, float | None], channels: Sequence[float]) -> bool:
    stored = [values[name] for name in ("energy_wh", "energy_a_wh", "energy_b_wh", "energy_c_wh")]
    return all(
        value is not None and abs(value - true) <= MINUTE_TOLERANCE_WH
        for value, true in zip(stored, (math.fsum(channels), *channels), strict=True)
    )


def _days(run: FinishedRun) -> tuple[float, float]:
    """Return (energy of the run [Wh], largest difference of a local day from the truth [Wh]); days that a
    lump touches count as one sum."""
    zone = run.collection.options.zone
    last_day = local_date(run.end - timedelta(seconds=1), zone)
    first, last = int(run.start.timestamp()), int(run.end.timestamp())
    days = day_edges(local_date(run.start, zone), last_day, zone)
    bounds = [min(max(edge, first), last) for edge in days]
    edges = [datetime.fromtimestamp(edge, UTC) for edge in bounds]
    site = run.collection.site.pk
    sums = run.collection.store.sums(site, ["electrical_energy_wh"], bounds)["electrical_energy_wh"]
    lumps = list(Lump.objects.filter(site_id=site, start__lt=run.end, end__gt=run.start))
    total = math.fsum(each.sum or 0.0 for each in sums) + math.fsum(lump.energy_wh for lump in lumps)
    groups: list[list[int]] = []
    for number in range(len(sums)):
        joined = groups and any(lump.start < edges[number] < lump.end for lump in lumps)
        groups[-1].append(number) if joined else groups.append([number])
    worst = 0.0
    for group in groups:
        begin, stop = edges[group[0]], edges[group[-1] + 1]
        stored = math.fsum(sums[number].sum or 0.0 for number in group)
        stored += math.fsum(lump.energy_wh for lump in lumps if begin <= lump.start and lump.end <= stop)
        worst = max(worst, abs(stored - run.world.truth.energy_wh(begin, stop)))
    return total, worst


def _heat(run: FinishedRun) -> tuple[float, float, float]:
    """Return (method A, method B, truth) over the intervals in state full [Wh]; B over those it knows."""
    by_modulation = by_delta_t = true = 0.0
    minutes = run.world.truth.minute_heats_wh(run.start, run.end)
    begin = int(run.start.timestamp())
    for row in run.rows("interval", ["full_thermal_energy_wh", "full_delta_t_thermal_energy_wh"]):
        heat = row.values.get("full_thermal_energy_wh")
        first = (row.at - begin) // 60
        if heat is not None and row.at < run.end.timestamp():
            by_modulation += heat
            true += math.fsum(minutes[first : first + 5])
            by_delta_t += row.values.get("full_delta_t_thermal_energy_wh") or 0.0
    return by_modulation, by_delta_t, true


def _readings(run: FinishedRun) -> dict[str, int]:
    """Compare the live answers of the meter, by its own log, with the rows."""
    answered = {at: power for at, power in run.world.answered.powers.items() if _was_running(run, at)}
    stored = {row.at: row.values["power_w"] for row in run.rows("meter", ["power_w"])}
    wanted = {int(at): power for at, power in answered.items() if power is not None}
    return {
        "power_readings_answered": len(answered),
        "power_readings_missing": sum(at not in stored for at in wanted),
        "power_readings_wrong": sum(
            at in stored and not _is_near(stored[at], power, POWER_TOLERANCE_W)
            for at, power in wanted.items()
        ),
    }


def _was_running(run: FinishedRun, at: float) -> bool:
    return any(start <= at < end for start, end in run.stretches)


def _is_near(stored: float | None, true: float | None, tolerance: float) -> bool:
    return stored is not None and true is not None and abs(stored - true) <= tolerance


def _answers(run: FinishedRun) -> dict[str, int]:
    """Compare the cloud's answers, by its own log, with those kept and with the rows of their interval."""
    answered = run.world.answered.cloud
    kept = {
        (int(at.timestamp()), zlib.crc32(zlib.decompress(packed)))
        for at, packed in RawAnswer.objects.values_list("at", "payload").iterator()
    }
    fields = ["requested_at", "outside_temperature_c", "modulation_percent"]
    rows = {row.at: row.values for row in run.rows("heat_pump", fields)}
    newest = {int(answer.at) // 300 * 300: answer for answer in answered}
    missing = [at for at, answer in newest.items() if rows.get(at, {}).get("requested_at") != int(answer.at)]
    return {
        "heat_pump_answers": len(answered),
        "heat_pump_answers_not_kept": sum(
            (int(answer.at), answer.checksum) not in kept for answer in answered
        ),
        "heat_pump_rows_missing": len(missing),
        "heat_pump_rows_wrong": sum(
            not _is_stored(rows[at], answer) for at, answer in newest.items() if at not in missing
        ),
    }


def _is_stored(values: Mapping[str, float | None], answer: CloudAnswer) -> bool:
    possible = (
        ("outside_temperature_c", answer.outside_temperature_c, -60.0, 70.0, 0.051),
        ("modulation_percent", answer.modulation_percent, 0.0, 100.0, 0.51),
    )
    return all(
        values[name] is None
        if told is None or not low <= told <= high
        else _is_near(values[name], told, tolerance)
        for name, told, low, high, tolerance in possible
    )


def _calls(run: FinishedRun) -> dict[str, int]:
    """Count the calls by the cloud's own log, and those that heatmon has not written down."""
    truth = run.world.truth
    budget = CallBudget(run.world.cloud.client_id, clock=run.collection.clock)
    return {
        "calls_total": truth.calls_total,
        "calls_not_in_ledger": max(0, truth.calls_total - ApiCall.objects.count()),
        "calls_stop_at": budget.stops_at,
        "max_calls_24h": truth.max_calls_24h(),
        "max_calls_utc_day": truth.max_calls_utc_day(),
        "max_calls_10min": truth.max_calls_10min(),
    }


def _settings(run: FinishedRun) -> dict[str, int]:
    """Compare the entries and the settings known at the end with what was changed at the device."""
    good = [answer.at for answer in run.world.answered.cloud if not _is_hidden(run, answer.at)]
    true = run.world.truth.settings_changes(run.start, run.end)
    confirmed = {change: at for change in true if (at := _confirmed_at(change, good)) is not None}
    entries = list(
        Entry.objects.filter(site=run.collection.site, kind=Entry.Kind.SETTING).prefetch_related(
            "setting_changes"
        )
    )
    logged = {
        (entry.at.timestamp(), change.key) for entry in entries for change in entry.setting_changes.all()
    }
    invented = [
        (at, key)
        for at, key in logged
        if not any(change.key == key and change.at - 60 <= at <= seen for change, seen in confirmed.items())
    ]
    first_polls = {good[bisect_left(good, _seen_at(change))] for change in confirmed}
    return {
        "settings_changes_true": len(first_polls),
        "settings_changes_logged": len(entries),
        "settings_changes_false": len(invented),
        "settings_wrong": _wrong_settings(run, confirmed),
    }


def _seen_at(change: SettingChange) -> float:
    return change.at + setting_lag_s(change)


def _is_hidden(run: FinishedRun, at: float) -> bool:
    return any(fault.name in HIDES_SETTINGS and fault.start <= at < fault.end for fault in run.faults)


def _confirmed_at(change: SettingChange, good: Sequence[float]) -> float | None:
    """Return the second good poll that shows a change, None where there is none."""
    first = bisect_left(good, _seen_at(change))
    return good[first + 1] if first + 1 < len(good) else None


def _wrong_settings(run: FinishedRun, confirmed: Mapping[SettingChange, float]) -> int:
    """Return how many settings are not known at the end as they were last confirmed; all, if none is."""
    expected = dict(run.world.house.spec.settings)
    for change in sorted(confirmed, key=lambda one: one.at):
        expected[change.key] = change.value
    version = ConfigurationVersion.objects.filter(site=run.collection.site).order_by("-at", "-id").first()
    known = version.settings if version is not None else {}
    return sum(known.get(key) != value for key, value in expected.items())


def _polls(run: FinishedRun) -> dict[str, int]:
    """Compare the turns taken with those due, and the failed ones with the faults."""
    due = 0
    for start, end in run.stretches:
        for name, period_s in POLLS.items():
            offset = 150 if name == "poll_heat_pump" else 0
            due += math.ceil((end - offset) / period_s) - math.ceil((start - offset) / period_s)
    failed = [turn for turn in run.turns if turn.failed]
    return {
        "polls_due": due,
        "polls_not_made": due - len(run.turns),
        "missed_polls": len(failed),
        "missed_polls_without_fault": sum(not _is_explained(run, turn) for turn in failed),
    }


def _is_explained(run: FinishedRun, turn: Turn) -> bool:
    at, name = turn.at.timestamp(), turn.job.name
    return any(
        fault.target in TARGETS[name] and fault.start <= at <= fault.end + FAILS_AFTER_S[name]
        for fault in run.faults
    )
