"""Verdicts as sentences a neighbour understands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.dashboard.formatting import local_date, money, number, with_unit
from apps.effects.estimator import Estimate
from apps.effects.fortnights import (
    BEING_CALCULATED,
    FEW_DAYS_AFTER,
    FEW_DAYS_BEFORE,
    LEAST_DEGREES_K,
    LITTLE_HEATING,
    MANY_CHANGES,
    METER_CHANGED,
    NO_ESTIMATE,
    OTHER_WEATHER,
    PART_OF_TEST,
    TOO_WIDE,
)
from apps.effects.verdicts import FOUND, TOO_EARLY, Verdict

SHORT_REASONS = {
    FEW_DAYS_BEFORE: gettext_lazy("no answer: too few days before"),
    FEW_DAYS_AFTER: gettext_lazy("no answer: too few days after"),
    LITTLE_HEATING: gettext_lazy("no answer: hardly any heating"),
    OTHER_WEATHER: gettext_lazy("no answer: different weather"),
    METER_CHANGED: gettext_lazy("no answer: meter changed"),
    MANY_CHANGES: gettext_lazy("no answer: too many changes"),
    TOO_WIDE: gettext_lazy("no answer: too uncertain"),
    NO_ESTIMATE: gettext_lazy("no answer: nothing to compare"),
    PART_OF_TEST: gettext_lazy("part of a test"),
    BEING_CALCULATED: gettext_lazy("being calculated"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A verdict in a few words. ``kind``: saves, costs, unclear, early or refused."""

    kind: str
    icon: str
    text: str


def chip(found: Verdict) -> Chip:
    """Return the verdict as a chip; the effect that leads comes first, if it is provable."""
    efficiency = found.efficiency
    if found.state == TOO_EARLY:
        return Chip(kind="early", icon="wait", text=_come_back(found))
    if efficiency is not None and found.efficiency_leads and efficiency.is_found:
        return _efficiency_chip(efficiency)
    if found.electricity is not None and found.state == FOUND:
        return _electricity_chip(found.electricity)
    if found.electricity is not None:
        text = _("not provable: %(range)s") % {"range": signed_range(found.electricity)}
        return Chip(kind="unclear", icon="tilde", text=text)
    reason = SHORT_REASONS.get(found.reason or "", SHORT_REASONS[NO_ESTIMATE])
    if found.reason == BEING_CALCULATED:
        return Chip(kind="early", icon="wait", text=str(reason))
    return Chip(kind="refused", icon="none", text=str(reason))


def bill_chip(found: Verdict) -> Chip | None:
    """Return the verdict on the electricity bill where it is found, but not what ``chip`` says."""
    electricity = found.electricity
    if electricity is None or found.state != FOUND or not electricity.is_found:
        return None
    words = _electricity_chip(electricity)
    return None if words == chip(found) else words


def _come_back(found: Verdict) -> str:
    if found.available_from is None:
        return _("too early")
    return _("too early: come back on %(day)s") % {"day": local_date(found.available_from, "day")}


def _electricity_chip(found: Estimate) -> Chip:
    values = {"percent": percent(abs(found.percent)), "range": plain_range(found)}
    if found.percent < 0:
        return Chip(kind="saves", icon="down", text=_("saves %(percent)s (%(range)s)") % values)
    return Chip(kind="costs", icon="up", text=_("costs %(percent)s more (%(range)s)") % values)


def _efficiency_chip(found: Estimate) -> Chip:
    values = {"percent": percent(abs(found.percent)), "range": plain_range(found)}
    if found.percent > 0:
        return Chip(kind="saves", icon="up", text=_("%(percent)s more heat per kWh (%(range)s)") % values)
    return Chip(kind="costs", icon="down", text=_("%(percent)s less heat per kWh (%(range)s)") % values)


def percent(value: float) -> str:
    return with_unit(value, "percent")


def plain_range(found: Estimate) -> str:
    """Return "3–13" without signs, the smaller first: of a provable effect."""
    low, high = sorted((abs(found.low_percent), abs(found.high_percent)))
    return f"{number(low)}–{number(high)}"


def signed_range(found: Estimate) -> str:
    """Return "−19 to +8 %"."""
    return _("%(low)s to %(high)s") % {
        "low": _signed(found.low_percent),
        "high": percent(found.high_percent) if found.high_percent <= 0 else f"+{percent(found.high_percent)}",
    }


def _signed(value: float) -> str:
    text = number(value)
    return f"+{text}" if value > 0 and text != "0" else text


def kwh_range(found: Estimate) -> str:
    """Return the interval in words: "between 4.6 kWh/day less and 2.0 more"."""
    low, high = found.kwh(found.low_percent), found.kwh(found.high_percent)
    if low is None or high is None:
        return ""
    if low < 0 < high:
        return _("between %(less)s a day less and %(more)s more") % {
            "less": with_unit(-low, "energy_kwh"),
            "more": number(high, 1),
        }
    ends = sorted((abs(low), abs(high)))
    words = _("%(low)s to %(high)s a day less") if high <= 0 else _("%(low)s to %(high)s a day more")
    return words % {"low": number(ends[0], 1), "high": with_unit(ends[1], "energy_kwh")}


def a_year(cost: float | None, found: Estimate, currency: str) -> str:
    """Return what a provable effect is worth a year, with its interval; empty where nobody knows."""
    if cost is None:
        return ""
    ends = sorted(abs(cost * end / found.percent) for end in (found.low_percent, found.high_percent))
    return _("About %(cost)s a year (%(low)s to %(high)s), by the last 365 days and today's price.") % {
        "cost": money(abs(cost), currency, 0),
        "low": money(ends[0], currency, 0),
        "high": money(ends[1], currency, 0),
    }


def same_heat(cost: float | None, found: Estimate, less: Estimate, currency: str) -> str:
    """Return what an efficiency is worth a year, told as ``less`` electricity for the same heat, where the
    bill itself (``found``, worth ``cost``) is not provable; empty where nobody knows."""
    if cost is None or not found.percent:
        return ""
    each = abs(cost / found.percent)
    ends = sorted(each * abs(end) for end in (less.low_percent, less.high_percent))
    text = (
        _("If the house takes as much heat as before, it saves about %(cost)s a year (%(low)s to %(high)s).")
        if less.percent < 0
        else _(
            "If the house takes as much heat as before, it costs about %(cost)s a year (%(low)s to %(high)s)."
        )
    )
    return text % {
        "cost": money(each * abs(less.percent), currency, 0),
        "low": money(ends[0], currency, 0),
        "high": money(ends[1], currency, 0),
    }


def explanation(found: Verdict) -> str:
    """Return why there is no answer, in a sentence or two; empty where there is one."""
    before, after = found.before, found.after
    values = {
        "before": number(before.valid_days),
        "after": number(after.valid_days),
        "alike": number(found.alike_days),
    }
    sentences = {
        FEW_DAYS_BEFORE: ngettext(
            "Only %(before)s day before the change is fully measured and free of other changes; "
            "10 are needed.",
            "Only %(before)s days before the change are fully measured and free of other changes; "
            "10 are needed.",
            before.valid_days,
        ),
        FEW_DAYS_AFTER: ngettext(
            "Only %(after)s day after the change is fully measured and free of other changes; 10 are needed.",
            "Only %(after)s days after the change are fully measured and free of other changes; "
            "10 are needed.",
            after.valid_days,
        ),
        LITTLE_HEATING: _mild(found),
        OTHER_WEATHER: ngettext(
            "Only %(alike)s day after the change had weather seen before it; 5 are needed.",
            "Only %(alike)s of the days after the change had weather seen before it; 5 are needed.",
            found.alike_days,
        ),
        METER_CHANGED: _("The meter, or what it measures, changed in between."),
        MANY_CHANGES: _("Too many changes followed each other, over more than four weeks."),
        TOO_WIDE: _("The days scatter so much that any answer would be wider than ±35 %%."),
        NO_ESTIMATE: _("The days do not allow a comparison."),
        PART_OF_TEST: _("This is one switch of an alternating test; the test gives the verdict."),
        BEING_CALCULATED: _(
            "Days around the change are still being read or calculated; after that the answer comes by "
            "itself."
        ),
    }
    return sentences[found.reason] % values if found.reason in sentences else ""


def _mild(found: Verdict) -> str:
    """Return which of the fortnights had hardly any heating."""
    before, after = (number(side.degrees_k, 1) for side in (found.before, found.after))
    if found.before.degrees_k >= LEAST_DEGREES_K:
        text = _("The days after the change had only %(after)s heating degrees on average; 4 are needed.")
    elif found.after.valid_days and found.after.degrees_k < LEAST_DEGREES_K:
        text = _(
            "The days before the change had only %(before)s heating degrees on average, those after it only "
            "%(after)s; 4 are needed in both."
        )
    else:
        text = _("The days before the change had only %(before)s heating degrees on average; 4 are needed.")
    return text % {"before": before, "after": after}


def advice(found: Verdict, season: str = "") -> str:
    """Return whether waiting helps. ``season``: when it is cold enough, in words."""
    if found.state != TOO_EARLY and found.available_from is not None:
        day = {"day": local_date(found.available_from)}
        if found.reason == LITTLE_HEATING:
            return _("There may be an answer on %(day)s, if the days until then are colder.") % day
        if found.reason in (TOO_WIDE, NO_ESTIMATE):
            return _("There may be an answer on %(day)s: more days make it narrower.") % day
        return _("There may be an answer on %(day)s, if such weather comes until then.") % day
    if found.state == TOO_EARLY:
        return _(
            "The first answer comes after 10 measured days, the full one after 14. "
            "Until then, change nothing else."
        )
    if found.reason == LITTLE_HEATING:
        text = _(
            "Waiting will not help: these days are over. A change or a test in weather colder than about "
            "11 °C on average can tell."
        )
        return f"{text} {season}".strip()
    if found.reason not in (None, PART_OF_TEST, BEING_CALCULATED):
        return _("Waiting will not help: these days are over.")
    return ""


def season(today: date, cold: date | None) -> str:
    """Return from when on it is usually ``cold`` enough to compare heating; empty where that is not known."""
    if cold is None:
        return ""
    if cold <= today:
        return _("Now is the season for it.")
    return _("Such weather usually comes from about %(day)s on.") % {"day": local_date(cold)}
