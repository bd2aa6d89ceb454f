"""◇ Is it normal? What each day should have needed at its weather, from the home's own days before it, and
whether the differences add up in one direction.

Energies in kWh per 24 h, temperatures in °C, shares as fractions. Needs numpy, imported only where it is
used; best run in a child process. Source: metrics §5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import median

from .household import SUM_DAYS, Household, household

LEARN_DAYS = 365
USUAL_DAYS = 180
"""Days from which on a home is known warm and cold."""
REFIT_DAYS = 7
WEIGHT_TODAY = 0.7
SEEN_K = 3.0

LEAST_SUM_DAYS = 20
LEAST_SHARE = 0.08
UNKNOWN_SHARE = 0.20
NULLS = 3.0
SCATTERS = 1.5
"""Times of the scatter of the 28 days: where days differ much, so do weeks."""
FARTHEST = 5.0
"""Times of the scatter up to which a day differs from the middle of the 28: a single day is no deviation."""
LEAST_SCATTER = 0.02
LEAST_KWH = 1.0
SEASON_SUMS = 90
"""Days with a 28-day sum that show a home's own null."""
SIMILAR_SUMS = 120
NULL_SD_FLOOR = 0.02
ONE_SIGMA = 0.683
SD_OF_MEDIAN_DEVIATION = 1.4826
"""Standard deviation over median absolute deviation, of normal values."""
INTERVAL_Z = 1.96

NOT_MEASURED = "not_measured"
FEW_DAYS = "few_days"
OTHER_WEATHER = "other_weather"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherDay:
    """One local day; ``energy_kwh`` None unless it is valid."""

    day: date
    energy_kwh: float | None
    outside_c: float | None
    before_c: float | None

    @property
    def effective_c(self) -> float | None:
        """0.7·T_d + 0.3·T_{d−1}; T_d alone without the day before."""
        if self.outside_c is None:
            return None
        before = self.outside_c if self.before_c is None else self.before_c
        return WEIGHT_TODAY * self.outside_c + (1 - WEIGHT_TODAY) * before


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedDay:
    """What a day should have needed, with its 80 % band; None with a ``reason``. ``usual_kwh``: while a
    deviation lasts, the same from the days before it."""

    day: date
    energy_kwh: float | None
    expected_kwh: float | None = None
    low_kwh: float | None = None
    high_kwh: float | None = None
    reason: str | None = None
    usual_kwh: float | None = None

    @property
    def share(self) -> float | None:
        """Measured over expected − 1."""
        if self.energy_kwh is None or not self.expected_kwh:
            return None
        return self.energy_kwh / self.expected_kwh - 1.0

    @property
    def judged(self) -> tuple[float, float] | None:
        """Measured and usual electricity, as deviations are told by; None where one is not known."""
        expected_kwh = self.expected_kwh if self.usual_kwh is None else self.usual_kwh
        if self.energy_kwh is None or expected_kwh is None:
            return None
        return self.energy_kwh, expected_kwh


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A lasting difference from what is expected. ``since``: dated to about a week; ``noticed``: the day on
    which it was clear; ``until``: the last day of it, None while it lasts; ``over``: the day on which its end
    was clear, None too if it lasted until it was what is expected, or until nothing was known. Percentages
    with 95 % interval."""

    since: date
    noticed: date
    until: date | None
    over: date | None
    percent: float
    low_percent: float
    high_percent: float
    kwh_per_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The last 28 days where nothing lasting is seen: by how much they differ, and from what difference on
    these days would be reported [% of what is expected]."""

    percent: float
    limit_percent: float


@dataclass(frozen=True, slots=True)
class _Sum:
    """28 days against what was expected of them: as a share and in kWh a day; what was expected a day.
    ``scatter_kwh``: of the days around their own middle, not the level, which may be what deviates;
    ``least_kwh``, ``most_kwh``: a day that differs by less or more counts as this."""

    share: float
    kwh: float
    expected_kwh: float
    scatter_kwh: float
    least_kwh: float
    most_kwh: float


def watch(days: Sequence[WeatherDay]) -> tuple[list[ExpectedDay], list[Deviation]]:
    """Return the expected use of every day, and the lasting deviations. What is over teaches nothing from
    then on: it was not how this home is."""
    seen, found, _level = watch_to_now(days)
    return seen, found


def watch_to_now(days: Sequence[WeatherDay]) -> tuple[list[ExpectedDay], list[Deviation], Level | None]:
    """Return what ``watch`` does, and how the last 28 days are; None where they tell nothing, or differ."""
    seen = Watch()
    for day in expected_days(days, seen.found):
        seen.see(day)
    return seen.days, seen.found, seen.level


def expected_days(days: Sequence[WeatherDay], found: Sequence[Deviation] = ()) -> Iterator[ExpectedDay]:
    """Yield the expected use of every day of ``days`` (in order), each from the valid days before it; days of
    deviations ``found`` until then do not count once these are over, nor while they last for what is
    usual."""
    known: list[WeatherDay] = []
    home: Household | None = None
    usual: Household | None = None
    fitted: date | None = None
    for day in days:
        if fitted is None or (day.day - fitted).days >= REFIT_DAYS:
            taught = _taught(known, found)
            home, fitted = household(taught[-LEARN_DAYS:]), day.day
            lasting = next((one.since for one in found if one.until is None), date.max)
            before = [each for each in taught if each.day < lasting]
            is_known = USUAL_DAYS <= len(before) < len(taught)
            usual = household(before[-LEARN_DAYS:]) if is_known else None
        expected = _expected(day, home)
        if usual is not None and expected.expected_kwh is not None and day.effective_c is not None:
            expected = replace(expected, usual_kwh=usual.kwh(day.effective_c))
        yield expected
        if day.energy_kwh is not None and day.effective_c is not None:
            known.append(day)


def _taught(known: Sequence[WeatherDay], found: Sequence[Deviation]) -> list[WeatherDay]:
    """Return the days but those of a deviation that is over."""
    over = [(one.since, one.until) for one in found if one.until is not None and one.over is not None]
    return [day for day in known if not any(since <= day.day <= until for since, until in over)]


def _expected(day: WeatherDay, home: Household | None) -> ExpectedDay:
    effective = day.effective_c
    if effective is None:
        return ExpectedDay(day=day.day, energy_kwh=day.energy_kwh, reason=NOT_MEASURED)
    if home is None:
        return ExpectedDay(day=day.day, energy_kwh=day.energy_kwh, reason=FEW_DAYS)
    if not home.coldest_c - SEEN_K <= effective <= home.warmest_c + SEEN_K:
        return ExpectedDay(day=day.day, energy_kwh=day.energy_kwh, reason=OTHER_WEATHER)
    expected = home.kwh(effective)
    low, high = home.band(expected)
    return ExpectedDay(
        day=day.day,
        energy_kwh=day.energy_kwh,
        expected_kwh=expected,
        low_kwh=max(0.0, expected * (1 + low)),
        high_kwh=expected * (1 + high),
        reason=NOT_MEASURED if day.energy_kwh is None else None,
    )


class Watch:
    """Days seen one after the other and the lasting deviations ``found`` in them, oldest first: the last 28
    days differ by more than the threshold; the begin is where the cumulative sum of the differences left zero
    for the last time."""

    def __init__(self) -> None:
        self.days: list[ExpectedDay] = []
        self.found: list[Deviation] = []
        self.level: Level | None = None
        self._quiet: list[_Sum] = []
        self._open_since: int | None = None
        self._begin, self._threshold, self._is_more = 0, UNKNOWN_SHARE, True
        self._look_from = 0

    def see(self, day: ExpectedDay) -> None:
        """Look at the day that follows."""
        self.days.append(day)
        self.level = None
        number = len(self.days) - 1
        each = _sum(self.days, number)
        if each is None:
            self._lose()
            return
        null = _null_share(self._quiet, each.expected_kwh)
        if self._open_since is not None:
            self._follow(number, each, null, self._open_since)
        elif number >= self._look_from:
            self._look(number, each, null)

    def _look(self, number: int, each: _Sum, null: float | None) -> None:
        """Begin a deviation where the sum shows one."""
        self._threshold = UNKNOWN_SHARE if null is None else max(LEAST_SHARE, NULLS * null)
        shows = max(self._threshold, SCATTERS * each.scatter_kwh / each.expected_kwh)
        if abs(each.share) <= shows or abs(each.kwh) <= LEAST_KWH:
            self._quiet.append(each)
            limit = max(shows, LEAST_KWH / each.expected_kwh)
            self.level = Level(percent=100.0 * each.share, limit_percent=100.0 * limit)
            return
        earliest = _after(self.days, self.found)
        begin = _begin(self.days, earliest, number, each, self._threshold / 2)
        if begin is None:  # what the sum shows is the end of the last deviation
            return
        self._begin, self._open_since, self._is_more = begin, number, each.share > 0.0
        self.found.append(_deviation(self.days, self._begin, number, number, None, null))

    def _follow(self, number: int, each: _Sum, null: float | None, noticed: int) -> None:
        """Take the deviation up to this day, or end it."""
        day = self.days[number].day
        is_over = (each.share if self._is_more else -each.share) < self._threshold / 2
        if not is_over and (day - self.days[self._begin].day).days < LEARN_DAYS:
            self.found[-1] = _deviation(self.days, self._begin, noticed, number, None, null)
            return
        last = _ended(self.days, self._begin, number)
        until, over = self.days[last].day, day if is_over else None
        self.found[-1] = _deviation(self.days, self._begin, noticed, last, until, null, over)
        self._open_since = None
        if not is_over:  # four weeks on, no day is left that was judged by what was expected before
            self._look_from = number + REFIT_DAYS + SUM_DAYS

    def _lose(self) -> None:
        """End a deviation of which four weeks tell nothing: it is not known to last."""
        if self._open_since is None or any(day.share is not None for day in self.days[-SUM_DAYS:]):
            return
        last = next(day.day for day in reversed(self.days) if day.share is not None)
        self.found[-1] = replace(self.found[-1], until=last)
        self._open_since = None


def _null_share(seen: Sequence[_Sum], expected_kwh: float) -> float | None:
    """Return how much those of a home's quiet 28-day sums scatter that were expected to be most similar (a
    share of little is large in summer): two of three lie within ±. None until a season has shown them."""
    if len(seen) < SEASON_SUMS:
        return None
    similar = sorted(seen, key=lambda each: abs(each.expected_kwh - expected_kwh))[:SIMILAR_SUMS]
    sizes = sorted(abs(each.share) for each in similar)
    return max(NULL_SD_FLOOR, sizes[round(ONE_SIGMA * (len(sizes) - 1))])


def _sum(days: Sequence[ExpectedDay], last: int) -> _Sum | None:
    """Return by how much the 28 days up to ``last`` differ."""
    known = [
        judged
        for day in days[max(0, last - SUM_DAYS + 1) : last + 1]
        if (judged := day.judged) is not None and (days[last].day - day.day).days < SUM_DAYS
    ]
    if len(known) < LEAST_SUM_DAYS:
        return None
    expected = math.fsum(one_expected for _energy, one_expected in known) / len(known)
    differences = [energy - one_expected for energy, one_expected in known]
    middle = median(differences)
    scatter = SD_OF_MEDIAN_DEVIATION * median(abs(each - middle) for each in differences)
    far = FARTHEST * max(scatter, LEAST_SCATTER * expected)
    least, most = middle - far, middle + far
    kwh = math.fsum(min(max(each, least), most) for each in differences) / len(known)
    return _Sum(kwh / expected, kwh, expected, scatter, least, most)


def _after(days: Sequence[ExpectedDay], found: Sequence[Deviation]) -> int:
    """Return the number of the first day after the last deviation."""
    until = found[-1].until if found else None
    if until is None:
        return 0
    return next((number for number, day in enumerate(days) if day.day > until), 0)


def _begin(days: Sequence[ExpectedDay], first: int, last: int, shown: _Sum, slack: float) -> int | None:
    """Return the number of the day on which the one-sided cumulative sum of what exceeds ``slack`` left zero
    for the last time; None if it never did. ``shown``: the sum that shows the deviation."""
    total = 0.0
    begin = None
    sign = math.copysign(1.0, shown.share)
    farthest = shown.most_kwh if sign > 0.0 else -shown.least_kwh
    for number in range(first, last + 1):
        day = days[number]
        if day.judged is None:
            continue
        energy, expected = day.judged
        step = min(sign * (energy - expected), farthest) - slack * expected
        if total <= 0.0 < total + step:
            begin = number
        total = max(0.0, total + step)
    return begin


def _ended(days: Sequence[ExpectedDay], begin: int, last: int) -> int:
    """Return the number of the last day of a deviation that is over by ``last``: where the sum of what
    exceeds half of it was largest."""
    shares = [
        (number, judged[0] / judged[1] - 1.0)
        for number in range(begin, last + 1)
        if (judged := days[number].judged) is not None
    ]
    mean = sum(share for _number, share in shares[:SUM_DAYS]) / max(1, len(shares[:SUM_DAYS]))
    total, best, end = 0.0, 0.0, begin
    for number, share in shares:
        total += math.copysign(1.0, mean) * (share - mean / 2)
        if total > best:
            best, end = total, number
    return end


def _deviation(
    days: Sequence[ExpectedDay],
    begin: int,
    noticed: int,
    last: int,
    until: date | None,
    null: float | None,
    over: date | None = None,
) -> Deviation:
    known = [judged for day in days[begin : last + 1] if (judged := day.judged) is not None]
    energy, expected = (math.fsum(part) for part in zip(*known, strict=True))
    share = energy / expected - 1.0
    half = INTERVAL_Z * (null or UNKNOWN_SHARE / NULLS)
    return Deviation(
        since=days[begin].day,
        noticed=days[noticed].day,
        until=until,
        over=over,
        percent=100.0 * share,
        low_percent=max(-100.0, 100.0 * (share - half)),
        high_percent=100.0 * (share + half),
        kwh_per_day=(energy - expected) / len(known),
    )
