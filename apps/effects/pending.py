"""Whether days are still to come: from the meter's memory, a demo's history, or by deriving."""

from __future__ import annotations

from datetime import date, timedelta

from apps.devices.demo import history_since
from apps.devices.memory import is_coming
from apps.metrics.home import Home
from apps.metrics.models import StaleRange
from apps.metrics.windows import local_midnight

DAY = timedelta(days=1)


def is_pending(home: Home, first: date, last: date) -> bool:
    """Return whether numbers of the local days ``first`` to ``last`` that are over are still to be made."""
    last = min(last, home.today - DAY)
    if last < first:
        return False
    start, end = (local_midnight(day, home.options.zone) for day in (first, last + DAY))
    if StaleRange.objects.filter(site=home.site, start__lt=end, end__gt=start).exists():
        return True
    if is_coming(home.site, start, end):
        return True
    since = history_since()
    return since is not None and start.timestamp() < since
