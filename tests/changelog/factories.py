"""Polls and settings for the changelog's tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck
from hypothesis import settings as limits

from apps.changelog.observe import observe
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import Site

START = datetime(2025, 1, 10, 12, 0, tzinfo=UTC)
GATEWAY = "7571381573112225"

unhurried = limits(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties: a busy machine may take its time."""


def minutes(count: float) -> datetime:
    """``count`` minutes after the first poll."""
    return START + timedelta(minutes=count)


def block(start: str, end: str, mode: str = "normal") -> dict[str, str]:
    return {"start": start, "end": end, "mode": mode}


def week(*entries: dict[str, str], **days: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """The same entries each day, but for the days given."""
    return {day: list(entries) for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")} | days


def settings(**changed: Any) -> dict[str, Any]:
    """A small configuration; ``dhw__hysteresis_k=7`` sets ``dhw.hysteresis_k``, None leaves it out."""
    values: dict[str, Any] = {
        "circuits.1.target_temperature.comfort_c": 22.0,
        "circuits.1.curve.slope": 0.6,
        "circuits.1.schedule": week(block("06:00", "22:00")),
        "circuits.1.schedule_active": True,
        "dhw.target_temperature_c": 50.0,
        "dhw.schedule": week(block("06:00", "22:00", "top")),
    }
    values |= {key.replace("__", "."): value for key, value in changed.items()}
    return {key: value for key, value in values.items() if value is not None}


def configuration(
    at: datetime,
    values: Mapping[str, Any],
    *,
    device: str = GATEWAY,
    changed_at: Mapping[str, datetime] | None = None,
) -> HeatPumpConfiguration:
    return HeatPumpConfiguration(observed_at=at, device=device, settings=values, changed_at=changed_at or {})


def poll_all(site: Site, *polls: Mapping[str, Any], device: str = GATEWAY, first: int = 0) -> None:
    """One poll each 5 minutes."""
    for number, values in enumerate(polls, start=first):
        observe(site, configuration(minutes(5 * number), values, device=device))
