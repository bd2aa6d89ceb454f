"""Numbers, times and durations as a reader sees them. All rounding of heatmon happens here.

Missing (None) is shown as an en dash, never as 0. Everything follows the language in force.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from django.utils import dateformat
from django.utils.formats import get_format
from django.utils.translation import get_language, gettext, ngettext

from apps.metrics.home import Home

MISSING = "–"
NARROW = "\u00a0"  # the number and its unit stay on one line


@dataclass(frozen=True, slots=True)
class Quantity:
    """How a kind of value is shown: unit behind the number, decimals (``of_little`` below 1), and a factor
    from the stored unit."""

    unit: str
    decimals: int
    factor: float = 1.0
    of_little: int | None = None


QUANTITIES: Mapping[str, Quantity] = {
    "power_w": Quantity("W", 0),
    "power_kw": Quantity("kW", 2),
    "power_w_as_kw": Quantity("kW", 2, 0.001),
    "energy_kwh": Quantity("kWh", 1),
    "energy_whole_kwh": Quantity("kWh", 0, of_little=1),
    "energy_wh": Quantity("Wh", 0),
    "temperature_c": Quantity("°C", 1),
    "temperature_difference_k": Quantity("K", 1),
    "cop": Quantity("", 2),
    "jaz": Quantity("", 1),
    "percent": Quantity("%", 0),
    "percent_of_one": Quantity("%", 0, 100.0),
    "voltage_v": Quantity("V", 1),
    "current_a": Quantity("A", 2),
    "flow_m3_h": Quantity("m³/h", 2),
    "hours_h": Quantity("h", 0),
    "count": Quantity("", 0),
}

_DATES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "datetime": "j M Y, H:i",
        "weekday": "l, j M Y, H:i",
        "date": "j M Y",
        "day": "j M",
        "weekday_day": "D j M",
        "weekday_date": "D j M Y",
        "day_time": "j M, H:i",
        "time": "H:i",
        "month": "F Y",
        "month_name": "F",
        "month_short": "M",
        "year": "Y",
    },
    "de": {
        "datetime": "d.m.Y H:i",
        "weekday": "l, d.m.Y H:i",
        "date": "d.m.Y",
        "day": "j. N",
        "weekday_day": "D, j. N",
        "weekday_date": "D, d.m.Y",
        "day_time": "d.m., H:i",
        "time": "H:i",
        "month": "F Y",
        "month_name": "F",
        "month_short": "M",
        "year": "Y",
    },
}
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


def number(value: float | int | None, decimals: int = 0) -> str:
    """Format a number rounded half up, with the language's separators and a true minus sign."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    thousand, point = _separators(_language())
    whole, _point, fraction = f"{abs(rounded):,f}".partition(".")
    text = whole.replace(",", thousand) + (point + fraction if fraction else "")
    return f"−{text}" if rounded < 0 else text


@lru_cache(maxsize=8)
def _separators(language: str) -> tuple[str, str]:
    """Return the separators of thousands and decimals; cached, as a page holds thousands of numbers."""
    return get_format("THOUSAND_SEPARATOR", language), get_format("DECIMAL_SEPARATOR", language)


def quantity(value: float | None, kind: str) -> tuple[str, str]:
    """Return (number, unit) of a value of that kind; unit empty where the value is missing."""
    shown = QUANTITIES[kind]
    if value is None:
        return MISSING, ""
    scaled = value * shown.factor if shown.factor != 1.0 else value
    little = shown.of_little is not None and 0 < abs(scaled) < 1
    decimals = (shown.of_little or 0) if little else shown.decimals
    return number(scaled, decimals), shown.unit


def with_unit(value: float | None, kind: str) -> str:
    """Return the number and unit as one text that does not break."""
    text, unit = quantity(value, kind)
    return f"{text}{NARROW}{unit}" if unit else text


def coverage(fraction: float | None) -> str:
    """Format a share of 1 in whole percent, rounded down: 99.9 % is never called 100 %, and a little never 0
    %."""
    if fraction is None:
        return MISSING
    if 0.0 < fraction < 0.01:
        return f"<{NARROW}1{NARROW}%"
    return f"{number(math.floor(min(max(fraction, 0.0), 1.0) * 100 + 1e-9))}{NARROW}%"


def signed_percent(value: float | None, decimals: int = 0) -> str:
    """Format a change in percent with its sign; a change that rounds to nothing has none."""
    if value is None:
        return MISSING
    text = number(value, decimals)
    return f"{'+' if value > 0 and text != number(0.0, decimals) else ''}{text}{NARROW}%"


def money(value: float | None, currency: str, decimals: int = 2) -> str:
    """Format an amount with its currency where the language puts it: €5.12, 5,12 €, CHF 5.12."""
    if value is None:
        return MISSING
    symbol = currency_symbol(currency)
    text = number(value, decimals)
    if _language() == "de":
        return f"{text}{NARROW}{symbol}"
    sign, digits = ("−", text[1:]) if text.startswith("−") else ("", text)
    return f"{sign}{symbol}{NARROW if symbol.isalpha() else ''}{digits}"


def price_per_kwh(value: float | None, currency: str) -> str:
    """Format a price as 30.49 ct/kWh; currencies without cents in common use keep their own unit."""
    if value is None:
        return MISSING
    if currency == "EUR":
        return f"{number(value * 100, 2)}{NARROW}ct/kWh"
    return f"{money(value, currency, 4)}/kWh"


def currency_symbol(currency: str) -> str:
    """Return € for EUR; a currency without a symbol of its own keeps its code."""
    return _SYMBOLS.get(currency, currency)


def at_home(home: Home, at: datetime | None, style: str = "time") -> str:
    """Return ``local_time`` in the home's zone."""
    return local_time(at, home.options.zone, style)


def moment(home: Home, at: datetime | None) -> str:
    """Return the time of day, with the date where it was not today, and the year where it was another."""
    if at is None:
        return MISSING
    zone = home.options.zone
    day = at.astimezone(zone).date()
    style = "time" if day == home.today else "day_time" if day.year == home.today.year else "datetime"
    return local_time(at, zone, style)


def day_of(home: Home, day: date, style: str = "day") -> str:
    """Return a date in a short ``style`` (day, weekday_day), with its year where that is not this one."""
    years = {"day": "date", "weekday_day": "weekday_date"}
    return local_date(day, style if day.year == home.today.year else years[style])


def local_time(at: datetime | None, zone: tzinfo, style: str = "datetime") -> str:
    """Format an aware instant in the house's zone. ``style``: datetime, weekday, date, day, weekday_day,
    day_time, time, month, month_name, month_short."""
    if at is None:
        return MISSING
    return dateformat.format(at.astimezone(zone), _DATES[_language()][style])


def local_date(day: date, style: str = "date") -> str:
    """Format a calendar date (styles without a time, as in local_time)."""
    return dateformat.format(day, _DATES[_language()][style])


def date_range(first: date, last: date) -> str:
    """Return 16 Nov – 22 Nov 2026; the year of the first only where it is another."""
    style = "day" if first.year == last.year else "date"
    begin = f"{local_date(first, style)} – " if first != last else ""
    return f"{begin}{local_date(last)}"


def week(day: date) -> str:
    """Return Week 47, 2026: the ISO week of a local day."""
    iso = day.isocalendar()
    return gettext("Week %(week)s, %(year)s") % {"week": iso.week, "year": iso.year}


def tick_label(local: datetime, style: str) -> str:
    """Return the mark at a local time under a chart."""
    return dateformat.format(local, _DATES[_language()][style])


def duration(seconds: float | None) -> str:
    """Format a duration: 45 s, 12 min, 5 h 40 min, 262 h."""
    if seconds is None:
        return MISSING
    if seconds < 60:
        return gettext("%(n)s s") % {"n": number(seconds)}
    minutes = int(seconds / 60 + 0.5)
    if minutes < 60:
        return gettext("%(n)s min") % {"n": number(minutes)}
    if minutes < 48 * 60 and minutes % 60:
        return gettext("%(hours)s h %(minutes)s min") % {
            "hours": number(minutes // 60),
            "minutes": number(minutes % 60),
        }
    return gettext("%(n)s h") % {"n": number(minutes / 60)}


def age(at: datetime | None, now: datetime) -> str:
    """Say how long ago, in the largest unit that fits: 4 s ago, 3 min ago, 2 h ago, 3 days ago."""
    if at is None:
        return gettext("never")
    seconds = max(0, int((now - at).total_seconds()))
    if seconds < 60:
        return gettext("%(n)s s ago") % {"n": number(seconds)}
    if seconds < 3600:
        return gettext("%(n)s min ago") % {"n": number(seconds // 60)}
    if seconds < 2 * 86400:
        return gettext("%(n)s h ago") % {"n": number(seconds // 3600)}
    days = seconds // 86400
    return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": number(days)}


def _language() -> str:
    return "de" if (get_language() or "en").startswith("de") else "en"
