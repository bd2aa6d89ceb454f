"""How polling each source went last, in the database and nowhere else: any process may ask or tell."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from apps.devices.errors import CodedError, until_of, without_time
from apps.devices.models import Site, SourceState
from apps.devices.reports import is_news, login_ends_soon
from apps.devices.sql import first_row
from apps.devices.times import stored_time
from apps.devices.wording import log_line

log = logging.getLogger(__name__)

METER, HEAT_PUMP = SourceState.Source.METER, SourceState.Source.HEAT_PUMP
WRITTEN_EVERY = timedelta(seconds=300)


def last_success(site: Site, source: str) -> datetime | None:
    """Return the last good poll that was written down."""
    known = _known(site, source)
    return known.success_at if known is not None else None


class _Known(NamedTuple):
    error_code: str
    success_at: datetime | None
    report: Mapping[str, Any]


# SQL by hand: each poll passes here, and building this query by the ORM takes longer than the poll.
_LOOK = (
    f"SELECT error_code, last_success_at, report FROM {SourceState._meta.db_table}"  # noqa: S608
    " WHERE site_id = %s AND source = %s"
)


def _known(site: Site, source: str) -> _Known | None:
    row = first_row(_LOOK, site.pk, str(source))
    return None if row is None else _Known(row[0], stored_time(row[1]), json.loads(row[2]))


def is_responding(site: Site, source: str) -> bool:
    """Return whether the last poll was answered."""
    known = _known(site, source)
    return known is not None and not known.error_code


def note_success(
    site: Site,
    source: str,
    at: datetime,
    *,
    report: Mapping[str, Any] | None = None,
    login_ends_at: datetime | None = None,
) -> None:
    """Note a good poll, what the device reports of itself, and when the login ends. Written at once after a
    failure and where the report has news, else at most every five minutes: how fresh the data are is told
    by the data."""
    report = report or {}
    known = _known(site, source)
    if known is not None:
        is_recent = known.success_at is not None and timedelta(0) <= at - known.success_at < WRITTEN_EVERY
        if not known.error_code and is_recent and not is_news(known.report, report):
            return
        if known.error_code:
            log.info("%s is responding again", source)
    good = {
        "last_attempt_at": at,
        "last_success_at": at,
        "error_code": "",
        "error_details": {},
        "blocked_until": None,
        "report": report,
        "login_ends_at": login_ends_at,
    }
    if not SourceState.objects.filter(site=site, source=source).update(**good):
        SourceState.objects.create(site=site, source=source, **good)


def note_failure(site: Site, source: str, at: datetime, error: CodedError, zone: tzinfo) -> None:
    """Note a failed poll; the log gets a line, with times of ``zone``, when the cause is new."""
    state, _ = SourceState.objects.get_or_create(site=site, source=source)
    if (state.error_code, without_time(state.error_details)) != (error.code, without_time(error.details)):
        log.warning("%s: %s", source, log_line(error, zone))
    state.last_attempt_at = state.last_error_at = at
    state.error_code, state.error_details = error.code, error.details
    state.blocked_until = until_of(error.details)
    state.save()


def warn_of_login(site: Site, at: datetime, zone: tzinfo) -> None:
    """Say in the log that a login ends within 14 days."""
    for source, ends_at in SourceState.objects.filter(site=site).values_list("source", "login_ends_at"):
        if ends_at is not None and login_ends_soon(ends_at, at):
            warning = CodedError("login_ends_soon", ends_at=ends_at.isoformat())
            log.warning("%s: %s", source, log_line(warning, zone))
