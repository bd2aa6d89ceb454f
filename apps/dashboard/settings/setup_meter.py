"""What the meter's step shows: meters that announce themselves, and what each channel measures now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.forms import BoundField

from apps.dashboard import formatting
from apps.devices.clamps import BACKWARDS_W, power_of_channels, turned_channels
from apps.devices.connection import ConnectionReport
from apps.devices.errors import DeviceError
from apps.devices.home_options import CHANNELS
from apps.devices.readings import PhaseReading
from apps.devices.shelly.discovery import AnnouncedMeter, announced_meters
from apps.devices.typed_address import checked_typed_address
from apps.devices.wording import Words, words_of

from .device_cards import MeterCard

HALF_BAR = 100
LEAST_SCALE_W = 100.0
USES, EXPORTS, IDLE, NOT_CONNECTED = "uses", "exports", "idle", "not_connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMeters:
    """What a search brought; ``fault``: why there was none."""

    meters: Sequence[AnnouncedMeter] = ()
    fault: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """One channel with its role; the rest is empty before a test. ``bar`` is the length [0 to HALF_BAR] from
    the middle, to the left where it ``exports``."""

    name: str
    role: BoundField
    state: str = ""
    power: str = ""
    detail: str = ""
    bar: float = 0.0
    turned: bool = False

    @property
    def bar_left(self) -> float:
        return HALF_BAR - self.bar if self.state == EXPORTS else HALF_BAR


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredNow:
    """The channels of the meter. ``total``: of the heat pump's; ``total_turned``: with wrong signs put right,
    where there are some. ``direction_known``: the heat pump runs, so that a turned clamp shows."""

    at: datetime | None = None
    channels: Sequence[ChannelRow]
    total: str = ""
    total_turned: str = ""
    direction_known: bool = True


def found_meters() -> FoundMeters:
    """Search the network for meters whose address could be typed."""
    try:
        return FoundMeters(meters=announced_meters(checked_typed_address))
    except DeviceError as error:
        return FoundMeters(fault=words_of(error))


def measured_now(card: MeterCard, report: ConnectionReport | None) -> MeasuredNow:
    """Return the channels as the card has their roles and the test has measured them."""
    roles = {channel: card[f"role_{channel}"] for channel in CHANNELS}
    reading = None if report is None else report.reading
    if reading is None:
        return MeasuredNow(channels=[_row(channel, field) for channel, field in roles.items()])
    ours = card.heat_pump_channels()
    turned = turned_channels(reading.phases, ours, card.options.compressor_on_w)
    scale_w = max(LEAST_SCALE_W, *(abs(phase.power_w or 0.0) for phase in reading.phases))
    return MeasuredNow(
        at=reading.measured_at,
        channels=[
            _row(channel, field, phase, scale_w, turned=channel in (turned or ()))
            for (channel, field), phase in zip(roles.items(), reading.phases, strict=True)
        ],
        total=_watts(power_of_channels(reading.phases, ours)),
        total_turned=_watts(power_of_channels(reading.phases, ours, without_sign=turned)) if turned else "",
        direction_known=turned is not None,
    )


def _row(
    channel: str,
    role: BoundField,
    phase: PhaseReading | None = None,
    scale_w: float = LEAST_SCALE_W,
    *,
    turned: bool = False,
) -> ChannelRow:
    values: dict[str, Any] = {}
    if phase is not None:
        shown = ((phase.voltage_v, 1, "V"), (phase.current_a, 2, "A"))
        values = {
            "state": _state(phase),
            "power": _watts(phase.power_w),
            "detail": " · ".join(
                f"{formatting.number(value, decimals)}{formatting.NARROW}{unit}"
                for value, decimals, unit in shown
                if value is not None
            ),
            "bar": round(HALF_BAR * abs(phase.power_w or 0.0) / scale_w, 1),
        }
    return ChannelRow(name=channel.upper(), role=role, turned=turned, **values)


def _state(phase: PhaseReading) -> str:
    if not phase.is_connected:
        return NOT_CONNECTED
    if phase.power_w is None:
        return ""
    return EXPORTS if phase.power_w < BACKWARDS_W else USES if phase.power_w > -BACKWARDS_W else IDLE


def _watts(power_w: float | None) -> str:
    return "–" if power_w is None else formatting.with_unit(power_w, "power_w")
