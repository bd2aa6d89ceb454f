"""The ledger of calls to the vendor's cloud: each is written down, durably, before it is made.

The vendor counts every HTTP request per client id, failed ones too, over a window that is not surely
known (rolling 24 h or the UTC day), and 120 in 10 minutes. heatmon stays below all of them: see
``CallBudget``. A crash after the row and before the request costs one call that was never made; the
other way round the vendor would count calls that we forgot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import requests
from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from requests.adapters import BaseAdapter

from .deadline import deadline
from .errors import BudgetExhausted, DeviceUnreachable, PayloadInvalid
from .models import ApiCall, QuotaState

DAY = timedelta(hours=24)
BURST = timedelta(minutes=10)
BURST_LIMIT = 110
RESERVE = 0.9
DEADLINE_S = 20.0
MAX_ANSWER_BYTES = 8_000_000
_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Where the budget stands. ``limit``: calls a day; heatmon itself stops at ``stops_at``."""

    limit: int
    stops_at: int
    used_24h: int
    used_utc_day: int
    blocked_until: datetime | None


@dataclass(frozen=True, slots=True)
class _Used:
    last_24h: int
    utc_day: int
    last_10min: int


class CallBudget:
    """The calls of one account (client id), counted from the ledger in the database.

    A row with a time in the future (the clock was stepped back) counts as used. ``limit`` is the
    configured one; the smaller of it and what the cloud reported holds.
    """

    def __init__(self, account: str, *, limit: int = 1450, clock: Callable[[], datetime]) -> None:
        self.account = account
        self.clock = clock
        self._limit = limit

    @property
    def stops_at(self) -> int:
        """Calls after which heatmon stops, in any 24 h and in any UTC day."""
        return self._stops_at(self._state())

    def used_24h(self, at: datetime) -> int:
        return self._used(at).last_24h

    def used_utc_day(self, at: datetime) -> int:
        return self._used(at).utc_day

    def used_10min(self, at: datetime) -> int:
        return self._used(at).last_10min

    def blocked_until(self, at: datetime) -> datetime | None:
        """End of the pause that the cloud demanded, None if there is none at ``at``."""
        return self._blocked_until(self._state(), at)

    def quota(self, at: datetime) -> Quota:
        state, used = self._state(), self._used(at)
        return Quota(
            limit=self._effective_limit(state),
            stops_at=self._stops_at(state),
            used_24h=used.last_24h,
            used_utc_day=used.utc_day,
            blocked_until=self._blocked_until(state, at),
        )

    def charge(self, purpose: str, host: str, at: datetime) -> int:
        """Write one call down and commit it; the caller makes the call afterwards. Returns the row's id.

        Raises BudgetExhausted, with nothing written, where the call would pass the budget. Looking and
        writing are one transaction, so two processes cannot both take the last call.
        """
        with transaction.atomic(durable=True):
            # Locks the account's row on PostgreSQL; on SQLite the transaction itself is IMMEDIATE.
            QuotaState.objects.get_or_create(account=self.account)
            state = QuotaState.objects.select_for_update().get(account=self.account)
            used = self._used(at)
            stops_at, blocked_until = self._stops_at(state), self._blocked_until(state, at)
            full = used.last_24h >= stops_at or used.utc_day >= stops_at or used.last_10min >= BURST_LIMIT
            if not full and blocked_until is None:
                row = ApiCall.objects.create(account=self.account, purpose=purpose, host=host, at=at)
                return row.pk
            retry_at = self._retry_at(used, stops_at, blocked_until, at)
        raise BudgetExhausted(
            _("The day's calls to the cloud are used up; heatmon goes on later."), retry_at=retry_at
        )

    def note_status(self, call_id: int, status: int) -> None:
        """Add the HTTP status to the row of a call."""
        ApiCall.objects.filter(pk=call_id).update(status=status)

    def remember_limit(self, reported_limit: int | None, blocked_until: datetime | None) -> None:
        """What a 429 said. The pause is clamped to 24 h from now; None leaves the known value."""
        told: dict[str, object] = {}
        if reported_limit is not None and reported_limit > 0:
            told["reported_limit"] = reported_limit
        if blocked_until is not None:
            told["blocked_until"] = min(blocked_until, self.clock() + DAY)
        if told:
            QuotaState.objects.update_or_create(account=self.account, defaults=told)

    def _state(self) -> QuotaState | None:
        return QuotaState.objects.filter(account=self.account).first()

    def _effective_limit(self, state: QuotaState | None) -> int:
        reported = state.reported_limit if state else None
        return self._limit if reported is None else min(self._limit, reported)

    def _stops_at(self, state: QuotaState | None) -> int:
        return int(RESERVE * self._effective_limit(state) + 1e-9)

    def _blocked_until(self, state: QuotaState | None, at: datetime) -> datetime | None:
        until = state.blocked_until if state else None
        if until is None or until <= at:
            return None
        return min(until, at + DAY)

    def _used(self, at: datetime) -> _Used:
        """One range over the index of ``at``: at most a day's rows."""
        counts = ApiCall.objects.filter(account=self.account, at__gt=at - DAY).aggregate(
            day=Count("id"),
            utc=Count("id", filter=Q(at__gte=_utc_midnight(at))),
            burst=Count("id", filter=Q(at__gt=at - BURST)),
        )
        return _Used(counts["day"], counts["utc"], counts["burst"])

    def _retry_at(self, used: _Used, stops_at: int, blocked_until: datetime | None, at: datetime) -> datetime:
        """The first moment at which every rule allows a call, if none is made until then."""
        moments = [at + timedelta(seconds=1)]
        if blocked_until is not None:
            moments.append(blocked_until)
        if used.utc_day >= stops_at:
            moments.append(_utc_midnight(at) + DAY)
        if used.last_24h >= stops_at:
            moments.append(self._leaves(at - DAY, used.last_24h - stops_at, DAY, at))
        if used.last_10min >= BURST_LIMIT:
            moments.append(self._leaves(at - BURST, used.last_10min - BURST_LIMIT, BURST, at))
        return max(moments)

    def _leaves(self, since: datetime, surplus: int, window: timedelta, at: datetime) -> datetime:
        """When the call that stands ``surplus`` after the oldest one since ``since`` leaves the window."""
        rows = ApiCall.objects.filter(account=self.account, at__gt=since).order_by("at")
        moments = list(rows.values_list("at", flat=True)[surplus : surplus + 1])
        return moments[0] + window if moments else at + window


def _utc_midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


class ChargingAdapter(BaseAdapter):
    """A requests adapter that charges the budget before each request, logins included.

    Below it ``inner`` does the work. An answer must be complete within ``deadline_s`` and below
    ``max_bytes``. ``calls(purpose)`` bounds how many requests one poll may make, whatever a library
    above decides; outside of it nothing can be sent. Refusals are no OSError, so no library mistakes
    them for a broken network.
    """

    def __init__(
        self,
        budget: CallBudget,
        inner: BaseAdapter,
        *,
        max_calls_per_poll: int = 3,
        deadline_s: float = DEADLINE_S,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        super().__init__()
        self._budget = budget
        self._inner = inner
        self._max_calls = max_calls_per_poll
        self._deadline_s = deadline_s
        self._max_bytes = max_bytes
        self._scope = threading.local()

    @contextmanager
    def calls(self, purpose: str) -> Iterator[None]:
        """The requests of one poll of this thread: at most ``max_calls_per_poll``."""
        self._scope.left, self._scope.purpose = self._max_calls, purpose
        try:
            yield
        finally:
            self._scope.left = 0

    @contextmanager
    def purpose(self, purpose: str) -> Iterator[None]:
        """Requests within are written down for ``purpose``, and still belong to the poll around."""
        before = self._scope.purpose
        self._scope.purpose = purpose
        try:
            yield
        finally:
            self._scope.purpose = before

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if getattr(self._scope, "left", 0) <= 0:
            raise DeviceUnreachable(
                _("The cloud asked for more requests than one poll may make."), code="too_many_calls"
            )
        self._scope.left -= 1
        call_id = self._budget.charge(
            self._scope.purpose, urlsplit(request.url or "").netloc, self._budget.clock()
        )
        with deadline(self._deadline_s) as watch:
            try:
                response = self._inner.send(
                    request, stream=True, timeout=timeout, verify=verify, cert=cert, proxies=proxies
                )
                self._budget.note_status(call_id, response.status_code)
                self._read(response)
            except requests.RequestException as error:
                if watch.expired:
                    raise _too_slow() from error
                raise
            if watch.expired:
                raise _too_slow()
        return response

    def _read(self, response: requests.Response) -> None:
        """Read the whole answer, so that no reader above can be kept waiting or fed without end."""
        content = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            content += chunk
            if len(content) > self._max_bytes:
                response.close()
                raise PayloadInvalid(_("The cloud's answer is too big."), code="answer_too_big")
        response._content = bytes(content)

    def close(self) -> None:
        self._inner.close()


def _too_slow() -> DeviceUnreachable:
    return DeviceUnreachable(
        _("The cloud's answer did not end in time."),
        code="timeout",
        hint=_("heatmon tries again at the next poll."),
    )
