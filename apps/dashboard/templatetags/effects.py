"""``{% load effects %}{% verdict entry.id %}``: the chip of an entry's verdict, where one is kept."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.effects.models import Effect
from apps.effects.verdicts import Verdict

from ..pages.change.words import Chip, chip
from .ui import icon

register = template.Library()

KEY = "effect_chips"


@register.simple_tag(takes_context=True)
def verdict(context: Context, entry_id: int) -> SafeString:
    """Return the chip of an entry, or nothing. All verdicts are read once a page."""
    render: Any = context.render_context.dicts[0]
    if KEY not in render:
        found = Effect.objects.values_list("entry_id", "verdict")
        render[KEY] = dict(found)
    kept = render[KEY].get(entry_id)
    return SafeString("") if kept is None else chip_html(chip(Verdict.from_json(kept)))


@register.simple_tag
def chip_html(found: Chip) -> SafeString:
    """Return a chip as HTML."""
    return format_html(
        '<span class="verdict verdict--{}">{}{}</span>', found.kind, icon(found.icon), found.text
    )
