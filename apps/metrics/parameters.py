"""What the derived numbers depend on besides raw data: the house's options in the form the maths needs."""

from __future__ import annotations

from dataclasses import dataclass

from apps.devices.home_options import HEAT_PUMP, HomeOptions
from apps.devices.models import Site
from apps.devices.options import home_options


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteParameters:
    """``metered_channels``: all that count as the heat pump's electricity; ``run_channels``: those whose
    power shows the compressor. ``calibration``: k of one external heat reading, else 1."""

    metered_channels: tuple[str, ...] = ("a", "b", "c")
    run_channels: tuple[str, ...] = ("a", "b", "c")
    flow_rate_m3_h: float | None = None
    on_w: float = 400.0
    off_w: float = 250.0
    rod_kw: float | None = None
    calibration: float = 1.0
    heat_pump_device: str | None = None

    @classmethod
    def from_house(cls, house: HomeOptions) -> SiteParameters:
        pump = tuple(channel for channel in "abc" if house.channel_roles.get(channel) == HEAT_PUMP)
        return cls(
            metered_channels=house.heat_pump_channels,
            run_channels=pump or house.heat_pump_channels,
            flow_rate_m3_h=house.estimated_flow_rate,
            on_w=house.compressor_on_w,
            off_w=house.compressor_off_w,
            rod_kw=house.heating_rod_kw,
            calibration=house.heat_reference_factor or 1.0,
            heat_pump_device=house.heat_pump_device,
        )


def site_parameters(site: Site) -> SiteParameters:
    """Return what is in force now, read again."""
    return SiteParameters.from_house(home_options(site, with_secrets=False))
