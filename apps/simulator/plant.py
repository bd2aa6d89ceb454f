"""The brine heat pump as a machine: heat given and power taken at one operating point. ◇ pure.

Heat falls with the temperature of the water and rises with that of the brine; the COP is a share of
Carnot's between the refrigerant's own temperatures, which lie outside those of brine and water. With
``nameplate`` the heat is exactly modulation × rated power; the power taken stays physical.
"""

from __future__ import annotations

from dataclasses import dataclass

WATER_KWH_M3_K = 1.16


@dataclass(frozen=True, slots=True)
class HeatPump:
    """``rated_kw`` at brine 3 °C, water 35 °C; ``flow_m3_h``: water through the condenser."""

    rated_kw: float = 12.0
    lowest_modulation: float = 0.35
    modulating: bool = True
    nameplate: bool = False
    quality: float = 0.63
    flow_m3_h: float = 1.32
    minimum_run_s: int = 600
    minimum_pause_s: int = 900
    preparing_s: int = 60
    pumps_w: float = 118.0

    def operate(
        self, modulation: float, ramp: float, brine_c: float, water_c: float, resistance_k_kw: float
    ) -> tuple[float, float, float]:
        """Return (heat [kW], power of the compressor [kW], temperature of the hot water leaving [°C]).

        ``ramp`` runs from 0 to 1 after a start; ``resistance_k_kw``: how far the leaving water lies above
        ``water_c`` for each kW.
        """
        if self.nameplate:
            heat_kw = self.rated_kw * modulation
        else:
            reference = 1.0 + 0.010 * (brine_c - 3.0) - 0.0055 * (water_c - 35.0)
            heat_kw = (
                self.rated_kw * reference * modulation * (1.03 - 0.05 * modulation) * (0.35 + 0.65 * ramp)
            )
        hot_c = water_c + heat_kw * resistance_k_kw
        condensing_k = hot_c + 274.0 + 0.11 * heat_kw
        evaporating_k = brine_c + 270.35 - 0.3 * heat_kw
        share = self.quality - 0.11 * (modulation - 0.55) ** 2 - 0.16 * (1.0 - ramp)
        power_kw = heat_kw * (condensing_k - evaporating_k) / (share * condensing_k)
        return heat_kw, power_kw, hot_c

    @property
    def half_spread_k_kw(self) -> float:
        """Half of the water's spread across the condenser for each kW [K/kW]."""
        return 0.5 / (self.flow_m3_h * WATER_KWH_M3_K)


def flow_target_c(slope: float, shift: float, room_c: float, outside_c: float) -> float:
    """Return the flow temperature [°C] that a heating curve asks for (a cubic in the difference, steeper when
    mild)."""
    cold = room_c - outside_c
    if cold <= 0.0:
        return room_c + shift
    return room_c + shift + slope * cold * (1.42 - 0.0205 * cold + 0.00024 * cold * cold)
