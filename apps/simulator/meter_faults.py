"""What goes wrong with the meter, by name."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from .faults import (
    METER,
    Effect,
    Fault,
    changed,
    changed_content,
    event,
    fault_script,
    lasting,
    placed,
    refuse,
    slow,
)
from .wire import Answer, json_answer

if TYPE_CHECKING:
    from .world import SimulatedWorld

OTHER_MAC = "0A0B0C0D0E0F"
TOO_MANY_BYTES = 3_000_000


def _fault(
    name: str, text: str, effect: Effect, shortest_s: float = 60.0, longest_s: float = 3_600.0
) -> None:
    """Register a fault of the answers that lasts between the two durations [s]."""

    lasting(name, text, METER, shortest_s, longest_s, effect=lambda: effect)


def always(answer: Answer) -> Effect:
    """Return an effect that gives one answer, whatever is asked."""
    return changed(lambda _given: answer)


def _without_powers(content: Any) -> None:
    for name in content.get("em:0", {}):
        if name.endswith(("act_power", "current", "voltage")):
            content["em:0"][name] = None


def _without_a_phase(content: Any) -> None:
    for name in [name for name in content.get("em:0", {}) if name.startswith("b_")]:
        del content["em:0"][name]


def _counter_of_minus_one(content: Any) -> None:
    if "emdata:0" in content:
        content["emdata:0"]["total_act"] = content["emdata:0"]["a_total_act_energy"] = -1.0


def _with_new_fields(content: Any) -> None:
    if "em:0" in content:
        content["em:0"]["a_thd"] = 3.1
        content["new:0"] = {"id": 0, "state": "unknown"}
        content["sys"].pop("last_sync_ts", None)


def _of_another_meter(content: Any) -> None:
    for place in (content, content.get("sys", {})):
        if "mac" in place:
            place["mac"] = OTHER_MAC
    if "id" in content and "gen" in content:
        content["id"] = f"shellypro3em-{OTHER_MAC.lower()}"


HTML = Answer(200, {"Content-Type": "text/html"}, b"<html><body>Please sign in to this network</body></html>")
REDIRECT = Answer(302, {"Location": "http://login.simulated/"}, b"")
NULL = Answer(200, {"Content-Type": "application/json"}, b"null")
BROKEN = Answer(200, {"Content-Type": "application/json"}, b'{"em:0": {"a_current": 1.')
HUGE = Answer(200, {"Content-Type": "application/json"}, b"[" + b"0," * (TOO_MANY_BYTES // 2) + b"0]")
BUSY = Answer(429, {"Content-Type": "text/plain"}, b"Too many requests")
FAILED = json_answer(500, {"code": -114, "message": "Method failed"})


def _cut(answer: Answer) -> Answer:
    return answer._replace(cut=True)


LIVE, EXPORT = "GetStatus", "data.csv"
HOUR_S, DAY_S = 3_600.0, 86_400.0

_fault("meter_unreachable", "Take the meter's network away for up to three hours.", refuse, 600.0, 3 * HOUR_S)
_fault("meter_slow", "Let each answer of the meter take a minute.", slow(60.0))
_fault("meter_cuts_off", "Break the connection in the middle of each answer.", changed(_cut))
_fault("meter_html", "Answer with the page of a captive portal.", always(HTML))
_fault("meter_null", "Answer with null.", always(NULL))
_fault("meter_broken_json", "Answer with JSON that breaks off.", always(BROKEN))
_fault("meter_huge_answer", "Answer with three megabytes.", always(HUGE), 60.0, 120.0)
_fault("meter_redirects", "Send whoever asks somewhere else.", always(REDIRECT))
_fault("meter_busy", "Answer 429, as a full table of nonces does.", always(BUSY))
_fault("meter_without_values", "Let the live values be null.", changed_content(_without_powers, LIVE))
_fault("meter_without_phase", "Let a phase be gone.", changed_content(_without_a_phase, LIVE))
_fault("meter_counter_negative", "Let the counters read -1.", changed_content(_counter_of_minus_one, LIVE))
_fault(
    "meter_new_firmware", "Let fields come and go.", changed_content(_with_new_fields, LIVE), HOUR_S, DAY_S
)
_fault("meter_other_device", "Let another meter have the address.", changed_content(_of_another_meter))
_fault(
    "meter_memory_fails", "Refuse to give the history away.", changed(lambda _: FAILED, EXPORT), 600.0, DAY_S
)
_fault("meter_memory_cuts_off", "Break off each export.", changed(_cut, EXPORT), 600.0, DAY_S)


@fault_script("meter_reboots")
def meter_reboots(source: Random, start: float, end: float) -> Sequence[Fault]:
    """Restart the meter, its clock unset for twenty seconds."""

    def reboot(world: SimulatedWorld, at: float) -> None:
        world.shelly.booted_at = int(at)

    return [event(source, start, end, "meter_reboots", METER, reboot)]


@fault_script("meter_counter_reset")
def meter_counter_reset(source: Random, start: float, end: float) -> Sequence[Fault]:
    """Reset the meter's counters to zero; its rows stay."""

    def reset(world: SimulatedWorld, at: float) -> None:
        world.shelly.meter.reset_counters(at)

    return [event(source, start, end, "meter_counter_reset", METER, reset)]


@fault_script("meter_power_cut")
def meter_power_cut(source: Random, start: float, end: float) -> Sequence[Fault]:
    """Cut the meter off from power for up to an hour: nothing is counted, and nothing remembered."""
    at, duration = placed(source, start, end, 300.0, HOUR_S)
    stop = at + duration

    def begin(world: SimulatedWorld, _at: float) -> None:
        world.shelly.meter.off.append((int(at), int(stop)))
        world.shelly.booted_at = int(stop)

    return [
        Fault(name="meter_power_cut", target=METER, start=at, duration_s=duration, effect=refuse, begin=begin)
    ]
