"""The InfluxDB v2 engine of the time-series store: points in their units, sums of hours, a durable outbox.

A write is in InfluxDB when it returns, or in the outbox if InfluxDB does not take it now (``sending``); what
is read is always InfluxDB's. Points: see ``lines``; questions: ``flux`` and ``questions``; sums of hours:
``hours``; what the database keeps for it: ``known``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from ..base import StoreRefused, Waiting
from ..cutting import DAY_S, Stretch, floor_to
from ..engine import LAST_TIME, Batch, Difference, Fields, Point, SourceKey, Total, Totals
from ..schema import MEASUREMENTS
from . import flux, outbox
from .connection import READ_MS, WRITE_MS, Address, Connection, Gate
from .hours import LAG_S
from .known import SUMMED_HELD_S, Held, KnownSources, summed_until
from .lines import LARGEST_LINES, line_of, lines_of, lines_of_columns, portions
from .questions import (
    HOUR_S,
    Windows,
    add_totals,
    read_edges,
    read_latest,
    read_points,
    read_sources,
    read_windows,
    windows_of,
)
from .renaming import moved
from .sending import Sender
from .work import (
    Deletion,
    Erasure,
    Touched,
    Work,
    erasures_at,
    erasures_of,
    given_places,
    touched_at,
    touched_by,
)

_HOMES = "heatmon_home"
_LOOKED_OVER_S = 48 * HOUR_S


class InfluxEngine:
    """``Engine`` in one bucket."""

    title = "InfluxDB"

    def __init__(self, address: Address) -> None:
        self._gate = Gate()
        self._connection = Connection(address, self._gate, READ_MS)
        self._writer = Connection(address, self._gate, WRITE_MS)
        self._sources = KnownSources(
            lambda site: read_sources(self._connection, site, [each.name for each in MEASUREMENTS])
        )
        self._sender = Sender(self._writer, self._sources)
        self._summed: Held[tuple[int, str], int] = Held(lambda place: summed_until(*place), SUMMED_HELD_S)

    @property
    def refusal(self) -> StoreRefused | None:
        return self._gate.refusal

    def check_first(self, check: Callable[[], None]) -> bool:
        self._gate.check_first(check)
        return True

    def waiting(self) -> Waiting:
        return outbox.state()

    def close(self) -> None:
        self._connection.close()
        self._writer.close()

    # Writing

    def write(self, batches: Sequence[Batch]) -> None:
        self._connection.check_open()
        for batch in batches:
            self._sources.note(batch.source)
        self._sender.send(
            Work(
                erasures=erasures_of(batches),
                lines=[line for batch in batches for line in lines_of(batch)],
                touched=[touched for batch in batches for touched in touched_by(batch)],
            )
        )

    def replace(
        self, site: int, measurement: str, device: str, start: int, end: int, batches: Sequence[Batch]
    ) -> None:
        self._connection.check_open()
        for batch in batches:
            self._sources.note(batch.source)
        rest = Erasure(measurement, site, device, start, end, given_places(batches), True)
        self._sender.send(
            Work(
                erasures=[rest],
                lines=[line for batch in batches for line in lines_of(batch)],
                touched=[touched for batch in batches for touched in touched_by(batch)],
            )
        )

    def write_day(
        self,
        source: SourceKey,
        at: Sequence[int],
        columns: Mapping[str, Sequence[float | None]],
        horizon: int,
    ) -> None:
        self._connection.check_open()
        self._sources.note(source)
        missing = [
            (source.circuit, time, name)
            for name, column in columns.items()
            for time, value in zip(at, column, strict=True)
            if value is None or value != value
        ]
        touched = touched_at(source.measurement, source.site, at)
        # what follows at once need not be waited for with the sums of this day
        end = min(horizon, floor_to(at[0], DAY_S) + DAY_S + LAG_S)
        touched.append(Touched(source.measurement, source.site, end, end, False))
        self._sender.send(
            Work(
                erasures=erasures_at(source.measurement, source.site, source.device, missing),
                lines=list(lines_of_columns(source, at, columns)),
                touched=touched,
            )
        )

    def delete(self, site: int, measurement: str, start: int, end: int, device: str | None) -> None:
        self._connection.check_open()
        self._sender.send(
            Work(
                deletions=[Deletion(measurement, site, device, start, end)],
                touched=[Touched(measurement, site, max(start, 0), min(end, LAST_TIME), True)],
            )
        )

    def rename_device(self, site: int, device: str, new: str) -> None:
        """Copy points, then delete the old ones: everything can be done again after an interruption."""
        with self._sender.alone():
            for measurement in MEASUREMENTS:
                for source in self._sources.of(site, measurement.name, device):
                    edges = self.edges(site, measurement.name, device, 0, LAST_TIME)
                    if edges is None:
                        continue
                    start, end = edges[0], edges[1] + 1
                    lines = moved(self._connection, source, source._replace(device=new), start, end)
                    for portion in portions(lines, LARGEST_LINES):
                        self._sender.carry_out(Work(lines=portion))
                    self._sources.note(source._replace(device=new))
            for measurement in MEASUREMENTS:
                edges = self.edges(site, measurement.name, device, 0, LAST_TIME)
                if edges is None:
                    continue
                start, end = edges[0], edges[1] + 1
                self._sender.carry_out(
                    Work(
                        deletions=[Deletion(measurement.name, site, device, start, end)],
                        touched=[Touched(measurement.name, site, start, end, True)],
                    )
                )

    def wait_until_readable(self, timeout_s: float) -> bool:
        return self._sender.send_waiting(timeout_s)

    # Reading

    def sources(self, site: int, measurement: str) -> list[SourceKey]:
        self._connection.check_open()
        return self._sources.of(site, measurement)

    def points(self, source: SourceKey, fields: Sequence[str], start: int, end: int) -> Iterator[Point]:
        return read_points(self._connection, source, fields, start, end)

    def steps(self, fields: Fields, start: int, end: int, step_s: int) -> list[Total | None]:
        until = self._summed.get((fields.site, fields.measurement)) if step_s % HOUR_S == 0 else 0
        middle = max(start, min(end, floor_to(until, step_s)))
        steps: list[Total | None] = [None] * ((end - start) // step_s)
        for first, last, by_hour in ((start, middle, True), (middle, end, False)):
            if first < last:
                windows = Windows(first, last, step_s, by_hour)
                for at, _field, total in read_windows(self._connection, fields, windows):
                    steps[(at - start) // step_s] = total
        return steps

    def totals(self, fields: Fields, stretches: Sequence[Stretch]) -> Totals:
        starts = {stretch.start: number for number, stretch in enumerate(stretches)}
        totals: dict[tuple[int, str], Total] = {}
        for windows in windows_of(stretches, self._summed.get((fields.site, fields.measurement))):
            for at, field, total in read_windows(self._connection, fields, windows):
                number = starts.get(at)
                if number is None:  # the later part of a stretch whose hours are not all summed
                    number = next(n for n, each in enumerate(stretches) if each.start < at < each.end)
                add_totals(totals, (number, field), total)
        return totals

    def latest(self, fields: Fields, since: int, until: int) -> dict[str, tuple[int, int]]:
        return read_latest(self._connection, fields, since, until)

    def edges(
        self, site: int, measurement: str, device: str | None, start: int, end: int
    ) -> tuple[int, int] | None:
        return read_edges(self._connection, site, measurement, device, start, end)

    # Upkeep

    def homes(self) -> frozenset[str]:
        # a poll may be what asks it first: see Gate
        rows = self._writer.ask(flux.homes(), 0, 1, ("home",), _measurement=_HOMES)
        return frozenset(uid for _, (uid,) in rows)

    def add_home(self, uid: str) -> None:
        """Write a point at 1970: a bucket that forgets refuses it, and heatmon with that the bucket."""
        self._writer.write([line_of(f"{_HOMES},home={uid}", {"begun": 1.0}, 0)])

    def verify_days(self, random: Random, days: int) -> Iterator[list[Difference]]:
        """Recompute the sums of hours of ``days`` random (device, UTC day) pairs from raw values."""
        for site, measurement, device, day in self._chosen_days(random, days):
            until = min(day + DAY_S, summed_until(site, measurement))
            yield list(self._sender.hours.differences(site, measurement, device, day, until))

    def _chosen_days(self, random: Random, days: int) -> list[tuple[int, str, str, int]]:
        candidates: list[tuple[int, str, str, range]] = []
        for site, measurement, device in self._sources.devices():
            until = summed_until(site, measurement)
            edges = self.edges(site, measurement, device, 0, until)
            if edges is not None:
                span = range(floor_to(edges[0], DAY_S), until, DAY_S)
                candidates.append((site, measurement, device, span))
        total = sum(len(span) for *_, span in candidates)
        chosen = sorted(random.sample(range(total), min(days, total)))
        found: list[tuple[int, str, str, int]] = []
        offset = 0
        for site, measurement, device, span in candidates:
            found += [
                (site, measurement, device, span[index - offset])
                for index in chosen
                if offset <= index < offset + len(span)
            ]
            offset += len(span)
        return found

    def tidy(self) -> None:
        """Sum up the newest hours again, whoever wrote them."""
        with self._sender.alone():
            for site, measurement in sorted({place[:2] for place in self._sources.devices()}):
                until = summed_until(site, measurement)
                start = max(0, until - _LOOKED_OVER_S)
                self._sender.hours.sum_up(site, measurement, start, until, lessened=True)

    def damage(self) -> str | None:
        """Say if the home's mark is gone: it is as old as a point can be, and goes first where a bucket
        forgets. A server looks after its files itself."""
        if self.homes():
            return None
        return (
            f"bucket {self._writer.address.bucket} has lost its oldest point: was it emptied, or does it keep"
            " data for a while only? Let it keep data forever first"
        )

    def ping(self) -> None:
        self._connection.ping()

    def size_bytes(self) -> int | None:
        """Return None: the server does not tell with the rights that heatmon has."""
        return None
