"""A heat pump behind Viessmann's cloud as a source of readings and settings."""

from __future__ import annotations

from datetime import datetime, tzinfo

from apps.devices.answers import pack, unpack
from apps.devices.sources import HeatPumpAnswer

from .client import A_PERSON_ASKS, ViessmannClient
from .configuration import heat_pump_configuration
from .features import FeatureSnapshot, heat_pump_reading


class ViessmannHeatPump:
    """A HeatPumpSource; see ``apps.devices.sources``. ``zone``: the house's, by which schedules run."""

    def __init__(self, client: ViessmannClient, zone: tzinfo) -> None:
        self._client = client
        self._zone = zone

    def login_ends_at(self) -> datetime | None:
        return self._client.login.refresh_expires_at

    def poll(self, *, by_hand: bool = False) -> HeatPumpAnswer:
        return answer_of(self._client.fetch(A_PERSON_ASKS if by_hand else "poll"), self._zone)

    def read_again(self, packed: bytes, at: datetime, device: str) -> HeatPumpAnswer:
        snapshot = FeatureSnapshot(payload=unpack(packed), received_at=at, device=device)
        return answer_of(snapshot, self._zone, keep=False)


def answer_of(snapshot: FeatureSnapshot, zone: tzinfo, *, keep: bool = True) -> HeatPumpAnswer:
    """Return what one features answer says, live or stored. ``keep``: also as it came."""
    return HeatPumpAnswer(
        reading=heat_pump_reading(snapshot, zone),
        configuration=heat_pump_configuration(snapshot, zone),
        packed=pack(snapshot.payload if snapshot.raw is None else snapshot.raw) if keep else None,
    )
