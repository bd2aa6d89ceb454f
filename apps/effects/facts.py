"""What all verdicts of a home share, kept for a day: its own null, the year's energy, expected use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import orjson

from apps.changelog.timeline import state
from apps.metrics.child import in_child
from apps.metrics.days import local_days
from apps.metrics.home import Home
from apps.metrics.windows import days as calendar_days

from .expected import Deviation, ExpectedDay, Level, WeatherDay, watch_to_now
from .gathering import effect_days, quiet_changes
from .models import AlternatingTest, HomeFacts
from .null import OwnNull, own_nulls
from .plain import plain
from .samples import EffectDay
from .targets import DHW, SPACE, TOTAL
from .verdicts import METHOD_VERSION

YEAR_DAYS = 365
LEAST_YEAR_DAYS = 350
NULL_DAYS = 800
"""How far back quiet dates are looked for: two heating seasons."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """By target: the home's own null, and the energy of the last 365 days [kWh], None with less. What each
    day should have needed, and where that differs lastingly; how far the last 28 days are from that."""

    nulls: Mapping[str, OwnNull | None]
    year_kwh: Mapping[str, float | None]
    expected: tuple[ExpectedDay, ...]
    deviations: tuple[Deviation, ...]
    level: Level | None = None


def facts_of(home: Home) -> Facts:
    """Return what all verdicts share, made anew each day and when changes or past days differ."""
    inputs = facts_inputs(home)
    known = HomeFacts.objects.filter(site_id=home.id).first()
    if known is None or known.inputs != inputs:
        known, _created = HomeFacts.objects.update_or_create(
            site_id=home.id, defaults={"inputs": inputs, "facts": _made_facts(home)}
        )
    return Facts(
        nulls={
            target: None if null is None else OwnNull(**null) for target, null in known.facts["nulls"].items()
        },
        year_kwh=known.facts["year_kwh"],
        expected=tuple(ExpectedDay(**{**day, "day": _day(day["day"])}) for day in known.facts["expected"]),
        deviations=tuple(_deviation(each) for each in known.facts["deviations"]),
        level=Level(**level) if (level := known.facts.get("level")) else None,
    )


def facts_inputs(home: Home) -> str:
    """Return a name of what the facts and all verdicts rest on."""
    tests = AlternatingTest.objects.filter(site_id=home.id).values_list("id", "ended_on", "paused")
    known = [METHOD_VERSION, home.today, home.first_day(), state(home.site), home.options.time_zone]
    return digest([*known, list(tests), _lived(home)])


def _lived(home: Home) -> list[tuple[date, float | None]]:
    """Return the electricity of each valid day that is over: data may come late, and numbers be derived
    again."""
    first, last = home.first_day(), home.today - DAY
    if first is None or first > last:
        return []
    lived = local_days(home, max(first, last - NULL_DAYS * DAY), last, ("electrical_energy_wh", "electric_s"))
    return [(each.day, each.energy_kwh_per_24h) for each in lived if each.is_valid]


def _made_facts(home: Home) -> dict[str, Any]:
    targets = (TOTAL, SPACE, DHW)
    first, last = home.first_day(), home.today - DAY
    if first is None or first > last:
        return {
            "nulls": dict.fromkeys(targets),
            "year_kwh": dict.fromkeys(targets),
            "expected": [],
            "deviations": [],
        }
    days = effect_days(home, max(first, last - NULL_DAYS * DAY), last)
    nulls = in_child(own_nulls, days, quiet_changes(home), targets)
    expected, found, level = in_child(watch_to_now, _weather_days(days))
    return {
        "nulls": {target: None if null is None else asdict(null) for target, null in nulls.items()},
        "year_kwh": {target: _year_kwh(days, target, last) for target in targets},
        "expected": [plain(day) for day in expected],
        "deviations": [plain(deviation) for deviation in found],
        "level": None if level is None else plain(level),
    }


def _weather_days(days: Mapping[date, EffectDay]) -> list[WeatherDay]:
    """Return all days from the first to the last, those without data too."""
    first, last = min(days, default=None), max(days, default=None)
    if first is None or last is None:
        return []
    return [_weather_day(day, days.get(day)) for day in calendar_days(first, last)]


def _weather_day(day: date, known: EffectDay | None) -> WeatherDay:
    if known is None:
        return WeatherDay(day=day, energy_kwh=None, outside_c=None, before_c=None)
    return WeatherDay(
        day=day, energy_kwh=known.energy_kwh, outside_c=known.outside_c, before_c=known.before_c
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _deviation(kept: Mapping[str, Any]) -> Deviation:
    names = ("since", "noticed", "until", "over")
    return Deviation(**{**kept, **{name: _day(kept[name]) if kept[name] else None for name in names}})


def _year_kwh(days: Mapping[date, EffectDay], target: str, last: date) -> float | None:
    """Return the energy of the 365 days up to ``last``; days without count as the mean of the others."""
    year = [days[day] for day in days if last - YEAR_DAYS * DAY < day <= last]
    known = [value for day in year if (value := day.value(target)) is not None]
    return sum(known) / len(known) * YEAR_DAYS if len(known) >= LEAST_YEAR_DAYS else None


def digest(value: Any) -> str:
    """Return a name of ``value`` that differs where it differs."""
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()
