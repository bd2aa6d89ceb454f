"""Faults by name: what goes wrong, when and for how long.

A script gives the faults of one run; each wraps the handler of its target while it lasts. More are added
with ``@fault_script("name")``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import orjson

from .wire import Answer, Handler, Unreachable, json_answer

if TYPE_CHECKING:
    from .world import SimulatedWorld

METER, CLOUD, LOGIN, HOST = "meter", "cloud", "login", "host"

Effect = Callable[[Handler, str, str, Mapping[str, str], bytes, float], Answer]
"""(handler behind, then the handler's arguments) → Answer; may call the handler or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``effect`` on requests to ``target`` in [start, start + duration_s); epoch s. ``begin`` is what happens
    to the world at its start. A fault of the ``HOST`` has neither: whoever runs heatmon makes it."""

    name: str
    target: str
    start: float
    duration_s: float
    effect: Effect | None = None
    begin: Callable[[SimulatedWorld, float], None] | None = None

    @property
    def end(self) -> float:
        return self.start + self.duration_s


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
    """A handler behind its faults. ``hits``: how many requests each fault met; ``on_answer`` is told of each
    answer that went out."""

    handler: Handler
    target: str
    faults: list[Fault]
    on_answer: Callable[[str, Answer, float], None] | None = None
    hits: dict[str, int] = field(default_factory=dict)

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        for fault in self.faults:
            if fault.target == self.target and fault.effect is not None and fault.start <= at < fault.end:
                self.hits[fault.name] = self.hits.get(fault.name, 0) + 1
                answer = fault.effect(self.handler, method, path, headers, body, at)
                break
        else:
            answer = self.handler(method, path, headers, body, at)
        if self.on_answer is not None:
            self.on_answer(path, answer, at)
        return answer


def refuse(
    handler: Handler, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float
) -> Answer:
    """Refuse the connection: nobody answers."""
    raise Unreachable("the simulated device does not answer")


def changed(change: Callable[[Answer], Answer], part: str = "") -> Effect:
    """Return an effect that changes the answers at paths that have ``part`` in them; the device met the
    request all the same."""

    def effect(
        handler: Handler, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float
    ) -> Answer:
        answer = handler(method, path, headers, body, at)
        return change(answer) if part in path else answer

    return effect


def changed_content(change: Callable[[Any], None], part: str = "") -> Effect:
    """Return an effect on the JSON of the answers."""

    def edit(answer: Answer) -> Answer:
        if answer.status != 200 or not answer.body.startswith(b"{"):
            return answer
        content = orjson.loads(answer.body)
        change(content)
        return json_answer(answer.status, content)

    return changed(edit, part)


def slow(seconds: float) -> Effect:
    return changed(lambda answer: answer._replace(duration_s=seconds))


def placed(
    source: Random, start: float, end: float, shortest_s: float, longest_s: float
) -> tuple[float, float]:
    """Return a stretch (start, duration) inside the run, a tenth of it at most."""
    duration = min(source.uniform(shortest_s, longest_s), (end - start) / 10.0)
    return source.uniform(start + (end - start) * 0.1, end - (end - start) * 0.1 - duration), duration


def lasting(
    name: str,
    text: str,
    target: str,
    shortest_s: float,
    longest_s: float,
    *,
    effect: Callable[[], Effect] | None = None,
    times: int = 1,
) -> None:
    """Register a fault that comes so many times in a run and lasts between the two durations; ``effect``
    makes what it does to answers, anew for each run."""

    def script(source: Random, start: float, end: float) -> Sequence[Fault]:
        places = [placed(source, start, end, shortest_s, longest_s) for _ in range(times)]
        made = effect() if effect is not None else None
        return [
            Fault(name=name, target=target, start=at, duration_s=duration, effect=made)
            for at, duration in places
        ]

    script.__doc__ = text
    fault_script(name)(script)


def event(
    source: Random,
    start: float,
    end: float,
    name: str,
    target: str,
    begin: Callable[[SimulatedWorld, float], None],
) -> Fault:
    """Return a fault that is over as soon as it has happened."""
    at, _duration = placed(source, start, end, 1.0, 1.0)
    return Fault(name=name, target=target, start=at, duration_s=1.0, begin=begin)
