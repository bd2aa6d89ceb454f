"""◇ The heat pump's settings in one normal form, so that two polls can be compared.

A *configuration* is what a person sets on the heat pump (schedules, target temperatures, heating
curve); *options* are heatmon's own. Keys and values are those of the public API:

    circuits.N.target_temperature.{comfort,normal,reduced}_c   number
    circuits.N.schedule, dhw.schedule, circulation.schedule     Schedule
    circuits.N.schedule_active                                   bool
    circuits.N.curve.{slope,shift}                               number
    circuits.N.mode                                              text
    dhw.target_temperature_c, dhw.target_temperature_2_c, dhw.hysteresis_k   number
    and others in that style: circuits.N.eco, circuits.N.supply_temperature.{min,max}_c,
    circuits.N.target_temperature.{comfort,normal,reduced}_cooling_c,
    circuits.N.summer_eco.{active,threshold_c}, circuits.N.hysteresis.{on,off}_k,
    circuits.N.holiday.{start,end}; dhw.schedule_active, dhw.mode, dhw.hysteresis_{on,off}_k,
    dhw.hygiene, dhw.max_temperature_c;
    circulation.schedule_active; holiday.{start,end}, holiday_at_home.{start,end};
    buffer.max_temperature_c, supply_temperature.{min,max}_c, outside_damping_min,
    heating_rod.{dhw,heating}_allowed, dhw_heater.allowed.

A key that is absent is *unknown*, which is never a change. Values that follow the clock (current
target, active program) have no key here. A program that somebody switched on outside of the schedule is
no setting either: ``by_hand`` has it, by place (``circuits.N``, ``dhw``, ``house``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

ScheduleEntry = dict[str, str]
"""``{"start": "06:00", "end": "22:00", "mode": "normal"}``; ``end`` may be ``24:00``."""

Schedule = dict[str, list[ScheduleEntry]]
"""Weekday → entries, in normal form: sorted by start, end, mode; overlapping entries keep the
device's order of precedence. A missing weekday is unknown, an empty list is an empty day."""

SettingValue = float | int | str | bool | Schedule


HOUSE_PLACE, WATER_PLACE = "house", "dhw"
BY_SCHEDULE = ""
"""The program of a place where nothing is switched by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPumpConfiguration:
    """All settings known in one poll, and programs by hand. ``observed_at``: the poll [aware UTC].

    ``by_hand``: place → program (comfort, eco, party, holiday, holiday_at_home, last_program,
    one_time_charge) or BY_SCHEDULE; an absent place is unknown. ``changed_at`` and ``by_hand_at``: the
    source timestamp of the device, where it gives one.
    """

    observed_at: datetime
    device: str
    settings: Mapping[str, SettingValue]
    changed_at: Mapping[str, datetime]
    by_hand: Mapping[str, str] = field(default_factory=dict)
    by_hand_at: Mapping[str, datetime] = field(default_factory=dict)
