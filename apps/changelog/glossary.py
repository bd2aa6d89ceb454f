"""The glossary of settings: what each key of a configuration is called, and the device's own words.

``TERMS`` is the one table; titles of entries and the page of all settings read from it. A setting that is
not in it is still named, from its key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

HEATING_CIRCUIT, HOT_WATER, CIRCULATION, VENTILATION, OTHER = (
    "circuit",
    "dhw",
    "circulation",
    "ventilation",
    "other",
)


@dataclass(frozen=True, slots=True)
class Term:
    """How a setting is called. ``heading`` and ``part`` make "heading: part 22 → 21 °C"; without ``part``
    the setting is a schedule: "heading, Saturday: …". ``label``: its name within its group."""

    pattern: str
    group: str
    heading: Any
    part: Any
    label: Any
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingName:
    """A setting named in the language in force. ``group``: which card, ``circuit``: its id or empty."""

    group: str
    circuit: str
    heading: str
    part: str
    label: str
    unit: str


_CIRCUIT = _("Heating circuit %(circuit)s")
_CURVE = _("Heating curve, circuit %(circuit)s")
_HEATING_SCHEDULE = _("Heating schedule, circuit %(circuit)s")
_HOT_WATER = _("Hot water")
_PUMP = _("Circulation pump")


def _circuit(key: str, part: Any, unit: str = "") -> Term:
    return Term(rf"circuits\.(?P<circuit>\w+)\.{key}", HEATING_CIRCUIT, _CIRCUIT, part, part, unit)


def _hot_water(key: str, part: Any, unit: str = "") -> Term:
    return Term(rf"dhw\.{key}", HOT_WATER, _HOT_WATER, part, part, unit)


TERMS: tuple[Term, ...] = (
    _circuit(r"target_temperature\.comfort_c", _("comfort temperature"), "°C"),
    _circuit(r"target_temperature\.normal_c", _("normal temperature"), "°C"),
    _circuit(r"target_temperature\.reduced_c", _("reduced temperature"), "°C"),
    _circuit(r"target_temperature\.fixed_c", _("fixed temperature"), "°C"),
    _circuit(r"target_temperature\.eco_c", _("eco temperature"), "°C"),
    _circuit(r"target_temperature\.comfort_cooling_c", _("comfort temperature for cooling"), "°C"),
    _circuit(r"target_temperature\.normal_cooling_c", _("normal temperature for cooling"), "°C"),
    _circuit(r"target_temperature\.reduced_cooling_c", _("reduced temperature for cooling"), "°C"),
    Term(
        r"circuits\.(?P<circuit>\w+)\.curve\.slope",
        HEATING_CIRCUIT, _CURVE, pgettext_lazy("heating curve", "slope"), _("heating curve, slope"),
    ),
    Term(
        r"circuits\.(?P<circuit>\w+)\.curve\.shift",
        HEATING_CIRCUIT, _CURVE, pgettext_lazy("heating curve", "shift"), _("heating curve, shift"), "K",
    ),
    _circuit(r"mode", _("operating mode")),
    _circuit(r"name", _("name")),
    _circuit(r"maximum_supply_temperature_c", _("highest supply temperature"), "°C"),
    _circuit(r"minimum_supply_temperature_c", _("lowest supply temperature"), "°C"),
    Term(
        r"circuits\.(?P<circuit>\w+)\.schedule",
        HEATING_CIRCUIT, _HEATING_SCHEDULE, "", _("heating schedule"),
    ),
    Term(
        r"circuits\.(?P<circuit>\w+)\.schedule_active",
        HEATING_CIRCUIT, _HEATING_SCHEDULE, _("in use"), _("heating schedule in use"),
    ),
    _hot_water(r"target_temperature_c", _("target temperature"), "°C"),
    _hot_water(r"target_temperature_2_c", _("second target temperature"), "°C"),
    _hot_water(r"hysteresis_k", _("hysteresis"), "K"),
    _hot_water(r"hysteresis_on_k", _("hysteresis for switching on"), "K"),
    _hot_water(r"hysteresis_off_k", _("hysteresis for switching off"), "K"),
    _hot_water(r"mode", _("operating mode")),
    _hot_water(r"one_time_charge", _("one-time charge")),
    _hot_water(r"hygiene\.enabled", _("hygiene program")),
    Term(r"dhw\.schedule", HOT_WATER, _("Hot-water schedule"), "", _("hot-water schedule")),
    Term(
        r"dhw\.schedule_active", HOT_WATER, _("Hot-water schedule"), _("in use"),
        _("hot-water schedule in use"),
    ),
    Term(r"circulation\.schedule", CIRCULATION, _("Circulation pump schedule"), "", _("schedule")),
    Term(
        r"circulation\.schedule_active", CIRCULATION, _("Circulation pump schedule"), _("in use"),
        _("schedule in use"),
    ),
    Term(r"ventilation\.schedule", VENTILATION, _("Ventilation schedule"), "", _("schedule")),
    Term(r"ventilation\.mode", VENTILATION, _("Ventilation"), _("operating mode"), _("operating mode")),
    Term(r"holiday\.active", OTHER, _("Holiday program"), _("in use"), _("holiday program in use")),
    Term(r"holiday\.start", OTHER, _("Holiday program"), _("begin"), _("holiday program, begin")),
    Term(r"holiday\.end", OTHER, _("Holiday program"), _("end"), _("holiday program, end")),
    Term(r"holiday_at_home\.active", OTHER, _("Holiday at home"), _("in use"), _("holiday at home in use")),
    Term(r"holiday_at_home\.start", OTHER, _("Holiday at home"), _("begin"), _("holiday at home, begin")),
    Term(r"holiday_at_home\.end", OTHER, _("Holiday at home"), _("end"), _("holiday at home, end")),
    Term(r"noise_reduction\.mode", OTHER, _("Noise reduction"), _("operating mode"), _("noise reduction")),
)  # fmt: skip

# Units of settings that no term knows, by the end of the key.
_UNITS = {"c": "°C", "k": "K", "percent": "%", "h": "h", "min": "min", "s": "s", "kw": "kW", "w": "W"}

# Texts of the device in our words; others are shown as they came.
WORDS: Mapping[str, Any] = {
    "standby": _("standby"),
    "heating": _("heating"),
    "cooling": _("cooling"),
    "heatingCooling": _("heating and cooling"),
    "dhw": _("hot water only"),
    "dhwAndHeating": _("heating and hot water"),
    "dhwAndHeatingCooling": _("heating, cooling and hot water"),
    "forcedNormal": _("always normal"),
    "forcedReduced": _("always reduced"),
    "normalStandby": _("standby"),
    "ventilation": _("ventilation"),
    "off": pgettext_lazy("mode", "off"),
    "on": pgettext_lazy("mode", "on"),
    "eco": _("eco"),
    "comfort": _("comfort"),
    "normal": _("normal"),
    "reduced": _("reduced"),
    "fixed": _("fixed value"),
    "top": _("top"),
    "temp-2": _("second temperature"),
    "5/25-cycles": _("5 of 25 minutes"),
    "5/10-cycles": _("5 of 10 minutes"),
    "efficient": _("efficient"),
    "balanced": _("balanced"),
}


def setting_name(key: str) -> SettingName:
    """The setting's name; for an unknown key it is made from the key's words."""
    term, circuit = _term(key)
    if term is None:
        return _name_from_key(key)
    filled = {"circuit": circuit}
    return SettingName(
        group=term.group,
        circuit=circuit,
        heading=str(term.heading) % filled,
        part=str(term.part),
        label=str(term.label),
        unit=term.unit,
    )


@lru_cache(maxsize=512)
def _term(key: str) -> tuple[Term | None, str]:
    for term in TERMS:
        found = re.fullmatch(term.pattern, key)
        if found:
            return term, found.groupdict().get("circuit", "")
    return None, ""


def _name_from_key(key: str) -> SettingName:
    parts = key.split(".")
    circuit = parts[1] if parts[0] == "circuits" and len(parts) > 2 else ""
    group, heading = OTHER, parts[0].replace("_", " ").capitalize()
    if circuit:
        group, heading = HEATING_CIRCUIT, str(_CIRCUIT) % {"circuit": circuit}
    elif parts[0] == "dhw":
        group, heading = HOT_WATER, str(_HOT_WATER)
    elif parts[0] == "circulation":
        group, heading = CIRCULATION, str(_PUMP)
    elif parts[0] == "ventilation":
        group, heading = VENTILATION, gettext("Ventilation")
    words = "_".join(parts[2:] if circuit else parts[1:]).split("_")
    unit = _UNITS.get(words[-1], "") if len(words) > 1 else ""
    part = " ".join(words[:-1] if unit else words)
    return SettingName(
        group=group, circuit=circuit, heading=heading, part=part, label=part or heading, unit=unit
    )
