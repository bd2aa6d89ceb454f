"""Why a result is missing, in words for people; the words of metrics.codes are the API's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import quick, ranges
from .ranges import RangeInvalid

REASONS: Mapping[str, Any] = {
    "no_electricity": gettext_lazy("the meter has no values for this time"),
    "in_lump": gettext_lazy("electricity is known only as one total over a longer period"),
    "run_state_unknown": gettext_lazy("too few meter values to tell whether it was running"),
    "no_snapshot": gettext_lazy("no response from the heat pump"),
    "active_unknown": gettext_lazy("the heat pump does not report whether it is running"),
    "modulation_unknown": gettext_lazy("the heat pump does not report its modulation"),
    "rated_power_unknown": gettext_lazy("the heat pump does not report its rated power"),
    "not_active": gettext_lazy("meter and heat pump contradict each other"),
    "rod_or_compressor": gettext_lazy("the power may have been drawn by the heating rod"),
    "no_flow_rate": gettext_lazy("the flow rate is not set"),
    "temperature_unknown": gettext_lazy("a temperature is missing"),
    "negative_delta_t": gettext_lazy("the return was warmer than the flow"),
    "not_running": gettext_lazy("not running"),
    "short_run": gettext_lazy("it was running for only part of the time"),
    "low_power": gettext_lazy("it drew too little power"),
    "source_silent": gettext_lazy("the heat pump has sent nothing new for half an hour"),
    "cooled": gettext_lazy("it was cooling"),
    "not_calculated": gettext_lazy("not calculated yet"),
}


def fault_in_words(invalid: RangeInvalid) -> str:
    """Return what is wrong with the range in an address, as the first half of a sentence."""
    value = {"value": invalid.value}
    return {
        ranges.NO_DATE: _("“%(value)s” is not a valid date") % value,
        ranges.FAR: _("“%(value)s” is out of range") % value,
        ranges.FUTURE: _("“%(value)s” is in the future") % value,
        ranges.REVERSED: _("The range ends before it begins"),
        ranges.SHORT: _("The range is shorter than five minutes"),
        ranges.LONG: _("The range is longer than thirty years"),
    }.get(invalid.fault, _("“%(value)s” is not a valid range") % value)


def quick_label(kind: str) -> str:
    return {
        quick.WEEK: _("Last week"),
        quick.MONTH: _("Last month"),
        quick.SEASON: _("Last heating season"),
    }[kind]


def reason_in_words(word: str | None) -> str:
    """Return a sentence part; a word of a newer version is shown as "no current value"."""
    return str(REASONS[word]) if word and word in REASONS else _("no current value")


def implausible_words() -> str:
    """Return what a number means that no heat pump has."""
    return _("implausible: rated power, channels or flow rate are probably set wrong")
