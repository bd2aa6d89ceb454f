"""PyViCare's getters over one features answer: no call, no cache, no silent old values.

``SnapshotService`` stands where PyViCare's own service would ask the cloud. PyViCare is imported on
first use: it costs 37 MB, and a process that does not poll has no need of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from .snapshot import DataPoint, FeatureSnapshot

if TYPE_CHECKING:
    from PyViCare.PyViCareHeatPump import HeatPump

_SENSOR = "sensors.temperature."
DEVICE_GETTERS: Mapping[DataPoint, str] = {
    (f"heating.{_SENSOR}outside", "value"): "getOutsideTemperature",
    (f"heating.{_SENSOR}return", "value"): "getReturnTemperature",
    (f"heating.secondaryCircuit.{_SENSOR}supply", "value"): "getSupplyTemperatureSecondaryCircuit",
    (f"heating.primaryCircuit.{_SENSOR}supply", "value"): "getSupplyTemperaturePrimaryCircuit",
    (f"heating.primaryCircuit.{_SENSOR}return", "value"): "getReturnTemperaturePrimaryCircuit",
    (f"heating.bufferCylinder.{_SENSOR}main", "value"): "getBufferMainTemperature",
    (f"heating.dhw.{_SENSOR}dhwCylinder", "value"): "getDomesticHotWaterStorageTemperature",
    ("heating.dhw.temperature.main", "value"): "getDomesticHotWaterConfiguredTemperature",
    ("heating.dhw.temperature.temp2", "value"): "getDomesticHotWaterConfiguredTemperature2",
    ("heating.dhw.charging", "active"): "getDomesticHotWaterChargingActive",
    ("heating.dhw.oneTimeCharge", "active"): "getOneTimeCharge",
    ("heating.cop.total", "value"): "getCoefficientOfPerformanceTotal",
    ("heating.cop.heating", "value"): "getCoefficientOfPerformanceHeating",
    ("heating.cop.dhw", "value"): "getCoefficientOfPerformanceDHW",
}
COMPRESSOR_GETTERS: Mapping[DataPoint, str] = {
    ("", "active"): "getActive",
    ("", "phase"): "getPhase",
    (".power", "value"): "getPower",
    (".statistics", "starts"): "getStarts",
    (".statistics", "hours"): "getHours",
}
CIRCUIT_GETTERS: Mapping[DataPoint, str] = {
    (f".{_SENSOR}supply", "value"): "getSupplyTemperature",
    (f".{_SENSOR}room", "value"): "getRoomTemperature",
    (".operating.modes.active", "value"): "getActiveMode",
    (".operating.programs.active", "value"): "getActiveProgram",
    (".heating.curve", "slope"): "getHeatingCurveSlope",
    (".heating.curve", "shift"): "getHeatingCurveShift",
}


@cache
def _snapshot_service() -> type[Any]:
    from PyViCare.PyViCareService import ViCareService
    from PyViCare.PyViCareUtils import PyViCareNotSupportedFeatureError

    class SnapshotService(ViCareService):  # type: ignore[misc]
        """Answers from one snapshot; a feature that it lacks is not supported."""

        def __init__(self, snapshot: FeatureSnapshot, roles: Sequence[str]) -> None:
            super().__init__(None, list(roles))
            self._snapshot = snapshot

        def getProperty(self, accessor: Any, property_name: str) -> Any:
            feature = self._snapshot.feature(property_name)
            if feature is None:
                raise PyViCareNotSupportedFeatureError(property_name)
            return feature

    return SnapshotService


def heat_pump(snapshot: FeatureSnapshot, roles: Sequence[str] = ()) -> HeatPump:
    """Return PyViCare's view of the answer, with all its getters."""
    from PyViCare.PyViCareHeatPump import HeatPump

    return HeatPump(None, _snapshot_service()(snapshot, roles), list(roles))


def snapshot_with_getters(
    *,
    payload: Mapping[str, Any],
    received_at: datetime,
    device: str,
    model: str | None = None,
    roles: Sequence[str] = (),
    raw: bytes | None = None,
) -> FeatureSnapshot:
    """Return a snapshot whose values are asked of PyViCare where heatmon trusts its getter."""
    getters: dict[DataPoint, Callable[[], Any]] = {}
    snapshot = FeatureSnapshot(
        payload=payload, received_at=received_at, device=device, model=model, raw=raw, getters=getters
    )
    getters.update(getters_of(snapshot, roles))  # they read the snapshot, so it must exist first
    return snapshot


def getters_of(snapshot: FeatureSnapshot, roles: Sequence[str] = ()) -> dict[DataPoint, Callable[[], Any]]:
    """Return the getters that heatmon trusts, by the data point that each reads."""
    pump = heat_pump(snapshot, roles)
    found = {point: getattr(pump, name) for point, name in DEVICE_GETTERS.items()}
    for group, make, names in (
        ("heating.compressors", pump.getCompressor, COMPRESSOR_GETTERS),
        ("heating.circuits", pump.getCircuit, CIRCUIT_GETTERS),
    ):
        for member in snapshot.ids_of(group):
            part = make(member)
            for (suffix, prop), name in names.items():
                found[f"{group}.{member}{suffix}", prop] = getattr(part, name)
    for circuit in snapshot.ids_of("heating.circuits"):
        program = snapshot.value(f"heating.circuits.{circuit}.operating.programs.active")
        target = (f"heating.circuits.{circuit}.operating.programs.{program}", "temperature")
        found[target] = pump.getCircuit(circuit).getCurrentDesiredTemperature
    return found
