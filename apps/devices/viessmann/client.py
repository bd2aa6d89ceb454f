"""The heat pump behind Viessmann's cloud: one features request per poll.

PyViCare 2.63.0 gives the addresses (its list of devices, its service and accessor) and the getters; the
way to the cloud is ours. Its own ``get`` renews an expired token without bound and has no deadline for a
whole answer, its cache returns old values when the cloud fails, and its base address is a module's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from requests.adapters import BaseAdapter

from apps.devices.budget import CallBudget
from apps.devices.errors import DeviceBusy, DeviceRefused, PayloadInvalid, WrongDevice

from .discovery import FoundHeatPump, chosen, heat_pumps, is_meant
from .faults import TokenRejected, body_of, error_in, reported_limit
from .features import FeatureSnapshot
from .getters import snapshot_with_getters
from .oauth import Authenticator, ViessmannAccount
from .tokens import Address, Pause, TokenStore
from .transport import CloudTransport

__all__ = ["FoundHeatPump", "ViessmannAccount", "ViessmannClient"]

log = logging.getLogger(__name__)

A_PERSON_ASKS = "test"
PAUSE_AFTER_USELESS_RENEWAL = timedelta(hours=1)
# What the cloud says no to for long: asked for once an hour, not at every poll.
PROBE_EVERY = timedelta(hours=1)
ASKED_RARELY = frozenset(
    {
        "paid_plan",
        "forbidden",
        "not_found",
        "gone",
        "gone_since",
        "no_heat_pump",
        "other_heat_pump",
        "several_heat_pumps",
    }
)


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
        """Return all heat pumps of the account; 1 call and those of a login. For a person who asks: a login
        that was refused lately is tried again."""
        with self._lock:
            return self._find("look up", retry_refused=True)

    def fetch(self, purpose: str = "poll") -> FeatureSnapshot:
        """Return the heat pump's features now; exactly one call when login and address are known.

        What the cloud says no to for long is asked for once an hour; in between that no is raised again,
        without a call. ``purpose`` "test" stands for a person, who gets an answer of now.
        """
        by_hand = purpose == A_PERSON_ASKS
        with self._lock:
            if not by_hand:
                self._respect_pause()
            remembered = self._remembered_address() is not None
            try:
                snapshot = self._asked(purpose, by_hand)
            except (WrongDevice, DeviceRefused) as error:
                if error.code in ("not_found", "forbidden"):
                    self._store.save_address(None)
                    if remembered:
                        raise  # the gateway may have been replaced: the next poll looks again
                if error.code in ASKED_RARELY:
                    self._pause(error)
                raise
            self._store.ask_again()
            return snapshot

    def _asked(self, purpose: str, by_hand: bool) -> FeatureSnapshot:
        address = self._address(retry_refused=by_hand)
        with self._transport.calls(purpose):
            token = self._token(retry_refused=by_hand)
        with self._transport.calls(purpose):
            answer = self._get(_features_url(address), token)
        return self._snapshot(answer, address)

    def _pause(self, error: WrongDevice | DeviceRefused) -> None:
        until = self._clock() + PROBE_EVERY
        error.details["until"] = until.isoformat()
        self._store.save_pause(
            Pause(
                asked_for=self._asked_for,
                until=until.timestamp(),
                code=error.code,
                details=error.details,
            )
        )

    def _respect_pause(self) -> None:
        pause, now = self._store.pause(), self._clock().timestamp()
        if pause is None or pause.asked_for != self._asked_for:
            return
        if now < pause.until <= now + PROBE_EVERY.total_seconds():
            raise DeviceRefused(pause.code, **pause.details)

    @property
    def _asked_for(self) -> str:
        account = self._account
        return " ".join((account.client_id, account.user or "", self._device_serial or "", account.api_url))

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

    def _remembered_address(self) -> Address | None:
        known = self._store.address()
        if known is None or known.client_id != self._account.client_id:
            return None
        meant = is_meant(self._device_serial, gateway=known.gateway, device_id=known.device_id)
        return known if meant else None

    def _address(self, *, retry_refused: bool) -> Address:
        known = self._remembered_address()
        if known is not None:
            return known
        found = chosen(self._find("look up", retry_refused=retry_refused), self._device_serial)
        address = Address(
            client_id=self._account.client_id,
            installation_id=found.installation_id,
            gateway=found.gateway,
            device_id=found.device_id,
            device=found.device,
            model=found.model,
            roles=found.roles,
        )
        self._store.save_address(address)
        return address

    def _find(self, purpose: str, *, retry_refused: bool) -> list[FoundHeatPump]:
        with self._transport.calls(purpose):
            token = self._token(retry_refused=retry_refused)
        with self._transport.calls(purpose):
            return heat_pumps(lambda path: self._get(path, token).payload)

    def _token(self, *, retry_refused: bool) -> str:
        try:
            return self.login.access_token(retry_refused=retry_refused)
        except DeviceBusy as error:
            self._budget.remember_limit(None, error.retry_at)
            raise

    def _get(self, path: str, token: str) -> _Answer:
        """Send one GET; if the token is rejected, renew it and send one more, then renew no more for an
        hour."""
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
    """Return the address of all features as PyViCare's service builds it, found with a recorder."""
    from PyViCare.PyViCareService import ViCareDeviceAccessor, ViCareService

    accessor = ViCareDeviceAccessor(address.installation_id, address.gateway, address.device_id)
    path: str = ViCareService(_Recorder(), list(address.roles)).fetch_all_features(accessor)
    return path


class _Recorder:
    """Stands where PyViCare's service has its OAuth manager; hands the path back instead of asking."""

    def get(self, url: str) -> str:
        return url
