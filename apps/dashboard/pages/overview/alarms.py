"""The badges under the overview's title: what is wrong now, or that all is well."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from apps.alerts import rules
from apps.alerts.watching import active
from apps.alerts.words import sentence
from apps.dashboard import formatting
from apps.dashboard.contexts import Alarm
from apps.metrics.home import Home
from apps.metrics.status import FRESH, NEVER_ANSWERED, NOT_SET_UP, NOTHING_NEW, OFFLINE, Status
from apps.metrics.status_words import fault_message

# What the sources' own state tells here, and at once; what a card of its own tells.
TOLD_ELSEWHERE = {rules.SILENT, rules.DEVICE, rules.OTHER_METER, rules.LOGIN, rules.SWITCH}


def alarms(home: Home, status: Status) -> list[Alarm]:
    """Return one sentence for each source that does not deliver or whose last poll failed, and for each other
    alert, and what is not connected; otherwise one that all is well."""
    found = []
    sources = ((_("Meter"), status.meter), (_("Heat pump"), status.heat_pump))
    for name, source in sources:
        if source.state == NOT_SET_UP or (source.state == FRESH and source.fault is None):
            continue
        if source is status.heat_pump and is_awaited(status):
            found.append(Alarm(level="info", text=_("Heat pump: first values within 5 minutes")))
            continue
        if source.state == FRESH:
            said = (fault_message(source.fault, home.options.zone) or "").removesuffix(".")
            text = _("%(source)s: %(message)s") % {"source": name, "message": said}
        elif source.measured_at is None:
            said = _("no values yet")
            if source.fault is not None and source.fault.code not in (NEVER_ANSWERED, NOTHING_NEW):
                said = (fault_message(source.fault, home.options.zone) or said).removesuffix(".")
            text = _("%(source)s: %(message)s") % {"source": name, "message": said}
        else:
            text = _("%(source)s: no new values since %(time)s") % {
                "source": name,
                "time": formatting.moment(home, source.measured_at),
            }
        found.append(Alarm(level="bad" if source.state == OFFLINE else "warn", text=text))
    found += _raised(home)
    if not found and all(source.state == NOT_SET_UP for _name, source in sources):
        return [Alarm(level="info", text=_("No device is connected"))]
    found += [
        Alarm(level="info", text=_("%(source)s not connected") % {"source": name})
        for name, source in sources
        if source.state == NOT_SET_UP
    ]
    return found or [Alarm(level="good", text=_("All is well"))]


def is_awaited(status: Status) -> bool:
    """Tell whether the heat pump was not polled since it was set up, though heatmon polls."""
    never = status.heat_pump.fault is not None and status.heat_pump.fault.code == NEVER_ANSWERED
    return never and status.heat_pump.measured_at is None and status.meter.state in (FRESH, NOT_SET_UP)


def _raised(home: Home) -> list[Alarm]:
    """Return the alerts that are told nowhere else here, in the words of their messages."""
    return [
        Alarm(
            level="bad" if alert.kind == rules.STORE else "warn",
            text=sentence(alert.kind, alert.key, alert.details, home.options.zone),
        )
        for alert in active(home.site)
        if alert.kind not in TOLD_ELSEWHERE
    ]


def worst(levels: Sequence[str]) -> str:
    return next(level for level in ("bad", "warn", "info", "good") if level in levels)
