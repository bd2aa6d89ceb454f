"""How long and how often the compressor ran in a range, for heating and for hot water."""

from __future__ import annotations

from django.urls import get_script_prefix
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext

from apps.dashboard import formatting
from apps.dashboard.contexts import Fact
from apps.metrics.home import Home
from apps.metrics.hot_water import heating, hot_water
from apps.metrics.totals import Totals

from .span import Span

LONGEST_DAYS = 92
"""Longer ranges show the compressor as a whole: their runs are not looked at one by one."""


def running_facts(home: Home, span: Span, whole: Totals) -> list[Fact]:
    """Return run time, starts and mean run; empty where nothing is known."""
    if (span.last - span.first).days >= LONGEST_DAYS:
        return _compressor(whole)
    facts = []
    heated = heating(home, span.first, span.last)
    if heated is not None and heated.run_s:
        starts = npgettext("compressor", "%(n)s heating start", "%(n)s heating starts", heated.starts)
        facts.append(_running(_("for heating"), heated.run_s, heated.starts, starts, heated.mean_run_s))
    runs = hot_water(home, span.first, span.last).runs
    if runs:
        energy_kwh = sum(run.energy_wh for run in runs) / 1000 / len(runs)
        facts.append(
            Fact(
                name=ngettext("hot-water run", "hot-water runs", len(runs)),
                value=formatting.number(len(runs)),
                note=_("%(energy)s each") % {"energy": formatting.with_unit(energy_kwh, "energy_kwh")},
                href=f"{get_script_prefix()}hot-water?from={span.first.isoformat()}&to={span.last.isoformat()}",
            )
        )
    return facts or _compressor(whole)


def _compressor(whole: Totals) -> list[Fact]:
    starts, run_s = whole.compressor_starts, whole.compressor_run_s
    if starts is None or not run_s:
        return []
    words = npgettext("compressor", "%(n)s start", "%(n)s starts", starts)
    return [_running(_("compressor running"), run_s, starts, words, whole.mean_run_s)]


def _running(name: str, run_s: float, starts: int, starts_words: str, mean_run_s: float | None) -> Fact:
    words = {
        "starts": starts_words % {"n": formatting.number(starts)},
        "mean": formatting.duration(mean_run_s),
    }
    note = _("%(starts)s, mean run time %(mean)s") % words if starts else ""
    return Fact(name=name, value=formatting.duration(run_s), note=note)
