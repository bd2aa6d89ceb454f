"""Two heat pumps in one store: the chosen one counts, whether it is named with its number or without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.devices.models import Site
from apps.metrics.derive import derive_intervals
from apps.metrics.parameters import SiteParameters
from apps.metrics.store.sqlite import SqliteStore

from .data import SITE, at, constant, minutes, polls, snapshot

START = at("2027-01-15T12:00")
HOUR = 3600
GATEWAY, OTHER = "7571381573112225", "7571381573119999"


@pytest.mark.parametrize(
    ("chosen", "stored", "beside"),
    [
        (f"{GATEWAY}/0", f"{GATEWAY}/0", f"{GATEWAY}/1"),
        (f"{GATEWAY}/0", GATEWAY, OTHER),
        (f"{GATEWAY}/0", GATEWAY, f"{GATEWAY}/1"),
        (GATEWAY, GATEWAY, OTHER),
        (GATEWAY, f"{GATEWAY}/0", OTHER),
        (f"{GATEWAY}/1", f"{GATEWAY}/1", GATEWAY),
        (f"{GATEWAY}/1", f"{GATEWAY}/1", f"{GATEWAY}/10"),
    ],
)
def test_an_hour_s_heat_is_that_of_the_chosen_heat_pump(
    store: SqliteStore, site: Site, chosen: str, stored: str, beside: str
) -> None:
    steady = constant(3000.0)
    store.write([*polls(START, START + HOUR, steady), *minutes(START, START + HOUR, steady)])
    for time in range(START, START + HOUR, 300):
        store.write(
            [
                replace(snapshot(time), device=stored),
                replace(snapshot(time, modulation_percent=50.0, requested_at=time + 200.0), device=beside),
            ]
        )
    derive_intervals(store, SITE, SiteParameters(heat_pump_device=chosen), START, START + HOUR)
    heat = store.sums(SITE, ["thermal_energy_modulation_wh"], [START, START + HOUR])
    assert heat["thermal_energy_modulation_wh"][0].sum == 12_000.0
