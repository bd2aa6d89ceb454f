"""What moved with a lasting deviation, in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.effects.signs import Sign

POINTS, DOES_NOT, UNKNOWN = "points", "does_not", "unknown"
KINDS = {
    "standby_kwh": "energy_kwh",
    "dhw_kwh": "energy_kwh",
    "rod_h": "",
    "carnot_percent": "percent",
    "source_k": "temperature_difference_k",
    "water_k": "temperature_difference_k",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignView:
    """``values``: "0.3 → 4.1 kWh"; ``hint``: what it means and where to look; ``state``: POINTS, DOES_NOT or
    UNKNOWN."""

    name: str
    hint: str
    values: str
    state: str


def sign_view(found: Sign) -> SignView:
    """Return a sign in words."""
    names = {
        "standby_kwh": _("Standby, a day"),
        "dhw_kwh": _("Hot water, a day"),
        "rod_h": _("Heating rod, hours a day"),
        "carnot_percent": _("Efficiency, share of the Carnot limit"),
        "source_k": _("Brine, in minus out"),
        "water_k": _("Heating water, flow minus return"),
    }
    hints = {
        "standby_kwh": _(
            "What runs while the compressor stands: pumps, heaters, another device on this meter."
        ),
        "dhw_kwh": _("Guests, habits, a circulation pump, a valve that lets heat into the tank."),
        "rod_h": _("It heats with electricity alone: target temperatures, faults of the compressor."),
        "carnot_percent": _(
            "Temperatures left out. Filters, flow, refrigerant, or another device on this meter."
        ),
        "source_k": _("More kelvin: less brine flows. Filter, pump, air."),
        "water_k": _("More kelvin: less heating water flows. Filter, pump, closed valves."),
    }
    state = UNKNOWN if found.points is None else POINTS if found.points else DOES_NOT
    return SignView(name=names[found.code], hint=hints[found.code], values=_values(found), state=state)


def _values(found: Sign) -> str:
    if found.before is None or found.since is None:
        return formatting.MISSING
    kind = KINDS[found.code]
    before = formatting.number(found.before, 0 if kind == "percent" else 1)
    since = formatting.with_unit(found.since, kind) if kind else formatting.number(found.since, 1)
    return f"{before} → {since}"
