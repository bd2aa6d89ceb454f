"""Faults by name: what goes wrong, when and for how long.

A script gives the faults of one run; each wraps the handler of its target while it lasts. More are added
with ``@fault_script("name")``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from .wire import Answer, Handler, Unreachable, json_answer

METER, CLOUD, LOGIN = "meter", "cloud", "login"

Effect = Callable[[Handler, str, str, Mapping[str, str], bytes, float], Answer]
"""(handler behind, then the handler's arguments) → Answer; may call the handler or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``effect`` on requests to ``target`` in [start, start + duration_s); epoch s."""

    name: str
    target: str
    start: float
    duration_s: float
    effect: Effect


FaultScript = Callable[[Random, float, float], Sequence[Fault]]
"""(randomness, start, end of the run) → the faults, placed in time."""

FAULTS: dict[str, FaultScript] = {}


def fault_script(name: str) -> Callable[[FaultScript], FaultScript]:
    """Register a script under ``name``; its docstring is the description. Raises ValueError if taken."""

    def register(script: FaultScript) -> FaultScript:
        if name in FAULTS:
            raise ValueError(f"there is already a fault {name!r}")
        FAULTS[name] = script
        return script

    return register


def scheduled(names: Iterable[str], source: Random, start: float, end: float) -> list[Fault]:
    """Return the faults of the named scripts. Raises ValueError for an unknown name."""
    result: list[Fault] = []
    for name in names:
        script = FAULTS.get(name)
        if script is None:
            raise ValueError(f"unknown fault {name!r}; known are {', '.join(sorted(FAULTS))}")
        result += script(source, start, end)
    return result


@dataclass
class FaultyHandler:
    """A handler behind its faults. ``hits``: how many requests each fault met."""

    handler: Handler
    target: str
    faults: list[Fault]
    hits: dict[str, int] = field(default_factory=dict)

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        for fault in self.faults:
            if fault.target == self.target and fault.start <= at < fault.start + fault.duration_s:
                self.hits[fault.name] = self.hits.get(fault.name, 0) + 1
                return fault.effect(self.handler, method, path, headers, body, at)
        return self.handler(method, path, headers, body, at)


def refuse(
    handler: Handler, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float
) -> Answer:
    """Refuse the connection: nobody answers."""
    raise Unreachable("the simulated device does not answer")


def device_offline(
    handler: Handler, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float
) -> Answer:
    """Count the request in the cloud, then report that the gateway is offline."""
    answer = handler(method, path, headers, body, at)
    if answer.status != 200 or "/features/" not in path:
        return answer
    return json_answer(
        400,
        {
            "viErrorId": "simulated",
            "statusCode": 400,
            "errorType": "DEVICE_COMMUNICATION_ERROR",
            "message": "",
            "extendedPayload": {"httpStatusCode": "NotFound", "code": "404", "reason": "GATEWAY_OFFLINE"},
        },
    )


def _placed(
    source: Random, start: float, end: float, shortest_s: float, longest_s: float
) -> tuple[float, float]:
    """Return a stretch (start, duration) inside the run, a tenth of it at most."""
    duration = min(source.uniform(shortest_s, longest_s), (end - start) / 10.0)
    return source.uniform(start + (end - start) * 0.1, end - (end - start) * 0.1 - duration), duration


@fault_script("meter_unreachable")
def meter_unreachable(source: Random, start: float, end: float) -> Sequence[Fault]:
    """Take the meter's network away for up to three hours."""
    at, duration = _placed(source, start, end, 600.0, 10_800.0)
    return [Fault(name="meter_unreachable", target=METER, start=at, duration_s=duration, effect=refuse)]


@fault_script("cloud_offline")
def cloud_offline(source: Random, start: float, end: float) -> Sequence[Fault]:
    """Cut the gateway off from the cloud for up to a day."""
    at, duration = _placed(source, start, end, 3_600.0, 86_400.0)
    return [Fault(name="cloud_offline", target=CLOUD, start=at, duration_s=duration, effect=device_offline)]
