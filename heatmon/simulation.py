"""Run the real jobs against the simulated house in virtual time, and compare what was stored with the truth.

Called by ``manage.py simulate`` in a child process whose data directory is scratch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 12, tzinfo=ZONE)
REMEMBERED_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport:
    """What ``simulate --json`` prints; names as in the design."""

    days: int
    seed: int
    faults: list[str]
    duration_s: float
    minutes_remembered: int
    minutes_missing: int
    minutes_doubled: int
    max_day_error_wh: float
    electrical_energy_kwh: float
    true_electrical_energy_kwh: float
    thermal_energy_modulation_kwh: float
    thermal_energy_delta_t_kwh: float
    true_thermal_energy_kwh: float
    calls_total: int
    max_calls_24h: int
    max_calls_utc_day: int
    settings_changes_true: int
    settings_changes_logged: int
    settings_changes_false: int
    missed_polls: int

    @property
    def passed(self) -> bool:
        """Every minute the meter holds is stored once, days agree within 1 Wh, no invented change."""
        return (
            self.minutes_missing == 0
            and self.minutes_doubled == 0
            and self.max_day_error_wh <= 1.0
            and self.settings_changes_false == 0
            and self.settings_changes_logged == self.settings_changes_true
            and self.max_calls_24h <= settings.HEATMON.viessmann_daily_limit
        )

    def as_dict(self) -> dict[str, object]:
        return asdict(self)
