"""The first poll after a start: at once, unless the ledger of calls knows of one a moment ago."""

from __future__ import annotations

from datetime import timedelta

from heatmon.management.commands.up import due_at_once
from tests.factories import Home


def test_a_start_asks_the_cloud_at_once(home: Home) -> None:
    assert due_at_once(home.collection, home.at) == {"poll_heat_pump"}


def test_dying_in_mid_poll_again_and_again_costs_no_calls(home: Home) -> None:
    budget = home.collection.connected().budget
    assert budget is not None
    budget.charge("poll", "api.example.test", home.at)  # and the process dies before the answer is stored
    for seconds in (1, 60, 299):
        assert due_at_once(home.fresh_collection(), home.at + timedelta(seconds=seconds)) == set()
    assert due_at_once(home.fresh_collection(), home.at + timedelta(seconds=300)) == {"poll_heat_pump"}
