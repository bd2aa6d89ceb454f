"""What a test that is over says, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from apps.changelog.sentences import label_of, shown
from apps.changelog.timeline import configuration_at
from apps.dashboard import formatting
from apps.dashboard.pages.change.words import Chip, a_year, percent, plain_range, signed_range
from apps.effects.effects import cost_per_year
from apps.effects.facts import facts_of
from apps.effects.models import AlternatingTest
from apps.effects.testing import verdict_of
from apps.metrics.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTest:
    """A test that is over, for a list of them."""

    id: int
    title: str
    when: str
    chip: Chip


def past_tests(home: Home) -> Sequence[PastTest]:
    """Return the tests that are over, the newest first; none that was stopped before it began."""
    found = AlternatingTest.objects.filter(site_id=home.id, ended_on__gte=F("first_day"))
    return [
        PastTest(
            id=test.pk,
            title=label_of(test.key),
            when=formatting.date_range(test.first_day, test.ended_on),
            chip=verdict_chip(test),
        )
        for test in found.order_by("-ended_on", "-id")
        if test.ended_on is not None
    ]


def verdict_chip(test: AlternatingTest) -> Chip:
    """Return the verdict of a test that is over in a few words."""
    if test.stopped:
        return Chip(kind="refused", icon="none", text=_("no verdict: stopped early"))
    found = verdict_of(test)
    values: dict[str, Any] = {"new": shown(test.key, test.new), "old": shown(test.key, test.old)}
    if found is None:
        return Chip(
            kind="refused", icon="none", text=_("no answer: too few days count, or hardly any heating")
        )
    if not found.is_found:
        values["range"] = signed_range(found)
        return Chip(
            kind="unclear",
            icon="tilde",
            text=_("%(new)s instead of %(old)s: not provable, %(range)s") % values,
        )
    values |= {"percent": percent(abs(found.percent)), "range": plain_range(found)}
    if found.percent < 0:
        text = _("%(new)s instead of %(old)s saves %(percent)s (%(range)s)")
        return Chip(kind="saves", icon="down", text=text % values)
    text = _("%(new)s instead of %(old)s costs %(percent)s more (%(range)s)")
    return Chip(kind="costs", icon="up", text=text % values)


def worth(home: Home, test: AlternatingTest, target: str) -> str:
    """Return what a provable verdict is worth a year; empty otherwise. Raises ChildFailed."""
    found = verdict_of(test)
    if found is None or not found.is_found or test.stopped:
        return ""
    cost = cost_per_year(home, found.percent, target, facts_of(home))
    return a_year(cost, found, home.options.currency)


def what_next(home: Home, test: AlternatingTest) -> str:
    """Return what to do after a test."""
    found = verdict_of(test)
    if test.stopped and test.ended_on is not None and test.ended_on < test.first_day:
        return _("It was stopped before its first day, so it changed nothing.")
    if test.stopped:
        return _("It was stopped before its last day. What it showed until then proves nothing.")
    if found is None:
        return _("Its days stay. It can be planned again, for heating in colder weather.")
    if not found.is_found:
        return _("Neither value needs provably less: keep the more comfortable one.")
    better = test.new if found.percent < 0 else test.old
    value = {"value": shown(test.key, better)}
    if configuration_at(home.site, home.at).get(test.key) == better:
        return _("%(value)s needs less and is set: leave it at that.") % value
    return _("%(value)s needs less: set it and leave it at that.") % value
