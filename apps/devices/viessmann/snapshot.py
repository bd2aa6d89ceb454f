"""◇ One features answer of the cloud, and how single values are taken out of it.

A feature is ``{"feature": name, "isEnabled": …, "timestamp": …, "properties": {name: {"value": …,
"unit": …}}}``. Disabled features, sensors that are not connected, values of the wrong kind, of an
unknown unit or outside what is physically possible are *not known*: None, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.devices.errors import PayloadInvalid
from apps.devices.times import parse_time

GOOD_STATUS = frozenset({"connected", "on", "off"})
Feature = Mapping[str, Any]
DataPoint = tuple[str, str]
_NONE: Feature = {}


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a number means: factor by unit (lower case; "" where none is given) and possible range in
    our unit. ``zero_is_unused``: 0 stands in a register that the device does not use."""

    factors: Mapping[str, float]
    low: float
    high: float
    zero_is_unused: bool = False


WATER_C = Quantity({"celsius": 1.0, "": 1.0}, -40.0, 110.0)
OUTSIDE_C = Quantity({"celsius": 1.0, "": 1.0}, -60.0, 70.0)
DIFFERENCE_K = Quantity({"kelvin": 1.0, "celsius": 1.0, "": 1.0}, 0.0, 50.0)
PERCENT = Quantity({"percent": 1.0, "": 1.0}, 0.0, 100.0)
POWER_KW = Quantity({"kilowatt": 1.0, "watt": 0.001}, 0.1, 200.0)
HOURS = Quantity({"hour": 1.0, "hours": 1.0, "": 1.0}, 0.0, 1e6)
SECONDS = Quantity({"seconds": 1.0, "second": 1.0, "minute": 60.0, "hour": 3600.0, "": 1.0}, 0.0, 4e9)
MINUTES = Quantity({"minute": 1.0, "minutes": 1.0, "": 1.0}, 0.0, 1e5)
COUNT = Quantity({"": 1.0}, 0.0, 1e8)
RATIO = Quantity({"": 1.0}, 0.1, 20.0, zero_is_unused=True)
CURVE = Quantity({"": 1.0}, -50.0, 50.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSnapshot:
    """A features answer as received. ``device``: serial of the gateway; ``model``: the device's modelId.

    ``getters``: data points (feature, property) that a getter of PyViCare reads, see ``getters.py``;
    without them (an import, a stored answer) the property itself is read, which gives the same.
    ``raw``: the answer's bytes, if at hand, so that keeping it needs no writing of JSON.
    Raises PayloadInvalid where the payload has no list of features.
    """

    payload: Mapping[str, Any]
    received_at: datetime
    device: str
    model: str | None = None
    getters: Mapping[DataPoint, Callable[[], Any]] = field(default_factory=dict, repr=False, compare=False)
    raw: bytes | None = field(default=None, repr=False, compare=False)
    _features: dict[str, Feature] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        data = self.payload.get("data")
        if not isinstance(data, list):
            raise PayloadInvalid("no_data_points", path="data")
        index = {
            entry["feature"]: entry
            for entry in data
            if isinstance(entry, dict) and isinstance(entry.get("feature"), str)
        }
        object.__setattr__(self, "_features", index)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(self._features)

    @property
    def newest_source_at(self) -> datetime | None:
        """Newest time at which the device sent anything (heartbeat), None without any timestamp.

        Times inside ``device.messages.*`` entries are local time labelled Z, so only the features' own
        timestamps count.
        """
        stamps = [stamp for one in self._features.values() if isinstance(stamp := one.get("timestamp"), str)]
        if stamps and all(len(stamp) == 24 and stamp[-1] == "Z" for stamp in stamps):
            return parse_time(max(stamps))  # equal form: the texts sort like the times
        return max((at for stamp in stamps if (at := parse_time(stamp))), default=None)

    def feature(self, name: str) -> Feature | None:
        """Return an enabled feature, None for an absent or disabled one."""
        found = self._features.get(name)
        return found if found is not None and found.get("isEnabled") is not False else None

    def properties(self, name: str) -> Mapping[str, Any]:
        found = self._features.get(name)
        if found is None or found.get("isEnabled") is False:
            return _NONE
        properties = found.get("properties")
        return properties if isinstance(properties, dict) else _NONE

    def value(self, name: str, prop: str = "value") -> Any:
        """Return the raw value, None where absent or the sensor says that it does not measure."""
        properties = self.properties(name)
        entry = properties.get(prop)
        if not isinstance(entry, dict):
            return None
        status = properties.get("status")
        if isinstance(status, dict) and prop != "status" and status.get("value") not in GOOD_STATUS:
            return None
        return entry.get("value")

    def unit(self, name: str, prop: str = "value") -> str:
        entry = self.properties(name).get(prop)
        unit = entry.get("unit") if isinstance(entry, dict) else None
        return unit.lower() if isinstance(unit, str) else ""

    def changed_at(self, name: str) -> datetime | None:
        """Return when the device last changed the feature, by the cloud's clock."""
        stamp = (self.feature(name) or _NONE).get("timestamp")
        return parse_time(stamp) if isinstance(stamp, str) else None

    def ids_of(self, group: str) -> tuple[str, ...]:
        """Return the ids of the enabled members of ``heating.circuits`` or ``heating.compressors``, as the
        device lists them; where the list is missing, those that have values."""
        listed = self.value(group, "enabled")
        if isinstance(listed, list):
            return tuple(dict.fromkeys(str(one) for one in listed if isinstance(one, str | int)))
        prefix = f"{group}."
        found = (name.removeprefix(prefix) for name in self._features if name.startswith(prefix))
        return tuple(sorted(one for one in found if one.isdigit() and self.properties(prefix + one)))


class Reader:
    """Takes checked values out of a snapshot. ``flags`` collects what was not believed, with the reason.

    A getter of PyViCare knows neither unit nor status nor type, so all three are looked up here.
    """

    def __init__(self, snapshot: FeatureSnapshot) -> None:
        self.snapshot = snapshot
        self.flags: list[str] = []

    def number(self, feature: str, quantity: Quantity, prop: str = "value") -> float | None:
        """Return the value in the quantity's unit; None where not known or not possible."""
        value = self.snapshot.value(feature, prop)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._doubt(feature, prop, "not a number")
            return None
        unit = self.snapshot.unit(feature, prop)
        factor = quantity.factors.get(unit)
        if factor is None:
            self._doubt(feature, prop, f"unit {unit!r}")
            return None
        result = float(self._asked(feature, prop, value)) * factor
        if result == 0.0 and quantity.zero_is_unused:
            return None
        if not quantity.low <= result <= quantity.high:
            self._doubt(feature, prop, f"out of range: {value}")
            return None
        return result

    def flag(self, feature: str, prop: str = "active") -> bool | None:
        value = self.snapshot.value(feature, prop)
        if value is None:
            return None
        if not isinstance(value, bool):
            self._doubt(feature, prop, "not true or false")
            return None
        return bool(self._asked(feature, prop, value))

    def switched_on(self, feature: str) -> bool | None:
        """Return whether a status is "on" or "off"; None for any other."""
        status = self.snapshot.value(feature, "status")
        if status is None or status in ("on", "off"):
            return None if status is None else bool(status == "on")
        self._doubt(feature, "status", "neither on nor off")
        return None

    def text(self, feature: str, prop: str = "value") -> str | None:
        value = self.snapshot.value(feature, prop)
        if value is None:
            return None
        if not isinstance(value, str):
            self._doubt(feature, prop, "not a text")
            return None
        return str(self._asked(feature, prop, value))

    def _asked(self, feature: str, prop: str, value: Any) -> Any:
        getter = self.snapshot.getters.get((feature, prop))
        return value if getter is None else getter()

    def _doubt(self, feature: str, prop: str, reason: str) -> None:
        self.flags.append(f"{feature}.{prop}: {reason}")
