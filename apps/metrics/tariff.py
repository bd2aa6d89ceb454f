"""◇ What electricity costs: a price per kWh and a base fee per local day, each valid from a date on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.devices.home_options import HomeOptions

DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """In force from the local day ``valid_from`` until the next one. Prices in the house's currency."""

    valid_from: date
    price_per_kwh: float
    base_fee_per_day: float = 0.0


def fee_per_day(fee_per_month: float) -> float:
    """Return a base fee per day from one per month."""
    return fee_per_month / DAYS_PER_MONTH


def fee_per_month(fee_per_day: float) -> float:
    """Return a base fee per month from one per day."""
    return fee_per_day * DAYS_PER_MONTH


def tariffs_of(
    price_per_kwh: float | None, base_fee_per_day: float, entries: Iterable[Mapping[str, Any]] = ()
) -> list[Tariff]:
    """Return the house's tariffs in order of time. The plain price holds before the first dated entry.

    An entry is ``{"from": "2027-07-01", "price": 0.36, "base_fee_per_day": 0.40}``; the fee may be left
    out and is then the house's. Raises ValueError for an entry that cannot be read.
    """
    tariffs = []
    if price_per_kwh is not None:
        tariffs.append(
            Tariff(valid_from=date.min, price_per_kwh=price_per_kwh, base_fee_per_day=base_fee_per_day)
        )
    for entry in entries:
        try:
            tariffs.append(
                Tariff(
                    valid_from=date.fromisoformat(str(entry["from"])),
                    price_per_kwh=float(entry["price"]),
                    base_fee_per_day=float(entry.get("base_fee_per_day", base_fee_per_day)),
                )
            )
        except KeyError as error:
            raise ValueError(f"a tariff needs {error}") from error
    return sorted(tariffs, key=lambda tariff: tariff.valid_from)


def known_tariffs(options: HomeOptions) -> list[Tariff]:
    """Return the tariffs that the options of a home tell, in order of time."""
    return tariffs_of(options.electricity_price, options.base_fee_per_day, options.tariffs)


def tariff_on(tariffs: Sequence[Tariff], day: date) -> Tariff | None:
    """Return the tariff in force on a local day; None before the first."""
    found = None
    for tariff in tariffs:
        if tariff.valid_from <= day:
            found = tariff
    return found


def changes_within(tariffs: Sequence[Tariff], first: date, last: date) -> list[date]:
    """Return the days after ``first`` and up to ``last`` on which another tariff begins."""
    return [tariff.valid_from for tariff in tariffs if first < tariff.valid_from <= last]


def cost(stretches: Iterable[tuple[date, int, float]], tariffs: Sequence[Tariff]) -> float | None:
    """Return the cost of stretches (first day, number of days, energy [kWh]), each inside of one tariff:
    energy × price + base fee per day. None if some stretch has no tariff."""
    total = 0.0
    for first, days, energy_kwh in stretches:
        tariff = tariff_on(tariffs, first)
        if tariff is None:
            return None
        total += energy_kwh * tariff.price_per_kwh + days * tariff.base_fee_per_day
    return total
