"""Template tags and filters of every page: ``{% load ui %}``.

{% icon "sun" %}                          an icon of static/icons.svg
{% quantity 6.43 "temperature_c" %}       6.4 with a smaller °C behind it; "–" for None
{{ kwh|energy_kwh }}                      the same as text; also power_w, power_kw, temperature_c, cop, jaz
{{ value|number:1 }} {{ share|coverage }} {{ seconds|duration }} {{ amount|money:"EUR" }}
{% local_time at "time" %}                in the house's zone (styles: formatting.local_time)
{% age at %}                              3 min ago, counted from the page's ``at``
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django import template
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.devices import clock

from .. import formatting

register = template.Library()

register.filter("number", formatting.number)
register.filter("coverage", formatting.coverage)
register.filter("signed_percent", formatting.signed_percent)
register.filter("duration", formatting.duration)
register.filter("money", formatting.money)
register.filter("local_date", formatting.local_date)


_UNSAFE = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


@register.filter
def chart_script(data: Mapping[str, Any], element_id: str) -> SafeString:
    """Return a chart's data as a script element that charts.js reads, as ``json_script`` writes it: that one
    takes a tenth of a page's time for a year's chart."""
    text = orjson.dumps(data).decode().translate(_UNSAFE)
    return format_html('<script id="{}" type="application/json">{}</script>', element_id, mark_safe(text))  # noqa: S308


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return an icon for the eye only, to go beside its word."""
    return _icon(name, get_script_prefix())


@lru_cache(maxsize=128)
def _icon(name: str, prefix: str) -> SafeString:
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#i-{}"/></svg>', static("icons.svg"), name
    )


@register.simple_tag
def quantity(value: float | None, kind: str) -> SafeString:
    """Return the number and, smaller, its unit."""
    text, unit = formatting.quantity(value, kind)
    if not unit:
        return format_html("{}", text)
    return format_html('{} <span class="unit">{}</span>', text, unit)


@register.filter
def power_w(value: float | None) -> str:
    return formatting.with_unit(value, "power_w")


@register.filter
def power_kw(value: float | None) -> str:
    return formatting.with_unit(value, "power_kw")


@register.filter
def energy_kwh(value: float | None) -> str:
    return formatting.with_unit(value, "energy_kwh")


@register.filter
def temperature_c(value: float | None) -> str:
    return formatting.with_unit(value, "temperature_c")


@register.filter
def cop(value: float | None) -> str:
    return formatting.with_unit(value, "cop")


@register.filter
def jaz(value: float | None) -> str:
    return formatting.with_unit(value, "jaz")


@register.simple_tag(takes_context=True)
def local_time(context: Mapping[str, Any], at: datetime | int | None, style: str = "datetime") -> SafeString:
    """Return a <time> element; ``at`` is an aware datetime or epoch seconds."""
    if isinstance(at, int):
        at = datetime.fromtimestamp(at, UTC)
    if at is None:
        return format_html("{}", formatting.MISSING)
    zone = _zone(context)
    return format_html(
        '<time datetime="{}">{}</time>',
        at.astimezone(zone).isoformat(timespec="seconds"),
        formatting.local_time(at, zone, style),
    )


@register.simple_tag(takes_context=True)
def local_span(
    context: Mapping[str, Any], begin: datetime, end: datetime | None, style: str = "datetime"
) -> SafeString:
    """Return begin and end, if any, as <time> elements. From midnight to midnight only the days are told, the
    last one included."""
    if end is None:
        return local_time(context, begin, style)
    zone = _zone(context)
    if all(at.astimezone(zone).time() == time.min for at in (begin, end)):
        end, style = max(begin, end - timedelta(seconds=1)), "date"
    return format_html("{} – {}", local_time(context, begin, style), local_time(context, end, style))


@register.simple_tag(takes_context=True)
def age(context: Mapping[str, Any], at: datetime | None) -> str:
    """Say how long ago, counted from the page's own ``at``."""
    return formatting.age(at, context.get("at") or clock.now())


def _zone(context: Mapping[str, Any]) -> ZoneInfo:
    zone = context.get("house_zone")
    return ZoneInfo(str(zone)) if zone is not None else ZoneInfo("UTC")
