"""Features answers like those of a CU401B_G, written by hand to the documented shape."""

from __future__ import annotations

from typing import Any

CHANGED = "2026-01-20T04:30:00.000Z"
NEWEST = "2026-01-22T11:58:30.000Z"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
JSON = dict[str, Any]


def feature(name: str, /, *, at: str = CHANGED, enabled: bool = True, **properties: Any) -> JSON:
    """One feature. A property is its value, or ``(value, unit)``."""
    told = {}
    for key, value in properties.items():
        if isinstance(value, tuple):
            told[key] = {"type": "number", "value": value[0], "unit": value[1]}
        else:
            told[key] = {"type": _TYPES.get(type(value), "object"), "value": value}
    return {
        "feature": name,
        "apiVersion": 1,
        "deviceId": "0",
        "gatewayId": "7700000000000001",
        "isEnabled": enabled,
        "isReady": True,
        "timestamp": at,
        "commands": {},
        "components": [],
        "properties": told if enabled else {},
        "uri": f"https://example.test/iot/v2/features/{name}",
    }


def sensor(name: str, value: float | None, unit: str = "celsius", at: str = CHANGED) -> JSON:
    """A sensor; None is one that is not connected."""
    if value is None:
        return feature(name, at=at, status="notConnected")
    return feature(name, at=at, status="connected", value=(value, unit))


def week(*entries: tuple[str, str, str]) -> JSON:
    """The same entries on every day."""
    return {
        day: [
            {"start": start, "end": end, "mode": mode, "position": position}
            for position, (start, end, mode) in enumerate(entries)
        ]
        for day in WEEKDAYS
    }


def cu401b(**changed: JSON | None) -> JSON:
    """A running pump with one circuit, id "1". ``changed``: features by name with ``__`` for the dots; None
    takes one out."""
    circuit = "heating.circuits.1"
    programs = f"{circuit}.operating.programs"
    features = [
        feature("heating.circuits", enabled=True) | {"properties": {"enabled": {"value": ["1"]}}},
        feature("heating.circuits.0", enabled=False),
        feature("heating.circuits.0.sensors.temperature.supply", enabled=False),
        feature("heating.circuits.0.heating.curve", enabled=False),
        feature(circuit, active=True, name="", type="heatingCircuit"),
        feature(f"{circuit}.circulation.pump", status="on"),
        feature(f"{circuit}.heating.curve", slope=0.6, shift=1),
        feature(
            f"{circuit}.heating.schedule",
            active=True,
            entries=week(("05:30", "22:00", "normal"), ("22:00", "24:00", "reduced")),
        ),
        feature(f"{circuit}.operating.modes.active", value="dhwAndHeating"),
        feature(f"{programs}.active", value="normal"),
        feature(f"{programs}.comfort", active=False, temperature=(23, "celsius")),
        feature(f"{programs}.normal", active=True, temperature=(20.5, "celsius")),
        feature(f"{programs}.reduced", active=False, temperature=(17, "celsius")),
        feature(f"{programs}.eco", active=False, temperature=(20.5, "celsius")),
        sensor(f"{circuit}.sensors.temperature.supply", 33.2),
        sensor(f"{circuit}.sensors.temperature.room", None),
        feature(f"{circuit}.temperature.levels", min=(15, "celsius"), max=(45, "celsius")),
        feature("heating.compressors") | {"properties": {"enabled": {"value": ["0"]}}},
        feature("heating.compressors.0", active=True, phase="heating", at=NEWEST),
        feature("heating.compressors.0.power", value=(16, "kilowatt")),
        sensor("heating.compressors.0.sensors.power", 55.5, "percent"),
        feature("heating.compressors.0.statistics", hours=(1204.5, "hour"), starts=431),
        feature("heating.cop.total", value=4.4),
        feature("heating.cop.heating", value=4.6),
        feature("heating.cop.dhw", value=3.1),
        feature("heating.dhw.charging", active=False, at="2026-01-22T06:10:00.000Z"),
        feature("heating.dhw.oneTimeCharge", active=False),
        feature("heating.dhw.pumps.circulation", status="off"),
        feature(
            "heating.dhw.pumps.circulation.schedule",
            active=True,
            entries=week(("06:00", "07:30", "5/25-cycles")),
        ),
        feature(
            "heating.dhw.schedule",
            active=True,
            entries=week(("05:00", "21:00", "normal"), ("12:00", "14:00", "temp-2")),
        ),
        sensor("heating.dhw.sensors.temperature.dhwCylinder", 48.7),
        feature("heating.dhw.temperature.main", value=(50, "celsius")),
        feature("heating.dhw.temperature.temp2", value=(60, "celsius")),
        feature(
            "heating.dhw.temperature.hysteresis",
            value=(5, "kelvin"),
            switchOnValue=(5, "kelvin"),
            switchOffValue=(0.5, "kelvin"),
        ),
        feature("heating.heatingRod.runtime", levelOne=(7200, "seconds"), levelTwo=(0, "seconds")),
        feature("heating.operating.programs.holiday", active=False, start="", end=""),
        sensor("heating.bufferCylinder.sensors.temperature.main", 34.0),
        sensor("heating.primaryCircuit.sensors.temperature.supply", 8.1),
        sensor("heating.primaryCircuit.sensors.temperature.return", 4.6),
        sensor("heating.secondaryCircuit.sensors.temperature.supply", 38.4),
        sensor("heating.sensors.temperature.outside", -2.3),
        sensor("heating.sensors.temperature.return", 31.9),
    ]
    by_name = {one["feature"]: one for one in features}
    for name, replacement in changed.items():
        dotted = name.replace("__", ".")
        if replacement is None:
            del by_name[dotted]
        else:
            by_name[dotted] = replacement
    return {"data": list(by_name.values())}


def installations(*devices: JSON, gateway: str = "7700000000000001") -> JSON:
    """The list of installations: one home, one gateway, its devices (default: gateway and heat pump)."""
    listed = devices or (device("gateway", "Heatbox2_SRC", "type:gateway;VitoconnectOpto2/OT2"), device())
    home = {
        "id": 990001,
        "description": "Home",
        "gateways": [{"serial": gateway, "version": "2.0.0", "devices": list(listed)}],
    }
    return {"data": [home], "cursor": {"next": ""}}


def device(device_id: str = "0", model: str = "CU401B_G", *roles: str) -> JSON:
    """One device of a gateway."""
    return {
        "id": device_id,
        "modelId": model,
        "status": "Online",
        "deviceType": "vitoconnect" if device_id == "gateway" else "heating",
        "roles": list(roles or ("type:heatpump", "type:legacy", "type:product;CU401B")),
    }


def error(status: int, kind: str, **extended: Any) -> JSON:
    """An error body of the API."""
    return {
        "viErrorId": "req-1",
        "statusCode": status,
        "errorType": kind,
        "message": kind.lower(),
        "extendedPayload": extended,
    }


_TYPES = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
