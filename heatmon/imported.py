"""Which device imported history belongs to, before and after the real one is known."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.changelog.models import ConfigurationVersion, PendingConfiguration
from apps.devices.models import Device, RawAnswer, Site
from apps.metrics.store.base import TimeSeriesStore

UNNAMED = "IMPORTED"
"""The device of files that name none, until the real one is known."""


def introduce(
    store: TimeSeriesStore, site: Site, kind: str, identifier: str, at: datetime, *, active: bool
) -> None:
    """Write down a device that is known from a file only, and give it what was imported without its name."""
    adopt_imported(store, site, kind, identifier)
    Device.objects.get_or_create(
        site=site,
        kind=kind,
        identifier=identifier,
        defaults={"first_seen_at": at, "last_seen_at": at, "active": active},
    )


def adopt_imported(store: TimeSeriesStore, site: Site, kind: str, identifier: str) -> None:
    """Let what was imported before ``identifier`` was met belong to it; a device met before owns nothing
    else, so that asking again changes nothing."""
    devices = list(Device.objects.filter(site=site, kind=kind))
    if identifier in {device.identifier for device in devices}:
        return
    for device in devices:
        if _is_part_of(device.identifier, identifier):
            _rename(store, site, device, identifier)
            return


def _is_part_of(name: str, identifier: str) -> bool:
    """Return True for no name, and for a gateway without the device behind it (``gateway/id``)."""
    return name == UNNAMED or identifier.startswith(f"{name}/")


def _rename(store: TimeSeriesStore, site: Site, device: Device, identifier: str) -> None:
    """Rename in the store first: a repeat after a crash finds nothing left to do there."""
    store.rename_device(site.pk, device.identifier, identifier)
    with transaction.atomic():
        for model in (RawAnswer, ConfigurationVersion, PendingConfiguration):
            model.objects.filter(site=site, device=device.identifier).update(device=identifier)
        device.identifier = identifier
        device.save(update_fields=["identifier"])
