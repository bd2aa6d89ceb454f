"""What would settle whether a change helped: an alternating test of its two values."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.changelog.models import Entry
from apps.changelog.timeline import state
from apps.dashboard import formatting
from apps.dashboard.pages.test.plan import mild_until
from apps.effects.alternating import Design, recommended
from apps.effects.fortnights import LITTLE_HEATING, WINDOW_DAYS
from apps.effects.gathering import usually_cold_from
from apps.effects.targets import DHW
from apps.effects.testing import powers_of
from apps.effects.verdicts import Verdict
from apps.metrics.child import ChildFailed
from apps.metrics.home import Home

from . import words
from .words import percent

log = logging.getLogger(__name__)

LEAST_PERCENT = 1.0
"""Below, nobody asks whether so small an effect could be proven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """A test of the change's own values: ``href`` where it is planned, ``length`` of its blocks [days], what
    it ``shows`` in this house; ``mild_until``: when it is usually cold enough, None for now."""

    href: str
    length: int
    until: date
    shows: str
    mild_until: date | None


def settle(home: Home, entry: Entry, found: Verdict) -> Settle | None:
    """Return the test of the change's own two values; None for several settings or none, and a schedule."""
    if len(entry.setting_changes.all()) != 1 or is_schedule(entry):
        return None
    design = recommended(found.target)
    return Settle(
        href=f"{reverse('dashboard:test_plan')}?change={entry.pk:d}",
        length=design.length,
        until=home.today + timedelta(days=design.days),
        shows=_shows(home, found, design),
        mild_until=None if found.target == DHW else mild_until(home, design.days),
    )


def is_schedule(entry: Entry) -> bool:
    """Return whether nothing but one schedule was changed."""
    changes = entry.setting_changes.all()
    return len(changes) == 1 and isinstance(changes[0].after, Mapping)


def _shows(home: Home, found: Verdict, design: Design) -> str:
    """Return what a test could show in this house, and how likely it proves an effect as large as this one
    seems to be."""
    try:
        power = powers_of(home, found.target, state(home.site))[design]
    except ChildFailed as error:
        log.error("What a test could show could not be calculated: %s", error)
        return ""
    text = _("It shows effects from %(percent)s on in 8 of 10 such tests; interval about ±%(width)s.")
    said = text % {"percent": percent(power.shows_percent), "width": percent(power.half_width)}
    bill = found.electricity
    if bill is None or abs(bill.percent) < LEAST_PERCENT:
        return said
    more = _("One as large as seen here, %(percent)s, would be proven in %(times)s of 10.") % {
        "percent": percent(abs(bill.percent)),
        "times": formatting.number(10 * power.chance(bill.percent)),
    }
    return f"{said} {more}"


def season(home: Home, found: Verdict) -> str:
    """Return when it is cold enough for what was refused for mild days that are over."""
    if found.reason != LITTLE_HEATING or found.available_from is not None:
        return ""
    return words.season(home.today, usually_cold_from(home, 2 * WINDOW_DAYS))
