"""Raw rows for tests of the derived numbers: a meter and a heat pump written by hand into a scratch store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from apps.devices.models import Site
from apps.devices.options import HomeOptions
from apps.metrics.home import Home
from apps.metrics.store.base import Row, TimeSeriesStore

SITE = 1
METER = "AABBCCDDEEFF"
PUMP = "7571381000000000"

Power = Callable[[int], float | None]
"""Epoch second → power [W]; None: the poll was missed."""


def at(text: str) -> int:
    """Epoch second of an ISO time, UTC unless it has an offset."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def polls(start: int, end: int, power: Power) -> list[Row]:
    """10-second rows of phase a."""
    rows = []
    for time in range(start, end, 10):
        value = power(time)
        if value is not None:
            rows.append(
                Row(
                    site=SITE,
                    measurement="meter",
                    device=METER,
                    at=time,
                    values={"power_w": value, "power_a_w": value},
                )
            )
    return rows


def minute(time: int, energy_wh: float, device: str = METER) -> Row:
    return Row(
        site=SITE,
        measurement="meter_minute",
        device=device,
        at=time,
        values={"energy_wh": energy_wh, "energy_a_wh": energy_wh, "provisional": 0.0},
    )


def minutes(start: int, end: int, power: Power) -> list[Row]:
    """Minute rows whose energy is the mean of the power over its six polls."""
    rows = []
    for time in range(start, end, 60):
        values = [power(second) or 0.0 for second in range(time, time + 60, 10)]
        rows.append(minute(time, round(sum(values) / 6 / 60, 4)))
    return rows


def counter(time: int, wh: float, device: str = METER, monophase: bool = False) -> Row:
    return Row(
        site=SITE,
        measurement="meter_counter",
        device=device,
        at=time,
        values={"energy_counter_a_wh": wh, "monophase": float(monophase)},
    )


def snapshot(time: int, **values: float | None) -> Row:
    """The heat pump's answer of the interval at ``time``, asked in its middle; running at 100 % of 12 kW
    unless told otherwise."""
    given: dict[str, float | None] = {
        "compressor_active": 1.0,
        "compressor_phase": 2.0,
        "modulation_percent": 100.0,
        "rated_power_kw": 12.0,
        "dhw_charging": 0.0,
        "outside_temperature_c": 5.0,
        "requested_at": float(time + 150),
    }
    return Row(site=SITE, measurement="heat_pump", device=PUMP, at=time, values={**given, **values})


def constant(power_w: float) -> Power:
    return lambda _: power_w


def steady_hours(start: int, end: int, power_w: float, **pump: float | None) -> Iterable[Row]:
    """Everything complete at one power."""
    yield from polls(start, end, constant(power_w))
    yield from minutes(start, end, constant(power_w))
    for time in range(start, end, 300):
        yield snapshot(time, **pump)


def home_of(store: TimeSeriesStore, options: HomeOptions | None = None, now: datetime | None = None) -> Home:
    """The scratch home; by default with default options in 2027."""
    return Home(
        site=Site(pk=SITE),
        options=options or HomeOptions(),
        store=store,
        at=now or datetime(2027, 6, 1, tzinfo=UTC),
    )
