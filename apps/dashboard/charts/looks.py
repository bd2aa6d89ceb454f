"""How each series looks in charts and legends: name, colour, line style, and the plot it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

POWER, TEMPERATURE, MODULATION, COP = "power", "temperature", "modulation", "cop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """``short`` is the name where room is short, ``colour`` a CSS variable, ``key`` the class of its sample
    in a legend, ``factor`` from the stored unit to the plot's, ``kind`` (of formatting) for tables."""

    label: Any
    short: Any
    plot: str
    colour: str
    key: str
    kind: str
    style: str = "solid"
    filled: bool = False
    factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotLook:
    """``gaps_of``: whose missing steps are hatched; ``size`` a class of the style sheet; ``from_zero`` and
    ``least_span`` as in ``even_axis``."""

    title: Any
    unit: str
    decimals: int
    cause: Any
    gaps_of: str = ""
    from_zero: bool = False
    least_span: float = 0.0
    size: str = "m"


LOOKS: Mapping[str, Look] = {
    "power_w": Look(
        label=_("Electric power"), short=_("Electric power"),
        plot=POWER, colour="s-power", key="k-power", kind="power_w",
        filled=True, factor=0.001,
    ),
    "thermal_power_modulation_kw": Look(
        label=_("Heat A, modulation (estimated)"), short=_("Heat A"),
        plot=POWER, colour="s-heat", key="k-heat", kind="power_kw"
    ),
    "thermal_power_delta_t_kw": Look(
        label=_("Heat B, delta T (estimated)"), short=_("Heat B"),
        plot=POWER, colour="s-heat", key="k-heatb", kind="power_kw",
        style="dashed",
    ),
    "dhw_storage_temperature_c": Look(
        label=_("Hot water"), short=_("Hot water"),
        plot=TEMPERATURE, colour="s-dhw", key="k-dhw", kind="temperature_c",
        style="dotted",
    ),
    "supply_temperature_c": Look(
        label=_("Flow"), short=_("Flow"),
        plot=TEMPERATURE, colour="s-flow", key="k-flow", kind="temperature_c"
    ),
    "secondary_supply_temperature_c": Look(
        label=_("Flow at the heat pump"), short=_("Flow at the heat pump"),
        plot=TEMPERATURE, colour="s-flow", key="k-flow2",
        kind="temperature_c", style="dotted",
    ),
    "return_temperature_c": Look(
        label=_("Return"), short=_("Return"),
        plot=TEMPERATURE, colour="s-return", key="k-return", kind="temperature_c",
        style="dashed",
    ),
    "outside_temperature_c": Look(
        label=_("Outdoor"), short=_("Outdoor"),
        plot=TEMPERATURE, colour="s-outdoor", key="k-outdoor", kind="temperature_c",
        style="thin",
    ),
    "modulation_percent": Look(
        label=_("Modulation"), short=_("Modulation"),
        plot=MODULATION, colour="s-heat", key="k-heat", kind="percent", style="thin"
    ),
    "cop": Look(
        label=_("COP (estimated)"), short=_("COP"),
        plot=COP, colour="s-heat", key="k-heat", kind="cop"
    ),
    "cop_delta_t": Look(
        label=_("COP by delta T (estimated)"), short=_("COP by delta T"),
        plot=COP, colour="s-heat", key="k-heatb", kind="cop",
        style="dashed",
    ),
}  # fmt: skip

DEFAULT_SERIES = (
    "power_w",
    "thermal_power_modulation_kw",
    "thermal_power_delta_t_kw",
    "dhw_storage_temperature_c",
    "supply_temperature_c",
    "return_temperature_c",
    "outside_temperature_c",
)

PLOTS: Mapping[str, PlotLook] = {
    POWER: PlotLook(
        title=_("Power, kW"), unit="kW", decimals=2, cause=_("no values from the meter"),
        gaps_of="power_w", from_zero=True, size="s",
    ),
    TEMPERATURE: PlotLook(
        title=_("Temperatures, °C"), unit="°C", decimals=1, cause=_("no values from the heat pump"),
        least_span=5.0,
    ),
    MODULATION: PlotLook(
        title=_("Modulation, %"), unit="%", decimals=0, cause=_("no values from the heat pump"),
        from_zero=True, size="s",
    ),
    # The gaps are those of electricity and heat: a compressor that is off has no COP, and nothing is missing.
    COP: PlotLook(title=_("COP"), unit="", decimals=2, cause="", least_span=1.0, size="s"),
}  # fmt: skip
