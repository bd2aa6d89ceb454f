"""The heat pump behind Viessmann's cloud: one features request per poll.

PyViCare 2.63.0 gives the addresses (its list of devices, its service and accessor) and the getters; the
way to the cloud is ours. Its own ``get`` renews an expired token without bound and has no deadline for a
whole answer, its cache returns old values when the cloud fails, and its base address is a module's.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from requests.adapters import BaseAdapter

from apps.devices.budget import CallBudget
from apps.devices.errors import DeviceBusy, DeviceRefused, PayloadInvalid, WrongDevice

from .faults import TokenRejected, body_of, error_in, reported_limit
from .features import FeatureSnapshot
from .getters import snapshot_with_getters
from .oauth import Authenticator, ViessmannAccount
from .tokens import Address, TokenStore
from .transport import CloudTransport

__all__ = ["FoundHeatPump", "ViessmannAccount", "ViessmannClient"]

log = logging.getLogger(__name__)

A_PERSON_ASKS = "test"
HEAT_PUMP_ROLE = "type:heatpump"
HEAT_PUMP_MODEL = re.compile(r"Vitocal|VBC70|V200WO1A|CU401B|OBNG_SCU|OBNG_OCU")
PAUSE_AFTER_USELESS_RENEWAL = timedelta(hours=1)


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


@dataclass(frozen=True, slots=True)
class _Answer:
    """A good answer: read, and as it came."""

    payload: dict[str, Any]
    raw: bytes


class ViessmannClient:
    """Reads one heat pump. ``device_serial``: which, where the account has several. ``adapter`` replaces the
    sockets (simulation). Safe for several threads: they wait for each other.

    Errors: DeviceError as its tree says, BudgetExhausted where the ledger allows no call.
    """

    def __init__(
        self,
        options: ViessmannAccount,
        *,
        token_store: TokenStore,
        budget: CallBudget,
        clock: Callable[[], datetime],
        device_serial: str | None = None,
        adapter: BaseAdapter | None = None,
    ) -> None:
        self._account = options
        self._store = token_store
        self._budget = budget
        self._clock = clock
        self._device_serial = device_serial
        self._transport = CloudTransport(budget, adapter)
        self._lock = threading.Lock()
        self._no_renewal_before: datetime | None = None
        self.login = Authenticator(options, store=token_store, transport=self._transport, clock=clock)

    def find_heat_pumps(self) -> list[FoundHeatPump]:
        """All heat pumps of the account; 1 call and those of a login. For a person who asks: a login that
        was refused lately is tried again."""
        with self._lock:
            return self._find("look up", retry_refused=True)

    def fetch(self, purpose: str = "poll") -> FeatureSnapshot:
        """The heat pump's features now; exactly one call when login and address are known.

        ``purpose`` "test" stands for a person who asks: a login that was refused lately is tried again.
        """
        with self._lock:
            address = self._address(retry_refused=purpose == A_PERSON_ASKS)
            try:
                with self._transport.calls(purpose):
                    token = self._token(retry_refused=purpose == A_PERSON_ASKS)
                with self._transport.calls(purpose):
                    answer = self._get(_features_url(address), token)
            except (WrongDevice, DeviceRefused) as error:
                if error.code in ("not_found", "forbidden"):
                    self._store.save_address(None)  # the gateway may have been replaced: look again
                raise
            return self._snapshot(answer, address)

    def _snapshot(self, answer: _Answer, address: Address) -> FeatureSnapshot:
        # An empty list is a fault of the cloud (seen for hours in 2022), not a heat pump without data.
        if not isinstance(answer.payload["data"], list) or not answer.payload["data"]:
            raise PayloadInvalid("no_features", path="data")
        return snapshot_with_getters(
            payload=answer.payload,
            received_at=self._clock(),
            device=address.device,
            model=address.model,
            roles=address.roles,
            raw=answer.raw,
        )

    def _address(self, *, retry_refused: bool) -> Address:
        known = self._store.address()
        if known is not None and known.client_id == self._account.client_id and self._wanted(known):
            return known
        chosen = self._chosen(self._find("look up", retry_refused=retry_refused))
        address = Address(
            client_id=self._account.client_id,
            installation_id=chosen.installation_id,
            gateway=chosen.gateway,
            device_id=chosen.device_id,
            device=chosen.device,
            model=chosen.model,
            roles=chosen.roles,
        )
        self._store.save_address(address)
        return address

    def _wanted(self, found: Address | FoundHeatPump) -> bool:
        return self._device_serial in (None, found.device, found.gateway)

    def _chosen(self, found: Sequence[FoundHeatPump]) -> FoundHeatPump:
        if not found:
            raise WrongDevice("no_heat_pump")
        wanted = [one for one in found if self._wanted(one)]
        if len(wanted) == 1:
            return wanted[0]
        names = [f"{one.model or '?'} ({one.device})" for one in found]
        if not wanted:
            raise WrongDevice("other_heat_pump", serial=self._device_serial, names=names)
        raise WrongDevice("several_heat_pumps", names=names)

    def _find(self, purpose: str, *, retry_refused: bool) -> list[FoundHeatPump]:
        with self._transport.calls(purpose):
            token = self._token(retry_refused=retry_refused)
        with self._transport.calls(purpose):
            return _heat_pumps(_vicare_devices(lambda path: self._get(path, token).payload))

    def _token(self, *, retry_refused: bool) -> str:
        try:
            return self.login.access_token(retry_refused=retry_refused)
        except DeviceBusy as error:
            self._budget.remember_limit(None, error.retry_at)
            raise

    def _get(self, path: str, token: str) -> _Answer:
        """One GET; if the token is rejected, one renewal and one more GET, then no renewal for an hour."""
        try:
            return self._get_once(path, token)
        except TokenRejected:
            now, pause = self._clock(), self._no_renewal_before
            if pause is not None and now < pause <= now + PAUSE_AFTER_USELESS_RENEWAL:
                raise
        renewed = self.login.replace(token)
        try:
            answer = self._get_once(path, renewed)
        except TokenRejected:
            self._no_renewal_before = self._clock() + PAUSE_AFTER_USELESS_RENEWAL
            self.login.drop()
            raise
        self._no_renewal_before = None
        return answer

    def _get_once(self, path: str, token: str) -> _Answer:
        response = self._transport.request(
            "GET", f"{self._account.api_url}{path}", headers={"Authorization": f"Bearer {token}"}
        )
        body, now = body_of(response), self._clock()
        error = error_in(response, body, now)
        if isinstance(error, DeviceBusy):
            self._budget.remember_limit(reported_limit(body, now), error.retry_at)
        if error is not None:
            raise error
        return _Answer(body, response.content)


def _features_url(address: Address) -> str:
    """The address of all features, as PyViCare's service builds it: asked through it with a recorder."""
    from PyViCare.PyViCareService import ViCareDeviceAccessor, ViCareService

    accessor = ViCareDeviceAccessor(address.installation_id, address.gateway, address.device_id)
    path: str = ViCareService(_Recorder(), list(address.roles)).fetch_all_features(accessor)
    return path


class _Recorder:
    """Stands where PyViCare's service has its OAuth manager; hands the path back instead of asking."""

    def get(self, url: str) -> str:
        return url


def _vicare_devices(get: Callable[[str], dict[str, Any]]) -> list[Any]:
    """The account's devices as PyViCare lists them. Raises PayloadInvalid for an answer it cannot read."""
    from PyViCare.PyViCare import PyViCare
    from PyViCare.PyViCareAbstractOAuthManager import AbstractViCareOAuthManager

    class Manager(AbstractViCareOAuthManager):  # type: ignore[misc]
        """Our way to the cloud under PyViCare: charged, capped, with our errors."""

        def __init__(self) -> None:
            super().__init__(None)

        def get(self, url: str) -> Any:
            return _with_roles(get(url))

        def renewToken(self) -> None:
            """Done by the client."""

    vicare = PyViCare()
    vicare.setCacheDuration(0)
    try:
        vicare.initWithExternalOAuth(Manager())
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise PayloadInvalid("no_data", path="installations") from error
    return list(vicare.all_devices)


def _with_roles(payload: dict[str, Any]) -> dict[str, Any]:
    """A device without roles would make PyViCare give up on all of them."""
    installations = payload.get("data")
    for installation in installations if isinstance(installations, list) else []:
        for gateway in installation.get("gateways", []):
            for device in gateway.get("devices", []):
                for name, absent in (("roles", []), ("modelId", ""), ("status", ""), ("deviceType", "")):
                    device.setdefault(name, absent)
    return payload


def _heat_pumps(devices: Sequence[Any]) -> list[FoundHeatPump]:
    """Those that are heat pumps by role or model; the first device of a gateway is the gateway itself."""
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
