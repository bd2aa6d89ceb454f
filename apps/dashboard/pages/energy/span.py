"""Which bars the energy page shows: of one month, one year or all years, and those of the year before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.dashboard.contexts import RangeBar, RangeLink
from apps.dashboard.pages.quick import MONTH, SEASON, quick_ranges
from apps.dashboard.pages.ranges import FUTURE, LONGEST, RangeInvalid, parse_date, parse_days
from apps.dashboard.pages.reasons import quick_label
from apps.metrics.home import Home
from apps.metrics.periods import EnergyRow, energy_rows
from apps.metrics.windows import PERIODS, next_first, period_first


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bars of one kind over the local days ``first`` to ``last``, which is not after today; the whole range
    ends on ``end``. ``earlier`` and ``later`` are query strings, empty where there is nothing to go to."""

    period: str
    first: date
    last: date
    end: date
    label: str
    earlier: str
    later: str
    is_custom: bool = False


def parse_span(home: Home, query: Mapping[str, str]) -> Span:
    """Parse ``period`` (day, week, month, year) of the bars and a ``date`` in their range, or the local dates
    ``from`` and ``to``; by default the days of this month. Raises RangeInvalid."""
    period = query.get("period") or "day"
    if period not in PERIODS:
        raise RangeInvalid("period", period)
    if query.get("from") or query.get("to"):
        return _between(home, period, *parse_days(query, today=home.today, longest=LONGEST))
    day = parse_date(query["date"]) if query.get("date") else home.today
    if period_first(day, "month" if period == "day" else "year") > home.today:
        raise RangeInvalid("date", query["date"], FUTURE)
    return span_of(home, period, min(day, home.today))


def span_of(home: Home, period: str, day: date) -> Span:
    """Return the days of a month, ISO weeks or months of a year, or all years; none before the home is
    measured."""
    oldest = home.first_day() or home.today
    if period == "year":
        return Span(
            period=period,
            first=oldest.replace(month=1, day=1),
            last=home.today,
            end=home.today,
            label=_("All years"),
            earlier="",
            later="",
        )
    if period == "week":
        year = day.isocalendar().year
        first, following = date.fromisocalendar(year, 1, 1), date.fromisocalendar(year + 1, 1, 1)
        label = str(year)
    elif period == "month":
        first = day.replace(month=1, day=1)
        following = first.replace(year=first.year + 1)
        label = str(first.year)
    else:
        first = period_first(day, "month")
        following = next_first(first, "month")
        label = formatting.local_date(first, "month")
    first_bar = max(first, min(period_first(oldest, period), period_first(home.today, period)))
    return Span(
        period=period,
        first=first_bar if first_bar < following else first,
        last=min(following - timedelta(days=1), home.today),
        end=following - timedelta(days=1),
        label=label,
        earlier=_query(period, first - timedelta(days=1)) if first > oldest else "",
        later=_query(period, following) if following <= home.today else "",
    )


def _between(home: Home, period: str, asked_first: date, asked_last: date) -> Span:
    """Return the whole periods that touch the asked days."""
    first = period_first(asked_first, period)
    following = next_first(period_first(asked_last, period), period)
    end = following - timedelta(days=1)
    length = following - first
    oldest = home.first_day() or home.today
    return Span(
        period=period,
        first=first,
        last=min(end, home.today),
        end=end,
        label=formatting.date_range(first, min(end, home.today)),
        earlier=between_query(period, first - length, first - timedelta(days=1)) if first > oldest else "",
        later=between_query(period, following, following - timedelta(days=1) + length)
        if following <= home.today
        else "",
        is_custom=True,
    )


def between_query(period: str, first: date, last: date) -> str:
    return "?" + urlencode({"period": period, "from": first.isoformat(), "to": last.isoformat()})


def address_of(span: Span) -> str:
    """Return the query string that shows ``span``."""
    return (
        between_query(span.period, span.first, span.end)
        if span.is_custom
        else _query(span.period, span.first)
    )


def _quick_links(home: Home, span: Span) -> list[RangeLink]:
    """Return last week and last month by day, the last heating season by month."""
    links = []
    for quick in quick_ranges(home.today, home.first_day()):
        period = "month" if quick.kind == SEASON else "day"
        shown = span.period == period and (span.first, span.end) == (quick.first, quick.last)
        links.append(
            RangeLink(
                label=quick_label(quick.kind),
                href=_query(period, quick.first)
                if quick.kind == MONTH
                else between_query(period, quick.first, quick.last),
                current=shown,
            )
        )
    return links


def _query(period: str, day: date) -> str:
    return "?" + urlencode({"period": period, "date": day.isoformat()})


def range_bar(home: Home, span: Span) -> RangeBar:
    words = {"day": _("Days"), "week": _("Weeks"), "month": _("Months"), "year": _("Years")}
    return RangeBar(
        links=[
            RangeLink(
                label=words[period],
                href=_query(period, span.last),
                current=span.period == period and not span.is_custom,
            )
            for period in PERIODS
        ],
        label=span.label,
        earlier=span.earlier,
        later=span.later,
        quick=_quick_links(home, span),
    )


def year_before(home: Home, span: Span) -> list[EnergyRow | None]:
    """Return all bars of the same range a year before, None where one is not wholly known; empty where none
    is. There may be more of them than bars now."""
    if span.period == "year":
        return []
    if span.is_custom:
        first, last = (_year_earlier(day) for day in (span.first, span.end))
    elif span.period == "week":
        year = span.first.isocalendar().year - 1
        first = date.fromisocalendar(year, 1, 1)
        last = date.fromisocalendar(year + 1, 1, 1) - timedelta(days=1)
    else:
        first = span.first.replace(year=span.first.year - 1)
        whole = "month" if span.period == "day" else "year"
        last = next_first(first, whole) - timedelta(days=1)
    if last < (home.first_day() or home.today):
        return []
    found = [row if row.is_measured(home.at) else None for row in energy_rows(home, span.period, first, last)]
    return found if any(row is not None for row in found) else []


def _year_earlier(day: date) -> date:
    """Return the same day of the year before; 28 February for the 29th."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def before_label(span: Span) -> str:
    if span.is_custom:
        return _("the same days a year earlier")
    if span.period == "day":
        before = span.first.replace(year=span.first.year - 1)
        return formatting.local_date(before, "month")
    year = span.first.isocalendar().year if span.period == "week" else span.first.year
    return str(year - 1)


def axis_labels(span: Span) -> list[str]:
    """Return the labels of the whole range, of what is still to come too."""
    labels, first = [], period_first(span.first, span.period)
    while first <= span.end:
        labels.append(_axis_label(span, first))
        first = next_first(first, span.period)
    return labels


def axis_label(span: Span, row: EnergyRow, home: Home) -> str:
    """Return the number of the day or week, month in short, year."""
    return _axis_label(span, row.start.astimezone(home.options.zone).date())


def _axis_label(span: Span, first: date) -> str:
    if span.period == "day":
        return str(first.day)
    if span.period == "week":
        return str(first.isocalendar().week)
    return formatting.local_date(first, "month_short" if span.period == "month" else "year")
