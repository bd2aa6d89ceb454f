"""The simulated house of the demo: who it is, what its owner entered, and its settings history."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.changelog.demo_notes import CURVE_NOTE, NOTES
from apps.changelog.notes import add_note
from apps.changelog.observe import observe
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import Device, MemorySearch, Site
from apps.simulator.settings import (
    CIRCULATION_SCHEDULE,
    COMFORT,
    DHW_HYSTERESIS,
    DHW_SCHEDULE,
    NORMAL,
    REDUCED,
    SLOPE,
    SettingChange,
    settings_at,
    week,
)
from apps.simulator.spec import Forgotten, HouseSpec, house_spec
from apps.simulator.viessmann_catalogue import GATEWAY

METER = "A0B1C2D3E4F5"
DAY_S = 86_400
HISTORY_DAYS = 400
SCRIPT_DAYS = 3 * 365
NEVER_DAYS = 1e6
SEED = 11
ALTITUDE_M = 110.0
PRICE_PER_KWH = 0.32

LONG_CIRCULATION = week(*[[("06:00", "08:30", "on"), ("17:00", "22:00", "on")]] * 2)
"""Seven and a half hours a day: what the demo's owner is advised to shorten."""

FORGOTTEN_W = 190.0
"""A pump that nobody switched off: what the watch for deviations finds."""
FORGOTTEN_DAYS_AGO = (80, 32)

# Changes whose effects show what can and cannot be known: which settings, and on which days of a year, the
# first that is neither too long ago, nor too recent, nor near another one.
PLAN: tuple[tuple[tuple[tuple[str, int, float], ...], tuple[tuple[int, int], ...]], ...] = (
    (((SLOPE, 0, 0.6),), ((1, 25), (12, 12), (2, 25), (11, 20))),
    (((COMFORT, 0, 23),), ((12, 12), (2, 28), (11, 10), (1, 20), (3, 10), (3, 28))),
    (((NORMAL, 0, 20),), ((7, 1), (6, 5), (8, 15), (5, 28), (8, 25))),
    (((REDUCED, 0, 18), (DHW_HYSTERESIS, 3, 7)), ((4, 5), (10, 8), (9, 5), (5, 5), (4, 20), (10, 20))),
)
PLANNED_DAYS_AGO = (96, 384)
APART_DAYS = 32
EVENING_S = 17 * 3600 + 2520


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoState:
    """What the demo remembers between starts; epoch s. The history is made from ``start`` to ``end``;
    ``oldest``: from where on it is there."""

    seed: int
    start: int
    end: int
    oldest: int

    @classmethod
    def load(cls, path: Path) -> DemoState | None:
        if not path.exists():
            return None
        return cls(**json.loads(path.read_text()))

    def save(self, path: Path) -> None:
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self)))
        os.replace(temporary, path)


def demo_spec(state: DemoState) -> HouseSpec:
    """Return the house of the demo, the same at every start."""
    spec = house_spec(
        state.seed, state.start, state.start + SCRIPT_DAYS * DAY_S, "bias", change_every_days=NEVER_DAYS
    )
    made_at = state.start + HISTORY_DAYS * DAY_S
    settings = {**spec.settings, SLOPE: 0.8, CIRCULATION_SCHEDULE: LONG_CIRCULATION}
    evening = settings[DHW_SCHEDULE]
    assert isinstance(evening, dict)
    later = {**evening, "sat": [{"start": "06:00", "end": "21:00", "mode": "normal"}]}
    water = SettingChange(made_at - 2 * DAY_S - 3 * 3600, DHW_SCHEDULE, later)
    script = sorted((*planned_changes(made_at), water), key=lambda change: change.at)
    first, last = (made_at - days * DAY_S for days in FORGOTTEN_DAYS_AGO)
    return replace(
        spec,
        settings=settings,
        script=tuple(script),
        forgotten=Forgotten(start=first, end=last, power_w=FORGOTTEN_W),
    )


def planned_changes(made_at: int) -> list[SettingChange]:
    """Return the changes of the plan, as they fall before ``made_at`` (epoch s)."""
    chosen: list[int] = []
    changes = []
    for edits, days_of_year in PLAN:
        for month, day in days_of_year:
            ago = _days_ago(made_at, month, day)
            near = any(abs(ago - other) < APART_DAYS for other in chosen)
            if PLANNED_DAYS_AGO[0] <= ago <= PLANNED_DAYS_AGO[1] and not near:
                chosen.append(ago)
                evening = (made_at // DAY_S - ago) * DAY_S + EVENING_S
                changes += [SettingChange(evening + later * DAY_S, key, value) for key, later, value in edits]
                break
    return changes


def _days_ago(made_at: int, month: int, day: int) -> int:
    """Return how many days ago that day of a year was last."""
    today = datetime.fromtimestamp(made_at, UTC).date()
    last = today.replace(month=month, day=day)
    return (today - (last if last <= today else last.replace(year=last.year - 1))).days


def first_values(spec: HouseSpec) -> dict[str, Any]:
    """Return what the owner of the demo's house has entered on the Settings page."""
    return {
        "latitude": spec.latitude,
        "longitude": spec.longitude,
        "altitude": ALTITUDE_M,
        "electricity_price": PRICE_PER_KWH,
        "estimated_flow_rate": spec.pump.flow_m3_h,
    }


def remember_devices(site: Site, state: DemoState) -> None:
    """Remember the two devices, known from the start of the history."""
    first = datetime.fromtimestamp(state.start, UTC)
    for kind, identifier in ((Device.Kind.METER, METER), (Device.Kind.HEAT_PUMP, GATEWAY)):
        Device.objects.get_or_create(
            site=site,
            kind=kind,
            identifier=identifier,
            defaults={
                "first_seen_at": first,
                "last_seen_at": first,
                "profile": "triphase" if kind == Device.Kind.METER else "",
                "model": "SPEM-003CEBEU" if kind == Device.Kind.METER else "CU401B_G",
            },
        )
    # The past is still being written, but nothing of it is missing: the meter's memory needs no search yet.
    looked_at = datetime.fromtimestamp(state.end, UTC)
    MemorySearch.objects.get_or_create(
        site=site,
        device=METER,
        defaults={
            "profile": "triphase",
            "begins_at": looked_at,
            "searched_until": looked_at,
            "whole_at": looked_at,
        },
    )


def write_settings_history(site: Site, spec: HouseSpec, state: DemoState, end: int) -> None:
    """Write every past settings change as an entry, each seen in two polls, and a few notes."""
    moments = [state.start, *(change.at for change in spec.script if state.start < change.at < end - 900)]
    for moment in moments:
        known = settings_at(spec.settings, spec.script, moment)
        poll = moment + 300 - moment % 300 + 150
        for at in (poll, poll + 300):
            observe(site, _configuration(known, at, {c.key: c.at for c in spec.script if c.at <= moment}))
    for days_ago, text in NOTES:
        day = datetime.fromtimestamp(end - days_ago * DAY_S, UTC)
        add_note(site, text, at=day.replace(hour=17, minute=30, second=0), author=None)
    for change in spec.script:
        if change.key == SLOPE:
            add_note(site, CURVE_NOTE, at=datetime.fromtimestamp(change.at, UTC), author=None)


def _configuration(known: Mapping[str, Any], at: int, changed: Mapping[str, int]) -> HeatPumpConfiguration:
    return HeatPumpConfiguration(
        observed_at=datetime.fromtimestamp(at, UTC),
        device=GATEWAY,
        settings=known,
        changed_at={key: datetime.fromtimestamp(when, UTC) for key, when in changed.items()},
    )
