"""What advice rests on, out of the store and the history of settings; made once a day and kept."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from apps.changelog.schedule_days import mode_at, segments, warmth
from apps.changelog.timeline import configurations, state
from apps.devices.configuration import WEEKDAYS
from apps.devices.models import Site
from apps.devices.sql import first_row
from apps.metrics.efficiency import cycling_days, heating_curve
from apps.metrics.home import Home
from apps.metrics.hot_water import HotWater, hot_water, rod_seconds
from apps.metrics.silence import SILENT_S
from apps.metrics.store.base import Series
from apps.metrics.totals import totals
from apps.metrics.windows import day_edges, days

from .advice import (
    VERSION,
    HeatedHour,
    HotWaterRun,
    Observation,
    RoomHour,
    SetbackDay,
    circulation,
    hot_flow,
    limit,
    lower_shift,
    rod_runs,
    setback,
    short_cycles,
)
from .facts import digest
from .models import HomeAdvice

DAY = timedelta(days=1)
HOUR_S = 3600
KNOWN_H = 20.0
"""Hours of a day from which on it counts, as for outdoor temperature."""
EVENING_H, MORNING_H = 19, 8
"""From and until when the sun warms no room and no sensor, most of the year."""
COLD_C = 10.0
HEATING_DAY_C = 8.0
BASE_C = 16.0
"""Degree hours count from here. Of days below 8 °C its choice hardly matters."""
EVENING_FROM_H = 17
AFTERWARDS_H = 3
_KEPT = "SELECT observations FROM effects_homeadvice WHERE site_id = %s"


def kept_advice(site: Site) -> list[Observation]:
    """Return what was observed at the last look; nothing before the first."""
    row = first_row(_KEPT, site.pk)
    return [] if row is None else [Observation.from_json(each) for each in orjson.loads(row[0])]


def note_advice(home: Home) -> None:
    """Look for what could be advised, once a day and after changes."""
    options = home.options
    inputs = digest([VERSION, home.today, state(home.site), options.time_zone, options.heating_rod_kw])
    if HomeAdvice.objects.filter(site_id=home.id, inputs=inputs).exists():
        return
    HomeAdvice.objects.update_or_create(
        site_id=home.id,
        defaults={
            "inputs": inputs,
            "observations": [each.as_json() for each in observe_home(home)],
            "made_at": home.at,
        },
    )


def observe_home(home: Home) -> list[Observation]:
    """Return everything that the last eight weeks show."""
    oldest, last = home.first_day(), home.today - DAY
    if oldest is None or oldest > last:
        return []
    look = _Look(home, max(oldest, home.today - int(limit("look_back")) * DAY), last)
    water = hot_water(home, look.first, last)
    pumped = [day.circulation for day in water.days if day.circulation.is_known]
    found = [
        *(hot_flow(circuit, look.heated_hours(circuit), look.now) for circuit in look.circuits),
        *(lower_shift(circuit, look.room_hours(circuit), look.now) for circuit in look.circuits),
        *(setback(circuit, look.setback_days(circuit), look.now) for circuit in look.only_circuit),
        short_cycles(look.cycling(), look.now),
        rod_runs(look.hot_water_runs(water), look.now, home.options.heating_rod_kw),
        circulation(pumped),
    ]
    return [each for each in found if each is not None]


@dataclass(frozen=True, slots=True)
class _Hour:
    """One hour of UTC, and where it lies in the house's day."""

    at: int
    day: date
    hour: int
    settings: Mapping[str, Any]


class _Look:
    """The local days ``first`` to ``last`` of a home, hour by hour."""

    def __init__(self, home: Home, first: date, last: date) -> None:
        self.home, self.first, self.last = home, first, last
        self.start, self.end = home.midnight(first), home.day_bounds(last)[1]
        zone = home.options.zone
        history = configurations(
            home.site, datetime.fromtimestamp(self.start, UTC), datetime.fromtimestamp(self.end, UTC)
        )
        times = [at.timestamp() for at, _settings in history]
        self.now: Mapping[str, Any] = history[-1][1] if history else {}
        self._series: dict[str, Series] = {}
        self.hours = []
        newest = self.value("newest_source_at", "max")
        first_at = -(-self.start // HOUR_S) * HOUR_S
        for at in range(first_at, self.end, HOUR_S):
            local = datetime.fromtimestamp(at, zone)
            known = bisect_right(times, at)
            settings = history[known - 1][1] if known else {}
            # an hour whose answers only repeat what is older is not known
            if newest.get(at, at) > at - SILENT_S:
                self.hours.append(_Hour(at, local.date(), local.hour, settings))

    @property
    def circuits(self) -> list[str]:
        """The circuits whose curve is known."""
        keys = (key.split(".") for key in self.now)
        return sorted({parts[1] for parts in keys if parts[0] == "circuits" and "curve" in parts})

    @property
    def only_circuit(self) -> list[str]:
        """The circuit that all electricity for heating belongs to: none of several."""
        circuits = self.circuits
        return circuits if len(circuits) == 1 else []

    def value(self, name: str, what: str = "mean") -> dict[int, float]:
        """Return hour → mean, max, sum or count of a series, of the hours that have any."""
        series = self._series.get(name)
        if series is None:
            series = self.home.store.series(self.home.id, name, self.start, self.end, HOUR_S)
            self._series[name] = series
        pairs = zip(series.time, getattr(series, what), strict=True)
        return {at: value for at, value in pairs if value is not None}

    def of_circuit(self, name: str, circuit: str) -> dict[int, float]:
        """Return the values of a circuit; of the only one also those of the whole unit."""
        own = self.value(f"{name}.{circuit}")
        return own if own or not self.only_circuit else self.value(name)

    def heated_hours(self, circuit: str) -> list[HeatedHour]:
        """Return the hours in which the compressor heated most of the time, with no hot water in them or in
        the hour before, and what the curve asked at the room temperature that was wanted."""
        outside, flow = self.value("outside_temperature_c"), self.of_circuit("supply_temperature_c", circuit)
        dhw, run = self.value("dhw_charging", "max"), self.value("compressor_run_s", "sum")
        wanted = self.of_circuit("target_temperature_c", circuit)
        found = []
        for hour in self.hours:
            at = hour.at
            if at not in outside or at not in flow or run.get(at, 0.0) < HOUR_S / 2:
                continue
            if dhw.get(at) != 0.0 or dhw.get(at - HOUR_S) != 0.0:
                continue
            settings = dict(hour.settings)
            warm = settings.get(f"circuits.{circuit}.target_temperature.comfort_c")
            normal = settings.get(f"circuits.{circuit}.target_temperature.normal_c")
            # without the target of the moment the warmest that can be wanted
            target = wanted.get(at, max((each for each in (warm, normal) if each is not None), default=None))
            if target is not None:
                settings[f"circuits.{circuit}.target_temperature.normal_c"] = target
            curve = heating_curve(circuit, settings, (outside[at],))
            if curve is not None:
                found.append(HeatedHour(day=hour.day, flow_c=flow[at], asked_c=curve.points[0][1]))
        return found

    def room_hours(self, circuit: str) -> list[RoomHour]:
        """Return the dark and cold hours in which at least the normal temperature was wanted."""
        room, wanted = (self.value(f"{name}_temperature_c.{circuit}") for name in ("room", "target"))
        outside = self.value("outside_temperature_c")
        key = f"circuits.{circuit}.target_temperature.normal_c"
        return [
            RoomHour(day=hour.day, room_c=room[hour.at], target_c=wanted[hour.at])
            for hour in self.hours
            if hour.at in room and hour.at in wanted and outside.get(hour.at, COLD_C) < COLD_C
            if (hour.hour >= EVENING_H or hour.hour < MORNING_H)
            if wanted[hour.at] >= hour.settings.get(key, math.inf)
        ]

    def setback_days(self, circuit: str) -> list[SetbackDay]:
        """Return the cold days with a set-back and an evening before it. A day goes from noon to noon."""
        outside, used = (
            self.value("outside_temperature_c"),
            self.value("electrical_energy_heating_wh", "sum"),
        )
        nights: dict[date, list[_Hour]] = defaultdict(list)
        for hour in self.hours:
            nights[hour.day if hour.hour >= 12 else hour.day - DAY].append(hour)
        found = []
        for day, hours in sorted(nights.items()):
            if len(hours) < 23 or any(hour.at not in outside or hour.at not in used for hour in hours):
                continue
            if sum(outside[hour.at] for hour in hours) / len(hours) > HEATING_DAY_C:
                continue
            low = [_is_set_back(circuit, hour) for hour in hours]
            slow = [any(low[max(0, number - AFTERWARDS_H) : number + 1]) for number in range(len(hours))]
            night = [hour for hour, each in zip(hours, slow, strict=True) if each]
            begin = next((number for number, each in enumerate(low) if each), 0)
            evening = [hour for hour in hours[:begin] if hour.hour >= EVENING_FROM_H]
            found.append(
                SetbackDay(
                    day=day,
                    setback_wh=sum(used[hour.at] for hour in night),
                    setback_degree_h=sum(max(0.0, BASE_C - outside[hour.at]) for hour in night),
                    evening_wh=sum(used[hour.at] for hour in evening),
                    evening_degree_h=sum(max(0.0, BASE_C - outside[hour.at]) for hour in evening),
                )
            )
        return found

    def cycling(self) -> Mapping[date, Any]:
        """Return the cycling of the days whose state is known."""
        whole = list(days(self.first, self.last))
        parts = totals(
            self.home, day_edges(self.first, self.last, self.home.options.zone), ("compressor_known_s",)
        )
        cycling = cycling_days(self.home, len(whole))
        return {
            day: each
            for day, part, each in zip(whole, parts, cycling, strict=True)
            if part.seconds("compressor_known_s") >= KNOWN_H * HOUR_S
        }

    def hot_water_runs(self, water: HotWater) -> list[HotWaterRun]:
        """Return the runs of which it is known for how long the rod ran."""
        rod_s = rod_seconds(self.home, water.runs)
        return [
            HotWaterRun(day=day.day, rod_s=rod_s[run.start])
            for day in water.days
            for run in day.runs
            if run.start in rod_s
        ]


def _is_set_back(circuit: str, hour: _Hour) -> bool:
    """Return whether the schedule heats less than at its warmest in that hour."""
    schedule = hour.settings.get(f"circuits.{circuit}.schedule")
    day = schedule.get(WEEKDAYS[hour.day.weekday()]) if isinstance(schedule, Mapping) else None
    if not day:
        return False
    pieces = segments(day)
    mode = mode_at(pieces, hour.hour * 60 + 30)
    warmest = max(warmth(piece.mode) for piece in pieces)
    return mode is None or warmth(mode) < warmest
