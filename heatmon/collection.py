"""One site with its devices and its store, opened once per process: what the jobs work on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from requests import Session
from requests.adapters import BaseAdapter

from apps.devices.budget import CallBudget
from apps.devices.errors import CodedError, until_of, without_time
from apps.devices.models import Device, Site, SourceState
from apps.devices.options import HomeOptions, SecretUnreadable, home_options, saved_names
from apps.devices.shelly.client import ShellyClient
from apps.devices.shelly.counter import MinuteFromCounter
from apps.devices.shelly.history import MeterHistory
from apps.devices.viessmann.client import ViessmannAccount, ViessmannClient
from apps.devices.viessmann.oauth import TokenStore
from apps.devices.wording import log_line
from apps.metrics.store.front import Store

from .imported import adopt_imported

log = logging.getLogger(__name__)

PERSIST_SUCCESS_EVERY = timedelta(seconds=600)
OWN_MEMORY_COUNTS = timedelta(hours=1)
METER, HEAT_PUMP = SourceState.Source.METER, SourceState.Source.HEAT_PUMP


class Collection:
    """Long-lived clients of one site. Each client belongs to the one thread that polls with it.

    ``adapter``: a requests adapter instead of sockets (simulation); ``cloud``: other base addresses of
    API and login; ``own_addresses``: device addresses were set by heatmon itself, not typed by a user.
    The options in force are read on first use and again after ``reload()``.
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
        self.clock = clock
        self._adapter = adapter
        self._token_path = token_path or Path(settings.TOKEN_PATH)
        options = settings.HEATMON
        self._cloud: tuple[str, str] = cloud or (options.viessmann_api_url, options.viessmann_iam_url)
        self._sleep = sleep
        self._own_addresses = own_addresses
        self._history_of = ""
        self._lock = threading.Lock()
        self._house: HomeOptions | None = None
        self._meter: ShellyClient | None = None
        self._history: MeterHistory | None = None
        self._heat_pump: ViessmannClient | None = None
        self._known: dict[str, Device] = {}
        self._persisted: dict[str, datetime] = {}
        self._failing: dict[str, bool] = {}
        self._good_at: dict[str, datetime] = {}
        self.counter_minutes = MinuteFromCounter()
        self.last_whole_search: datetime | None = None
        self.remembered_from: datetime | None = None  # what the meter's memory begins with

    @property
    def house(self) -> HomeOptions:
        """The options in force."""
        with self._lock:
            if self._house is None:
                self._house = self._read_house()
            return self._house

    def _read_house(self) -> HomeOptions:
        """Without the passwords where one cannot be decrypted (a restored backup has no keys): the devices
        then ask for theirs, and everything else goes on."""
        try:
            return home_options(self.site)
        except SecretUnreadable as error:
            log.warning("%s", error)
            return home_options(self.site, with_secrets=False)

    def reload(self) -> None:
        """Options were saved: read them again and open clients anew where their login changed."""
        fresh = self._read_house()
        with self._lock:
            old, self._house = self._house, fresh
            if old is None:
                return
            if (old.shelly_url, old.shelly_password) != (fresh.shelly_url, fresh.shelly_password):
                self._meter = self._history = None
            login = ("viessmann_user", "viessmann_password", "viessmann_client_id", "heat_pump_device")
            if any(getattr(old, name) != getattr(fresh, name) for name in login):
                self._heat_pump = None

    def meter(self) -> ShellyClient | None:
        """The client of the live poll; None while no meter is set up."""
        house = self.house
        if not house.shelly_url:
            return None
        if self._meter is None:
            self._meter = ShellyClient(house.shelly_url, house.shelly_password, **self._meter_arguments())
        return self._meter

    def meter_history(self, device: str) -> MeterHistory | None:
        """The client of the history thread for the meter ``device``: session and login of its own."""
        house = self.house
        if not house.shelly_url:
            return None
        if self._history is None or self._history_of != device:
            self._history = MeterHistory(
                house.shelly_url, house.shelly_password, device=device, **self._meter_arguments()
            )
            self._history_of = device
        return self._history

    def _meter_arguments(self) -> dict[str, Any]:
        session = Session()
        if self._adapter is not None:
            session.mount("http://", self._adapter)
        # An address typed on a page is not the operator's: it may not lead to this machine itself.
        typed = not self._own_addresses and "shelly_url" in saved_names(self.site)
        return {
            "clock": self.clock,
            "session": session,
            "sleep": self._sleep,
            "restricted": typed,
            "allow_loopback": not typed or settings.HEATMON.allow_loopback_devices,
        }

    def budget(self) -> CallBudget | None:
        """The ledger of cloud calls; None while no account is set up."""
        client_id = self.house.viessmann_client_id
        if not client_id:
            return None
        return CallBudget(client_id, limit=settings.HEATMON.viessmann_daily_limit, clock=self.clock)

    def heat_pump(self) -> ViessmannClient | None:
        """The client of the cloud; None while no account is set up."""
        house, budget = self.house, self.budget()
        if budget is None:
            return None
        if self._heat_pump is None:
            account = ViessmannAccount(
                user=house.viessmann_user,
                password=house.viessmann_password,
                client_id=house.viessmann_client_id or "",
                api_url=self._cloud[0],
                iam_url=self._cloud[1],
            )
            self._heat_pump = ViessmannClient(
                account,
                token_store=TokenStore(self._token_path),
                budget=budget,
                clock=self.clock,
                device_serial=house.heat_pump_device,
                adapter=self._adapter,
            )
        return self._heat_pump

    def known_device(self, kind: str) -> Device | None:
        """The active device of that kind."""
        if kind not in self._known:
            device = Device.objects.filter(site=self.site, kind=kind, active=True).first()
            if device is None:
                return None
            self._known[kind] = device
        return self._known[kind]

    def remember_device(
        self, kind: str, identifier: str, at: datetime, *, model: str = "", profile: str = ""
    ) -> None:
        """Write down a device met for the first time, or in another profile; it is the one of its kind."""
        known = self._known.get(kind)
        if known is not None and (known.identifier, known.profile) == (identifier, profile):
            return
        adopt_imported(self.store, self.site, kind, identifier)
        seen = {"last_seen_at": at, "active": True, "model": model, "profile": profile}
        device, _created = Device.objects.update_or_create(
            site=self.site,
            kind=kind,
            identifier=identifier,
            defaults=seen,
            create_defaults={**seen, "first_seen_at": at},
        )
        others = Device.objects.filter(site=self.site, kind=kind, active=True).exclude(pk=device.pk)
        others.update(active=False)
        self._known[kind] = device

    def forget_known_devices(self) -> None:
        """The owner confirmed another device: read the list again."""
        self._known.clear()

    def last_success(self, source: str, at: datetime) -> datetime | None:
        """The last good poll before ``at``: this process's own if lately, else what any wrote down."""
        own = self._good_at.get(source)
        if own is not None and at - own < OWN_MEMORY_COUNTS:
            return own
        states = SourceState.objects.filter(site=self.site, source=source)
        return states.values_list("last_success_at", flat=True).first()

    def succeeded(self, source: str, at: datetime) -> None:
        """Note a good poll. Written at once after a failure, else at most every ten minutes: how fresh
        the data are is told by the data."""
        self._good_at[source] = at
        persisted = self._persisted.get(source)
        if persisted and not self._failing.get(source) and at - persisted < PERSIST_SUCCESS_EVERY:
            return
        if self._failing.get(source):
            log.info("%s answers again", source)
        good = {
            "last_attempt_at": at,
            "last_success_at": at,
            "error_code": "",
            "error_details": {},
            "blocked_until": None,
        }
        if not SourceState.objects.filter(site=self.site, source=source).update(**good):
            SourceState.objects.create(site=self.site, source=source, **good)
        self._persisted[source] = at
        self._failing[source] = False

    def failed(self, source: str, at: datetime, error: CodedError) -> None:
        """Note a failed poll; the log gets a line when the cause is new."""
        state, _ = SourceState.objects.get_or_create(site=self.site, source=source)
        if (state.error_code, without_time(state.error_details)) != (error.code, without_time(error.details)):
            log.warning("%s: %s", source, log_line(error, self.house.zone))
        state.last_attempt_at = state.last_error_at = at
        state.error_code, state.error_details = error.code, error.details
        state.blocked_until = until_of(error.details)
        state.save()
        self._failing[source] = True
