"""``{% load effects %}{% verdict entry.id %}``: the chip of an entry's verdict, where one is kept."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.changelog.sentences import label_of
from apps.devices import clock
from apps.devices.sql import first_row
from apps.effects.models import AlternatingTest, Effect
from apps.effects.verdicts import Verdict
from apps.metrics.home import Home

from ..pages.change.words import Chip, bill_chip, chip
from ..pages.test.running import line_of, todo_tonight
from ..pages.test.verdict import past_tests, verdict_chip
from .ui import icon

register = template.Library()

KEY, NEWEST = "effect_chips", "newest_test"
_NEWEST = (
    "SELECT id FROM effects_alternatingtest ORDER BY ended_on IS NULL DESC, ended_on DESC, id DESC LIMIT 1"
)
NEWS_DAYS = 14
"""So long the overview tells the verdict of a test that is over."""


@register.simple_tag(takes_context=True)
def verdict(context: Context, entry_id: int) -> SafeString:
    """Return the chip of an entry, or nothing. All verdicts are read once a page."""
    kept = _kept_verdict(context, entry_id)
    return SafeString("") if kept is None else chip_html(chip(kept))


@register.simple_tag(takes_context=True)
def verdicts(context: Context, entry_id: int) -> SafeString:
    """Return the chip of an entry, and that of its bill where another leads and both are found."""
    kept = _kept_verdict(context, entry_id)
    found = [] if kept is None else [chip(kept), bill_chip(kept)]
    return format_html_join(" ", "{}", ((chip_html(each),) for each in found if each is not None))


def _kept_verdict(context: Context, entry_id: int) -> Verdict | None:
    render: Any = context.render_context.dicts[0]
    if KEY not in render:
        found = Effect.objects.values_list("entry_id", "verdict")
        render[KEY] = dict(found)
    kept = render[KEY].get(entry_id)
    return None if kept is None else Verdict.from_json(kept)


@register.inclusion_tag("dashboard/test/_tonight.html", takes_context=True)
def test_tonight(context: Context) -> dict[str, Any]:
    """Show what a running test asks to be set tonight, else how it stands, and for a fortnight the verdict of
    one that is over."""
    test = _newest_test(context)
    if test is None:
        return {}
    home = Home.of(test.site, clock.now())
    if test.ended_on is not None:
        is_news = not test.stopped and home.today - test.ended_on <= timedelta(days=NEWS_DAYS)
        over = {"test": test, "line": label_of(test.key), "chip": verdict_chip(test), "root": context["root"]}
        return over if is_news else {}
    todo = todo_tonight(home, test)
    return _of_test(context, test, home.today) | {"todo": todo, "label": label_of(test.key)}


@register.inclusion_tag("dashboard/test/_line.html", takes_context=True)
def test_line(context: Context) -> dict[str, Any]:
    """Show which test is planned or runs, and how it stands; nothing without one."""
    test = _newest_test(context)
    if test is None or test.ended_on is not None:
        return {}
    return _of_test(context, test, Home.of(test.site, clock.now()).today)


@register.inclusion_tag("dashboard/test/_past.html", takes_context=True)
def tests_so_far(context: Context) -> dict[str, Any]:
    """Show the tests that are over with their verdicts; nothing without any."""
    newest = _newest_test(context)
    return {} if newest is None else {"tests": past_tests(Home.of(newest.site, clock.now()))}


def _of_test(context: Context, test: AlternatingTest, today: date) -> dict[str, Any]:
    return {"test": test, "line": line_of(test, today), "root": context["root"]}


def _newest_test(context: Context) -> AlternatingTest | None:
    """Return the test that runs, else the one that ended last; read once a page."""
    render: Any = context.render_context.dicts[0]
    if NEWEST not in render:
        newest = first_row(_NEWEST)
        render[NEWEST] = None if newest is None else AlternatingTest.objects.get(pk=newest[0])
    found: AlternatingTest | None = render[NEWEST]
    return found


@register.simple_tag
def chip_html(found: Chip) -> SafeString:
    """Return a chip as HTML."""
    return format_html(
        '<span class="verdict verdict--{}">{}{}</span>', found.kind, icon(found.icon), found.text
    )
