"""Open the devices that a home's options name. Brands are named here and nowhere above."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from requests import Session
from requests.adapters import BaseAdapter

from .budget import CallBudget
from .home_options import HomeOptions
from .http import PermittedIp
from .shelly.client import ShellyClient
from .shelly.history import MeterHistory
from .shelly.source import ShellyMeter
from .sources import HeatPumpSource, MeterMemory, MeterSource
from .viessmann.client import ViessmannAccount, ViessmannClient
from .viessmann.oauth import TokenStore
from .viessmann.source import ViessmannHeatPump

METER_LOGIN = ("shelly_url", "shelly_password")
HEAT_PUMP_LOGIN = (
    "viessmann_user",
    "viessmann_password",
    "viessmann_client_id",
    "heat_pump_device",
    "time_zone",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What devices are reached with. ``adapter``: a requests adapter instead of sockets (simulation).
    ``permitted_ip``: checks the meter's address if it comes from a page."""

    clock: Callable[[], datetime]
    token_path: Path
    cloud_api_url: str
    cloud_iam_url: str
    daily_limit: int
    sleep: Callable[[float], None] = time.sleep
    adapter: BaseAdapter | None = None
    permitted_ip: PermittedIp | None = None

    def session(self) -> Session:
        session = Session()
        if self.adapter is not None:
            session.mount("http://", self.adapter)
        return session


def open_meter(options: HomeOptions, around: Surroundings) -> MeterSource | None:
    """Return the client of the live poll; None while no meter is set up."""
    if not options.shelly_url:
        return None
    client = ShellyClient(
        options.shelly_url,
        options.shelly_password,
        clock=around.clock,
        session=around.session(),
        sleep=around.sleep,
        permitted_ip=around.permitted_ip,
    )
    return ShellyMeter(client)


def open_memory(
    options: HomeOptions, around: Surroundings, device: str, believed_from: datetime | None = None
) -> MeterMemory | None:
    """Return the client for the memory of the meter ``device``, with a session and login of its own.
    Minutes before ``believed_from`` were recorded under a wrong clock."""
    if not options.shelly_url:
        return None
    return MeterHistory(
        options.shelly_url,
        options.shelly_password,
        device=device,
        believed_from=believed_from,
        clock=around.clock,
        session=around.session(),
        sleep=around.sleep,
        permitted_ip=around.permitted_ip,
    )


def open_budget(options: HomeOptions, around: Surroundings) -> CallBudget | None:
    """Return the ledger of cloud calls; None while no account is set up."""
    if not options.viessmann_client_id:
        return None
    return CallBudget(options.viessmann_client_id, limit=around.daily_limit, clock=around.clock)


def open_heat_pump(options: HomeOptions, around: Surroundings) -> HeatPumpSource | None:
    """Return the client of the heat pump; None while no account is set up."""
    budget = open_budget(options, around)
    if budget is None:
        return None
    account = ViessmannAccount(
        user=options.viessmann_user,
        password=options.viessmann_password,
        client_id=options.viessmann_client_id or "",
        api_url=around.cloud_api_url,
        iam_url=around.cloud_iam_url,
    )
    client = ViessmannClient(
        account,
        token_store=TokenStore(around.token_path),
        budget=budget,
        clock=around.clock,
        device_serial=options.heat_pump_device,
        adapter=around.adapter,
    )
    return ViessmannHeatPump(client, options.zone)
