"""The numbers of the energy page in the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.devices import clock
from apps.devices.options import default_site
from apps.metrics.csv_lines import csv_lines
from apps.metrics.home import Home
from apps.metrics.periods import EnergyRow, energy_rows
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.windows import PERIODS, period_first
from heatmon.days import day

COLUMNS = (
    ("label", "period", 10),
    ("electrical_energy_kwh", "kWh", 10),
    ("electrical_coverage", "known", 6),
    ("electrical_energy_heating_kwh", "heating", 9),
    ("electrical_energy_dhw_kwh", "hot water", 9),
    ("electrical_energy_cooling_kwh", "cooling", 8),
    ("standby_energy_kwh", "standby", 8),
    ("electrical_energy_unclassified_kwh", "unclass.", 8),
    ("thermal_energy_modulation_kwh", "heat A", 9),
    ("thermal_energy_delta_t_kwh", "heat B", 9),
    ("heat_coverage", "of kWh", 6),
    ("cop", "COP A", 6),
    ("cop_delta_t", "COP B", 6),
    ("compressor_starts", "starts", 6),
    ("compressor_run_time_h", "hours", 7),
    ("mean_outside_temperature_c", "out °C", 6),
    ("heating_degree_days", "HDD15", 7),
    ("cost", "cost", 9),
)
DECIMALS = {"cop": 2, "cop_delta_t": 2, "cost": 2, "electrical_energy_kwh": 2, "standby_energy_kwh": 2}
PERCENT = frozenset({"electrical_coverage", "heat_coverage"})
REACH = {"day": 13, "week": 11 * 7, "month": 365, "year": 4 * 366}


class Command(BaseCommand):
    help = "Energy, heat (estimated by two methods) and COP by day, week, month or year."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--period", choices=PERIODS, default="day")
        parser.add_argument("--from", dest="first", type=day, metavar="D", help="first local day")
        parser.add_argument(
            "--to", dest="last", type=day, metavar="D", help="last local day (default: today)"
        )
        parser.add_argument("--format", choices=("table", "csv", "json"), default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        period = options["period"]
        try:
            home = Home.of(default_site(), clock.now())
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        last = options["last"] or home.today
        first = options["first"] or period_first(last - timedelta(days=REACH[period]), period)
        try:
            rows = energy_rows(home, period, first, last)
        except ValueError as error:
            raise CommandError(f"{error}.", returncode=2) from error
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        if options["format"] == "json":
            self.stdout.write(_as_json(period, home.options.time_zone, rows))
        elif options["format"] == "csv":
            _write_csv(self.stdout, rows)
        else:
            _write_table(self.stdout, rows)
            if home.first_day() is None and not settings.DEMO:
                self.stderr.write(
                    "Nothing has been measured yet. "
                    "For the demo's numbers put HEATMON_DEMO=1 before the command."
                )


def _as_json(period: str, time_zone: str, rows: Sequence[EnergyRow]) -> str:
    answer = {"period": period, "timezone": time_zone, "rows": [row.as_dict() for row in rows]}
    return json.dumps(answer, default=datetime.isoformat, indent=1)


def _write_csv(stream: Any, rows: Sequence[EnergyRow]) -> None:
    """Write one line per period; lumps as their number, missing values empty."""
    names = list(EnergyRow.__dataclass_fields__)
    values = ([len(row.lumps) if name == "lumps" else getattr(row, name) for name in names] for row in rows)
    for line in csv_lines(names, values):
        stream.write(line, ending="")


def _write_table(stream: TextIO | Any, rows: Sequence[EnergyRow]) -> None:
    stream.write("  ".join(title.rjust(width) for _, title, width in COLUMNS))
    for row in rows:
        stream.write("  ".join(_cell(row, name).rjust(width) for name, _, width in COLUMNS))
    if any(row.electrical_energy_at_least for row in rows):
        stream.write("≥: more was used; a meter outage reaches over the edge of the period.")
    implausible = [row.label for row in rows if row.implausible]
    if implausible:
        stream.write(
            f"No heat pump has the COP of {', '.join(implausible)}: rated power, channels or flow rate are"
            " probably wrong."
        )
    stream.write(
        "Heat and COP are estimated: A from modulation, B from delta T. Starts are the compressor's:"
    )
    stream.write("hot water that is made while it already runs has none of its own.")


def _cell(row: EnergyRow, name: str) -> str:
    value = getattr(row, name)
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if name in PERCENT:
        return f"{value * 100:.0f} %"
    text = str(value) if isinstance(value, int) else f"{value:.{DECIMALS.get(name, 1)}f}"
    return f"≥ {text}" if name == "electrical_energy_kwh" and row.electrical_energy_at_least else text
