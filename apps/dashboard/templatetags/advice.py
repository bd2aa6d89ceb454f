"""``{% load advice %}{% advice_card %}``: what the data suggest to try next; ``{% advice_short %}``: its
titles. Nothing where nothing was observed."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from apps.changelog.timeline import configuration_at
from apps.devices import clock
from apps.devices.options import default_site
from apps.effects.advising import kept_advice
from apps.effects.models import AlternatingTest

from ..pages.advising.words import advice_views

register = template.Library()


@register.inclusion_tag("dashboard/advice/_card.html", takes_context=True)
def advice_card(context: Context) -> dict[str, Any]:
    """Show all observations with their numbers, charts and tests."""
    return _shown(context)


@register.inclusion_tag("dashboard/advice/_short.html", takes_context=True)
def advice_short(context: Context, place: str = "") -> dict[str, Any]:
    """Show what could be tried, unless a test runs: nothing else is to be changed then. ``place``: a class
    of the grid."""
    shown = _shown(context) | {"place": place}
    if shown["advice"] and AlternatingTest.objects.filter(site=default_site(), ended_on=None).exists():
        shown["advice"] = []
    return shown


def _shown(context: Context) -> dict[str, Any]:
    site = default_site()
    found = kept_advice(site)
    settings = configuration_at(site, clock.now()) if found else {}
    return {
        "advice": advice_views(found, settings),
        "root": context.get("root", "/"),
        "is_owner": context.get("is_owner"),
    }
