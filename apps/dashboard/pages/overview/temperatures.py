"""The overview's temperatures, and any value of one source with its age."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import get_script_prefix
from django.utils.translation import gettext as _

from apps.changelog import timeline
from apps.dashboard import formatting
from apps.dashboard.charts.lines import spark_path
from apps.dashboard.charts.looks import LOOKS
from apps.dashboard.contexts import ValueCard
from apps.metrics.begin import measured_from
from apps.metrics.home import Home
from apps.metrics.kept import kept
from apps.metrics.status import FRESH, NOT_SET_UP, Status

SPARK_STEP_S = 900
SHORTEST_SPARK_S = 4 * 3600


@kept
def dhw_target_c(home: Home, written: tuple[Any, ...]) -> float | None:
    target = timeline.configuration_at(home.site, home.at).get("dhw.target_temperature_c")
    return target if isinstance(target, int | float) else None


def temperature_cards(home: Home, status: Status, target_c: float | None) -> Sequence[ValueCard]:
    pump = status.heat_pump
    note = (
        _("target %(value)s") % {"value": formatting.with_unit(target_c, "temperature_c")}
        if target_c is not None
        else ""
    )
    return [
        _temperature_card(
            home, status, _("Outdoor"), "sun", "outside_temperature_c", pump.outside_temperature_c
        ),
        _temperature_card(home, status, _("Flow"), "flow", "supply_temperature_c", pump.supply_temperature_c),
        _temperature_card(
            home, status, _("Return"), "ret", "return_temperature_c", pump.return_temperature_c
        ),
        _temperature_card(
            home,
            status,
            _("Hot water"),
            "drop",
            "dhw_storage_temperature_c",
            pump.dhw_storage_temperature_c,
            note,
            href=f"{get_script_prefix()}hot-water",
        ),
    ]


def _temperature_card(
    home: Home,
    status: Status,
    label: str,
    icon: str,
    series: str,
    value: float | None,
    note: str = "",
    href: str = "",
) -> ValueCard:
    pump = status.heat_pump
    return aged(
        home,
        pump.state,
        pump.measured_at,
        label,
        value,
        "temperature_c",
        note=note,
        icon=icon,
        spark=_spark(home, series),
        key=LOOKS[series].key,
        say_age=True,
        href=href,
    )


@kept
def _spark(home: Home, series: str) -> str:
    """Return the path of the last 24 hours, new with every derivation."""
    end = home.at_s
    start = max(end - 86_400, min(measured_from(home) or 0, end - SHORTEST_SPARK_S))
    steps = home.store.series(home.id, series, start, end, SPARK_STEP_S)
    return spark_path(steps.time, steps.mean, start, end, SPARK_STEP_S)


def aged(
    home: Home,
    state: str,
    measured_at: datetime | None,
    label: str,
    value: float | None,
    kind: str,
    meta: str = "",
    note: str = "",
    icon: str = "",
    spark: str = "",
    key: str = "",
    say_age: bool = False,
    href: str = "",
) -> ValueCard:
    """Return a value of one source: fresh with its age, stale with its time, or not there."""
    shown = "fresh"
    if value is None:
        shown = "none"
        meta = _("no data: not connected") if state == NOT_SET_UP else _("no data")
    elif state != FRESH:
        shown, note = "stale", ""
        meta = _("stale since %(time)s") % {"time": formatting.moment(home, measured_at)}
    elif say_age:
        meta = formatting.age(measured_at, home.at)
    return ValueCard(
        label=label,
        value=value,
        kind=kind,
        state=shown,
        icon=icon,
        meta=meta,
        note=note,
        spark=spark,
        key=key,
        href=href,
    )
