"""◇ Which electricity a change acts on, and which of its two effects is told first, by kind of setting."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .samples import EffectDay

TOTAL, SPACE, DHW = "total", "space", "dhw"
ELECTRICITY, EFFICIENCY = "electricity", "efficiency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """``energy``: total, space or dhw; ``leads``: electricity or efficiency."""

    energy: str
    leads: str


# The first row that matches: what acts on the temperature of the water shows in the efficiency, what acts on
# the demand in the electricity.
_RULES: tuple[tuple[str, str, str], ...] = (
    (r"circuits\.\w+\.curve\.\w+", SPACE, EFFICIENCY),
    (r"circuits\.\w+\.(supply_temperature|hysteresis)\..*", SPACE, EFFICIENCY),
    (r"circuits\.\w+\..*", SPACE, ELECTRICITY),
    (r"supply_temperature\..*|buffer\..*", SPACE, EFFICIENCY),
    (r"outside_damping_min|heating_rod\.heating_allowed|holiday(_at_home)?\..*", SPACE, ELECTRICITY),
    (r"dhw\.(target_temperature|hysteresis|max_temperature).*", DHW, EFFICIENCY),
    (r"dhw\..*|circulation\..*|dhw_heater\..*|heating_rod\.dhw_allowed", DHW, ELECTRICITY),
)


def target_of(keys: Iterable[str]) -> Target:
    """Return the target of the settings ``keys``; without one (a note), or mixed: all electricity."""
    found = {_rule(key) for key in keys}
    energies = {energy for energy, _leads in found}
    leads = {lead for _energy, lead in found}
    return Target(
        energy=energies.pop() if len(energies) == 1 else TOTAL,
        leads=EFFICIENCY if leads == {EFFICIENCY} else ELECTRICITY,
    )


def told_apart(target: Target, days: Iterable[EffectDay]) -> Target:
    """Return the target, or all electricity where the heat pump does not say what it runs for."""
    known = [day for day in days if day.energy_kwh is not None]
    split = sum(day.value(target.energy) is not None for day in known)
    return target if 2 * split >= len(known) else replace(target, energy=TOTAL)


def _rule(key: str) -> tuple[str, str]:
    for pattern, energy, leads in _RULES:
        if re.fullmatch(pattern, key):
            return energy, leads
    return TOTAL, ELECTRICITY
