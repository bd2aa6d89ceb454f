"""``/api/history``: the points of a chart, as JSON or CSV. The arrays go straight from store to encoder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query

from apps.metrics import series
from apps.metrics.csv_lines import csv_lines

from . import api, schemas
from .answers import ApiError, home_of, json_answer
from .operations import ERRORS, SiteId
from .times import in_order, instant

AT_ONCE = 4
_places = threading.BoundedSemaphore(AT_ONCE)


@api.get(
    "/history",
    response={200: schemas.HistoryOut, **ERRORS},
    by_alias=True,
    summary="Measured values over time",
)
def history(
    request: HttpRequest,
    names: Annotated[str, Query(alias="series", max_length=2000, description="names, separated by commas")],
    start: Annotated[str, Query(alias="from", description="ISO 8601 with offset", format="date-time")],
    to: Annotated[str, Query(description="ISO 8601 with offset", format="date-time")],
    points: Annotated[int, Query(description="maximum number of steps, 10 to 5000")] = series.POINTS_DEFAULT,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    site: SiteId = None,
) -> HttpResponse:
    """Return steps of one length on the UTC grid, at most ``points``; null where nothing was measured. An
    unknown name returns the list of names."""
    since, until = instant(start, "from"), instant(to, "to")
    in_order(since, until)
    home = home_of(request, site)
    wanted = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    with _place():
        try:
            found = series.history(home, wanted, since, until, points)
        except series.QueryInvalid as error:
            raise ApiError(400, error.message, field=error.field) from error
        if form == "csv":
            return _csv(found, home.options.zone)
        return _json(found)


@contextmanager
def _place() -> Iterator[None]:
    """Hold one of the places for reading history; the fifth reader is turned away instead of slowing all
    down."""
    if not _places.acquire(blocking=False):
        raise ApiError(429, _("Four charts are already being read; try again in a moment."))
    try:
        yield
    finally:
        _places.release()


def _json(found: series.History) -> HttpResponse:
    """Return the answer; its ends keep the offset they were asked with."""
    return json_answer(
        {
            "from": found.start.isoformat(),
            "to": found.end.isoformat(),
            "step_s": found.step_s,
            "series": {
                name: {
                    "unit": line.unit,
                    "time": line.time,
                    "mean": line.mean,
                    "min": line.min,
                    "max": line.max,
                }
                for name, line in found.series.items()
            },
        }
    )


def _csv(found: series.History, zone: ZoneInfo) -> HttpResponse:
    columns, rows = series.as_table(found, zone)
    first = found.start.astimezone(zone).date().isoformat()
    last = found.end.astimezone(zone).date().isoformat()
    demo = "demo-" if settings.DEMO else ""
    response = HttpResponse("".join(csv_lines(columns, rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="heatmon-{demo}{first}-{last}.csv"'
    return response
