"""One poll now, printed: the quickest way to see whether a device answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.devices.errors import BudgetExhausted, CodedError, DeviceError
from apps.devices.options import default_site
from apps.devices.reports import meter_report, reported
from apps.devices.wording import reported_words, words_for_asker
from apps.metrics.apps import default_store
from apps.metrics.totals import kwh
from heatmon import jobs
from heatmon.collection import Collection
from heatmon.figures import plain

SOURCES = ("meter", "heat_pump")


class Command(BaseCommand):
    help = "Poll the devices once, store their readings and print them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", required=True, help="one poll")
        parser.add_argument("source", nargs="?", choices=SOURCES, help="only this device")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DEMO:
            raise CommandError(
                "The demo's devices are simulated and polled by the running demo itself; "
                "collect is for your own devices, without HEATMON_DEMO.",
                returncode=2,
            )
        collection = Collection(default_site(), default_store(), clock=_now)
        house = collection.options
        set_up = {"meter": house.meter_set_up, "heat_pump": house.heat_pump_set_up}
        wanted = [options["source"]] if options["source"] else [name for name in SOURCES if set_up[name]]
        if not wanted:
            raise CommandError(
                "No device is set up. Set HEATMON_SHELLY_URL or HEATMON_VIESSMANN_CLIENT_ID, "
                "or connect your devices on the Settings page.",
                returncode=2,
            )
        failures = [name for name in wanted if not self._poll(name, set_up[name], collection)]
        if failures:
            sys.exit(1)

    def _poll(self, name: str, is_set_up: bool, collection: Collection) -> bool:
        title = name.replace("_", " ")
        if not is_set_up:
            self.stderr.write(f"{title}: not set up")
            return False
        try:
            lines = _meter(collection) if name == "meter" else _heat_pump(collection)
        except (DeviceError, BudgetExhausted) as error:
            self.stderr.write(f"{title}: {words_for_asker(error, collection.options.zone)}")
            for choice in _choices(error):
                self.stderr.write(f"  HEATMON_HEAT_PUMP={choice}")
            return False
        self.stdout.write(f"{title}:")
        for label, value in lines:
            self.stdout.write(f"  {label:<32} {value}")
        return True


def _now() -> datetime:
    return datetime.now(UTC)


def _choices(error: CodedError) -> Sequence[str]:
    """Return the heat pumps of an account that has several, as the option names them."""
    choices = error.details.get("choices")
    return choices if isinstance(choices, list | tuple) else ()


def _text(value: float | bool | str | None, unit: str = "") -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{plain(value) if isinstance(value, float) else value} {unit}".rstrip()


def _meter(collection: Collection) -> list[tuple[str, str]]:
    reading = jobs.poll_power(collection, _now())
    assert reading is not None
    lines = [
        ("device", f"{reading.device} ({reading.profile})"),
        ("power", _text(reading.power_w, "W")),
        ("energy counter", _text(kwh(reading.energy_counter_wh), "kWh")),
        ("clock offset", _text(reading.clock_offset_s, "s")),
    ]
    for channel, phase in zip("abc", reading.phases, strict=True):
        parts = (_text(phase.power_w, "W"), _text(phase.voltage_v, "V"), _text(phase.current_a, "A"))
        lines.append((f"channel {channel}", ", ".join(parts) if phase.is_connected else "not connected"))
    faults = [reported_words(fault) for fault in reported(meter_report(reading))]
    return [*lines, *(("reported fault", fault) for fault in faults)]


def _heat_pump(collection: Collection) -> list[tuple[str, str]]:
    poll = jobs.poll_heat_pump(collection, _now(), by_hand=True)
    assert poll is not None
    reading = poll.reading
    lines = [
        ("device", f"{reading.device} {reading.model or ''}".rstrip()),
        ("outdoor temperature", _text(reading.outside_temperature_c, "°C")),
        ("return temperature", _text(reading.return_temperature_c, "°C")),
        ("flow at the heat pump", _text(reading.secondary_supply_temperature_c, "°C")),
        ("hot water", _text(reading.dhw_storage_temperature_c, "°C")),
        ("compressor", f"{_text(reading.compressor_active)}, {_text(reading.compressor_phase)}"),
        ("modulation", _text(reading.modulation_percent, "%")),
        ("rated power", _text(reading.rated_power_kw, "kW")),
    ]
    for circuit in reading.circuits:
        lines.append((f"flow, circuit {circuit.id}", _text(circuit.supply_temperature_c, "°C")))
    budget = collection.connected().budget
    assert budget is not None
    quota = budget.quota(_now())
    lines.append(("requests in 24 h", f"{quota.used_24h} of {quota.stops_at}, {quota.left} left"))
    return lines
