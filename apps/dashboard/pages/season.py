"""The seasonal performance and the year's forecast in words, for overview, energy and efficiency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from weakref import WeakKeyDictionary

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.dashboard.charts.periods import Interval, intervals
from apps.dashboard.contexts import ChartBlock, Fact, SeasonCard, ValueCard
from apps.dashboard.pages.energy.span import span_of, year_before
from apps.dashboard.pages.energy.words import comparison_words
from apps.dashboard.pages.reasons import implausible_words
from apps.metrics.begin import HEAT, measured_from
from apps.metrics.child import ChildFailed
from apps.metrics.home import Home
from apps.metrics.jaz import Jaz, jaz, rolling_year
from apps.metrics.periods import energy_rows
from apps.metrics.store.base import TimeSeriesStore
from apps.metrics.year import Estimate, estimate_year

ESTIMATE_STEP_KWH = 200.0
WHOLE = 0.9995


def measured_year(home: Home) -> tuple[date, date]:
    """Return the 365 local days before today, from the first measured one on; today while there is no
    other."""
    first, last = rolling_year(home)
    first = max(first, home.first_day() or first)
    return (first, last) if first <= last else (home.today, home.today)


def rolling_jaz(home: Home) -> Jaz:
    """Return the JAZ of ``measured_year``."""
    first, last = measured_year(home)
    return jaz(home, first, last)


def jaz_title(found: Jaz) -> str:
    """Return what the number may be called, by its coverage."""
    if found.label == "full":
        return _("Seasonal COP (JAZ), %(days)s days") % {"days": formatting.number(found.days)}
    if found.label == "partial":
        return _("Seasonal COP (JAZ), incomplete: %(share)s of electricity") % {
            "share": formatting.coverage(found.coverage)
        }
    days = measured_days(found)
    if found.jaz is None and not found.disagree:
        return _("COP")  # of nothing: how many days have electricity would mislead
    if days == 0:
        return _("COP over less than a day")
    return ngettext("COP over %(n)s day", "COP over %(n)s days", days) % {"n": formatting.number(days)}


def heat_sentence(found: Jaz) -> str:
    """Say which electricity became how much heat; of the electricity only what the heat is known for, so
    that both together are the COP that is shown."""
    if found.energy_kwh is None or found.heat_kwh is None or found.coverage is None:
        return ""
    wording = _("%(energy)s of electricity produced about %(heat)s of heat.")
    if found.coverage < WHOLE:
        wording = _("%(energy)s of electricity with known heat produced about %(heat)s.")
    return wording % {
        "energy": formatting.with_unit(found.energy_kwh * min(1.0, found.coverage), "energy_whole_kwh"),
        "heat": formatting.with_unit(_about(found.heat_kwh), "energy_whole_kwh"),
    }


def _about(heat_kwh: float) -> float:
    """Round to hundreds, small heats to two digits: 16,500, 880, 56."""
    return round(heat_kwh, -2 if heat_kwh >= 1000 else -1 if heat_kwh >= 100 else 0)


def measured_days(found: Jaz) -> int:
    """Return the days whose electricity is known, parts of days added up."""
    return round(found.days * (found.electric_coverage or 0.0))


def jaz_range(found: Jaz) -> str:
    """Return "(4.0–4.9), estimated"."""
    if found.jaz_low is None or found.jaz_high is None:
        return ""
    band = f"{formatting.number(found.jaz_low, 1)}–{formatting.number(found.jaz_high, 1)}"
    if found.jaz is None:
        return _("%(band)s, methods disagree") % {"band": band}
    return _("(%(band)s), estimated") % {"band": band}


def jaz_from(home: Home) -> date | None:
    """Return from which day on heat is known for a whole year; None where that is long ago, or none is."""
    begin = measured_from(home, HEAT)
    if begin is None or home.at_s - begin >= 365 * 86_400:
        return None
    first = datetime.fromtimestamp(begin, home.options.zone).date()
    whole = first if begin <= home.midnight(first) else first + timedelta(days=1)
    return whole + timedelta(days=365)


def jaz_card(found: Jaz, whole_from: date | None = None) -> ValueCard:
    """Return the card; its state ``partial`` greys what is not a full year. ``whole_from``: see
    ``jaz_from``."""
    meta = _("Heat known for %(share)s of the electricity") % {"share": formatting.coverage(found.coverage)}
    if found.jaz is None and found.jaz_low is None:
        meta = meta if found.heat_kwh else _("no heat data yet")
        return ValueCard(label=jaz_title(found), value=None, kind="jaz", state="none", meta=meta)
    if whole_from is not None:
        meta += " · " + _("JAZ from %(day)s") % {"day": formatting.local_date(whole_from)}
    elif found.label == "insufficient":
        days = {"known": formatting.number(measured_days(found)), "days": formatting.number(found.days)}
        meta += (
            " · "
            + ngettext(
                "%(known)s of %(days)s day measured", "%(known)s of %(days)s days measured", found.days
            )
            % days
        )
    if found.implausible:
        meta = f"{implausible_words()} · {meta}"
    state = "estimated" if found.label == "full" else "partial"
    return ValueCard(
        label=jaz_title(found), value=found.jaz, kind="jaz", state=state, meta=meta, struck=found.implausible
    )


_kept: WeakKeyDictionary[TimeSeriesStore, tuple[tuple[object, ...], SeasonCard]] = WeakKeyDictionary()
"""The card as worked out last, by store: a year's sums are not asked for again until something is derived."""


def season_card(home: Home) -> SeasonCard:
    """Return the overview's last card: JAZ, and this month so far; new with every derivation."""
    key = (home.id, home.version, home.interval_s, get_language(), repr(home.options))
    kept = _kept.get(home.store) if home.version is not None else None
    if kept is None or kept[0] != key:
        kept = _kept[home.store] = (key, _season_card(home))
    return kept[1]


def _season_card(home: Home) -> SeasonCard:
    found = rolling_jaz(home)
    span = span_of(home, "day", home.today)
    rows = energy_rows(home, "day", span.first, span.last)
    month = energy_rows(home, "month", home.today, home.today)[0]
    against = comparison_words(home, span, rows, year_before(home, span))
    cost = formatting.money(month.cost, home.options.currency) if month.cost is not None else ""
    name = formatting.local_date(home.today, "month_name")
    return SeasonCard(
        jaz=jaz_card(found, jaz_from(home)),
        jaz_title=jaz_title(found),
        jaz_range=jaz_range(found),
        month=ValueCard(
            label=name,
            value=month.electrical_energy_kwh,
            kind="energy_whole_kwh",
            state="none" if month.electrical_energy_kwh is None else "partial",
            meta=" · ".join(part for part in (cost, against) if part),
        ),
        month_title=_("%(period)s, so far") % {"period": name},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class YearCard:
    """The forecast of this year. ``value`` is missing with a ``reason`` in words."""

    year: int
    measured: str
    value: ValueCard
    band: str
    chart: ChartBlock | None
    facts: Sequence[Fact]
    method: str
    by_share: bool = False


def year_card(home: Home) -> YearCard:
    """Return the forecast and plain average side by side; the numerics run in a child process."""
    year = home.today.year
    try:
        found: Estimate | None = estimate_year(home, year)
    except ChildFailed:
        found = None
    before = energy_rows(home, "year", date(year - 1, 1, 1), date(year - 1, 12, 31))[0]
    last_year = before.electrical_energy_kwh if (before.electrical_coverage or 0) >= 0.98 else None
    if found is None:
        return YearCard(
            year=year, measured="", band="", chart=None, facts=[], method="",
            value=ValueCard(
                label="", value=None, kind="energy_whole_kwh", state="none",
                meta=_("the forecast could not be calculated; details are in the log"),
            ),
        )  # fmt: skip
    return YearCard(
        year=year,
        measured=ngettext("%(n)s day measured", "%(n)s days measured", found.measured_days)
        % {"n": formatting.number(found.measured_days)},
        value=_year_value(home, found),
        band=_year_band(found),
        chart=_year_chart(found, last_year),
        facts=_year_facts(found, last_year),
        method=found.method,
        by_share=found.method == "degree_day_share",
    )


def _year_value(home: Home, found: Estimate) -> ValueCard:
    if found.forecast_kwh is None:
        return ValueCard(
            label="", value=None, kind="energy_whole_kwh", state="none", meta=estimate_reason(found.reason)
        )
    cost = (
        " · " + _("about %(cost)s") % {"cost": formatting.money(found.cost, home.options.currency, 0)}
        if found.cost is not None
        else ""
    )
    asks = found.method == "degree_day_share" and not found.normals
    wish = " · " + estimate_reason("no_normals") if asks else ""
    return ValueCard(
        label="",
        value=found.forecast_kwh,
        kind="energy_whole_kwh",
        state="estimated",
        meta=method_in_words(found.method) + cost + wish,
    )


def method_in_words(method: str) -> str:
    return {
        "measured": _("every day measured"),
        "signature": _("Forecast from outdoor temperature, 80 % band"),
        "signature_total": _("Forecast from outdoor temperature, hot water not separated, 80 % band"),
        "degree_day_share": _("Forecast from the typical share of the heating year"),
    }.get(method, method)


def estimate_reason(reason: str) -> str:
    return {
        "no_complete_days": _("no complete day yet"),
        "not_enough_heating_days": _("not enough heating days yet"),
        "no_normals": _("there is no climate data for this location; enter twelve monthly means in Settings"),
    }.get(reason, _("not possible yet"))


def _year_band(found: Estimate) -> str:
    if found.forecast_low_kwh is None or found.forecast_high_kwh is None:
        return ""
    return f"({formatting.number(found.forecast_low_kwh)}–{formatting.number(found.forecast_high_kwh)})"


def _year_chart(found: Estimate, last_year: float | None) -> ChartBlock | None:
    rows = [
        Interval(
            label=_("Forecast"),
            low=found.forecast_low_kwh,
            middle=found.forecast_kwh,
            high=found.forecast_high_kwh,
            colour="s-power",
        ),
        Interval(label=_("Simple average"), middle=found.extrapolated_kwh, colour="text-2"),
        Interval(label=str(found.year - 1), middle=last_year, colour="text-2"),
    ]
    shown = [row for row in rows if row.middle is not None]
    if found.forecast_kwh is None and last_year is None:
        return None  # one dot compares with nothing
    spec = intervals(shown, "kWh", 0, ESTIMATE_STEP_KWH)
    if spec is None:
        return None
    summary = "; ".join(
        f"{row.label} {formatting.with_unit(row.middle, 'energy_whole_kwh')}" for row in shown
    )
    return ChartBlock(id="year-data", data=spec.data, summary=summary)


def _year_facts(found: Estimate, last_year: float | None) -> list[Fact]:
    known = {
        _("Measured days so far"): found.so_far_kwh,
        _("Simple average of the days so far"): found.extrapolated_kwh,
    }
    facts = [
        Fact(name=name, value=formatting.with_unit(value, "energy_whole_kwh"))
        for name, value in known.items()
        if value is not None
    ]
    if last_year is not None:
        facts.append(
            Fact(
                name=_("%(year)s, full year") % {"year": found.year - 1},
                value=formatting.with_unit(last_year, "energy_whole_kwh"),
            )
        )
    return facts
