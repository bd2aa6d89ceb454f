"""The simulated house of the demo: who it is, and its past as rows of the store."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.changelog.notes import add_note
from apps.changelog.observe import observe
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import Device, Site
from apps.metrics.store.base import Row
from apps.metrics.store.bulk import BulkWriter
from apps.metrics.store.front import Store
from apps.metrics.store.schema import COMPRESSOR_PHASES
from apps.simulator.settings import DHW_SCHEDULE, SLOPE, SettingChange, settings_at
from apps.simulator.spec import HouseSpec, house_spec
from apps.simulator.viessmann_catalogue import GATEWAY

from .demo_maker import Counts

METER = "A0B1C2D3E4F5"
DAY_S = 86_400
HISTORY_DAYS = 400
SCRIPT_DAYS = 3 * 365
CHANGE_EVERY_DAYS = 30.0
CIRCUIT = "1"
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
    """The house of the demo, the same at every start."""
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
    """What the owner of the demo's house has entered on the Settings page."""
    return {
        "latitude": spec.latitude,
        "longitude": spec.longitude,
        "altitude": ALTITUDE_M,
        "electricity_price": PRICE_PER_KWH,
        "estimated_flow_rate": spec.pump.flow_m3_h,
    }


def remember_devices(site: Site, state: DemoState) -> None:
    """The two devices, known from the start of the history."""
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


def write_settings_history(site: Site, spec: HouseSpec, state: DemoState, end: int) -> None:
    """Every settings change of the past as entries, each seen in two polls, and a few notes."""
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


def counts_at(store: Store, site: int, at: int) -> Counts | None:
    """The devices' running totals at ``at``, from the nearest stored ones; None if none are near."""
    counters = _counters_at(store, site, at)
    names = ("compressor_starts_count", "compressor_hours_h", "heating_rod_level_one_s")
    rows = store.rows(site, "heat_pump", at - DAY_S, at + DAY_S, names)
    complete = [row for row in rows if all(row.values.get(name) is not None for name in names)]
    if counters is None or not complete:
        return None
    nearest = min(complete, key=lambda row: abs(row.at - at))
    return Counts(*counters, *(nearest.values[name] or 0.0 for name in names))


def _counters_at(store: Store, site: int, at: int) -> list[float] | None:
    for row in store.rows(site, "meter_counter", at, at + DAY_S):
        if _complete(row):
            return _moved(row, _energy(store, site, at, row.at), -1)
    before = [row for row in store.rows(site, "meter_counter", at - DAY_S, at) if _complete(row)]
    return _moved(before[-1], _energy(store, site, before[-1].at, at), 1) if before else None


def _complete(row: Row) -> bool:
    return all(row.values.get(f"energy_counter_{name}_wh") is not None for name in "abc")


def _moved(row: Row, energy: Sequence[float], sign: int) -> list[float]:
    shown = (row.values[f"energy_counter_{name}_wh"] or 0.0 for name in "abc")
    return [counter + sign * moved for counter, moved in zip(shown, energy, strict=True)]


def _energy(store: Store, site: int, start: int, end: int) -> list[float]:
    rows = list(store.rows(site, "meter_minute", start, end))
    return [sum(row.values.get(f"energy_{name}_wh") or 0.0 for row in rows) for name in "abc"]


def write_chunk(store: Store, site: int, chunk: Any) -> None:
    """One chunk of the past as raw rows, with their rollups."""
    writer = BulkWriter(store)
    power, voltage, current = chunk.power_w, chunk.voltage_v, chunk.current_a
    meter = {
        "power_w": power.sum(axis=0),
        **{f"power_{name}_w": power[number] for number, name in enumerate("abc")},
        **{f"voltage_{name}_v": voltage[number] for number, name in enumerate("abc")},
        **{f"current_{name}_a": current[number] for number, name in enumerate("abc")},
        "energy_counter_wh": chunk.counter_wh,
        "energy_returned_counter_wh": chunk.returned_counter_wh,
    }
    writer.write_columns(site, "meter", METER, chunk.t, meter)
    energy = chunk.minute_energy_wh
    minutes = {
        "energy_wh": energy.sum(axis=0),
        **{f"energy_{name}_wh": energy[number] for number, name in enumerate("abc")},
        "energy_returned_wh": chunk.minute_returned_wh.sum(axis=0),
        "provisional": energy[0] * 0.0,
    }
    writer.write_columns(site, "meter_minute", METER, chunk.minute_t, minutes)
    counters = {
        f"energy_counter_{name}_wh": chunk.counter_by_phase_wh[number] for number, name in enumerate("abc")
    }
    counters["monophase"] = energy[0] * 0.0
    writer.write_columns(site, "meter_counter", METER, chunk.minute_t + 60, counters)
    _write_heat_pump(writer, site, chunk)


def _write_heat_pump(writer: BulkWriter, site: int, chunk: Any) -> None:
    at = chunk.cloud_t // 300 * 300
    columns = {name: column for name, column in chunk.cloud.items() if name not in {"program", "pump_active"}}
    columns["compressor_phase"] = [
        float(COMPRESSOR_PHASES.get(str(t), -1)) for t in columns["compressor_phase"]
    ]
    for name in ("compressor_active", "dhw_charging", "circulation_pump_active"):
        columns[name] = columns[name] * 1.0
    writer.write_columns(site, "heat_pump", GATEWAY, at, columns)
    circuit = {
        "supply_temperature_c": chunk.cloud["supply_temperature_c"],
        "pump_active": chunk.cloud["pump_active"] * 1.0,
    }
    writer.write_columns(site, "heat_pump", GATEWAY, at, circuit, circuit=CIRCUIT)
