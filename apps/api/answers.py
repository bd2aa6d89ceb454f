"""What every API operation shares: its errors, its JSON, its site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from types import NoneType
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.devices import clock
from apps.devices.models import Site
from apps.devices.options import default_site
from apps.metrics.home import Home

DECIMALS, MOST_DECIMALS = 6, 9
"""What the store keeps; what quotients are written with."""


class ApiError(Exception):
    """An answer other than success; ``field`` names the parameter or member that is wrong."""

    def __init__(
        self, status: int, message: str, *, field: str | None = None, extra: dict[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field
        self.extra = extra


def home_of(request: HttpRequest, site: int | None) -> Home:
    """Return the home of ``site_of`` as it is now. Raises ApiError 404, StoreUnavailable."""
    return Home.of(site_of(request, site), clock.now())


def site_of(request: HttpRequest, site: int | None) -> Site:
    """Return the site asked for, or the only one. Raises ApiError 404 for an unknown one."""
    if site is None:
        return default_site()
    found = Site.objects.filter(pk=site).first() if 0 < site < 2**63 else None
    if found is None:
        raise ApiError(404, _("There is no site %(id)s.") % {"id": site}, field="site")
    return found


_JSON_TYPES = frozenset({float, int, str, bool, NoneType})  # most values of an answer, so looked at first


def plain(value: Any, zone: ZoneInfo) -> Any:
    """Return ``value`` as JSON types: dataclasses become objects, instants ISO 8601 in ``zone``."""
    if type(value) in _JSON_TYPES:
        return value
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name), zone) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(member, zone) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member, zone) for member in value]
    return value


def rounded(data: Any, decimals: int = DECIMALS) -> Any:
    """Return data for JSON without the noise of sums, such as 0.30000000000000004."""
    if isinstance(data, float):
        return round(data, decimals)
    if isinstance(data, dict):
        return {name: rounded(value, decimals) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [
            round(value, decimals) if type(value) is float else rounded(value, decimals) for value in data
        ]
    return data


def json_answer(value: Any, *, status: int = 200, exact: bool = False) -> HttpResponse:
    """Return ``value`` (JSON types) as an answer; orjson writes NaN as null. ``exact``: to the last bit what
    other ways out of heatmon say."""
    tidy = value if exact else rounded(value, MOST_DECIMALS)
    return HttpResponse(orjson.dumps(tidy), status=status, content_type="application/json")
