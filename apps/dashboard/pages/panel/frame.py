"""What panels of lines and of columns share: how one is kept as HTML, its markers, states and download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.translation import gettext as _

from apps.changelog import timeline
from apps.dashboard import formatting
from apps.dashboard.charts.lines import Marker, Run
from apps.dashboard.contexts import DrawnPanel, PanelContext
from apps.metrics.home import Home
from apps.metrics.kept import kept_if

Maker = Callable[..., PanelContext]


@kept_if(DrawnPanel.is_full)
def kept_panel(home: Home, written: tuple[Any, ...], maker: Maker, *asked: Any) -> DrawnPanel:
    """Return ``drawn`` once until something is derived or ``written`` (see ``timeline.shown_state``)."""
    return drawn(home, maker, *asked)


def drawn(home: Home, maker: Maker, *asked: Any) -> DrawnPanel:
    """Return the panel that ``maker`` makes of what is ``asked``, as HTML."""
    panel = maker(home, *asked)
    page = {"panel": panel, "root": get_script_prefix(), "house_zone": home.options.zone}
    return DrawnPanel(
        title=panel.title,
        subtitle=panel.subtitle,
        empty=panel.spec.stops is None and any(plot.empty for plot in panel.spec.plots),
        charts=render_to_string("dashboard/_plots.html", page),
        table=render_to_string("dashboard/_table.html", {"table": panel.table, "id": panel.id}),
        csv=panel.csv,
        gaps=panel.gaps,
    )


STATE_KEYS = {"none": "gap"}


def state_words() -> dict[str, str]:
    """Return the states of the heat pump in words."""
    return {
        "space": _("Space heating"),
        "dhw": _("Hot water"),
        "rod": _("Heating rod"),
        "defrost": _("Defrosting"),
        "unclassified": _("Running, purpose unknown"),
        "off": _("Off"),
        "none": _("No data"),
    }


def states_summary(runs: Sequence[Run]) -> str:
    """Say how long the heat pump was in each state, the longest first."""
    lasting: dict[str, int] = {}
    for run in runs:
        lasting[run.state] = lasting.get(run.state, 0) + run.end - run.start
    words = state_words()
    parts = [
        f"{words[state]} {formatting.duration(seconds)}"
        for state, seconds in sorted(lasting.items(), key=lambda item: -item[1])
    ]
    return _("State of the heat pump: %(states)s") % {"states": ", ".join(parts)}


def markers_of(home: Home, start: datetime, end: datetime) -> list[Marker]:
    return [
        Marker(
            number=marker.number,
            at=int(marker.at.timestamp()),
            text=marker.title,
            href=f"{get_script_prefix()}changes/{marker.id}",
            until=None if marker.begin is None else int((marker.end or home.at).timestamp()),
        )
        for marker in timeline.markers(home.site, start, end)
    ]


def csv_address(names: Sequence[str], start: datetime, end: datetime) -> str:
    query = {
        "series": ",".join(names),
        "from": _iso(start),
        "to": _iso(end),
        "points": "1000",
        "format": "csv",
    }
    return f"{get_script_prefix()}api/history?{urlencode(query)}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def span_words(home: Home, start: int, end: int) -> str:
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    zone = home.options.zone
    same_day = first.astimezone(zone).date() == last.astimezone(zone).date()
    begin = formatting.at_home(home, first, "day_time")
    return f"{begin}–{formatting.at_home(home, last, 'time' if same_day else 'day_time')}"
