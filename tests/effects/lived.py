"""A home with days in its store and changes in its history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from math import exp
from typing import Any
from zoneinfo import ZoneInfo

from apps.changelog.models import Entry, SettingChange
from apps.devices.models import Site
from apps.effects.samples import EffectDay
from apps.metrics.models import DerivedState
from apps.metrics.store.base import Row, TimeSeriesStore
from apps.metrics.windows import local_day_bounds

ZONE = ZoneInfo("Europe/Berlin")
HOUR = 3600


def write_days(store: TimeSeriesStore, site: Site, days: Iterable[EffectDay]) -> None:
    """Write days as hours of equal energy, with heat at a flow of 35 °C, and mark them derived."""
    rows = []
    for day in days:
        start, end = local_day_bounds(day.day, ZONE)
        energy, space, dhw = (
            1000 / 24 * (value or 0.0) for value in (day.energy_kwh, day.space_kwh, day.dhw_kwh)
        )
        heat = energy * exp(day.efficiency or 0.0)
        values = {
            "electrical_energy_wh": energy,
            "electrical_energy_heating_wh": space,
            "electrical_energy_dhw_wh": dhw,
            "electrical_energy_standby_wh": energy - space - dhw,
            "electrical_energy_unclassified_wh": 0.0,
            "electric_s": 3600.0,
            "full_electrical_energy_wh": energy,
            "full_thermal_energy_wh": heat,
            "full_thermal_energy_dhw_wh": heat * (day.dhw_share or 0.0),
            "flow_weighted_wh_c": heat * 35.0,
            "flow_weight_wh": heat,
        }
        rows += [row(site, "interval", at, values) for at in range(start, end, HOUR)]
        outside = {"outside_temperature_c": day.outside_c}
        rows += [row(site, "heat_pump", at, outside) for at in range(start, end, 300)]
    store.write(rows)
    state, _created = DerivedState.objects.get_or_create(site=site)
    state.version += 1
    state.save()


def row(site: Site, measurement: str, at: int, values: dict[str, Any]) -> Row:
    return Row(site=site.pk, measurement=measurement, device="heatmon", at=at, values=values)


def change(site: Site, day: date, **settings: tuple[Any, Any]) -> Entry:
    """A change of settings on a local day; ``dhw__hysteresis_k=(5, 7)``."""
    entry = Entry.objects.create(site=site, kind=Entry.Kind.SETTING, at=local(day, 18))
    for key, (before, after) in settings.items():
        SettingChange.objects.create(entry=entry, key=key.replace("__", "."), before=before, after=after)
    return entry


def note(site: Site, day: date, text: str = "Attic insulated") -> Entry:
    return Entry.objects.create(site=site, kind=Entry.Kind.NOTE, at=local(day, 12), text=text)


def local(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=ZONE).astimezone(UTC)
