"""◇ What stored data alone suggest to try next: observations with their numbers, each with a test that could
tell. None where too little is known. Temperatures in °C, energies in Wh.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import fmean, median
from typing import Any, Self

from apps.metrics.circulation import CirculationDay, hours_a_day
from apps.metrics.cycles import CyclingDay

from .plain import plain

VERSION = 3

HOT_FLOW = "hot_flow"
LOWER_SHIFT = "lower_shift"
SHORT_CYCLES = "short_cycles"
ROD_RUNS = "rod_runs"
CIRCULATION = "circulation"
SETBACK = "setback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """From which value on something is said, and why from there."""

    value: float
    unit: str
    reason: str


LIMITS: Mapping[str, Limit] = {
    "look_back": Limit(value=56, unit="d", reason="eight whole weeks: recent, and each weekday alike"),
    "heated_hours": Limit(value=100, unit="h", reason="about a week of heating; fewer show one cold spell"),
    "hot_flow": Limit(value=5, unit="K", reason="above what the controller's own hysteresis of 4 K explains"),
    "hot_share": Limit(value=0.10, unit="", reason="fewer may follow hot water or a changed curve"),
    "hot_hours": Limit(value=24, unit="h", reason="together a day"),
    "warm_room": Limit(value=1.0, unit="K", reason="half of it is the tolerance of a room sensor"),
    "warm_hours": Limit(value=200, unit="h", reason="in the dark and below 10 °C: no sun"),
    "warm_share": Limit(value=0.75, unit="", reason="three of four hours: not a few evenings with guests"),
    "cycling_known": Limit(value=14, unit="d", reason="two weeks with at least 20 known hours a day"),
    "cycling_days": Limit(value=3, unit="d", reason="as the alarm, though not in a row"),
    "rod_runs_known": Limit(value=14, unit="", reason="about two weeks of hot water"),
    "rod_runs_a_week": Limit(value=1.5, unit="1/week", reason="one a week may be meant, against legionella"),
    "circulation_known": Limit(value=14, unit="d", reason="two weeks"),
    "circulation": Limit(value=6, unit="h/d", reason="two hours in the morning and four in the evening"),
    "setback_days": Limit(value=20, unit="d", reason="three weeks of nights"),
    "setback": Limit(value=1.10, unit="", reason="sun of the day and people make evenings need a tenth less"),
}


def limit(name: str) -> float:
    return LIMITS[name].value


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A test that could tell: a setting and the value to try against the present one."""

    key: str
    other: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was seen from ``first`` to ``last``. ``known``: from how many hours, days or runs, ``times``: in
    how many of them; ``seen_on``: the newest day that shows it well; ``numbers``: by what it was."""

    code: str
    first: date
    last: date
    known: int
    times: int
    seen_on: date
    circuit: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    trial: Trial | None = None

    def as_json(self) -> dict[str, Any]:
        return plain(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        dates = {name: date.fromisoformat(kept[name]) for name in ("first", "last", "seen_on")}
        known = kept["trial"] or {}
        trial = Trial(key=known["key"], other=known["other"]) if known.get("key") else None
        return cls(**{**kept, **dates, "trial": trial})


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatedHour:
    """An hour in which a circuit was heated and no hot water made: its flow, and what its curve asks."""

    day: date
    flow_c: float
    asked_c: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomHour:
    """A dark, cold hour of the normal program."""

    day: date
    room_c: float
    target_c: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HotWaterRun:
    """One run of hot water; ``rod_s``: how long the heating rod ran meanwhile."""

    day: date
    rod_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetbackDay:
    """Electricity for heating and degree hours, in the set-back with the three hours after it, and in the
    evening before it."""

    day: date
    setback_wh: float
    setback_degree_h: float
    evening_wh: float
    evening_degree_h: float


def hot_flow(circuit: str, hours: Sequence[HeatedHour], settings: Mapping[str, Any]) -> Observation | None:
    """Return that the flow was hotter than the circuit's curve asks."""
    hot = [hour for hour in hours if hour.flow_c - hour.asked_c > limit("hot_flow")]
    if len(hours) < limit("heated_hours") or len(hot) < max(
        limit("hot_hours"), limit("hot_share") * len(hours)
    ):
        return None
    lowest = _number(settings, f"circuits.{circuit}.supply_temperature.min_c")
    forced = sum(lowest is not None and hour.asked_c < lowest for hour in hot)
    excess = fmean(hour.flow_c - hour.asked_c for hour in hot)
    numbers = {"excess_k": excess}
    trial: Trial | None
    if lowest is not None and 2 * forced > len(hot):
        numbers["lowest_c"] = lowest
        trial = Trial(key=f"circuits.{circuit}.supply_temperature.min_c", other=lowest - round(excess))
    else:
        trial = _less_shift(circuit, settings, 2)
    return _observation(HOT_FLOW, _days(hours), _days(hot), circuit, numbers, trial)


def lower_shift(circuit: str, hours: Sequence[RoomHour], settings: Mapping[str, Any]) -> Observation | None:
    """Return that the rooms are warmer than set: the curve has room for a lower shift."""
    warm = [hour for hour in hours if hour.room_c > hour.target_c]
    if len(hours) < limit("warm_hours"):
        return None
    excess = fmean(hour.room_c - hour.target_c for hour in hours)
    if excess < limit("warm_room") or len(warm) < limit("warm_share") * len(hours):
        return None
    trial = _less_shift(circuit, settings, min(3, math.floor(excess)))
    return _observation(LOWER_SHIFT, _days(hours), _days(warm), circuit, {"excess_k": excess}, trial)


def _less_shift(circuit: str, settings: Mapping[str, Any], kelvin: int) -> Trial | None:
    key = f"circuits.{circuit}.curve.shift"
    shift = _number(settings, key)
    return None if shift is None else Trial(key=key, other=shift - kelvin)


def short_cycles(days: Mapping[date, CyclingDay], settings: Mapping[str, Any]) -> Observation | None:
    """Return that the compressor started too often. ``days``: those whose state is known."""
    short = {day: cycling for day, cycling in days.items() if cycling.short}
    if len(days) < limit("cycling_known") or len(short) < limit("cycling_days"):
        return None
    numbers = {
        "most_starts": max(cycling.peak_starts_per_hour for cycling in short.values()),
        "cycle_min": median(median(cycling.cycles_s) for cycling in short.values()) / 60,
    }
    keys = sorted(key for key in settings if key.startswith("circuits.") and ".hysteresis." in key)
    wider = next(((key, value) for key in keys if (value := _number(settings, key)) is not None), None)
    trial = None if wider is None else Trial(key=wider[0], other=wider[1] + 2)
    return _observation(SHORT_CYCLES, list(days), list(short), "", numbers, trial)


def rod_runs(
    runs: Sequence[HotWaterRun], settings: Mapping[str, Any], rod_kw: float | None
) -> Observation | None:
    """Return that hot-water runs end on the heating rod."""
    with_rod = [run for run in runs if run.rod_s > 0]
    if len(runs) < limit("rod_runs_known"):
        return None
    weeks = ((max(run.day for run in runs) - min(run.day for run in runs)).days + 1) / 7
    if len(with_rod) < limit("rod_runs_a_week") * weeks:
        return None
    hours = sum(run.rod_s for run in with_rod) / 3600
    target = _number(settings, "dhw.target_temperature_c")
    numbers = {"rod_h": hours} | ({} if rod_kw is None else {"rod_kwh": hours * rod_kw})
    trial = None if target is None else Trial(key="dhw.target_temperature_c", other=target - 3)
    return _observation(ROD_RUNS, _days(runs), _days(with_rod), "", numbers, trial)


def circulation(days: Sequence[CirculationDay]) -> Observation | None:
    """Return that the circulation pump runs long. Only its schedule acts on that, which is not tested."""
    if len(days) < limit("circulation_known"):
        return None
    hours = hours_a_day(days)
    if hours is None or hours <= limit("circulation"):
        return None
    numbers = {"on_h": hours, "night_h": fmean(day.night_on_h for day in days)}
    running = [day for day in days if day.on_h > 0]
    return _observation(CIRCULATION, _days(days), _days(running), "", numbers, None)


def setback(circuit: str, days: Sequence[SetbackDay], settings: Mapping[str, Any]) -> Observation | None:
    """Return that set-backs need more than the evenings at equal weather, so that they cost more than they
    save: by more than a tenth, at the lower end of a 95 % interval."""
    known = [day for day in days if day.setback_degree_h > 0 and day.evening_degree_h > 0]
    if len(known) < limit("setback_days"):
        return None
    used, degrees = sum(day.setback_wh for day in known), sum(day.setback_degree_h for day in known)
    evening, cold = sum(day.evening_wh for day in known), sum(day.evening_degree_h for day in known)
    if used <= 0 or evening <= 0:
        return None
    ratio = (used / degrees) / (evening / cold)
    pulls = [
        (day.setback_wh - used / degrees * day.setback_degree_h) / used
        - (day.evening_wh - evening / cold * day.evening_degree_h) / evening
        for day in known
    ]
    error = math.sqrt(sum(pull * pull for pull in pulls) * len(known) / (len(known) - 1))
    if ratio * math.exp(-1.96 * error) <= limit("setback"):
        return None
    normal = _number(settings, f"circuits.{circuit}.target_temperature.normal_c")
    numbers = {
        "used_kwh": used / 1000 / len(known),
        "like_evenings_kwh": used / ratio / 1000 / len(known),
    }
    key = f"circuits.{circuit}.target_temperature.reduced_c"
    trial = None if normal is None or key not in settings else Trial(key=key, other=normal)
    return _observation(SETBACK, _days(known), _days(known), circuit, numbers, trial)


def _observation(
    code: str,
    known: Sequence[date],
    seen: Sequence[date],
    circuit: str,
    numbers: Mapping[str, float],
    trial: Trial | None,
) -> Observation:
    """Return what was seen. ``known``, ``seen``: a day for each hour, day or run."""
    often = Counter(seen)
    most = max(often.values())
    return Observation(
        code=code,
        circuit=circuit,
        first=min(known),
        last=max(known),
        known=len(known),
        times=len(seen),
        seen_on=max(day for day, count in often.items() if 2 * count >= most),
        numbers=numbers,
        trial=trial,
    )


def _days(
    found: Sequence[HeatedHour | RoomHour | HotWaterRun | CirculationDay | SetbackDay],
) -> list[date]:
    return [each.day for each in found]


def _number(settings: Mapping[str, Any], key: str) -> float | None:
    value = settings.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
