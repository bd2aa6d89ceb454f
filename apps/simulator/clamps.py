"""◇ How the power of the heat pump spreads over three phases, and what a minute of it adds up to."""

from __future__ import annotations

from collections.abc import Sequence

STEP_H = 10.0 / 3600.0
ENERGY_UNITS = STEP_H * 10_000.0  # W during one step → 0.0001 Wh

COMPRESSOR_SHARES = (0.3362, 0.3305, 0.3333)
BASE_SHARES = (0.84, 0.05, 0.11)
ROD_SHARES = (0.3333, 0.3334, 0.3333)

MinuteMeasured = tuple[Sequence[int], Sequence[float]]
"""Six energies [0.0001 Wh], imported then exported by phase; then highest and lowest powers by phase [W]."""


def phase_powers_w(compressor_w: float, base_w: float, rod_w: float) -> list[float]:
    """Return the power of the heat pump by phase [W]; ``base_w``: electronics and pumps."""
    return [
        compressor_w * compressor + base_w * base + rod_w * rod
        for compressor, base, rod in zip(COMPRESSOR_SHARES, BASE_SHARES, ROD_SHARES, strict=True)
    ]


def heat_pump_minute(compressors: Sequence[float], bases: Sequence[float], rod_w: float) -> MinuteMeasured:
    """Make a minute of six steps where the meter feeds nothing but the heat pump."""
    compressor, base, rod = sum(compressors), sum(bases), rod_w * 6.0
    high, low, bases_mean = max(compressors), min(compressors), base / 6.0
    (ca, cb, cc), (ba, bb, bc), (ra, rb, rc) = COMPRESSOR_SHARES, BASE_SHARES, ROD_SHARES
    rest_a = bases_mean * ba + rod_w * ra
    rest_b = bases_mean * bb + rod_w * rb
    rest_c = bases_mean * bc + rod_w * rc
    return (
        round((compressor * ca + base * ba + rod * ra) * ENERGY_UNITS),
        round((compressor * cb + base * bb + rod * rb) * ENERGY_UNITS),
        round((compressor * cc + base * bc + rod * rc) * ENERGY_UNITS),
        0,
        0,
        0,
    ), (
        high * ca + rest_a,
        high * cb + rest_b,
        high * cc + rest_c,
        low * ca + rest_a,
        low * cb + rest_b,
        low * cc + rest_c,
    )


def house_minute(phases: Sequence[Sequence[float]]) -> MinuteMeasured:
    """Make a minute from the powers [W] of its steps by phase; each step may import or export on each
    phase."""
    energies = [round(sum(max(0.0, power) for power in phase) * ENERGY_UNITS) for phase in phases]
    energies += [round(sum(max(0.0, -power) for power in phase) * ENERGY_UNITS) for phase in phases]
    return energies, [max(phase) for phase in phases] + [min(phase) for phase in phases]
