"""What the data suggest to try, in words: what was seen and how often, a chart that shows it, a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.changelog.sentences import label_of, shown
from apps.dashboard import formatting
from apps.dashboard.pages.links import history_href
from apps.effects.advice import (
    CIRCULATION,
    HOT_FLOW,
    LOWER_SHIFT,
    ROD_RUNS,
    SETBACK,
    SHORT_CYCLES,
    Observation,
    limit,
)

ICONS = {
    HOT_FLOW: "flow",
    LOWER_SHIFT: "radiator",
    SHORT_CYCLES: "pump",
    ROD_RUNS: "flame",
    CIRCULATION: "drop",
    SETBACK: "clock",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceView:
    """One observation. ``seen``: from when to when; ``chart``: where it shows; ``test``: where a test of it
    is planned, with ``trial`` as its two values; ``instead``: what to do where nothing can be tested."""

    icon: str
    title: str
    text: str
    seen: str
    chart: str
    test: str
    trial: str
    instead: str


def advice_views(found: Sequence[Observation], settings: Mapping[str, Any]) -> list[AdviceView]:
    """Return the observations in words. ``settings``: those in force."""
    return [
        AdviceView(
            icon=ICONS[each.code],
            title=_title(each),
            text=_text(each),
            seen=_("Seen from %(first)s to %(last)s, last on %(day)s")
            % {
                "first": formatting.local_date(each.first, "day"),
                "last": formatting.local_date(each.last, "day"),
                "day": formatting.local_date(each.seen_on, "day"),
            },
            chart=_chart(each),
            test=_test(each),
            trial=_trial(each, settings),
            instead=_instead(each),
        )
        for each in found
    ]


def _title(found: Observation) -> str:
    titles = {
        HOT_FLOW: _("Circuit %(circuit)s: flow hotter than its curve asks"),
        LOWER_SHIFT: _("Circuit %(circuit)s: room for a lower heating curve"),
        SHORT_CYCLES: _("The compressor starts often and runs briefly"),
        ROD_RUNS: _("Hot water is finished by the heating rod"),
        CIRCULATION: _("The circulation pump runs for long"),
        SETBACK: _("Circuit %(circuit)s: the set-back saves nothing"),
    }
    return titles[found.code] % {"circuit": found.circuit}


def _text(found: Observation) -> str:
    numbers = found.numbers
    values = {
        "times": formatting.number(found.times),
        "known": formatting.number(found.known),
        "limit": formatting.with_unit(limit("hot_flow"), "temperature_difference_k"),
        "excess": formatting.with_unit(numbers.get("excess_k"), "temperature_difference_k"),
        "starts": formatting.number(numbers.get("most_starts")),
        "minutes": formatting.number(numbers.get("cycle_min")),
        "rod": formatting.number(numbers.get("rod_h"), 1),
        "hours": formatting.number(numbers.get("on_h"), 1),
        "used": formatting.with_unit(numbers.get("used_kwh"), "energy_kwh"),
        "like": formatting.with_unit(numbers.get("like_evenings_kwh"), "energy_kwh"),
    }
    sentences = {
        HOT_FLOW: _(
            "In %(times)s of %(known)s heated hours the flow was more than %(limit)s above the curve, by "
            "%(excess)s on average. Each kelvin costs about 2 %% of the electricity for heating."
        ),
        LOWER_SHIFT: _(
            "In %(times)s of %(known)s dark, cold hours the room was warmer than set; over all of them by "
            "%(excess)s on average."
        ),
        SHORT_CYCLES: _(
            "On %(times)s of %(known)s days there were up to %(starts)s starts in an hour, with %(minutes)s "
            "minutes from start to start. That wears the compressor and lowers the COP."
        ),
        ROD_RUNS: _(
            "In %(times)s of %(known)s runs the heating rod helped, %(rod)s h in total. It needs about three "
            "times as much electricity for the same heat."
        ),
        CIRCULATION: _(
            "It ran %(hours)s h a day on average over %(known)s days. While it runs, the pipes cool the tank."
        ),
        SETBACK: _(
            "On %(known)s cold days the reduced hours and the three after them used %(used)s a day. At the "
            "rate of the evenings before, in the same cold, it would have been %(like)s. Only a test can "
            "prove it."
        ),
    }
    return " ".join(part for part in (sentences[found.code] % values, _more(found)) if part)


def _more(found: Observation) -> str:
    if "lowest_c" in found.numbers:
        return _("The cause is probably the minimum flow temperature of %(lowest)s.") % {
            "lowest": formatting.with_unit(found.numbers["lowest_c"], "temperature_c")
        }
    if found.numbers.get("night_h", 0.0) >= 0.1:
        return _("%(night)s h of it are between 11 pm and 5 am.") % {
            "night": formatting.number(found.numbers["night_h"], 1)
        }
    if "rod_kwh" in found.numbers:
        return _("The rod alone used %(energy)s.") % {
            "energy": formatting.with_unit(found.numbers["rod_kwh"], "energy_kwh")
        }
    return ""


def _chart(found: Observation) -> str:
    if found.code in (HOT_FLOW, LOWER_SHIFT):
        return f"{reverse('dashboard:efficiency')}#curve-1"
    if found.code == CIRCULATION:
        return f"{reverse('dashboard:hot_water')}#circulation"
    series = {
        SHORT_CYCLES: ("power_w", "modulation_percent", "supply_temperature_c"),
        ROD_RUNS: ("power_w", "dhw_storage_temperature_c", "modulation_percent"),
        SETBACK: ("power_w", "supply_temperature_c", "outside_temperature_c"),
    }
    return history_href("day", found.seen_on, series[found.code])


def _test(found: Observation) -> str:
    trial = found.trial
    if trial is None:
        return ""
    query = {"key": trial.key, "other": f"{trial.other:g}"}
    return f"{reverse('dashboard:test_plan')}?{urlencode(query)}"


def _trial(found: Observation, settings: Mapping[str, Any]) -> str:
    trial = found.trial
    if trial is None:
        return ""
    return _("%(setting)s, %(present)s or %(other)s") % {
        "setting": label_of(trial.key),
        "present": shown(trial.key, settings.get(trial.key)),
        "other": shown(trial.key, trial.other),
    }


def _instead(found: Observation) -> str:
    if found.trial is not None:
        return ""
    if found.code == CIRCULATION:
        return _(
            "Shorten its schedule on the heat pump; two weeks later the page of that change says what it did."
        )
    return _("None of the settings that heatmon reads acts on this; ask your installer.")
