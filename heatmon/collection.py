"""One site with its devices and its store, opened once per process: what the jobs work on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from requests.adapters import BaseAdapter

from apps.devices.budget import CallBudget
from apps.devices.models import Device, Site
from apps.devices.opening import (
    HEAT_PUMP_LOGIN,
    METER_LOGIN,
    Surroundings,
    open_budget,
    open_heat_pump,
    open_memory,
    open_meter,
)
from apps.devices.options import HomeOptions, readable_options, saved_names
from apps.devices.sources import HeatPumpSource, MeterMemory, MeterSource
from apps.devices.typed_address import permitted_typed_ip
from apps.metrics.store.front import Store

from .imported import adopt_imported
from .live_rows import LiveRows
from .replay import LiveAnswers

log = logging.getLogger(__name__)

Client = TypeVar("Client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What belongs to one state of the options and devices. A job takes it once and keeps it for its turn.

    None: not set up, or not met yet. ``memory`` is that of ``meter_device``. Each client belongs to the one
    thread that uses it.
    """

    options: HomeOptions
    meter_device: Device | None
    heat_pump_device: Device | None
    meter: MeterSource | None
    memory: MeterMemory | None
    heat_pump: HeatPumpSource | None
    budget: CallBudget | None

    def device(self, kind: str) -> Device | None:
        return self.meter_device if kind == Device.Kind.METER else self.heat_pump_device


class Collection:
    """A site's clients, which live long, and its store.

    ``adapter``: a requests adapter instead of sockets (simulation); ``cloud``: other base addresses of
    API and login; ``own_addresses``: device addresses were set by heatmon itself, not typed by a user.
    Options and devices are read on first use and again after ``reload()``.
    """

    def __init__(
        self,
        site: Site,
        store: Store,
        *,
        clock: Callable[[], datetime],
        adapter: BaseAdapter | None = None,
        token_path: Path | None = None,
        cloud: tuple[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        own_addresses: bool = False,
    ) -> None:
        self.site = site
        self.store = store
        self.live_rows = LiveRows(store, site.pk)
        self.live_answers = LiveAnswers(site)
        self.clock = clock
        self._own_addresses = own_addresses
        server = settings.HEATMON
        api_url, iam_url = cloud or (server.viessmann_api_url, server.viessmann_iam_url)
        self._around = Surroundings(
            clock=clock,
            token_path=token_path or Path(settings.TOKEN_PATH),
            cloud_api_url=api_url,
            cloud_iam_url=iam_url,
            daily_limit=server.viessmann_daily_limit,
            sleep=sleep,
            adapter=adapter,
        )
        self.sleep = sleep
        self._lock = threading.Lock()
        self._connected: Connected | None = None
        self._clients: dict[str, tuple[tuple[Any, ...], Any]] = {}

    def connected(self) -> Connected:
        """Return options, devices and clients in force."""
        with self._lock:
            if self._connected is None:
                self._connected = self._open()
            return self._connected

    def reload(self) -> None:
        """Read options and devices again; a client stays while its login and device are the same."""
        with self._lock:
            self._connected = self._open()

    @property
    def options(self) -> HomeOptions:
        """The options in force."""
        return self.connected().options

    def _open(self) -> Connected:
        options, fault = readable_options(self.site)
        if fault:
            log.warning("%s", fault)
        # An address typed on a page is not the operator's: it may not lead to this machine itself.
        typed = not self._own_addresses and "shelly_url" in saved_names(self.site)
        around = replace(self._around, permitted_ip=permitted_typed_ip if typed else None)
        devices = {kind: self._device(kind) for kind in Device.Kind}
        meter = devices[Device.Kind.METER]
        login = (typed, *(getattr(options, name) for name in METER_LOGIN))
        cloud_login = tuple(getattr(options, name) for name in HEAT_PUMP_LOGIN)
        return Connected(
            options=options,
            meter_device=meter,
            heat_pump_device=devices[Device.Kind.HEAT_PUMP],
            meter=self._kept("meter", login, lambda: open_meter(options, around)),
            memory=self._memory(options, around, login, meter),
            heat_pump=self._kept("heat_pump", cloud_login, lambda: open_heat_pump(options, around)),
            budget=open_budget(options, around),
        )

    def _memory(
        self, options: HomeOptions, around: Surroundings, login: tuple[Any, ...], meter: Device | None
    ) -> MeterMemory | None:
        if meter is None:
            return None
        believed = meter.identifier, meter.history_from
        return self._kept("memory", (*login, *believed), lambda: open_memory(options, around, *believed))

    def _kept(self, name: str, key: tuple[Any, ...], open_client: Callable[[], Client]) -> Client:
        """Return the client as it is, while ``key`` is what it was opened with."""
        if name not in self._clients or self._clients[name][0] != key:
            self._clients[name] = (key, open_client())
        client: Client = self._clients[name][1]
        return client

    def _device(self, kind: str) -> Device | None:
        return Device.objects.filter(site=self.site, kind=kind, active=True).first()

    def remember_device(
        self, kind: str, identifier: str, at: datetime, *, model: str = "", profile: str = ""
    ) -> None:
        """Write down a device met for the first time, or in another profile; it is the one of its kind."""
        known = self.connected().device(kind)
        if known is not None and (known.identifier, known.profile) == (identifier, profile):
            return
        adopt_imported(self.store, self.site, kind, identifier)
        seen = {"last_seen_at": at, "active": True, "profile": profile}
        if model:
            seen["model"] = model
        device, _created = Device.objects.update_or_create(
            site=self.site,
            kind=kind,
            identifier=identifier,
            defaults=seen,
            create_defaults={**seen, "first_seen_at": at},
        )
        others = Device.objects.filter(site=self.site, kind=kind, active=True).exclude(pk=device.pk)
        others.update(active=False)
        self.reload()
