"""``{% load effects %}{% verdict entry.id %}``: the chip of an entry's verdict, where one is kept."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.devices import clock
from apps.devices.sql import first_row
from apps.effects.models import AlternatingTest, Effect
from apps.effects.verdicts import Verdict
from apps.metrics.child import ChildFailed
from apps.metrics.home import Home

from ..pages.change.words import Chip, chip
from ..pages.test.plan import label_of
from ..pages.test.running import todo_tonight
from .ui import icon

register = template.Library()

KEY = "effect_chips"
_RUNNING = "SELECT id FROM effects_alternatingtest WHERE ended_on IS NULL ORDER BY id LIMIT 1"


@register.simple_tag(takes_context=True)
def verdict(context: Context, entry_id: int) -> SafeString:
    """Return the chip of an entry, or nothing. All verdicts are read once a page."""
    render: Any = context.render_context.dicts[0]
    if KEY not in render:
        found = Effect.objects.values_list("entry_id", "verdict")
        render[KEY] = dict(found)
    kept = render[KEY].get(entry_id)
    return SafeString("") if kept is None else chip_html(chip(Verdict.from_json(kept)))


@register.inclusion_tag("dashboard/test/_tonight.html", takes_context=True)
def test_tonight(context: Context) -> dict[str, Any]:
    """Show what a running test asks to be set tonight; nothing without one."""
    running = first_row(_RUNNING)
    if running is None:
        return {"todo": None}
    test = AlternatingTest.objects.get(pk=running[0])
    home = Home.of(test.site, clock.now())
    try:
        todo = todo_tonight(home, test)
    except ChildFailed:
        todo = None
    return {"todo": todo, "test": test, "label": label_of(test.key), "root": context["root"]}


@register.simple_tag
def chip_html(found: Chip) -> SafeString:
    """Return a chip as HTML."""
    return format_html(
        '<span class="verdict verdict--{}">{}{}</span>', found.kind, icon(found.icon), found.text
    )
