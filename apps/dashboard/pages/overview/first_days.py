"""The first weeks of a home: since when what is known, and which numbers come when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.metrics.begin import HEAT, measured_from
from apps.metrics.estimate import MIN_HEATING_DAYS
from apps.metrics.home import Home
from apps.metrics.kept import kept
from apps.metrics.year import heating_days_known

TOLD_DAYS = 60
"""How long a home is new: by then everything but the JAZ is there."""

SHORTEST_SHOWN = timedelta(minutes=30)
FORTNIGHT, YEAR = timedelta(days=14), timedelta(days=365)
HEATING_MONTHS = frozenset({10, 11, 12, 1, 2, 3, 4})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What will be there, and when, in words."""

    when: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """``known``: since when electricity and heat are known."""

    known: str
    steps: Sequence[Step]


def first_shown(home: Home, end: datetime) -> datetime | None:
    """Return where a chart up to ``end`` begins at the earliest: with the first measured interval, half an
    hour at least; None for a home that was never measured."""
    begin = measured_from(home)
    return None if begin is None else min(datetime.fromtimestamp(begin, UTC), end - SHORTEST_SHOWN)


@kept
def coming(home: Home, language: str | None) -> Coming | None:
    """Return what a new home still waits for, in ``language``, which is in force; None once all but the JAZ
    is there."""
    begin = measured_from(home, HEAT) or measured_from(home)
    if begin is None or home.at_s - begin > TOLD_DAYS * 86_400:
        return None
    return Coming(known=_known(home), steps=list(_steps(home, datetime.fromtimestamp(begin, UTC))))


def _known(home: Home) -> str:
    begins = [measured_from(home), measured_from(home, HEAT)]
    electricity, heat = (
        None if at is None else formatting.moment(home, datetime.fromtimestamp(at, UTC)) for at in begins
    )
    words = []
    if electricity is not None:
        words.append(_("Electricity known since %(time)s") % {"time": electricity})
    words.append(_("heat since %(time)s") % {"time": heat} if heat is not None else _("heat not yet known"))
    return " · ".join(words)


def _steps(home: Home, begin: datetime) -> Iterator[Step]:
    """Yield what is not there yet, the next first."""
    hour = begin + timedelta(hours=1)
    if home.at < hour:
        yield Step(
            when=formatting.at_home(home, hour), title=_("First full hour"),
            text=_("lines of temperature and heat"),
        )  # fmt: skip
    first = begin.astimezone(home.options.zone).date()
    if home.midnight(first) < begin.timestamp():
        first += timedelta(days=1)
    yield from _first_days(home, first)
    yield from _forecast(home, first)
    yield Step(
        when=_("a change, and 14 days"), title=_("First verdict"),
        text=_("whether it helped. It needs 14 days before the change too; a good day to change is %(day)s")
        % {"day": formatting.local_date(max(first + FORTNIGHT, home.today))},
    )  # fmt: skip
    is_heat_known = measured_from(home, HEAT) is not None
    yield Step(
        when=formatting.local_date(first + YEAR) if is_heat_known else _("a year after the first heat"),
        title=_("Seasonal COP (JAZ)"),
        text=_("of a whole year. Until then it is called COP, with its days"),
    )  # fmt: skip


def _first_days(home: Home, first: date) -> Iterator[Step]:
    day, week = first + timedelta(days=1), first + timedelta(days=7)
    if home.today < day:
        yield Step(
            when=_day(home, day), title=_("First full day"),
            text=_("electricity by use, starts, COP of a day"),
        )  # fmt: skip
    if home.today < week:
        yield Step(
            when=_day(home, week), title=_("First full week"),
            text=_("compared with days as cold"),
        )  # fmt: skip


def _forecast(home: Home, first: date) -> Iterator[Step]:
    known = heating_days_known(home)
    if known is None or known >= MIN_HEATING_DAYS:
        return
    missing = MIN_HEATING_DAYS - known
    soon = max(home.today, first) + timedelta(days=missing)
    when = (
        _("about %(day)s") % {"day": formatting.local_date(soon)}
        if soon.month in HEATING_MONTHS
        else _("in the heating season")
    )
    count = {"known": formatting.number(known), "needed": formatting.number(MIN_HEATING_DAYS)}
    yield Step(
        when=when, title=_("Forecast for the year"),
        text=_("after %(needed)s heating days; %(known)s so far") % count,
    )  # fmt: skip


def _day(home: Home, day: date) -> str:
    return _("Tomorrow") if day == home.today + timedelta(days=1) else formatting.local_date(day)
