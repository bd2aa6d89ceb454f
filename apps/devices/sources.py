"""What heatmon asks of a meter and of a heat pump, whatever their brand.

Jobs know these protocols only. A brand is a package beside this module; ``opening`` is the one place that
names brands. Every method may raise DeviceError; none retries longer than a poll may take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .configuration import HeatPumpConfiguration
from .readings import HeatPumpReading, HistoryExtent, MinuteRecord, PowerReading


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceIdentity:
    """What a device is, as it says itself; empty where it does not say."""

    model: str
    firmware: str


class MeterSource(Protocol):
    """The live values of one meter, asked by one thread with a session of its own."""

    def identity(self) -> DeviceIdentity:
        """Ask what it is."""

    def poll(self) -> PowerReading:
        """Return the values now. ``device`` of the reading is who answered; the caller compares."""

    def closed_minute(self, reading: PowerReading) -> MinuteRecord | None:
        """Return the energy of the minute whose end ``reading`` is the first to show, until the meter's own
        row comes. Fed with each reading that is believed, in order; None where it is not certain."""


class MeterMemory(Protocol):
    """The minutes that one meter keeps, asked by one thread at a time, beside the live poll."""

    def check_device(self) -> bool:
        """Return whether the meter's clock is set. Raises WrongDevice if another meter answers."""

    def extent(self, profile: str) -> HistoryExtent | None:
        """Return what it holds, None for nothing."""

    def fetch_recent(self, start: datetime, end: datetime, profile: str) -> Iterator[MinuteRecord]:
        """Give the closed minutes in [start, end) in small pages, for a few minutes."""

    def fetch_chunk(self, start: datetime, end: datetime, profile: str) -> Iterator[MinuteRecord]:
        """Give the closed minutes in [start, end) in one go, for up to an hour. Rows that came before an
        error are good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPumpAnswer:
    """One answer of a heat pump: what was measured, what is set, and the JSON it came as, packed by
    ``answers.pack``, where it is to be kept."""

    reading: HeatPumpReading
    configuration: HeatPumpConfiguration
    packed: bytes | None = None


class HeatPumpSource(Protocol):
    """The values and settings of one heat pump."""

    def login_ends_at(self) -> datetime | None:
        """Return when the stored login ends for good, None where it does not end. Asks nobody."""

    def poll(self, *, by_hand: bool = False) -> HeatPumpAnswer:
        """Ask once. ``by_hand``: a person asks, so that what was refused lately is asked again. Raises
        BudgetExhausted where the ledger of cloud calls allows none."""

    def read_again(self, packed: bytes, at: datetime, device: str) -> HeatPumpAnswer:
        """Return what an answer of ``device`` says that came at ``at`` and was kept. Asks nobody."""
