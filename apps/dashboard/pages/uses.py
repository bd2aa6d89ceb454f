"""What the electricity was used for: the parts of every bar, their colours, names and samples."""

from __future__ import annotations

from django.utils.translation import gettext as _

COOLING = "electrical_energy_cooling_kwh"
UNCLASSIFIED = "electrical_energy_unclassified_kwh"
PARTS = (
    ("standby_energy_kwh", "b-standby", True),
    (UNCLASSIFIED, "s-off", False),
    (COOLING, "s-return", False),
    ("electrical_energy_dhw_kwh", "b-dhw", False),
    ("electrical_energy_heating_kwh", "b-space", False),
)
"""Field of an energy row, colour, whether it is hatched; from the bottom of a bar up."""

KEYS = {
    "electrical_energy_heating_kwh": "space",
    "electrical_energy_dhw_kwh": "dhw",
    COOLING: "cooling",
    "standby_energy_kwh": "standby",
    UNCLASSIFIED: "other",
}
"""Class of the sample in a legend, in its order."""


def part_label(name: str) -> str:
    return {
        "electrical_energy_heating_kwh": _("Space heating"),
        "electrical_energy_dhw_kwh": _("Hot water"),
        "standby_energy_kwh": _("Standby"),
        UNCLASSIFIED: _("Not classified"),
        COOLING: _("Cooling"),
    }[name]
