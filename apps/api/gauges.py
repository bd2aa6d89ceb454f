"""What ``/metrics`` tells: every value worked out from what is stored, whichever process is asked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, Q, Sum

from apps.alerts.rules import RULES
from apps.alerts.watching import active
from apps.backups import folder as backup_folder
from apps.dashboard.context_processors import version
from apps.dashboard.pages.health.view import POLLS
from apps.devices.models import ApiCall, HistoryGap, Site, SourceState
from apps.devices.options import home_options
from apps.metrics import apps as metrics_apps
from apps.metrics.grid import INTERVAL_S
from apps.metrics.home import Home
from apps.metrics.marks import derived_until
from apps.metrics.models import StaleRange
from apps.metrics.status import FRESH, NOT_SET_UP, HeatPumpStatus, MeterStatus, Status, current_status
from apps.metrics.store.base import StoreUnavailable, Waiting

DAY = timedelta(days=1)
Value = float | int | bool | None


class Gauge(NamedTuple):
    """One metric: values by its labels, in the order of ``labels``. None is left out: it is not known.
    ``counts``: it only ever rises."""

    name: str
    help: str
    values: Mapping[tuple[str, ...], Value]
    labels: tuple[str, ...] = ()
    counts: bool = False


def gauges_of(site: Site, at: datetime) -> list[Gauge]:
    """Return all metrics of a home as of ``at``. Without the store only those that do not need it."""
    found = [*_server(site, at), *_cloud(site, at), *_work(site, at)]
    try:
        home = Home.of(site, at)
        status = current_status(home)
        found += [*_sources(home, status), *_values(status), *_results(status)]
        waiting = metrics_apps.default_store().waiting()
    except StoreUnavailable:
        return [*found, _one("store_up", "Whether the store of measured values answers.", False)]
    return [
        *found,
        _one("store_up", "Whether the store of measured values answers.", True),
        *outbox_gauges(waiting, at),
    ]


def _one(name: str, text: str, value: Value) -> Gauge:
    return Gauge(name, text, {(): value})


def _server(site: Site, at: datetime) -> Iterator[Gauge]:
    yield Gauge("info", "The version of heatmon that runs.", {(version(),): 1}, ("version",))
    usage = shutil.disk_usage(settings.DATA_DIR)
    yield _one("disk_free_bytes", "Free space on the disk of the data directory.", usage.free)
    yield _one("disk_size_bytes", "Size of the disk of the data directory.", usage.total)
    newest = backup_folder.newest()
    age_s = None if newest is None else (at - newest.made_at).total_seconds()
    size_bytes = None if newest is None else newest.size_bytes
    yield _one("backup_age_seconds", "Age of the newest backup.", age_s)
    yield _one("backup_size_bytes", "Size of the newest backup.", size_bytes)
    yield _one("backup_failed", "Whether the last attempt failed.", backup_folder.failure() is not None)
    raised = [alert.kind for alert in active(site)]
    counts: dict[tuple[str, ...], Value] = {(rule.kind,): raised.count(rule.kind) for rule in RULES}
    yield Gauge("alerts_active", "Alerts that are raised, by kind.", counts, ("kind",))


def _cloud(site: Site, at: datetime) -> Iterator[Gauge]:
    """Yield the calls to the vendor's cloud; none where no account is set up."""
    house = home_options(site, with_secrets=False)
    if not house.heat_pump_set_up:
        return
    calls = ApiCall.objects.filter(account=house.viessmann_client_id, at__gt=at - DAY).aggregate(
        used=Count("pk"), failed=Count("pk", filter=Q(status=None) | Q(status__gte=400))
    )
    yield _one("cloud_calls_24h", "Calls to the cloud in the last 24 hours.", calls["used"])
    yield _one("cloud_calls_failed_24h", "Calls without a good answer in the last 24 hours.", calls["failed"])


def _work(site: Site, at: datetime) -> Iterator[Gauge]:
    """Yield what is still to be fetched and to be calculated."""
    gaps = HistoryGap.objects.filter(site=site, state=HistoryGap.State.OPEN).aggregate(
        hours=Count("pk"), minutes=Sum("missing_minutes", default=0)
    )
    yield _one("gap_hours", "Hours of which minutes are still missing.", gaps["hours"])
    yield _one("gap_minutes", "Minutes that are still missing in them.", gaps["minutes"])
    until = derived_until(site.pk)
    lag_s = None if until is None else max(0.0, at.timestamp() - until)
    yield _one("derived_lag_seconds", "Time since the end of the newest interval that is calculated.", lag_s)
    marks = StaleRange.objects.filter(site=site).values_list("start", "end")
    backlog_s = sum((end - start).total_seconds() for start, end in marks)
    yield _one("derived_backlog_seconds", "Measured time that is to be calculated again.", backlog_s)


def outbox_gauges(waiting: Waiting | None, at: datetime) -> Iterator[Gauge]:
    """Yield what waits for a store that can be away; nothing where none ever does."""
    if waiting is None:
        return
    oldest_at = waiting.oldest_at
    yield _one("outbox_writes", "Writes that wait for the store.", waiting.writes)
    yield _one("outbox_bytes", "Their size.", waiting.size_bytes)
    age_s = None if oldest_at is None else (at - oldest_at).total_seconds()
    yield _one("outbox_age_seconds", "Age of the oldest of them.", age_s)
    yield _one("outbox_refused_writes", "Writes that the store will never take.", waiting.refused)


def _sources(home: Home, status: Status) -> Iterator[Gauge]:
    parts: dict[str, MeterStatus | HeatPumpStatus] = {"meter": status.meter, "heat_pump": status.heat_pump}
    known = {name: part for name, part in parts.items() if part.state != NOT_SET_UP}
    states = {state.source: state for state in SourceState.objects.filter(site=home.site)}
    label = ("source",)

    def by_source(values: Mapping[str, Value]) -> dict[tuple[str, ...], Value]:
        return {(name,): value for name, value in values.items()}

    ages = {
        name: None if part.measured_at is None else (home.at - part.measured_at).total_seconds()
        for name, part in known.items()
    }
    fresh = {name: part.state == FRESH for name, part in known.items()}
    failing = {name: bool(states[name].error_code) for name in known if name in states}
    last_errors = {
        name: at.timestamp() for name in known if name in states and (at := states[name].last_error_at)
    }
    yield Gauge("source_age_seconds", "Age of the newest value of a source.", by_source(ages), label)
    yield Gauge("source_fresh", "Whether a source's values are of now.", by_source(fresh), label)
    yield Gauge("source_failing", "Whether the last poll of a source failed.", by_source(failing), label)
    yield Gauge(
        "source_last_error_timestamp_seconds", "Time of a source's last error.", by_source(last_errors), label
    )
    yield Gauge(
        "polls_24h", "Polls stored in the last 24 hours.", by_source(_polls(home, list(known))), label
    )
    due: dict[str, Value] = {name: round(DAY.total_seconds()) // POLLS[name][2] for name in known}
    yield Gauge("polls_due_24h", "Polls that are due in 24 hours.", by_source(due), label)


def _polls(home: Home, sources: Sequence[str]) -> dict[str, Value]:
    end = home.at_s // INTERVAL_S * INTERVAL_S
    edges = [end - round(DAY.total_seconds()), end]
    fields = {name: POLLS[name][1] for name in sources}
    sums = home.store.sums(home.id, list(fields.values()), edges) if fields else {}
    return {name: sums[field][0].count for name, field in fields.items()}


def _values(status: Status) -> Iterator[Gauge]:
    """Yield what the sources measure, as long as it is of now."""
    meter, pump, quota = status.meter, status.heat_pump, status.quota
    if meter.state == FRESH:
        yield _one("power_watts", "Electrical power.", meter.power_w)
        phases: dict[tuple[str, ...], Value] = {
            (name,): phase.power_w for name, phase in zip("abc", meter.phases, strict=False)
        }
        yield Gauge("phase_power_watts", "Electrical power of a phase.", phases, ("phase",))
        text = "Energy counter of the meter."
        yield Gauge("energy_watt_hours", text, {(): meter.energy_counter_wh}, counts=True)
    if pump.state == FRESH:
        temperatures: dict[tuple[str, ...], Value] = {
            ("outside", ""): pump.outside_temperature_c,
            ("supply", ""): pump.supply_temperature_c,
            ("return", ""): pump.return_temperature_c,
            ("secondary_supply", ""): pump.secondary_supply_temperature_c,
            ("dhw_storage", ""): pump.dhw_storage_temperature_c,
            **{("supply", one.id): one.supply_temperature_c for one in pump.circuits},
            **{("room", one.id): one.room_temperature_c for one in pump.circuits},
        }
        yield Gauge("temperature_celsius", "Temperatures.", temperatures, ("sensor", "circuit"))
        yield _one("modulation_ratio", "Modulation of the compressor.", _ratio(pump.modulation_percent))
        yield _one("compressor_active", "Whether the compressor runs.", pump.compressor_active)
    if pump.state != NOT_SET_UP:
        yield _one("cloud_calls_utc_day", "Calls to the cloud since midnight UTC.", quota.used_utc_day)
        yield _one("cloud_calls_limit", "Calls that the cloud allows in 24 hours.", quota.limit)
        yield _one("cloud_calls_stop", "Calls at which heatmon stops.", quota.stops_at)


def _ratio(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _results(status: Status) -> Iterator[Gauge]:
    """Yield what the last interval gave."""
    interval, label = status.interval, ("method",)
    heat: dict[tuple[str, ...], Value] = {
        (method,): None if kilowatts is None else 1000 * kilowatts
        for method, kilowatts in (
            ("modulation", interval.thermal_power_modulation_kw),
            ("delta_t", interval.thermal_power_delta_t_kw),
        )
    }
    yield Gauge("thermal_power_watts", "Heat of the last five minutes, estimated.", heat, label)
    cops: dict[tuple[str, ...], Value] = {("modulation",): interval.cop, ("delta_t",): interval.cop_delta_t}
    yield Gauge("cop", "COP of the last five minutes, estimated.", cops, label)
    ended = interval.end.timestamp() if interval.electrical_power_w is not None else None
    yield _one("interval_end_timestamp_seconds", "End of those five minutes.", ended)
