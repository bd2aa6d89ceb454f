"""◇ Whose answer a features answer is, as far as its data points say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.devices.errors import PayloadInvalid

_MASKS = "#Xx* "


@dataclass(frozen=True, slots=True)
class AnswerIdentity:
    """Serials of the gateways and ids of the devices that the data points name; masked ones left out."""

    gateways: frozenset[str]
    device_ids: frozenset[str]


def identity_of(payload: Mapping[str, Any]) -> AnswerIdentity:
    """Return what a features answer says of its origin. Raises PayloadInvalid."""
    data = payload.get("data")
    if not isinstance(data, list):
        raise PayloadInvalid("no_data_points", path="data")
    features = [one for one in data if isinstance(one, dict)]
    return AnswerIdentity(gateways=_serials(features, "gatewayId"), device_ids=_serials(features, "deviceId"))


def has_compressor(payload: Mapping[str, Any]) -> bool:
    """Return True for the answer of a heat pump: gateways, room devices, boilers, ventilation have no
    compressor."""
    return any(
        str(one.get("feature", "")).startswith("heating.compressors")
        for one in payload["data"]
        if isinstance(one, dict)
    )


def may_come_from(device: str, identity: AnswerIdentity) -> bool:
    """Return False if the answer names another gateway or device than ``device`` (``gateway`` or
    ``gateway/id``)."""
    gateway, _, device_id = device.partition("/")
    same_gateway = not identity.gateways or identity.gateways == {gateway}
    same_device = not identity.device_ids or not device_id or identity.device_ids == {device_id}
    return same_gateway and same_device


def _serials(features: Sequence[Mapping[str, Any]], name: str) -> frozenset[str]:
    found = {serial for one in features if isinstance(serial := one.get(name), str)}
    return frozenset(serial for serial in found if serial.strip(_MASKS))
