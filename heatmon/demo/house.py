"""The simulated house of the demo: who it is, what its owner entered, and its settings history."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.changelog.notes import add_note
from apps.changelog.observe import observe
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import Device, MemorySearch, Site
from apps.simulator.settings import DHW_SCHEDULE, SLOPE, SettingChange, settings_at
from apps.simulator.spec import HouseSpec, house_spec
from apps.simulator.viessmann_catalogue import GATEWAY

METER = "A0B1C2D3E4F5"
DAY_S = 86_400
HISTORY_DAYS = 400
SCRIPT_DAYS = 3 * 365
CHANGE_EVERY_DAYS = 30.0
SEED = 11
ALTITUDE_M = 110.0
PRICE_PER_KWH = 0.32

NOTES = (
    (301, "Lowered the heating curve. The bathroom should stay warm enough."),
    (212, "Bled the radiators on the first floor."),
    (96, "Service: filter cleaned, brine pressure 1.8 bar."),
    (4, "New shower head, 6 litres a minute."),
)


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
        state.seed,
        state.start,
        state.start + SCRIPT_DAYS * DAY_S,
        "bias",
        change_every_days=CHANGE_EVERY_DAYS,
    )
    settings = {**spec.settings, SLOPE: 0.8}
    made_at = state.start + HISTORY_DAYS * DAY_S
    curve = SettingChange(made_at - 301 * DAY_S + 18 * 3600 + 2520, SLOPE, 0.6)
    evening = settings_at(settings, spec.script, made_at)[DHW_SCHEDULE]
    assert isinstance(evening, dict)
    later = {**evening, "sat": [{"start": "06:00", "end": "21:00", "mode": "normal"}]}
    water = SettingChange(made_at - 2 * DAY_S - 3 * 3600, DHW_SCHEDULE, later)
    script = sorted((*(c for c in spec.script if c.key != SLOPE), curve, water), key=lambda change: change.at)
    return replace(spec, settings=settings, script=tuple(script))


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


def _configuration(known: Mapping[str, Any], at: int, changed: Mapping[str, int]) -> HeatPumpConfiguration:
    return HeatPumpConfiguration(
        observed_at=datetime.fromtimestamp(at, UTC),
        device=GATEWAY,
        settings=known,
        changed_at={key: datetime.fromtimestamp(when, UTC) for key, when in changed.items()},
    )
