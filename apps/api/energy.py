"""``/api/energy``, ``/api/jaz``, ``/api/estimate``: sums of periods and what they say."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query

from apps.metrics import jaz as jaz_module
from apps.metrics.child import ChildFailed
from apps.metrics.periods import energy_rows
from apps.metrics.year import estimate_year

from . import api, schemas
from .answers import ApiError, home_of, json_answer, plain
from .operations import ERRORS, SiteId
from .times import in_order, optional_date

MAX_DAYS = {"day": 4_000, "week": 20_000, "month": 40_000, "year": 50_000}
DEFAULT_REACH_DAYS = {"day": 30, "week": 83, "month": 364, "year": 1825}
LocalFrom = Annotated[str | None, Query(alias="from", description="local date, inclusive", format="date")]
LocalTo = Annotated[str | None, Query(description="local date, inclusive", format="date")]


@api.get("/energy", response={200: schemas.EnergyOut, **ERRORS}, summary="Energy by day, week, month or year")
def energy(
    request: HttpRequest,
    period: Literal["day", "week", "month", "year"] = "day",
    start: LocalFrom = None,
    to: LocalTo = None,
    site: SiteId = None,
) -> HttpResponse:
    """Return all periods that touch the range; a running one ends where it will end. Without a range: the
    last days, weeks, months or years until today."""
    home = home_of(request, site)
    last = optional_date(to, "to") or home.today
    first = optional_date(start, "from") or max(
        last - timedelta(days=DEFAULT_REACH_DAYS[period]), date(1970, 1, 2)
    )
    in_order(first, last)
    if (last - first).days > MAX_DAYS[period]:
        raise ApiError(
            400,
            _("At most %(days)d days per request for this period.") % {"days": MAX_DAYS[period]},
            field="from",
        )
    rows = energy_rows(home, period, first, last)
    return json_answer(
        {"period": period, "timezone": home.options.time_zone, "rows": plain(rows, home.options.zone)},
        exact=True,
    )


@api.get("/jaz", response={200: schemas.JazOut, **ERRORS}, by_alias=True, summary="Seasonal performance")
def jaz(
    request: HttpRequest, start: LocalFrom = None, to: LocalTo = None, site: SiteId = None
) -> HttpResponse:
    """Return the JAZ of a range, by default the 365 local days before today. With label ``insufficient``,
    ``jaz`` is the COP of those days."""
    home = home_of(request, site)
    rolling = jaz_module.rolling_year(home)
    first = optional_date(start, "from") or rolling[0]
    last = optional_date(to, "to") or rolling[1]
    in_order(first, last)
    if (last - first).days > MAX_DAYS["month"]:
        raise ApiError(
            400, _("At most %(days)d days per request.") % {"days": MAX_DAYS["month"]}, field="from"
        )
    found = jaz_module.jaz(home, first, last)
    return json_answer(plain(found.as_dict(), home.options.zone))


@api.get("/estimate", response={200: schemas.EstimateOut, **ERRORS}, summary="Electricity for the whole year")
def estimate(
    request: HttpRequest,
    year: Annotated[int | None, Query(ge=1971, le=2099, description="year (default: this year)")] = None,
    site: SiteId = None,
) -> HttpResponse:
    """Return the simple average (``extrapolated_kwh``) and a forecast with the local climate."""
    home = home_of(request, site)
    wanted = year if year is not None else home.today.year
    try:
        found = estimate_year(home, wanted)
    except ChildFailed as error:
        raise ApiError(503, _("The forecast could not be calculated; details are in the log.")) from error
    return json_answer(plain(found.as_dict(), home.options.zone))
