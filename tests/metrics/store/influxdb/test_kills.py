"""heatmon is killed at each of its requests to InfluxDB, one run for each: what is repeated afterwards ends
in the same values, and sums of hours are always those of their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from apps.devices.models import Site
from apps.metrics.extents import DatabaseExtents
from apps.metrics.models import KnownExtent, OutboxEntry, StoredSource, SummedHours
from apps.metrics.store.base import Row
from apps.metrics.store.bulk import BulkWriter
from apps.metrics.store.front import Store
from apps.metrics.store.influxdb.connection import Address, Connection
from apps.metrics.store.influxdb.engine import InfluxEngine

from ..engines import DAY, METER, MIDNIGHT, power_row, power_rows
from .standin import StandIn

pytestmark = pytest.mark.slow

HOUR = 3600
START, END = MIDNIGHT - DAY, MIDNIGHT + 2 * DAY
Step = Callable[[Store], Any]


class Killed(BaseException):
    """The process ends here."""


def both(at: int, power_w: float | None, power_a_w: float | None) -> Row:
    values = {"power_w": power_w, "power_a_w": power_a_w}
    return Row(site=1, measurement="meter", device=METER, at=at, values=values)


def rename(store: Store) -> None:
    """What is done by half here stays so until it is done again, by the next poll."""
    store.rename_device(1, METER, "new")


STEPS: Sequence[Step] = (
    lambda store: store.write([both(MIDNIGHT + 600 * n, n, 1) for n in range(100)]),  # 16 hours
    lambda store: store.write([power_row(MIDNIGHT + 30, 900)]),  # late
    lambda store: store.write([both(MIDNIGHT + 600, None, 5)]),  # erases one of two
    lambda store: store.write([power_row(MIDNIGHT + 15 * HOUR, None)]),  # of an hour not summed yet
    lambda store: store.replace(
        *(1, "meter", METER, MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR),
        [power_row(MIDNIGHT + HOUR + 600, 7), power_row(MIDNIGHT + HOUR + 10, 8)],
    ),
    lambda store: store.delete(1, "meter", MIDNIGHT + 3 * HOUR, MIDNIGHT + 5 * HOUR),
    lambda store: BulkWriter(store).write_columns(
        1, "meter", METER, [MIDNIGHT - 60, MIDNIGHT + 3 * HOUR], {"power_w": [3, None]}
    ),
    rename,
    lambda store: store.write(power_rows(MIDNIGHT + DAY, range(10))),
    lambda store: store.tidy(),
)


class Executioner:
    """Kills at the ``number``-th request of steps, when it is done but nothing is known of that yet."""

    def __init__(self, number: int) -> None:
        self.left = number
        self._is_watching = False

    def watch(self, step: Step, store: Store) -> None:
        self._is_watching = True
        try:
            step(store)
        finally:
            self._is_watching = False

    def around(self, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self.left -= self._is_watching
        done = method(*arguments, **named)
        answer = list(done) if isinstance(done, Iterator) else done
        if self._is_watching and self.left == 0:
            raise Killed
        return answer if answer is None else iter(answer)


def rows(store: Store) -> list[Row]:
    return list(store.rows(1, "meter", START, END, ["power_w", "power_a_w"]))


def sums_are_right(store: Store) -> bool:
    """Compare sums of hours with the values themselves."""
    by_hour = [0.0] * ((END - START) // HOUR)
    for row in rows(store):
        by_hour[(row.at - START) // HOUR] += row.values["power_w"] or 0.0
    return [value or 0.0 for value in store.series(1, "power_w", START, END, HOUR).sum] == by_hour


def opened(address: Address) -> Store:
    engine = InfluxEngine(address)
    return Store(engine, DatabaseExtents(engine))


def run(address: Address, executioner: Executioner) -> tuple[Any, ...]:
    """Take all steps, starting again after the kill; return what is there in the end."""
    for known in (OutboxEntry, StoredSource, SummedHours, KnownExtent):
        known.objects.all().delete()
    store = opened(address)
    for step in STEPS:
        try:
            executioner.watch(step, store)
        except Killed:
            store = opened(address)  # another process
            assert store.wait_until_readable(5.0)
            assert step is rename or sums_are_right(store)
            step(store)
            assert sums_are_right(store)
    assert not OutboxEntry.objects.exists()
    days = store.sums(1, ["power_w", "power_a_w"], range(START, END + 1, DAY))
    return rows(store), days


def test_a_process_that_is_killed_at_any_request_does_no_harm(
    server: StandIn, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Site.objects.get_or_create(pk=1)
    undisturbed = run(server.new_bucket(), Executioner(0))
    executioner = Executioner(0)
    for name in ("write", "delete", "ask"):
        method = getattr(Connection, name)
        monkeypatch.setattr(Connection, name, lambda *a, m=method, **n: executioner.around(m, *a, **n))
    number = 0
    while executioner.left <= 0:
        number += 1
        executioner = Executioner(number)
        assert run(server.new_bucket(), executioner) == undisturbed, f"killed at request {number}"
    assert number > 40
