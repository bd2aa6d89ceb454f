"""``/health``: can the numbers be trusted? Renders with store, broker or devices away."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from apps.alerts.models import Alert
from apps.alerts.watching import active, lately_solved
from apps.alerts.words import hint as alert_hint
from apps.alerts.words import sentence as alert_sentence
from apps.dashboard import formatting
from apps.dashboard.backups import backups_at
from apps.dashboard.context_processors import version
from apps.devices import clock
from apps.devices.connection import model_name
from apps.devices.heartbeat import late_loops
from apps.devices.job_beats import late_jobs
from apps.devices.memory import meter_fault, searched_until
from apps.devices.meter_clock import is_wrong
from apps.devices.models import ApiCall, Device, HistoryGap, JobRun, Site, SourceState
from apps.devices.options import HomeOptions, default_site, home_options
from apps.devices.readings import PHASES
from apps.devices.wording import offset_words, reported_words, words
from apps.metrics import apps as metrics_apps
from apps.metrics.codes import METHOD_VERSION
from apps.metrics.grid import INTERVAL_S
from apps.metrics.home import Home
from apps.metrics.models import StaleRange
from apps.metrics.status import FRESH, NOT_SET_UP, HeatPumpStatus, MeterStatus, Status, current_status
from apps.metrics.status_words import fault_hint, fault_words
from apps.metrics.store.base import StoreUnavailable, TimeSeriesStore
from apps.metrics.store_words import advice

DAY = timedelta(hours=24)
GAP_DAYS = 30
MOST_WAITING_ROWS = 3  # more of the same are told in one line
HOUR_IS_COMPLETE = timedelta(minutes=70)  # after its start, with the minutes that come late
HALF_HOUR_S = 1800
STARTING_S = 60  # how long the first poll may take after a source was set up, besides two turns of it
# SQLite 3.7.0 to 3.51.2 can, rarely, spoil a file that several connections write (the WAL-reset fault).
SQLITE_MENDED = (3, 51, 3)
POLLS: Mapping[str, tuple[str, str, int]] = {
    # source: (measurement, a field that each poll fills, seconds between polls)
    SourceState.Source.METER: ("meter", "voltage_a_v", 10),
    SourceState.Source.HEAT_PUMP: ("heat_pump", "requested_at", INTERVAL_S),
}
PURPOSES: Mapping[str, Promise] = {
    "poll": _("Readings"),
    "login": _("Sign-in"),
    "refresh": _("Sign-in refresh"),
    "look up": _("Discovery"),
    "test": _("Connection tests"),
}


@dataclass(frozen=True, slots=True)
class HalfHour:
    """One bar of the day's strip, at ``x`` in its drawing; ``kind``: ok, part, no or none (too early)."""

    x: int
    kind: str


@dataclass(frozen=True, slots=True)
class Polls:
    """The polls of the last 24 h by half hours, and how much of each the source was known in [s].

    ``began``: from when on it was [epoch s].
    """

    counts: list[int]
    expected_s: list[int]
    began: int


@dataclass(frozen=True, slots=True)
class SourceCard:
    """One source: its state in words, its last error, its day; ``facts``: what else it says of itself.

    ``got`` of ``expected`` polls came in the last 24 h, or ``since`` then where it is known for less;
    ``got`` is None where nobody can tell.
    """

    name: str
    title: Promise
    state: str | None
    measured_at: datetime | None
    message: str | None
    hint: str
    last_success_at: datetime | None
    last_error_at: datetime | None
    model: str
    identifier: str
    got: int | None
    expected: int
    since: datetime | None
    bars: tuple[HalfHour, ...]
    facts: tuple[tuple[str, str], ...]


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Show the whole page. Each part stands alone: what cannot be read says so."""
    at = clock.now()
    site = default_site()
    house = home_options(site, with_secrets=False)
    status = _status(site, at)
    calls = _calls(house, at)
    gaps, waiting = _gaps(site, at)
    context = {
        "at": at,
        "house": house,
        "status": status,
        "summary": _summary(status),
        "alerts": [_told(alert, house.zone) for alert in active(site)],
        "solved_alerts": [_told(alert, house.zone) for alert in lately_solved(site, at)],
        "sources": _sources(site, status, at, house.zone),
        "calls": calls,
        "calls_sum": {part: sum(row[part] for row in calls) for part in ("day", "utc")},
        "next_utc_day": _utc_midnight(at) + DAY,
        "late_loops": late_loops(time.monotonic()) + late_jobs(time.time()),
        "jobs": _jobs(site),
        "backlog": _backlog(site),
        "gaps": gaps,
        "gaps_waiting": waiting,
        "gaps_searched_until": searched_until(site),
        "meter_is_silent": meter_fault(site) is not None,
        "gaps_are_known": _gaps_are_known(site, status, at),
        "disk": _disk(),
        "backups": backups_at(at),
        "waiting": _waiting(),
        "versions": _versions(site),
        "sqlite_at_risk": sqlite3.sqlite_version_info < SQLITE_MENDED,
        "lan_http": settings.HEATMON.lan_http and not settings.LOOPBACK_BIND,
    }
    return render(request, "dashboard/health.html", context)


def _told(alert: Alert, zone: tzinfo) -> dict[str, Any]:
    """Return an alert in words, and since or until when it was one."""
    said = (alert.kind, alert.key, alert.details, zone)
    return {
        "sentence": alert_sentence(*said),
        "hint": alert_hint(*said),
        "at": alert.raised_at or alert.solved_at,
    }


def _status(site: Site, at: datetime) -> Status | None:
    try:
        return current_status(Home.of(site, at))
    except StoreUnavailable:
        return None


def _summary(status: Status | None) -> str:
    """Return one word for the line under the title: store_away, not_set_up, fresh, in_part (the other
    source is not set up), fault, or some."""
    if status is None:
        return "store_away"
    states = {status.meter.state, status.heat_pump.state}
    if states == {NOT_SET_UP}:
        return NOT_SET_UP
    if not states <= {FRESH, NOT_SET_UP}:
        return "some"
    of_fresh = [source.fault for source in (status.meter, status.heat_pump) if source.state == FRESH]
    if any(of_fresh):
        return "fault"
    return FRESH if states == {FRESH} else "in_part"


def _sources(site: Site, status: Status | None, at: datetime, zone: tzinfo) -> list[SourceCard]:
    states = {state.source: state for state in SourceState.objects.filter(site=site)}
    devices = {device.kind: device for device in Device.objects.filter(site=site, active=True)}
    titles = {SourceState.Source.METER: _("Meter"), SourceState.Source.HEAT_PUMP: _("Heat pump")}
    cards = []
    for source, (measurement, field, period_s) in POLLS.items():
        known = _polls(site, measurement, (field, period_s), at, devices.get(source))
        live = getattr(status, source) if status else None
        state = states.get(source)
        cards.append(
            SourceCard(
                name=source,
                title=titles[SourceState.Source(source)],
                state=live.state if live else None,
                measured_at=live.measured_at if live else None,
                message=fault_words(live.fault, zone) if live else None,
                hint=fault_hint(live.fault, zone) if live else "",
                last_success_at=_newer(state.last_success_at if state else None, live),
                last_error_at=state.last_error_at if state else None,
                model=_model(devices.get(source)),
                identifier=devices[source].identifier if source in devices else "",
                got=sum(known.counts) if known else None,
                expected=sum(known.expected_s) // period_s if known else 0,
                since=_since(known, at) if known else None,
                bars=_bars(known, period_s) if known else (),
                facts=_facts(live, zone),
            )
        )
    return cards


def _facts(live: MeterStatus | HeatPumpStatus | None, zone: tzinfo) -> tuple[tuple[str, str], ...]:
    """Return what a source reports of itself besides its values, as label and text."""
    if isinstance(live, MeterStatus):
        return tuple(_meter_facts(live))
    if live is None or live.login_ends_at is None:
        return ()
    return ((gettext("Sign-in ends"), formatting.local_time(live.login_ends_at, zone, "date")),)


def _meter_facts(meter: MeterStatus) -> Iterator[tuple[str, str]]:
    phases = dict(zip(PHASES, meter.phases, strict=False))
    away = [name.upper() for name, phase in phases.items() if phase.connected is False]
    if away:
        yield gettext("Phases not connected"), ", ".join(away)
    faults = [*meter.errors, *(f"{name}:{fault}" for name, phase in phases.items() for fault in phase.errors)]
    if faults:
        yield gettext("Reported faults"), "; ".join(reported_words(fault) for fault in faults)
    if meter.energy_returned_counter_wh is not None:
        returned_wh = meter.energy_returned_counter_wh
        size = (returned_wh, "energy_wh") if returned_wh < 1000 else (returned_wh / 1000, "energy_kwh")
        yield gettext("Energy fed back"), formatting.with_unit(*size)
    if meter.clock_offset_s is not None:
        offset = offset_words(meter.clock_offset_s) if is_wrong(meter.clock_offset_s) else gettext("correct")
        yield gettext("Clock"), offset


def _newer(noted: datetime | None, live: MeterStatus | HeatPumpStatus | None) -> datetime | None:
    """Return when the source last answered: a stored value proves it, though the note of it may be older."""
    measured = live.measured_at if live else None
    return max((at for at in (noted, measured) if at is not None), default=None)


def _model(device: Device | None) -> str:
    """Return the name on the box: of a meter its product name, of a heat pump what its cloud calls it."""
    if device is None or not device.model:
        return ""
    return model_name(device.model) if device.kind == Device.Kind.METER else device.model


def _polls(
    site: Site, measurement: str, asked: tuple[str, int], at: datetime, device: Device | None
) -> Polls | None:
    """Return the polls of the last 24 h; None while the store is away, and before the first answer."""
    end = int(at.timestamp()) // INTERVAL_S * INTERVAL_S
    field, period_s = asked
    edges = list(range(end - int(DAY.total_seconds()), end + 1, HALF_HOUR_S))
    try:
        store: TimeSeriesStore = metrics_apps.default_store()
        counts = [part.count for part in store.sums(site.pk, [field], edges)[field]]
        answered = next((start for start, count in zip(edges, counts, strict=False) if count), None)
        first = None if answered is None else _first_poll(store, site, measurement, answered)
    except StoreUnavailable:
        return None
    if device is None and first is None:
        return None
    began = edges[0] if device is None else _began(int(device.first_seen_at.timestamp()), first, period_s)
    expected_s = [max(0, min(HALF_HOUR_S, edge - began)) for edge in edges[1:]]
    return Polls(counts=counts, expected_s=expected_s, began=began)


def _first_poll(store: TimeSeriesStore, site: Site, measurement: str, start: int) -> int | None:
    return next((row.at for row in store.rows(site.pk, measurement, start, start + HALF_HOUR_S)), None)


def _began(seen_at: int, first: int | None, period_s: int) -> int:
    """Return from when on polls are expected: the first one where it came before the source was set up, or
    soon after; else when it was set up [epoch s]."""
    return first if first is not None and first <= seen_at + STARTING_S + 2 * period_s else seen_at


def _since(polls: Polls, at: datetime) -> datetime | None:
    """Return when the source was first heard of; None where that is longer ago than the strip reaches."""
    is_new = polls.began > at.timestamp() - DAY.total_seconds()
    return datetime.fromtimestamp(polls.began, UTC) if is_new else None


def _bars(polls: Polls, period_s: int) -> tuple[HalfHour, ...]:
    halves = zip(polls.counts, polls.expected_s, strict=True)
    return tuple(
        HalfHour(x=number * 6, kind=_kind(got, expected_s // period_s))
        for number, (got, expected_s) in enumerate(halves)
    )


def _kind(got: int, expected: int) -> str:
    if not got:
        return "no" if expected else "none"
    return "ok" if got >= expected * 0.95 else "part"


def _calls(house: HomeOptions, at: datetime) -> list[dict[str, Any]]:
    """Return the calls to the cloud by purpose: in the last 24 h and since midnight UTC."""
    rows = (
        ApiCall.objects.filter(account=house.viessmann_client_id or "", at__gt=at - DAY)
        .values("purpose")
        .annotate(day=Count("id"), utc=Count("id", filter=Q(at__gte=_utc_midnight(at))))
        .order_by("-day", "purpose")
    )
    return [
        {"purpose": PURPOSES.get(row["purpose"], row["purpose"]), "day": row["day"], "utc": row["utc"]}
        for row in rows
    ]


def _utc_midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _jobs(site: Site) -> list[dict[str, Any]]:
    """Return the last turn of each job that was written down."""
    names = JobRun.objects.filter(site=site).order_by().values_list("job", flat=True).distinct()
    runs = [JobRun.objects.filter(site=site, job=name).order_by("-due_at").first() for name in names]
    return [{"name": run.job, "due_at": run.due_at} for run in runs if run is not None]


def _backlog(site: Site) -> dict[str, Any]:
    """Return the time that waits to be calculated again [s], and the oldest of it."""
    ranges = list(StaleRange.objects.filter(site=site).values_list("start", "end"))
    return {
        "seconds": sum((end - start).total_seconds() for start, end in ranges),
        "oldest": min((start for start, _end in ranges), default=None),
    }


def _gaps(site: Site, at: datetime) -> tuple[list[HistoryGap], dict[str, Any] | None]:
    """Return the hours, newest first; and how many more were not asked for yet, the first and the last of
    them, where these are many."""
    since = at - timedelta(days=GAP_DAYS)
    found = HistoryGap.objects.filter(site=site, start__gte=since).order_by("-start")
    found = found.exclude(state=HistoryGap.State.FILLED, start__gt=at - HOUR_IS_COMPLETE)
    # Nobody missed what was fetched from before the meter was connected, or came before it was asked for.
    found = found.exclude(state=HistoryGap.State.FILLED, missing_minutes=0, last_attempt_at=None)
    for meter in Device.objects.filter(site=site, kind=Device.Kind.METER):
        found = found.exclude(
            state=HistoryGap.State.FILLED, device=meter.identifier, start__lt=meter.first_seen_at
        )
    unasked = found.filter(state=HistoryGap.State.OPEN, attempts=0, failures=0, reason="")
    waiting = unasked.aggregate(hours=Count("id"), first=Min("start"), last=Max("start"))
    are_many = waiting["hours"] > MOST_WAITING_ROWS
    if are_many:
        found = found.exclude(pk__in=unasked.order_by().values("pk"))
    gaps = list(found[:100])
    fault = meter_fault(site)
    for gap in gaps:
        if fault is not None and gap.state == HistoryGap.State.OPEN and not gap.reason:
            gap.reason, gap.reason_details = fault.error_code, fault.error_details
        gap.reason = words(gap.reason, gap.reason_details).sentence
    return gaps, waiting if are_many else None


def _gaps_are_known(site: Site, status: Status | None, at: datetime) -> bool:
    """Tell whether what is missing up to now was looked for: the meter delivers, and the search goes on."""
    until = searched_until(site)
    is_fresh = status is not None and status.meter.state == FRESH
    return is_fresh and until is not None and at - until < 2 * HOUR_IS_COMPLETE


def _disk() -> dict[str, int | None]:
    """Return the bytes of the data directory's files, of what a restore left beside them, and of the disk."""
    folder = Path(settings.DATA_DIR)
    sizes = [path.stat().st_size for path in folder.glob("*") if path.is_file()]
    aside = [path.stat().st_size for path in folder.glob("before-restore-*/*") if path.is_file()]
    usage = shutil.disk_usage(folder)
    return {
        "data": sum(sizes),
        "aside": sum(aside),
        "store": _store_bytes(),
        "free": usage.free,
        "total": usage.total,
    }


def _store_bytes() -> int | None:
    try:
        return metrics_apps.default_store().size_bytes()
    except StoreUnavailable:
        return None


def _waiting() -> dict[str, Any] | None:
    """Return what waits for the database behind the store, and what to do; None where nothing can wait."""
    try:
        waiting = metrics_apps.default_store().waiting()
    except StoreUnavailable as error:
        return {"advice": advice(error.code)}
    return None if waiting is None else {**asdict(waiting), "advice": advice(waiting.code)}


def _store_title() -> str:
    try:
        return metrics_apps.default_store().title
    except StoreUnavailable:
        return "–"


def _database_server() -> list[tuple[str, str]]:
    if connection.vendor != "postgresql":
        return []
    major, minor = connection.get_database_version()
    return [("PostgreSQL", f"{major}.{minor}")]


def _versions(site: Site) -> list[tuple[str | Promise, str]]:
    devices = Device.objects.filter(site=site, active=True).exclude(firmware="")
    return [
        ("heatmon", version()),
        (_("Store"), _store_title()),
        ("SQLite", sqlite3.sqlite_version),
        *_database_server(),
        ("Python", platform.python_version()),
        ("Django", django.get_version()),
        (_("Calculation of intervals"), str(METHOD_VERSION)),
        *[(_model(device) or device.get_kind_display(), device.firmware) for device in devices],
    ]
