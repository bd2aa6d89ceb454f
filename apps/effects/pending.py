"""Whether days are still to come: from the meter's memory, a demo's history, or by deriving."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from apps.devices.demo import history_since
from apps.devices.memory import is_coming
from apps.metrics.home import Home
from apps.metrics.models import StaleRange

DAY = timedelta(days=1)


def is_pending(home: Home, first: date, last: date) -> bool:
    """Return whether numbers of the local days ``first`` to ``last`` that are over are still to be made."""
    last = min(last, home.today - DAY)
    if last < first:
        return False
    start, end = home.midnight(first), home.midnight(last + DAY)
    begin, until = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    if StaleRange.objects.filter(site=home.site, start__lt=until, end__gt=begin).exists():
        return True
    if is_coming(home.site, begin, until):
        return True
    since = history_since()
    return since is not None and start < since
