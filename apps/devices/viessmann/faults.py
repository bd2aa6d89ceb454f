"""What the cloud's answers mean when they are not the answer: one place that translates them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import requests

from apps.devices.errors import (
    DeviceBusy,
    DeviceError,
    DeviceRefused,
    DeviceUnreachable,
    PayloadInvalid,
    WrongDevice,
)
from apps.devices.http import caused_by

LONGEST_PAUSE = timedelta(hours=24)
PAUSE_WITHOUT_A_TIME = timedelta(minutes=10)
LIMIT_OF_10_MINUTES = 120


class TokenRejected(DeviceRefused):
    """The cloud does not take the access token. ``permanent`` is false: a new one may help."""

    permanent = False


def body_of(response: requests.Response) -> Any:
    """Return the JSON body; None where it is none. Raises PayloadInvalid for one nested beyond reading."""
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        pass  # NaN and deep nesting are for the tolerant decoder to judge
    try:
        return json.loads(response.content)
    except RecursionError as error:
        raise PayloadInvalid("not_json") from error
    except ValueError:
        return None


def network_error(error: requests.RequestException) -> DeviceError:
    """Translate an exchange that gave no answer."""
    if isinstance(error, requests.exceptions.SSLError):
        return DeviceUnreachable("tls")
    if caused_by(error, TimeoutError, requests.Timeout):
        return DeviceUnreachable("cloud_timeout")
    return DeviceUnreachable("no_answer")


def error_in(response: requests.Response, body: Any, at: datetime) -> DeviceError | None:
    """Return the error that an API answer states; None for a good one. ``at``: now, for the end of a
    pause."""
    if response.is_redirect or 300 <= response.status_code < 400:
        return DeviceUnreachable("cloud_redirected")
    told: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    status, kind = _status(told, response.status_code), told.get("errorType")
    if kind == "RATE_LIMIT_EXCEEDED" or status == 429:
        return rate_limit(body, at)
    if told.get("error") == "EXPIRED TOKEN" or status == 401:
        return TokenRejected("token_rejected")
    if kind == "PACKAGE_NOT_PAID_FOR" or status == 402:
        return DeviceRefused("paid_plan")
    if kind == "DEVICE_COMMUNICATION_ERROR":
        return _communication_error(_extended(told).get("reason"))
    if status >= 500 or _extended(told).get("code") in ("500", "502", "503"):
        return DeviceUnreachable("cloud_error", status=status)
    if status >= 400:
        return _client_error(status, _extended(told))
    if not isinstance(body, Mapping):
        return PayloadInvalid("not_json" if body is None else "no_data", path="data")
    return None if "data" in body else PayloadInvalid("no_data", path="data")


def rate_limit(body: Any, at: datetime) -> DeviceBusy:
    """Return the pause that a 429 demands: until ``limitReset``, at most 24 h, 10 minutes where it names
    none."""
    reset = _extended(body).get("limitReset")
    until: datetime | None = None
    if isinstance(reset, int | float) and not isinstance(reset, bool):
        try:
            until = datetime.fromtimestamp(reset / 1000, tz=UTC)
        except (ValueError, OverflowError, OSError):
            until = at + LONGEST_PAUSE  # a time beyond every calendar
    if until is None or until <= at:
        until = at + PAUSE_WITHOUT_A_TIME
    return DeviceBusy("rate_limit", retry_at=min(until, at + LONGEST_PAUSE))


def reported_limit(body: Any, at: datetime) -> int | None:
    """Return the limit of calls a day that a 429 names, None where it names none.

    A small limit that resets within minutes is the one of 10 minutes (120) and says nothing of the day.
    """
    limit = _extended(body).get("requestCountLimit")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit <= 0:
        return None
    ends = rate_limit(body, at).retry_at
    if limit <= LIMIT_OF_10_MINUTES and ends is not None and ends - at <= PAUSE_WITHOUT_A_TIME:
        return None
    return limit


def _communication_error(reason: object) -> DeviceError:
    if reason == "GATEWAY_OFFLINE":
        return DeviceUnreachable("gateway_offline")
    if reason == "DEVICE_OFFLINE":
        return DeviceUnreachable("device_offline")
    return DeviceUnreachable("device_communication")


def _client_error(status: int, told: Mapping[str, Any]) -> DeviceError:
    if status == 403:
        return DeviceRefused("forbidden")
    if status == 404:
        return WrongDevice("not_found")
    if status == 410:
        sunset, replacement = told.get("sunsetDate"), told.get("replacement")
        if isinstance(sunset, str) and isinstance(replacement, str):
            return DeviceRefused("gone_since", sunset=sunset[:40], replacement=replacement[:200])
        return DeviceRefused("gone")
    return DeviceUnreachable("cloud_error", status=status)


def _extended(body: Any) -> Mapping[str, Any]:
    extended = body.get("extendedPayload") if isinstance(body, Mapping) else None
    return extended if isinstance(extended, Mapping) else {}


def _status(told: Mapping[str, Any], http_status: int) -> int:
    """Return the status in the body where it is worse than the HTTP one (it may come as a text)."""
    try:
        return max(http_status, int(told.get("statusCode", 0)))
    except (TypeError, ValueError):
        return http_status
