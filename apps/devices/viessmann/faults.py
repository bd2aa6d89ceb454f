"""What the cloud's answers mean when they are not the answer: one place that translates them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import requests
from django.utils.translation import gettext as _

from apps.devices.errors import (
    DeviceBusy,
    DeviceError,
    DeviceRefused,
    DeviceUnreachable,
    PayloadInvalid,
    WrongDevice,
)

LONGEST_PAUSE = timedelta(hours=24)
PAUSE_WITHOUT_A_TIME = timedelta(minutes=10)
LIMIT_OF_10_MINUTES = 120


class TokenRejected(DeviceRefused):
    """The cloud does not take the access token. ``permanent`` is false: a new one may help."""

    permanent = False


def body_of(response: requests.Response) -> Any:
    """The JSON body; None where it is none. Raises PayloadInvalid for one nested beyond reading."""
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        pass  # NaN and deep nesting are for the tolerant decoder to judge
    try:
        return json.loads(response.content)
    except RecursionError as error:
        raise PayloadInvalid(_("The cloud's answer is nested too deeply."), code="not_json") from error
    except ValueError:
        return None


def network_error(error: requests.RequestException) -> DeviceError:
    """The sentence for an exchange that gave no answer."""
    again = _("heatmon tries again at the next poll.")
    if isinstance(error, requests.exceptions.SSLError):
        return DeviceUnreachable(
            _("The certificate of the Viessmann cloud cannot be trusted."),
            code="tls",
            hint=_("Check this computer's clock, and whether a Wi-Fi portal or proxy stands in between."),
        )
    if isinstance(error, requests.Timeout):
        return DeviceUnreachable(
            _("The Viessmann cloud does not answer in time."), code="timeout", hint=again
        )
    return DeviceUnreachable(
        _("The Viessmann cloud cannot be reached."),
        code="no_answer",
        hint=_("Check the internet connection and the address.") + " " + again,
    )


def error_in(response: requests.Response, body: Any, at: datetime) -> DeviceError | None:
    """The error that an API answer states; None for a good one. ``at``: now, for the end of a pause."""
    if response.is_redirect or 300 <= response.status_code < 400:
        return DeviceUnreachable(
            _("The address of the Viessmann cloud points elsewhere."),
            code="redirected",
            hint=_("A Wi-Fi portal may stand in between; else check the address."),
        )
    told: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    status, kind = _status(told, response.status_code), told.get("errorType")
    if kind == "RATE_LIMIT_EXCEEDED" or status == 429:
        return rate_limit(body, at)
    if told.get("error") == "EXPIRED TOKEN" or status == 401:
        return TokenRejected(
            _("The Viessmann cloud does not accept heatmon's login."),
            code="token_rejected",
            hint=_("heatmon renews it by itself; if this stays, log in again on the settings page."),
        )
    if kind == "PACKAGE_NOT_PAID_FOR" or status == 402:
        return DeviceRefused(
            _("The Viessmann account's plan does not include these data."),
            code="paid_plan",
            hint=_("See the plan of your client id in the Viessmann developer portal."),
        )
    if kind == "DEVICE_COMMUNICATION_ERROR":
        return _communication_error(_extended(told).get("reason"))
    if status >= 500 or _extended(told).get("code") in ("500", "502", "503"):
        return _cloud_error(status)
    if status >= 400:
        return _client_error(status)
    if not isinstance(body, Mapping) or "data" not in body:
        return PayloadInvalid(
            _("The Viessmann cloud gave an answer that heatmon cannot read."),
            path="data",
            code="not_json" if body is None else "no_data",
            hint=_("A Wi-Fi portal may stand in between; else check the address."),
        )
    return None


def rate_limit(body: Any, at: datetime) -> DeviceBusy:
    """The pause that a 429 demands: until ``limitReset``, at most 24 h, 10 minutes where it names none."""
    reset = _extended(body).get("limitReset")
    until: datetime | None = None
    if isinstance(reset, int | float) and not isinstance(reset, bool):
        try:
            until = datetime.fromtimestamp(reset / 1000, tz=UTC)
        except (ValueError, OverflowError, OSError):
            until = at + LONGEST_PAUSE  # a time beyond every calendar
    if until is None or until <= at:
        until = at + PAUSE_WITHOUT_A_TIME
    return DeviceBusy(
        _("The Viessmann cloud's call limit is used up."),
        retry_at=min(until, at + LONGEST_PAUSE),
        code="rate_limit",
        hint=_("heatmon goes on by itself; does another program use the same client id?"),
    )


def reported_limit(body: Any, at: datetime) -> int | None:
    """The limit of calls a day that a 429 names, None where it names none.

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
        return DeviceUnreachable(
            _("The heat pump's gateway is not connected to the Viessmann cloud."),
            code="gateway_offline",
            hint=_("Check the Vitoconnect: power, Wi-Fi, its lamp."),
        )
    if reason == "DEVICE_OFFLINE":
        return DeviceUnreachable(
            _("The heat pump is not connected to its gateway."),
            code="device_offline",
            hint=_("Check that the heat pump is on and the gateway's cable sits well."),
        )
    return DeviceUnreachable(
        _("The Viessmann cloud could not talk to the heat pump."),
        code="device_communication",
        hint=_("heatmon tries again at the next poll."),
    )


def _cloud_error(status: int) -> DeviceError:
    return DeviceUnreachable(
        _("The Viessmann cloud has a fault (%(status)s).") % {"status": status},
        code="cloud_error",
        hint=_("heatmon tries again at the next poll."),
    )


def _client_error(status: int) -> DeviceError:
    if status == 403:
        return DeviceRefused(
            _("The Viessmann account may not read this heat pump."),
            code="forbidden",
            hint=_("Use the account that the heat pump is registered with in ViCare."),
        )
    if status == 404:
        return WrongDevice(
            _("The Viessmann cloud no longer knows this heat pump."),
            code="not_found",
            hint=_("If the gateway was replaced, choose the heat pump again on the settings page."),
        )
    if status == 410:
        return DeviceRefused(
            _("Viessmann has switched this interface off."),
            code="gone",
            hint=_("Update heatmon, or check the address of the API."),
        )
    return DeviceUnreachable(
        _("The Viessmann cloud did not take the request (%(status)s).") % {"status": status},
        code="cloud_error",
        hint=_("heatmon tries again at the next poll."),
    )


def _extended(body: Any) -> Mapping[str, Any]:
    extended = body.get("extendedPayload") if isinstance(body, Mapping) else None
    return extended if isinstance(extended, Mapping) else {}


def _status(told: Mapping[str, Any], http_status: int) -> int:
    """The status in the body where it is worse than the HTTP one (it may come as a text)."""
    try:
        return max(http_status, int(told.get("statusCode", 0)))
    except (TypeError, ValueError):
        return http_status
