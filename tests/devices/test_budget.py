"""The ledger of cloud calls: what it allows, and that it never allows more."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

from apps.devices.budget import CallBudget, ChargingAdapter, Quota
from apps.devices.errors import BudgetExhausted, DeviceUnreachable, PayloadInvalid
from apps.devices.models import ApiCall, QuotaState

NOON = datetime(2026, 1, 22, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


def budget(limit: int = 1450, at: datetime = NOON) -> CallBudget:
    return CallBudget("client-1", limit=limit, clock=lambda: at)


def written(count: int, first: datetime, step: timedelta = timedelta(0), account: str = "client-1") -> None:
    """Rows of ``count`` earlier calls."""
    ApiCall.objects.bulk_create(
        ApiCall(at=first + step * index, account=account, purpose="poll", host="h") for index in range(count)
    )


@pytest.mark.parametrize(("limit", "stops_at"), [(1450, 1305), (3000, 2700), (100, 90), (11, 9), (10, 9)])
def test_heatmon_stops_at_nine_tenths_of_the_limit(limit: int, stops_at: int) -> None:
    assert budget(limit).stops_at == stops_at


def test_a_call_is_written_down_with_purpose_and_host() -> None:
    budget().charge("poll", "api.example.test", NOON)
    row = ApiCall.objects.get()
    assert (row.at, row.account, row.purpose, row.host, row.status) == (
        NOON,
        "client-1",
        "poll",
        "api.example.test",
        None,
    )


def test_counts_are_of_the_last_24_hours_and_of_the_utc_day() -> None:
    written(1, NOON - DAY)
    written(2, NOON - DAY + timedelta(seconds=1))
    written(4, NOON - 12 * HOUR)
    written(8, NOON - 10 * MINUTE)
    written(16, NOON - 9 * MINUTE)
    written(32, NOON, account="client-2")
    ledger = budget()
    assert (ledger.used_24h(NOON), ledger.used_utc_day(NOON)) == (30, 28)
    assert ledger.quota(NOON).left == 1275


def test_a_local_time_counts_its_own_utc_day() -> None:
    written(3, datetime(2026, 1, 21, 23, 30, tzinfo=UTC))
    after_midnight = datetime.fromisoformat("2026-01-22T01:30:00+01:00")
    assert budget().used_utc_day(after_midnight) == 0
    assert budget().used_24h(after_midnight) == 3


def test_calls_in_the_future_count_as_used() -> None:
    written(1305, NOON + 3 * HOUR)
    with pytest.raises(BudgetExhausted):
        budget().charge("poll", "h", NOON)


def test_the_last_call_of_a_day_is_allowed_and_the_next_is_not() -> None:
    written(1304, NOON - 11 * HOUR)
    ledger = budget()
    ledger.charge("poll", "h", NOON)
    with pytest.raises(BudgetExhausted) as refused:
        ledger.charge("poll", "h", NOON)
    assert refused.value.retry_at == NOON + 13 * HOUR
    assert ApiCall.objects.count() == 1305


def test_a_restart_after_midnight_gets_no_fresh_budget() -> None:
    written(1305, datetime(2026, 1, 22, 23, 59, tzinfo=UTC))
    after = datetime(2026, 1, 23, 0, 1, tzinfo=UTC)
    with pytest.raises(BudgetExhausted) as refused:
        budget().charge("poll", "h", after)
    assert refused.value.retry_at == datetime(2026, 1, 23, 23, 59, tzinfo=UTC)


def test_the_retry_waits_until_enough_old_calls_left_the_window() -> None:
    written(1400, NOON - 20 * HOUR, MINUTE / 60)
    with pytest.raises(BudgetExhausted) as refused:
        budget().charge("poll", "h", NOON)
    assert refused.value.retry_at == NOON + 4 * HOUR + timedelta(seconds=95)


def test_110_calls_in_10_minutes_are_the_most() -> None:
    written(109, NOON - 5 * MINUTE)
    ledger = budget()
    ledger.charge("poll", "h", NOON)
    with pytest.raises(BudgetExhausted) as refused:
        ledger.charge("poll", "h", NOON)
    assert refused.value.retry_at == NOON + 5 * MINUTE
    ledger.charge("poll", "h", NOON + 5 * MINUTE)


def test_a_pause_that_the_cloud_demands_is_kept() -> None:
    ledger = budget()
    ledger.remember_limit(1000, NOON + 2 * HOUR)
    with pytest.raises(BudgetExhausted) as refused:
        ledger.charge("poll", "h", NOON + HOUR)
    assert refused.value.retry_at == NOON + 2 * HOUR
    ledger.charge("poll", "h", NOON + 2 * HOUR)
    assert ledger.stops_at == 900


def test_a_pause_is_at_most_a_day() -> None:
    ledger = budget()
    ledger.remember_limit(None, datetime(2099, 1, 1, tzinfo=UTC))
    assert QuotaState.objects.get().blocked_until == NOON + DAY
    assert ledger.blocked_until(NOON - 300 * DAY) == NOON - 299 * DAY


def test_a_429_without_a_limit_keeps_the_one_known() -> None:
    ledger = budget()
    ledger.remember_limit(1000, None)
    ledger.remember_limit(None, NOON + HOUR)
    ledger.remember_limit(0, None)
    assert ledger.quota(NOON) == Quota(
        limit=1000, stops_at=900, used_24h=0, used_utc_day=0, blocked_until=NOON + HOUR
    )


def test_a_larger_reported_limit_does_not_lift_the_configured_one() -> None:
    ledger = budget(1450)
    ledger.remember_limit(3000, None)
    assert ledger.quota(NOON).stops_at == 1305


def test_the_ledger_outlives_the_object() -> None:
    budget().charge("poll", "h", NOON)
    assert budget().used_24h(NOON) == 1


@given(
    steps=st.lists(
        st.one_of(
            st.integers(0, 7200),
            st.sampled_from([1, 60, 300, 43_200, 86_399, 86_400, 86_401]),
            st.integers(-7200, -1),
        ),
        min_size=20,
        max_size=60,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_clock_does_no_window_ever_holds_more_than_stops_at(steps: list[int], db: None) -> None:
    ApiCall.objects.all().delete()
    ledger, at, made = budget(10), NOON, []
    for step in steps:
        at += timedelta(seconds=step)
        try:
            ledger.charge("poll", "h", at)
        except BudgetExhausted as refused:
            assert refused.retry_at > at
        else:
            made.append(at)
    assert max(sum(1 for one in made if first <= one < first + DAY) for first in made) <= 9
    assert max(sum(1 for one in made if one.date() == day) for day in {one.date() for one in made}) <= 9


@given(gaps=st.lists(st.integers(0, 9000), min_size=5, max_size=40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_at_the_time_named_for_a_retry_a_call_is_allowed(gaps: list[int], db: None) -> None:
    ApiCall.objects.all().delete()
    ledger, at = budget(10), NOON
    for gap in gaps:
        at += timedelta(seconds=gap)
        try:
            ledger.charge("poll", "h", at)
        except BudgetExhausted as refused:
            at = refused.retry_at
            ledger.charge("poll", "h", at)


class Wire(BaseAdapter):
    """Gives the same answer to every request and counts them."""

    def __init__(self, body: bytes = b"{}") -> None:
        super().__init__()
        self.body, self.sent = body, 0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.sent += 1
        # What the ledger holds when the request goes out.
        self.written_before = ApiCall.objects.count()
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, request.url or ""
        response.raw = io.BytesIO(self.body)
        return response

    def close(self) -> None:
        """Nothing to close."""


def session(adapter: ChargingAdapter) -> requests.Session:
    opened = requests.Session()
    opened.mount("http://", adapter)
    return opened


def test_the_row_is_written_before_the_request_goes_out() -> None:
    wire = Wire()
    adapter = ChargingAdapter(budget(), wire)
    with adapter.calls("poll"):
        session(adapter).get("http://api.example.test/x")
    assert wire.written_before == 1
    assert list(ApiCall.objects.values_list("purpose", "host", "status")) == [
        ("poll", "api.example.test", 200)
    ]


def test_one_poll_may_make_three_requests() -> None:
    wire = Wire()
    adapter = ChargingAdapter(budget(), wire)
    with adapter.calls("poll"):
        for _ in range(3):
            session(adapter).get("http://api.example.test/x")
        with pytest.raises(DeviceUnreachable) as refused:
            session(adapter).get("http://api.example.test/x")
    assert (refused.value.code, wire.sent) == ("too_many_calls", 3)
    assert not isinstance(refused.value, OSError)


def test_outside_of_a_poll_nothing_is_sent() -> None:
    wire = Wire()
    with pytest.raises(DeviceUnreachable):
        session(ChargingAdapter(budget(), wire)).get("http://api.example.test/x")
    assert wire.sent == 0


def test_an_exhausted_budget_sends_nothing_and_looks_like_no_broken_network() -> None:
    written(1305, NOON)
    wire = Wire()
    adapter = ChargingAdapter(budget(), wire)
    with adapter.calls("poll"), pytest.raises(BudgetExhausted) as refused:
        session(adapter).get("http://api.example.test/x")
    assert wire.sent == 0
    assert not isinstance(refused.value, OSError)


def test_an_answer_beyond_the_size_is_refused() -> None:
    adapter = ChargingAdapter(budget(), Wire(b"x" * 1001), max_bytes=1000)
    with adapter.calls("poll"), pytest.raises(PayloadInvalid) as refused:
        session(adapter).get("http://api.example.test/x")
    assert refused.value.code == "answer_too_big"


@pytest.mark.django_db(transaction=True)
def test_a_failed_request_stays_in_the_ledger() -> None:
    class Broken(Wire):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            raise requests.ConnectionError("no route")

    adapter = ChargingAdapter(budget(), Broken())
    with adapter.calls("poll"), pytest.raises(requests.ConnectionError):
        session(adapter).get("http://api.example.test/x")
    assert ApiCall.objects.get().status is None
