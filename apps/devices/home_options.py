"""◇ What can be set for a home and its devices: one table for the environment, the forms and the docs.

Nothing of Django is here, since Django's settings are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from .option_parsers import Option, channels, currency, device_url, names, number, text, time_zone

CHANNELS = "abc"
HEAT_PUMP, HEATING_ROD, HOUSE, UNUSED = "heat_pump", "heating_rod", "house", "unused"
CHANNEL_ROLES = (HEAT_PUMP, HEATING_ROD, HOUSE, UNUSED)
ALL_ON_THE_HEAT_PUMP = dict.fromkeys(CHANNELS, HEAT_PUMP)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeOptions:
    """The values in force for one site: the rows of ``HOME_OPTIONS`` with their types."""

    time_zone: str = "Europe/Berlin"
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    currency: str = "EUR"
    shelly_url: str | None = None
    shelly_password: str | None = None
    channel_roles: Mapping[str, str] = field(default_factory=lambda: dict(ALL_ON_THE_HEAT_PUMP))
    viessmann_user: str | None = None
    viessmann_password: str | None = None
    viessmann_client_id: str | None = None
    heat_pump_device: str | None = None
    estimated_flow_rate: float | None = None
    heating_rod_kw: float | None = None
    compressor_on_w: float = 400.0
    compressor_off_w: float = 250.0
    metered: tuple[str, ...] = ("compressor", "source_pump")
    electricity_price: float | None = None
    base_fee_per_day: float = 0.0
    tariffs: tuple[Mapping[str, Any], ...] = ()
    heat_reference_factor: float | None = None
    monthly_normals_c: tuple[float, ...] = ()
    notify_targets: tuple[str, ...] = ()
    quiet_hours: tuple[str, ...] = ("22:00", "07:00")
    alert_rules: Mapping[str, Any] = field(default_factory=dict)
    setup_later: tuple[str, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def heat_pump_channels(self) -> tuple[str, ...]:
        """Channels whose energy is the heat pump's: those with the role heat pump or heating rod."""
        return tuple(
            channel for channel in CHANNELS if self.channel_roles.get(channel) in {HEAT_PUMP, HEATING_ROD}
        )

    @property
    def meter_set_up(self) -> bool:
        return bool(self.shelly_url)

    @property
    def heat_pump_set_up(self) -> bool:
        return bool(self.viessmann_client_id)


def roles_of_channels(value: str) -> dict[str, str]:
    """Return the roles in which the named channels are the heat pump's, the others the house's."""
    chosen = channels(value)
    return {channel: HEAT_PUMP if channel in chosen else HOUSE for channel in CHANNELS}


HOME_OPTIONS: tuple[Option, ...] = (
    Option("time_zone", time_zone, "Europe/Berlin", "time zone of the house"),
    Option("latitude", number, None, "latitude of the house [°]", unit="°", low=-90, high=90),
    Option("longitude", number, None, "longitude of the house [°]", unit="°", low=-180, high=180),
    Option(
        "altitude", number, None, "altitude of the house above sea level [m]", unit="m", low=-430, high=5000
    ),
    Option("currency", currency, "EUR", "currency of the prices"),
    Option("shelly_url", device_url, None, "address of the meter, like http://192.168.1.50"),
    Option("shelly_password", text, None, "password of the meter, if it has one", secret=True),
    Option(
        "channel_roles",
        roles_of_channels,
        ALL_ON_THE_HEAT_PUMP,
        "channels that feed the heat pump: a,b,c or EM1 ids",
        variable_name="METER_CHANNELS",
    ),
    Option("viessmann_user", text, None, "Viessmann account (e-mail)"),
    Option("viessmann_password", text, None, "password of that account, for the first sign-in", secret=True),
    Option("viessmann_client_id", text, None, "client ID from the Viessmann developer portal"),
    Option(
        "heat_pump_device",
        text,
        None,
        "which heat pump, if the account has several: serial of its gateway, or serial/device",
        variable_name="HEAT_PUMP",
    ),
    Option(
        "estimated_flow_rate",
        number,
        None,
        "flow rate of the heating water [m³/h], for heat from delta T",
        unit="m³/h",
        low=0.05,
        high=20,
        aliases=("ESTIMATED_FLOW_RATE",),
    ),
    Option(
        "heating_rod_kw",
        number,
        None,
        "power of the heating rod, if it is on the meter [kW]",
        unit="kW",
        low=0.1,
        high=50,
        environment=False,
    ),
    Option(
        "compressor_on_w",
        number,
        400.0,
        "power from which the compressor counts as running [W]",
        unit="W",
        low=10,
        high=20_000,
        environment=False,
    ),
    Option(
        "compressor_off_w",
        number,
        250.0,
        "power below which the compressor counts as stopped [W]",
        unit="W",
        low=5,
        high=20_000,
        environment=False,
    ),
    Option(
        "metered",
        names,
        ("compressor", "source_pump"),
        "what is on the meter; it determines the SEPEMO boundary",
        environment=False,
    ),
    Option("electricity_price", number, None, "price of electricity per kWh", low=0, high=10),
    Option(
        "base_fee_per_day",
        number,
        0.0,
        "base fee for electricity per day",
        low=0,
        high=100,
        environment=False,
    ),
    Option("tariffs", None, (), "later tariffs, each with its first day", environment=False),
    Option(
        "heat_reference_factor",
        None,
        None,
        "calibration: heat by an external reading / heat by modulation",
        environment=False,
    ),
    Option(
        "monthly_normals_c",
        None,
        (),
        "twelve monthly means of the outdoor temperature [°C]",
        environment=False,
    ),
    Option(
        "notify_targets",
        names,
        (),
        "where alerts go (apprise addresses), instead of HEATMON_NOTIFY_URLS",
        secret=True,
        environment=False,
    ),
    Option(
        "quiet_hours",
        None,
        ("22:00", "07:00"),
        "begin and end of the hours in which only urgent alerts are sent",
        environment=False,
    ),
    Option("alert_rules", None, {}, "switch and threshold of each alert", environment=False),
    Option("setup_later", None, (), "steps of the setup that were put off", environment=False),
)

_BY_NAME = {option.name: option for option in HOME_OPTIONS}
SECRETS = frozenset(option.name for option in HOME_OPTIONS if option.secret)


def home_option(name: str) -> Option:
    """Return the row of that name. Raises KeyError."""
    return _BY_NAME[name]
