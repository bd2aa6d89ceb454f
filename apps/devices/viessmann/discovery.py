"""Which heat pumps an account has, and which of them is meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.devices.errors import PayloadInvalid, WrongDevice

HEAT_PUMP_ROLE = "type:heatpump"
HEAT_PUMP_MODEL = re.compile(r"Vitocal|VBC70|V200WO1A|CU401B|OBNG_SCU|OBNG_OCU")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHeatPump:
    """A heat pump of the account. ``device`` names it in heatmon: the gateway's serial, with ``/id`` behind
    where a gateway has several."""

    device: str
    gateway: str
    installation_id: int
    device_id: str
    model: str | None
    roles: tuple[str, ...]
    online: bool

    @property
    def choice(self) -> str:
        """How to name it in HEATMON_HEAT_PUMP."""
        return f"{self.gateway}/{self.device_id}"


def heat_pumps(get: Callable[[str], dict[str, Any]]) -> list[FoundHeatPump]:
    """Return all heat pumps of the account; ``get`` asks the cloud for a path, once."""
    return _heat_pumps(_vicare_devices(get))


def is_meant(serial: str | None, *, gateway: str, device_id: str) -> bool:
    """Return whether ``serial`` (of a gateway, or ``gateway/device``) means this heat pump; None means
    any."""
    return serial in (None, gateway, f"{gateway}/{device_id}")


def chosen(found: Sequence[FoundHeatPump], serial: str | None) -> FoundHeatPump:
    """Return the one that is meant. Raises WrongDevice where there is none, or more than one."""
    if not found:
        raise WrongDevice("no_heat_pump")
    meant = [one for one in found if is_meant(serial, gateway=one.gateway, device_id=one.device_id)]
    if len(meant) == 1:
        return meant[0]
    names = [f"{one.model or '?'} ({one.choice})" for one in found]
    choices = [one.choice for one in found]
    if not meant:
        raise WrongDevice("other_heat_pump", serial=serial, names=names, choices=choices)
    raise WrongDevice("several_heat_pumps", names=names, choices=choices)


def _vicare_devices(get: Callable[[str], dict[str, Any]]) -> list[Any]:
    """Return the account's devices as PyViCare lists them. Raises PayloadInvalid for an answer it cannot
    read."""
    from PyViCare.PyViCare import PyViCare
    from PyViCare.PyViCareAbstractOAuthManager import AbstractViCareOAuthManager

    class Manager(AbstractViCareOAuthManager):  # type: ignore[misc]
        """Our way to the cloud under PyViCare: charged, capped, with our errors."""

        def __init__(self) -> None:
            super().__init__(None)

        def get(self, url: str) -> Any:
            return _with_roles(get(url))

        def renewToken(self) -> None:
            """Do nothing: the client renews the token."""

    vicare = PyViCare()
    vicare.setCacheDuration(0)
    try:
        vicare.initWithExternalOAuth(Manager())
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise PayloadInvalid("no_data", path="installations") from error
    return list(vicare.all_devices)


def _with_roles(payload: dict[str, Any]) -> dict[str, Any]:
    """Add empty roles to devices without any, which would make PyViCare give up on all of them."""
    installations = payload.get("data")
    for installation in installations if isinstance(installations, list) else []:
        for gateway in installation.get("gateways", []):
            for device in gateway.get("devices", []):
                for name, absent in (("roles", []), ("modelId", ""), ("status", ""), ("deviceType", "")):
                    device.setdefault(name, absent)
    return payload


def _heat_pumps(devices: Sequence[Any]) -> list[FoundHeatPump]:
    """Return those that are heat pumps by role or model; the first device of a gateway is the gateway
    itself."""
    pumps = [
        one
        for one in devices
        if HEAT_PUMP_ROLE in one.roles or HEAT_PUMP_MODEL.search(one.device_model or "") is not None
    ]
    gateways = [str(one.accessor.serial) for one in pumps]
    return [
        FoundHeatPump(
            device=gateway if gateways.count(gateway) == 1 else f"{gateway}/{one.device_id}",
            gateway=gateway,
            installation_id=one.accessor.id,
            device_id=str(one.device_id),
            model=one.device_model or None,
            roles=tuple(str(role) for role in one.roles),
            online=bool(one.isOnline()),
        )
        for one, gateway in zip(pumps, gateways, strict=True)
    ]
