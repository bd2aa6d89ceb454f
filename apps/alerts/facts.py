"""What alerts look at: one number for each cause, of now."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from apps.backups import folder as backup_folder
from apps.changelog.glossary import DEVIATION as LASTING_DEVIATION
from apps.changelog.models import Entry
from apps.devices import storage
from apps.devices.meter_clock import is_wrong
from apps.devices.models import Site, SourceState
from apps.devices.reports import alarming
from apps.effects.testing import running_test, switch_due
from apps.metrics import apps as metrics_apps
from apps.metrics.efficiency import rod_runtime_s
from apps.metrics.grid import INTERVAL_S
from apps.metrics.home import Home
from apps.metrics.status import (
    FRESH,
    NOT_SET_UP,
    SOURCE_SILENT,
    HeatPumpStatus,
    MeterStatus,
    Status,
    current_status,
)
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.totals import totals

from . import rules
from .rules import Fact

HOUR_S, DAY_S = 3600, 86_400
WAITS_FOR = timedelta(minutes=2)
# Above every threshold: the last attempt failed, whatever the newest backup's age.
FAILED_H = 10_000.0


def facts_of(site: Site, at: datetime) -> list[Fact]:
    """Return all facts of a home. What cannot be read is left out, or has no value: unknown."""
    found = [_store(at), _disk(), _backup(site, at), *_devices(site), *_deviation(site)]
    try:
        home = Home.of(site, at)
        found += _of_values(home, current_status(home))
    except StoreUnavailable:
        return found  # which is a fact of its own
    return found


def _of_values(home: Home, status: Status) -> Iterator[Fact]:
    for key, source in (("meter", status.meter), ("heat_pump", status.heat_pump)):
        yield _silence(key, source, home.at)
    quota = status.quota
    used = max(quota.used_24h, quota.used_utc_day)
    share = 100.0 * used / quota.stops_at if status.heat_pump.state != NOT_SET_UP else 0.0
    yield Fact(kind=rules.QUOTA, value=share, details={"used": used, "stops_at": quota.stops_at})
    ends_at = status.heat_pump.login_ends_at
    yield Fact(
        kind=rules.LOGIN,
        value=None if ends_at is None else (ends_at - home.at).total_seconds() / DAY_S,
        details={} if ends_at is None else {"ends_at": ends_at.isoformat()},
    )
    yield _switch(home)
    yield _cycling(home)
    rod_s = rod_runtime_s(home, home.interval_s - DAY_S, home.interval_s)
    minutes = None if rod_s is None else rod_s / 60
    yield Fact(kind=rules.ROD, value=minutes, details={"minutes": minutes and round(minutes)})


def _silence(key: str, source: MeterStatus | HeatPumpStatus, at: datetime) -> Fact:
    """Return for how long a source has given nothing new [min]."""
    if source.state == NOT_SET_UP or source.measured_at is None:
        return Fact(kind=rules.SILENT, key=key, value=0.0 if source.state == NOT_SET_UP else None)
    since, fault = source.measured_at, source.fault
    if fault is not None and fault.code == SOURCE_SILENT and source.state != FRESH:
        since = fault.details["since"]
    details: dict[str, Any] = {"since": since.isoformat()}
    if fault is not None:
        details |= {
            "code": fault.code,
            "fault": {name: _plain(value) for name, value in fault.details.items()},
        }
    return Fact(kind=rules.SILENT, key=key, value=(at - since).total_seconds() / 60, details=details)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _switch(home: Home) -> Fact:
    """Return the hour by the clock of the house while a test's value is to be set tonight, 24 and more from
    midnight on; 0 where nothing is."""
    test = running_test(home)
    due = None if test is None else switch_due(home, test)
    if test is None or due is None or due.done:
        return Fact(kind=rules.SWITCH, value=0.0)
    local = home.at.astimezone(home.options.zone)
    hour = local.hour + local.minute / 60 + (0 if due.is_tonight else 24)
    return Fact(kind=rules.SWITCH, value=hour, details={"key": test.key, "value": due.value})


def _cycling(home: Home) -> Fact:
    """Return the compressor's starts within the last hour that is derived."""
    end = home.interval_s - INTERVAL_S
    total = totals(home, [end - HOUR_S, end], ("compressor_starts", "compressor_known_s"))[0]
    known = total.seconds("compressor_known_s") > 0
    starts = round(total.seconds("compressor_starts"))
    return Fact(kind=rules.CYCLING, value=float(starts) if known else None, details={"starts": starts})


def _store(at: datetime) -> Fact:
    return _so(rules.STORE, _store_fault(at), {})


def _store_fault(at: datetime) -> str:
    """Return why measured values are not stored; empty where they are."""
    if code := storage.fault():
        return code
    try:
        store = metrics_apps.default_store()
        store.ping()
        waiting = store.waiting()
    except StoreUnavailable as error:
        return error.code or "away"
    if waiting is not None and waiting.oldest_at is not None and at - waiting.oldest_at > WAITS_FOR:
        return waiting.code or "away"
    return ""


def _so(kind: str, code: str, details: dict[str, Any]) -> Fact:
    return Fact(kind=kind, value=1.0 if code else 0.0, details={"code": code, **details} if code else {})


def _disk() -> Fact:
    usage = shutil.disk_usage(settings.DATA_DIR)
    details = {"free_bytes": usage.free, "total_bytes": usage.total}
    return Fact(kind=rules.DISK, value=100.0 * usage.free / usage.total, details=details)


def _backup(site: Site, at: datetime) -> Fact:
    """Return the age of the newest backup [h], of the home where there is none yet."""
    if settings.DEMO or settings.SCRATCH:
        return Fact(kind=rules.BACKUP, value=0.0)
    newest, failure = backup_folder.newest(), backup_folder.failure()
    since = site.created_at if newest is None else newest.made_at
    details: dict[str, Any] = {"made_at": None if newest is None else newest.made_at.isoformat()}
    if failure is not None:
        return Fact(kind=rules.BACKUP, value=FAILED_H, details={**details, "failure": failure.code})
    return Fact(kind=rules.BACKUP, value=(at - since).total_seconds() / HOUR_S, details=details)


def _devices(site: Site) -> Iterator[Fact]:
    """Yield what the devices say of themselves, each message a cause of its own."""
    yield Fact(kind=rules.DEVICE, value=0.0)  # looked at, also where there is none
    other_meter: dict[str, Any] = {}
    for state in SourceState.objects.filter(site=site):
        is_meter = state.source == SourceState.Source.METER
        codes = alarming(state.report) if is_meter else state.report.get("errors", [])
        for code in codes:
            details = {"source": state.source, "message": code}
            yield Fact(kind=rules.DEVICE, key=f"{state.source}:{code}"[:60], value=1.0, details=details)
        offset_s = state.report.get("clock_offset_s")
        if is_meter and is_wrong(offset_s):
            details = {"source": state.source, "offset_s": offset_s}
            yield Fact(kind=rules.DEVICE, key="meter:clock", value=1.0, details=details)
        if is_meter and state.error_code == "other_meter":
            other_meter = dict(state.error_details)
    yield _so(rules.OTHER_METER, "other_meter" if other_meter else "", other_meter)


def _deviation(site: Site) -> Iterator[Fact]:
    entry = (
        Entry.objects.filter(site=site, event_code=LASTING_DEVIATION, ended_at=None).order_by("-at").first()
    )
    if entry is None:
        yield Fact(kind=rules.DEVIATION, value=0.0)
        return
    percent = float(entry.event_details["percent"])
    details = {"since": entry.at.isoformat(), "percent": percent}
    yield Fact(kind=rules.DEVIATION, value=abs(percent), details=details)
