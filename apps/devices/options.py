"""The house's and devices' values in force: saved on the settings page, else from the environment.

Secrets are Fernet tokens under a key of its own in the data directory (mode 0600), which no backup
contains.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from .models import SavedOption, Site

HEAT_PUMP, HEATING_ROD, HOUSE, UNUSED = "heat_pump", "heating_rod", "house", "unused"
CHANNEL_ROLES = (HEAT_PUMP, HEATING_ROD, HOUSE, UNUSED)

SECRETS = frozenset({"shelly_password", "viessmann_password"})
FROM_ENVIRONMENT = (
    "time_zone",
    "latitude",
    "longitude",
    "altitude",
    "currency",
    "shelly_url",
    "shelly_password",
    "viessmann_user",
    "viessmann_password",
    "viessmann_client_id",
    "estimated_flow_rate",
    "electricity_price",
)


class SecretUnreadable(Exception):
    """A saved password cannot be decrypted: the key in the data directory is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeOptions:
    """Values in force for one site. ``estimated_flow_rate`` [m³/h], prices per kWh, powers [W]."""

    time_zone: str = "Europe/Berlin"
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    currency: str = "EUR"
    shelly_url: str | None = None
    shelly_password: str | None = None
    viessmann_user: str | None = None
    viessmann_password: str | None = None
    viessmann_client_id: str | None = None
    estimated_flow_rate: float | None = None
    electricity_price: float | None = None
    channel_roles: Mapping[str, str] = field(
        default_factory=lambda: {"a": HEAT_PUMP, "b": HEAT_PUMP, "c": HEAT_PUMP}
    )
    compressor_on_w: float = 400.0
    compressor_off_w: float = 250.0
    heating_rod_kw: float | None = None
    metered: tuple[str, ...] = ("compressor", "source_pump")
    heat_reference_factor: float | None = None
    base_fee_per_day: float = 0.0
    tariffs: tuple[Mapping[str, Any], ...] = ()
    monthly_normals_c: tuple[float, ...] = ()
    heat_pump_device: str | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def heat_pump_channels(self) -> tuple[str, ...]:
        """Channels whose energy is the heat pump's: those with the role heat pump or heating rod."""
        return tuple(
            channel for channel in "abc" if self.channel_roles.get(channel) in {HEAT_PUMP, HEATING_ROD}
        )

    @property
    def meter_set_up(self) -> bool:
        return bool(self.shelly_url)

    @property
    def heat_pump_set_up(self) -> bool:
        return bool(self.viessmann_client_id)


def default_site() -> Site:
    """The first home; made on first use."""
    site = Site.objects.order_by("id").first()
    return site if site is not None else Site.objects.create()


def environment_values() -> dict[str, Any]:
    """What the environment gives for the values of the house (defaults included)."""
    options = settings.HEATMON
    values = {name: getattr(options, name) for name in FROM_ENVIRONMENT}
    values["channel_roles"] = {
        channel: HEAT_PUMP if channel in options.meter_channels else HOUSE for channel in "abc"
    }
    return values


def home_options(site: Site, *, with_secrets: bool = True) -> HomeOptions:
    """The values in force. Raises SecretUnreadable if a saved password cannot be decrypted; without
    secrets (saved passwords left out), as pages need it, never."""
    values = environment_values()
    for saved in SavedOption.objects.filter(site=site):
        if saved.name not in HomeOptions.__dataclass_fields__:
            continue  # saved by a newer version; kept untouched
        if saved.name in SECRETS and not with_secrets:
            continue
        values[saved.name] = _unpack(saved.name, saved.value)
    return HomeOptions(**values)


def saved_names(site: Site) -> set[str]:
    """Names whose value was saved on the settings page, and so overrides the environment's."""
    return set(SavedOption.objects.filter(site=site).values_list("name", flat=True))


def save_home_options(site: Site, values: Mapping[str, Any]) -> None:
    """Save values (checked by the caller's form); they win from now on. None takes the saved value back."""
    for name, value in values.items():
        if name not in HomeOptions.__dataclass_fields__:
            raise KeyError(name)
        if value is None:
            SavedOption.objects.filter(site=site, name=name).delete()
        else:
            SavedOption.objects.update_or_create(site=site, name=name, defaults={"value": _pack(name, value)})


def _pack(name: str, value: Any) -> str:
    packed = json.dumps(value)
    return _fernet().encrypt(packed.encode()).decode() if name in SECRETS else packed


def _unpack(name: str, packed: str) -> Any:
    if name in SECRETS:
        try:
            packed = _fernet().decrypt(packed.encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadable(f"the saved {name} cannot be decrypted; enter it again") from error
    value = json.loads(packed)
    return tuple(value) if isinstance(value, list) else value


def _fernet() -> Fernet:
    return Fernet(secret_file(Path(settings.DATA_DIR) / "device-secrets.key", Fernet.generate_key))


def secret_file(path: Path, make: Any) -> bytes:
    """The content of a secret file; made with mode 0600 by the first caller, whoever of several that is."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes().strip()
    with os.fdopen(descriptor, "wb") as file:
        content: bytes = make()
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return content
