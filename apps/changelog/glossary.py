"""The glossary of settings: what each key of a configuration is called, and the device's own words.

``TERMS`` is the one table; titles of entries and the page of all settings read from it. A setting that is
not in it is still named, from its key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.devices.configuration import HOUSE_PLACE

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
    """A setting named in the language in force. ``group``: which card, ``circuit``: its id or empty;
    ``place``: where it stands within its group."""

    group: str
    circuit: str
    heading: str
    part: str
    label: str
    unit: str
    place: int


_CIRCUIT = _("Heating circuit %(circuit)s")
_CURVE = _("Heating curve, circuit %(circuit)s")
_HEATING_SCHEDULE = _("Heating schedule, circuit %(circuit)s")
_HOT_WATER = _("Hot water")
_PUMP = _("Circulation pump")


def _circuit(key: str, part: Any, unit: str = "") -> Term:
    return Term(rf"circuits\.(?P<circuit>\w+)\.{key}", HEATING_CIRCUIT, _CIRCUIT, part, part, unit)


def _hot_water(key: str, part: Any, unit: str = "") -> Term:
    return Term(rf"dhw\.{key}", HOT_WATER, _HOT_WATER, part, part, unit)


def _house(key: str, heading: Any, part: Any, label: Any, unit: str = "") -> Term:
    return Term(key, OTHER, heading, part, label, unit)


TERMS: tuple[Term, ...] = (
    _circuit(r"target_temperature\.comfort_c", _("comfort temperature"), "°C"),
    _circuit(r"target_temperature\.normal_c", _("normal temperature"), "°C"),
    _circuit(r"target_temperature\.reduced_c", _("reduced temperature"), "°C"),
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
    _circuit(r"eco", _("eco program")),
    _circuit(r"supply_temperature\.min_c", _("minimum flow temperature"), "°C"),
    _circuit(r"supply_temperature\.max_c", _("maximum flow temperature"), "°C"),
    _circuit(r"summer_eco\.threshold_c", _("summer mode above outdoor temperature"), "°C"),
    _circuit(r"summer_eco\.active", _("summer mode")),
    _circuit(r"hysteresis\.on_k", _("switch-on hysteresis"), "K"),
    _circuit(r"hysteresis\.off_k", _("switch-off hysteresis"), "K"),
    _circuit(r"holiday\.start", _("holiday, start")),
    _circuit(r"holiday\.end", _("holiday, end")),
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
    _hot_water(r"hysteresis_on_k", _("switch-on hysteresis"), "K"),
    _hot_water(r"hysteresis_off_k", _("switch-off hysteresis"), "K"),
    _hot_water(r"mode", _("operating mode")),
    _hot_water(r"hygiene", _("hygiene program")),
    _hot_water(r"max_temperature_c", _("maximum temperature"), "°C"),
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
    _house(r"holiday\.start", _("Holiday program"), _("start"), _("holiday program, start")),
    _house(r"holiday\.end", _("Holiday program"), _("end"), _("holiday program, end")),
    _house(r"holiday_at_home\.start", _("Holiday at home"), _("start"), _("holiday at home, start")),
    _house(r"holiday_at_home\.end", _("Holiday at home"), _("end"), _("holiday at home, end")),
    _house(
        r"buffer\.max_temperature_c", _("Buffer"), _("maximum temperature"),
        _("buffer, maximum temperature"), "°C",
    ),
    _house(
        r"supply_temperature\.min_c", _("Heat pump"), _("minimum flow temperature"),
        _("minimum flow temperature"), "°C",
    ),
    _house(
        r"supply_temperature\.max_c", _("Heat pump"), _("maximum flow temperature"),
        _("maximum flow temperature"), "°C",
    ),
    _house(
        r"outside_damping_min", _("Heat pump"), _("outdoor temperature damping"),
        _("outdoor temperature damping"), "min",
    ),
    _house(
        r"heating_rod\.dhw_allowed", _("Heating rod"), _("allowed for hot water"),
        _("heating rod allowed for hot water"),
    ),
    _house(
        r"heating_rod\.heating_allowed", _("Heating rod"), _("allowed for heating"),
        _("heating rod allowed for heating"),
    ),
    _house(
        r"dhw_heater\.allowed", _("Second hot-water heater"), _("allowed"),
        _("second hot-water heater allowed"),
    ),
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

BY_HAND = "by_hand"
"""Code of the event that a program was switched by hand."""
DEVIATION = "lasting_deviation"
"""Code of the event that consumption differs lastingly from what is expected."""

PROGRAMS: Mapping[str, Any] = {
    "comfort": _("comfort"),
    "eco": _("eco"),
    "party": _("party"),
    "holiday": _("holiday"),
    "holiday_at_home": _("holiday at home"),
    "last_program": _("last program kept on"),
    "one_time_charge": _("one-time heating"),
}


def place_of(key: str) -> str:
    """Return what a setting belongs to: circuits.1, dhw, circulation."""
    parts = key.split(".")
    return ".".join(parts[: 2 if parts[0] == "circuits" else 1])


def place_name(place: str) -> str:
    """Return what a program switched by hand is for: a circuit, the hot water, or the whole heating."""
    return gettext("Heating") if place == HOUSE_PLACE else _owner(place.split("."))[1]


def schedule_owner(key: str) -> str:
    """Return what a schedule is of: "Heating circuit 1", "Hot water"."""
    return _owner(key.split("."))[1]


def setting_name(key: str) -> SettingName:
    """Return the setting's name; for an unknown key it is made from the key's words."""
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
        place=TERMS.index(term),
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
    group, heading, circuit = _owner(parts)
    words = "_".join(parts[2:] if circuit else parts[1:]).split("_")
    unit = _UNITS.get(words[-1], "") if len(words) > 1 else ""
    part = " ".join(words[:-1] if unit else words)
    return SettingName(
        group=group,
        circuit=circuit,
        heading=heading,
        part=part,
        label=part or heading,
        unit=unit,
        place=len(TERMS),
    )


def _owner(parts: Sequence[str]) -> tuple[str, str, str]:
    """Return the group, name and circuit of what the parts of a key begin with."""
    if parts[0] == "circuits" and len(parts) > 1:
        return HEATING_CIRCUIT, str(_CIRCUIT) % {"circuit": parts[1]}, parts[1]
    known = {
        "dhw": (HOT_WATER, str(_HOT_WATER)),
        "circulation": (CIRCULATION, str(_PUMP)),
        "ventilation": (VENTILATION, gettext("Ventilation")),
    }
    return *known.get(parts[0], (OTHER, parts[0].replace("_", " ").capitalize())), ""
