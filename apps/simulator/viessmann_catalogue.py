"""◇ Which features a CU401B_G answers with, and those of them that never change.

Names, properties and units are the vendor's; values are those of the simulated home.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INSTALLATION, GATEWAY, DEVICE = 2_204_118, "7571381573112225", "0"
MODEL = "CU401B_G"
ROLES = (
    "capability:consumptionReport;electric",
    "capability:productionReport;thermal",
    "type:brand;Viessmann",
    "type:dhw;integrated",
    "type:heating;integrated",
    "type:heatpump",
    "type:legacy",
    "type:product;CU401B",
)
URI = (
    "https://api.viessmann-climatesolutions.com/iot/v2/features/installations/"
    f"{INSTALLATION}/gateways/{GATEWAY}/devices/{DEVICE}/features/"
)

_PROGRAMS = ("comfort", "eco", "fixed", "normal", "reduced", "screedDrying.heatpump", "standby")
_MODES = (
    "cooling",
    "dhw",
    "dhwAndHeating",
    "dhwAndHeatingCooling",
    "forcedNormal",
    "forcedReduced",
    "heating",
    "heatingCooling",
    "normalStandby",
    "standby",
)
CIRCUIT_FEATURES = (
    "",
    "circulation.pump",
    "frostprotection",
    "heating.curve",
    "heating.schedule",
    "name",
    "operating.modes.active",
    *(f"operating.modes.{mode}" for mode in _MODES),
    "operating.programs.active",
    *(f"operating.programs.{program}" for program in _PROGRAMS),
    "sensors.temperature.room",
    "sensors.temperature.supply",
    "temperature",
    "temperature.levels",
)
_DISABLED_IN_USE = (
    "operating.modes.cooling",
    "operating.modes.dhwAndHeatingCooling",
    "operating.modes.heating",
    "operating.modes.heatingCooling",
    "sensors.temperature.room",
)
_DISABLED = (
    "device.messages.errors.counter.d6",
    "heating.compressors.1",
    "heating.compressors.1.statistics",
    "heating.compressors.1.statistics.load",
    "heating.configuration.dhw.temperature.dhwCylinder.max",
    "heating.configuration.dhw.temperature.hotWaterStorage.max",
    "heating.configuration.flow.temperature.max",
    "heating.configuration.flow.temperature.min",
    "heating.configuration.smartGrid.heatingRod",
    "heating.dhw.configuration.temperature.dhwCylinder.max",
    "heating.dhw.pumps.primary",
    "heating.solar",
    "heating.solar.power.cumulativeProduced",
    "heating.solar.power.production",
    "heating.solar.pumps.circuit",
    "heating.solar.rechargeSuppression",
    "heating.solar.sensors.temperature.collector",
    "heating.solar.sensors.temperature.dhw",
    "ventilation",
    "ventilation.heatExchanger.frostprotection",
    "ventilation.levels.levelFour",
    "ventilation.levels.levelOne",
    "ventilation.levels.levelThree",
    "ventilation.levels.levelTwo",
    "ventilation.operating.modes.active",
    "ventilation.operating.modes.standard",
    "ventilation.operating.modes.standby",
    "ventilation.operating.modes.ventilation",
    "ventilation.operating.programs.active",
    "ventilation.quickmodes.comfort",
    "ventilation.quickmodes.eco",
    "ventilation.quickmodes.holiday",
    "ventilation.schedule",
    "ventilation.volumeFlow.current.input",
    "ventilation.volumeFlow.current.output",
)
_NOT_CONNECTED = (
    "heating.boiler.sensors.temperature.commonSupply",
    "heating.compressors.0.sensors.temperature.ambient",
    "heating.condensors.0.sensors.temperature.subcooling",
    "heating.dhw.sensors.temperature.dhwCylinder.bottom",
    "heating.dhw.sensors.temperature.hotWaterStorage.bottom",
    "heating.dhw.sensors.temperature.outlet",
    "heating.evaporators.0.sensors.temperature.overheat",
)
SENSOR_FEATURES: Mapping[str, tuple[str, ...]] = {
    "outside_c": ("heating.sensors.temperature.outside",),
    "return_c": ("heating.sensors.temperature.return",),
    "secondary_c": ("heating.secondaryCircuit.sensors.temperature.supply",),
    "brine_in_c": ("heating.primaryCircuit.sensors.temperature.supply",),
    "brine_out_c": ("heating.primaryCircuit.sensors.temperature.return",),
    "supply_c": ("heating.circuits.1.sensors.temperature.supply",),
    "buffer_c": (
        "heating.buffer.sensors.temperature.main",
        "heating.buffer.sensors.temperature.top",
        "heating.bufferCylinder.sensors.temperature.main",
        "heating.bufferCylinder.sensors.temperature.top",
    ),
    "tank_c": (
        "heating.dhw.sensors.temperature.dhwCylinder",
        "heating.dhw.sensors.temperature.dhwCylinder.top",
        "heating.dhw.sensors.temperature.hotWaterStorage",
        "heating.dhw.sensors.temperature.hotWaterStorage.top",
    ),
    "hot_gas_c": ("heating.compressors.0.sensors.temperature.outlet", "heating.sensors.temperature.hotGas"),
}

_SCHEDULE_MODES = {
    "heating.circuits.1.heating.schedule": ("standby", ["reduced", "normal", "fixed"]),
    "heating.dhw.schedule": ("off", ["top", "normal", "temp-2"]),
    "heating.dhw.pumps.circulation.schedule": ("off", ["5/25-cycles", "5/10-cycles", "on"]),
}


def number(value: float, unit: str = "") -> dict[str, Any]:
    """Return a number property."""
    return {"type": "number", "value": value, "unit": unit}


def text(value: str) -> dict[str, Any]:
    return {"type": "string", "value": value}


def flag(value: bool) -> dict[str, Any]:
    return {"type": "boolean", "value": value}


def sensor(value: float, unit: str = "celsius") -> dict[str, Any]:
    """Return the properties of a connected sensor."""
    return {"status": text("connected"), "value": number(value, unit)}


def _array(value: list[Any]) -> dict[str, Any]:
    return {"type": "array", "value": value}


def static_features(rated_kw: float) -> dict[str, dict[str, Any]]:
    """Return properties of the features whose values stay; those without properties are disabled."""
    rated = int(rated_kw) if rated_kw == int(rated_kw) else rated_kw
    result: dict[str, dict[str, Any]] = {name: {} for name in _DISABLED}
    for circuit in "02":
        result |= {_circuit(circuit, name): {} for name in CIRCUIT_FEATURES if name != "name"}
    result |= {_circuit("1", name): {} for name in _DISABLED_IN_USE}
    result |= {name: {"status": text("notConnected")} for name in _NOT_CONNECTED}
    result |= {
        "device.messages.logbook": {"entries": _array([])},
        "device.serial": {"value": text("7571381502117125")},
        "heating.boiler.serial": {"value": text("7571381502117125")},
        "heating.controller.serial": {"value": text("7571381502117125")},
        "heating.circuits": {"enabled": _array(["1"]), "internal": _array([])},
        "heating.circuits.1": {"active": flag(True), "name": text(""), "type": text("heatingCircuit")},
        "heating.circuits.1.name": {"name": text("")},
        "heating.circuits.1.frostprotection": {"status": text("off")},
        "heating.circuits.1.operating.programs.fixed": {"active": flag(False)},
        "heating.circuits.1.operating.programs.eco": {
            "active": flag(False),
            "temperature": number(21, "celsius"),
        },
        "heating.circuits.1.operating.programs.screedDrying.heatpump": {"useApproved": flag(False)},
        "heating.circuits.1.temperature.levels": {
            "max": number(45, "celsius"),
            "min": number(15, "celsius"),
        },
        "heating.compressors": {"enabled": _array(["0"])},
        "heating.compressors.0.power": {"value": number(rated, "kilowatt")},
        "heating.compressors.0.sensors.pressure.inlet": sensor(8.7, "bar"),
        "heating.compressors.0.sensors.temperature.inlet": sensor(7.1),
        "heating.compressors.0.sensors.temperature.overheat": sensor(4),
        "heating.configuration.buffer.temperature.max": {"value": number(65, "celsius")},
        "heating.configuration.dhwHeater": {"useApproved": flag(True)},
        "heating.configuration.heatingRod.dhw": {"useApproved": flag(True)},
        "heating.configuration.heatingRod.heating": {"useApproved": flag(True)},
        "heating.configuration.temperature.outside.DampingFactor": {"value": number(180, "minute")},
        "heating.coolingCircuits.0.reverse": {"active": flag(False)},
        "heating.coolingCircuits.0.type": {"value": text("simulated")},
        "heating.cop.cooling": {"value": number(0)},
        "heating.cop.green": {"value": number(0)},
        "heating.device.time": {},
        "heating.dhw": {"active": flag(True), "status": text("on")},
        "heating.dhw.oneTimeCharge": {"active": flag(False)},
        "heating.evaporators.0.sensors.temperature.liquid": sensor(31),
        "heating.operating.programs.holiday": {"active": flag(False), "end": text(""), "start": text("")},
        "heating.primaryCircuit.sensors.rotation": sensor(80, "percent"),
        "heating.sensors.pressure.hotGas": sensor(24.1, "bar"),
        "heating.sensors.pressure.suctionGas": sensor(8.7, "bar"),
        "heating.sensors.temperature.liquidGas": sensor(31),
        "heating.sensors.temperature.suctionGas": sensor(7.1),
        "ventilation.operating.state": {
            "demand": text("ventilation"),
            "level": text("levelOne"),
            "reason": text("schedule"),
        },
    }
    return result


def _circuit(circuit: str, name: str) -> str:
    return f"heating.circuits.{circuit}.{name}" if name else f"heating.circuits.{circuit}"


def commands(feature: str) -> dict[str, Any]:
    """Return the commands: schedules and set values, with their constraints."""
    if feature in _SCHEDULE_MODES:
        default, modes = _SCHEDULE_MODES[feature]
        constraints = {
            "defaultMode": default,
            "maxEntries": 8,
            "modes": modes,
            "overlapAllowed": True,
            "resolution": 10,
        }
        return _command(feature, "resetSchedule", {}) | _command(
            feature, "setSchedule", {"newSchedule": _param("Schedule", constraints)}
        )
    if feature in {"heating.dhw.temperature.main", "heating.dhw.temperature.temp2"}:
        limits = {"max": 60, "min": 10, "stepping": 1}
        return _command(feature, "setTargetTemperature", {"temperature": _param("number", limits)})
    if feature == "heating.circuits.1.operating.modes.active":
        modes_allowed = {"enum": ["dhw", "dhwAndHeating", "standby"]}
        return _command(feature, "setMode", {"mode": _param("string", modes_allowed)})
    if feature == "heating.circuits.1.heating.curve":
        shift = _param("number", {"max": 40, "min": -15, "stepping": 1})
        slope = _param("number", {"max": 3.5, "min": 0, "stepping": 0.1})
        return _command(feature, "setCurve", {"shift": shift, "slope": slope})
    if feature == "heating.compressors.0":
        phases = ["preparing", "heating", "pause", "cooling", "preparing-defrost", "defrost"]
        enum = {"enum": [*phases, "passive-defrost", "off"]}
        return _command(feature, "setPhase", {"value": _param("string", enum)}, executable=False)
    return {}


def _param(kind: str, constraints: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "required": True, "constraints": constraints}


def _command(feature: str, name: str, params: dict[str, Any], executable: bool = True) -> dict[str, Any]:
    return {
        name: {
            "uri": f"{URI}{feature}/commands/{name}",
            "name": name,
            "isExecutable": executable,
            "params": params,
        }
    }


def installations() -> dict[str, Any]:
    """Return the account: one home, its gateway, and on it first the gateway itself, then the heat pump."""
    stamp = "2021-04-12T09:30:00.000Z"
    return {
        "data": [
            {
                "id": INSTALLATION,
                "description": "Simulated home",
                "address": {},
                "registeredAt": stamp,
                "updatedAt": stamp,
                "aggregatedStatus": "WorksProperly",
                "gateways": [
                    {
                        "serial": GATEWAY,
                        "version": "2.4.1.3",
                        "firmwareUpdateFailureCounter": 0,
                        "autoUpdate": True,
                        "createdAt": stamp,
                        "producedAt": stamp,
                        "lastStatusChangedAt": stamp,
                        "aggregatedStatus": "WorksProperly",
                        "gatewayType": "VitoconnectOpto2",
                        "installationId": INSTALLATION,
                        "registeredAt": stamp,
                        "devices": [
                            _device(
                                "gateway",
                                "Heatbox2_SRC",
                                "vitoconnect",
                                ["type:gateway;VitoconnectOpto2/OT2", "type:hb2", "type:legacy"],
                            ),
                            _device(DEVICE, MODEL, "heating", list(ROLES)),
                        ],
                    }
                ],
            }
        ],
        "cursor": {"next": ""},
    }


def _device(identity: str, model: str, kind: str, roles: list[str]) -> dict[str, Any]:
    return {
        "gatewaySerial": GATEWAY,
        "id": identity,
        "boilerSerial": "7571381502117125" if kind == "heating" else None,
        "boilerSerialEditor": "DeviceCommunication" if kind == "heating" else None,
        "bmuSerial": None,
        "bmuSerialEditor": None,
        "createdAt": "2021-04-12T09:30:00.000Z",
        "editedAt": "2021-04-12T09:30:00.000Z",
        "modelId": model,
        "status": "Online",
        "deviceType": kind,
        "roles": roles,
        "isBoilerSerialEditable": False,
        "brand": None,
        "translationKey": model,
    }
