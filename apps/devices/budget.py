"""The ledger of calls to the vendor's cloud: each is written down, durably, before it is made.

The vendor counts every HTTP request per client id, failed ones too, over a window that is not surely
known (rolling 24 h or the UTC day), and 120 in 10 minutes. heatmon stays below all of them: see
``CallBudget``. A crash after the row and before the request costs one call that was never made; the
other way round the vendor would count calls that we forgot.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests
from django.db import connection, transaction
from requests.adapters import BaseAdapter

from .crash_points import reached
from .errors import BudgetExhausted, DeviceUnreachable, PayloadInvalid
from .http import AnswerTooLarge, LimitedAdapter, capped, caused_by
from .models import ApiCall, QuotaState
from .sql import all_rows
from .times import stored_time, utc_midnight

DAY = timedelta(hours=24)
BURST = timedelta(minutes=10)
BURST_LIMIT = 110
RESERVE_PERCENT = 90
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

    @property
    def left(self) -> int:
        """Calls that heatmon may still make: in the last 24 h and in the UTC day, whichever are fewer."""
        return max(0, self.stops_at - max(self.used_24h, self.used_utc_day))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """Quota, and what else decides about the next call."""

    limit: int
    stops_at: int
    last_24h: int
    utc_day: int
    last_10min: int
    blocked_until: datetime | None

    @property
    def allows_a_call(self) -> bool:
        return (
            self.blocked_until is None
            and self.last_24h < self.stops_at
            and self.utc_day < self.stops_at
            and self.last_10min < BURST_LIMIT
        )


# SQL by hand: each poll passes here, and building these queries by the ORM takes ten times as long.
_CALLS, _STATES = ApiCall._meta.db_table, QuotaState._meta.db_table
_LOOK = f"""
    SELECT (SELECT reported_limit FROM {_STATES} WHERE account = %s),
           (SELECT blocked_until FROM {_STATES} WHERE account = %s),
           COUNT(*),
           SUM(CASE WHEN at >= %s THEN 1 ELSE 0 END),
           SUM(CASE WHEN at > %s THEN 1 ELSE 0 END)
    FROM {_CALLS} WHERE account = %s AND at > %s
"""
_WRITE = f"INSERT INTO {_CALLS} (at, account, purpose, host) VALUES (%s, %s, %s, %s) RETURNING id"


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
        return self._look(self.clock()).stops_at

    def used_24h(self, at: datetime) -> int:
        return self._look(at).last_24h

    def used_utc_day(self, at: datetime) -> int:
        return self._look(at).utc_day

    def last_call_at(self) -> datetime | None:
        """Return when this account's newest call was written down, None where there is none."""
        newest = ApiCall.objects.filter(account=self.account).order_by("-at")
        return newest.values_list("at", flat=True).first()

    def logins_allowed_from(self, most: int, at: datetime) -> datetime | None:
        """Return when the password may be sent again if ``most`` logins succeeded in the 24 h before
        ``at``; None where it may be sent now."""
        # Of a login's two answers (302 with a code, 200 with the tokens) the second one is its success.
        logins = ApiCall.objects.filter(account=self.account, purpose="login", status=200, at__gt=at - DAY)
        moments = list(logins.order_by("-at").values_list("at", flat=True)[:most])
        return moments[-1] + DAY if len(moments) == most else None

    def blocked_until(self, at: datetime) -> datetime | None:
        """Return the end of the pause that the cloud demanded, None if there is none at ``at``."""
        return self._look(at).blocked_until

    def quota(self, at: datetime) -> Quota:
        now = self._look(at)
        return Quota(
            limit=now.limit,
            stops_at=now.stops_at,
            used_24h=now.last_24h,
            used_utc_day=now.utc_day,
            blocked_until=now.blocked_until,
        )

    def charge(self, purpose: str, host: str, at: datetime) -> int:
        """Write one call down and commit it; the caller makes the call afterwards. Returns the row's id.

        Raises BudgetExhausted, with nothing written, where the call would pass the budget. Looking and
        writing are one transaction, so two processes cannot both take the last call.
        """
        with transaction.atomic(durable=True):
            self._lock_account()
            now = self._look(at)
            if now.allows_a_call:
                return self._write(purpose, host, at)
            retry_at = self._retry_at(now, at)
        raise _exhausted(now, retry_at)

    def note_status(self, call_id: int, status: int) -> None:
        """Add the HTTP status to the row of a call."""
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {_CALLS} SET status = %s WHERE id = %s", [status, call_id])

    def remember_limit(self, reported_limit: int | None, blocked_until: datetime | None) -> None:
        """Store what a 429 said. The pause is clamped to 24 h from now; None leaves the known value."""
        told: dict[str, object] = {}
        if reported_limit is not None and reported_limit > 0:
            told["reported_limit"] = reported_limit
        if blocked_until is not None:
            told["blocked_until"] = min(blocked_until, self.clock() + DAY)
        if told:
            QuotaState.objects.update_or_create(account=self.account, defaults=told)

    def _lock_account(self) -> None:
        """Lock the account's row; on SQLite the transaction itself is IMMEDIATE."""
        if connection.vendor != "sqlite":
            QuotaState.objects.get_or_create(account=self.account)
            QuotaState.objects.select_for_update().get(account=self.account)

    def _look(self, at: datetime) -> _Standing:
        """Read counts and limit in one query: a range of at most a day's rows over the index of ``at``."""
        moments = [utc_midnight(at), at - BURST, at - DAY]
        midnight, burst, day = (connection.ops.adapt_datetimefield_value(one) for one in moments)
        (found,) = all_rows(_LOOK, self.account, self.account, midnight, burst, self.account, day)
        reported, blocked, last_24h, utc_day, last_10min = found
        limit = self._limit if reported is None else min(self._limit, reported)
        until = stored_time(blocked)
        return _Standing(
            limit=limit,
            stops_at=math.floor(limit * RESERVE_PERCENT / 100),
            last_24h=last_24h,
            utc_day=utc_day or 0,
            last_10min=last_10min or 0,
            blocked_until=None if until is None or until <= at else min(until, at + DAY),
        )

    def _write(self, purpose: str, host: str, at: datetime) -> int:
        moment = connection.ops.adapt_datetimefield_value(at)
        ((call_id,),) = all_rows(_WRITE, moment, self.account, purpose, host)
        return int(call_id)

    def _retry_at(self, now: _Standing, at: datetime) -> datetime:
        """Return the first moment at which every rule allows a call, if none is made until then."""
        moments = [at + timedelta(seconds=1)]
        if now.blocked_until is not None:
            moments.append(now.blocked_until)
        if now.utc_day >= now.stops_at:
            moments.append(utc_midnight(at) + DAY)
        if now.last_24h >= now.stops_at:
            moments.append(self._leaves(at - DAY, now.last_24h - now.stops_at, DAY, at))
        if now.last_10min >= BURST_LIMIT:
            moments.append(self._leaves(at - BURST, now.last_10min - BURST_LIMIT, BURST, at))
        return max(moments)

    def _leaves(self, since: datetime, surplus: int, window: timedelta, at: datetime) -> datetime:
        """Return when the call that comes ``surplus`` after the oldest one since ``since`` leaves the
        window."""
        rows = ApiCall.objects.filter(account=self.account, at__gt=since).order_by("at")
        moments = list(rows.values_list("at", flat=True)[surplus : surplus + 1])
        return moments[0] + window if moments else at + window


def _exhausted(now: _Standing, retry_at: datetime) -> BudgetExhausted:
    """Name the rule that forbids the call: the cloud's own pause, the day, or the 10 minutes."""
    if now.blocked_until is not None:
        return BudgetExhausted("paused", retry_at=retry_at)
    used = max(now.last_24h, now.utc_day)
    if used >= now.stops_at:
        return BudgetExhausted("budget", retry_at=retry_at, used=used, stops_at=now.stops_at)
    return BudgetExhausted("burst", retry_at=retry_at, used=now.last_10min)


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
        """Count the requests of one poll of this thread: at most ``max_calls_per_poll``."""
        self._scope.left, self._scope.purpose = self._max_calls, purpose
        try:
            yield
        finally:
            self._scope.left = 0

    @contextmanager
    def purpose(self, purpose: str) -> Iterator[None]:
        """Record the requests made inside under ``purpose``; they still belong to the surrounding poll."""
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
            raise DeviceUnreachable("too_many_calls")
        self._scope.left -= 1
        call_id = self._budget.charge(
            self._scope.purpose, urlsplit(request.url or "").netloc, self._budget.clock()
        )
        reached("ledger.charged")
        if isinstance(self._inner, LimitedAdapter):
            self._inner.limits.start(self._deadline_s, self._max_bytes)
        try:
            response = self._inner.send(
                request, stream=True, timeout=timeout, verify=verify, cert=cert, proxies=proxies
            )
            reached("ledger.answered")
            self._budget.note_status(call_id, response.status_code)
            self._read(response)
        except (requests.RequestException, AnswerTooLarge) as error:
            if caused_by(error, AnswerTooLarge):
                raise PayloadInvalid("answer_too_big") from error
            raise
        return response

    def _read(self, response: requests.Response) -> None:
        """Read the whole answer, so that no reader above can be kept waiting or fed without end."""
        try:
            response._content = b"".join(capped(response.iter_content(_CHUNK_BYTES), self._max_bytes))
        except (requests.RequestException, AnswerTooLarge):
            response.close()
            raise

    def close(self) -> None:
        self._inner.close()
