"""Simulated worlds for these tests, in winter and with a compressor that has run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests

from apps.simulator.world import SimulatedWorld

JANUARY = datetime(2026, 1, 12, tzinfo=UTC)
Get = Callable[[str], requests.Response]


@pytest.fixture
def world() -> SimulatedWorld:
    """Seven hours and seven and a half minutes of a winter's day."""
    made = SimulatedWorld(3, JANUARY)
    made.advance_to(JANUARY + timedelta(hours=7, minutes=7, seconds=30))
    return made


@pytest.fixture
def session(world: SimulatedWorld) -> requests.Session:
    made = requests.Session()
    made.mount("http://", world.adapter())
    return made
