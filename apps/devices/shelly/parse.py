"""◇ What the meter's answers say: identity, one poll, its clock. Pure.

Rules (facts: vendor pages EM, EMData, EM1, EM1Data, Sys, and captured answers):
any number may be null, keys may be absent, error lists are absent when empty. A value that is no number, or
more than can be measured, is None and named in the errors as ``unreadable:KEY``; a negative counter is None
and named as ``negative:KEY``. An unconnected phase keeps the 0 V and the noise that the meter reports for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import PayloadInvalid, WrongDevice
from ..readings import PHASES, PhaseReading, PowerReading
from .minutes import csv_minutes, history_page, merge_channels, records_extent

__all__ = [
    "MONOPHASE",
    "TRIPHASE",
    "ClockValues",
    "MeterIdentity",
    "MeterValues",
    "csv_minutes",
    "device_identity",
    "em1_values",
    "em1data_values",
    "em_values",
    "emdata_values",
    "history_page",
    "mac_address",
    "merge_channels",
    "power_reading",
    "profile_of",
    "records_extent",
    "sys_values",
]

TRIPHASE, MONOPHASE = "triphase", "monophase"

EARLIEST_SET_CLOCK = 1_000_000_000  # 2001; an earlier time means that the meter never set its clock
LARGEST_VALUE = 1e6  # W, VA, V, A
LARGEST_COUNTER_WH = 9e8
MOST_ERRORS, LONGEST_ERROR = 20, 60

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterIdentity:
    """Who answers. ``profile`` is ``triphase`` or ``monophase``, None where only the components tell (see
    ``profile_of``); ``auth_realm`` is set with a password."""

    mac: str
    model: str
    firmware: str
    profile: str | None
    auth_required: bool
    auth_realm: str | None
    name: str | None = None
    generation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterValues:
    """The measuring components of one answer, in the units and with the signs of PowerReading."""

    profile: str
    phases: tuple[PhaseReading, PhaseReading, PhaseReading]
    power_w: float | None = None
    energy_counter_wh: float | None = None
    energy_returned_counter_wh: float | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockValues:
    """``unix_time`` [epoch s] is None until the meter has set its clock."""

    mac: str | None = None
    unix_time: int | None = None
    uptime_s: int | None = None


def device_identity(info: object) -> MeterIdentity:
    """Return the Shelly behind ``/shelly`` or ``Shelly.GetDeviceInfo``.

    Raises WrongDevice with the code ``not_a_shelly`` or ``old_shelly`` (first generation, another protocol).
    """
    if not isinstance(info, Mapping) or not isinstance(info.get("mac"), str):
        raise WrongDevice("not_a_shelly")
    model, generation = info.get("model"), info.get("gen")
    if generation is None and isinstance(info.get("type"), str):
        raise WrongDevice("old_shelly")
    mac = mac_address(info["mac"])
    if mac is None or not isinstance(model, str) or type(generation) is not int:
        raise WrongDevice("not_a_shelly")
    profile = info.get("profile")
    realm, name = info.get("auth_domain"), info.get("name")
    return MeterIdentity(
        mac=mac,
        model=_clean(model),
        firmware=_clean(str(info.get("ver") or "")),
        profile=profile if profile in (TRIPHASE, MONOPHASE) else None,
        auth_required=info.get("auth_en") is True,
        auth_realm=realm if isinstance(realm, str) else None,
        name=_clean(name) if isinstance(name, str) else None,
        generation=generation,
    )


def profile_of(status: object) -> str | None:
    """Return the profile that the components in ``Shelly.GetStatus`` show; None for a Shelly without an
    energy meter."""
    if not isinstance(status, Mapping):
        return None
    if "em:0" in status or "emdata:0" in status:
        return TRIPHASE
    return MONOPHASE if any(key.startswith(("em1:", "em1data:")) for key in status) else None


def power_reading(status: object, device: str, requested_at: datetime) -> PowerReading:
    """Return the reading of one poll from the body of ``Shelly.GetStatus``.

    ``requested_at`` is the middle of the request [aware UTC]. ``device`` (a MAC) is used only where the
    answer names none, so that the caller sees another device at that address. Raises PayloadInvalid
    when neither powers nor counters are there; one of the two alone is kept.
    """
    if not isinstance(status, Mapping):
        raise PayloadInvalid("unreadable", path="$")
    values = _meter_values(status)
    clock = sys_values(status.get("sys"))
    mac = clock.mac or device
    if not mac:
        raise PayloadInvalid("unreadable", path="sys.mac")
    return PowerReading(
        measured_at=requested_at,
        device=mac,
        profile=values.profile,
        phases=values.phases,
        power_w=values.power_w,
        energy_counter_wh=values.energy_counter_wh,
        energy_returned_counter_wh=values.energy_returned_counter_wh,
        clock_offset_s=None if clock.unix_time is None else clock.unix_time - requested_at.timestamp(),
        uptime_s=clock.uptime_s,
        errors=values.errors,
    )


def em_values(body: Body) -> MeterValues:
    """Return the powers of three phases from ``EM.GetStatus``."""
    return _triphase(_component({"em:0": body}, "em:0"), {}, [])


def emdata_values(body: Body) -> MeterValues:
    """Return the counters of three phases from ``EMData.GetStatus``."""
    return _triphase({}, _component({"emdata:0": body}, "emdata:0"), [])


def em1_values(body: Body, channel: int) -> MeterValues:
    """Return the power of one channel (0, 1, 2) from ``EM1.GetStatus``."""
    return _monophase({f"em1:{channel}": body, f"em1data:{channel}": {}}, [])


def em1data_values(body: Body, channel: int) -> MeterValues:
    """Return the counters of one channel (0, 1, 2) from ``EM1Data.GetStatus``."""
    return _monophase({f"em1:{channel}": {}, f"em1data:{channel}": body}, [])


def sys_values(body: object) -> ClockValues:
    """Return the identity and clock from ``Sys.GetStatus``; what cannot be read is None."""
    if not isinstance(body, Mapping):
        return ClockValues()
    mac, unix_time, uptime = body.get("mac"), body.get("unixtime"), body.get("uptime")
    return ClockValues(
        mac=mac_address(mac) if isinstance(mac, str) else None,
        unix_time=unix_time if type(unix_time) is int and EARLIEST_SET_CLOCK <= unix_time < 2**33 else None,
        uptime_s=uptime if type(uptime) is int and uptime >= 0 else None,
    )


def mac_address(text: str) -> str | None:
    """Return ``aa:bb:cc:dd:ee:ff`` as ``AABBCCDDEEFF``; None if it is not a MAC."""
    mac = text.replace(":", "").replace("-", "").upper()
    return mac if re.fullmatch(r"[0-9A-F]{12}", mac) else None


def _meter_values(status: Body) -> MeterValues:
    errors: list[str] = []
    em, emdata = status.get("em:0"), status.get("emdata:0")
    if em is not None or emdata is not None:
        return _triphase(_present("em:0", em, errors), _present("emdata:0", emdata, errors), errors)
    if any(f"{kind}:{channel}" in status for channel in range(3) for kind in ("em1", "em1data")):
        return _monophase(status, errors)
    raise PayloadInvalid("no_meter_values", path="em:0")


def _present(name: str, body: object, errors: list[str]) -> Body:
    """Return the component, or an empty one and an error: its sister component is still good."""
    if isinstance(body, Mapping):
        return body
    errors.append(f"missing:{name}")
    return {}


def _component(status: Body, name: str) -> Body:
    body = status[name]
    if not isinstance(body, Mapping):
        raise PayloadInvalid("unreadable", path=name)
    return body


def _triphase(em: Body, emdata: Body, errors: list[str]) -> MeterValues:
    a, b, c = (_triphase_phase(em, emdata, letter) for letter in PHASES)
    power = _number(em, "total_act_power", errors)
    counter = _counter(emdata, "total_act", errors)
    returned = _counter(emdata, "total_act_ret", errors)
    errors += _texts(em.get("errors"))
    errors += [f"n:{text}" for text in _texts(em.get("n_errors"))]
    errors += _texts(emdata.get("errors"))
    phases = (a, b, c)
    return MeterValues(
        profile=TRIPHASE,
        phases=phases,
        power_w=power if power is not None else _total([phase.power_w for phase in phases], 3),
        energy_counter_wh=(
            counter if counter is not None else _total([phase.energy_counter_wh for phase in phases], 2)
        ),
        energy_returned_counter_wh=(
            returned
            if returned is not None
            else _total([phase.energy_returned_counter_wh for phase in phases], 2)
        ),
        errors=tuple(errors),
    )


def _triphase_phase(em: Body, emdata: Body, letter: str) -> PhaseReading:
    errors = _texts(em.get(f"{letter}_errors"))
    return PhaseReading(
        power_w=_number(em, f"{letter}_act_power", errors),
        voltage_v=_number(em, f"{letter}_voltage", errors),
        current_a=_number(em, f"{letter}_current", errors),
        energy_counter_wh=_counter(emdata, f"{letter}_total_act_energy", errors),
        energy_returned_counter_wh=_counter(emdata, f"{letter}_total_act_ret_energy", errors),
        errors=tuple(errors),
    )


def _monophase(status: Body, errors: list[str]) -> MeterValues:
    """Return the channels 0, 1, 2 as phases a, b, c. Totals are over the channels that the meter has."""
    phases = []
    channels = []
    for channel in range(3):
        em1, em1data = status.get(f"em1:{channel}"), status.get(f"em1data:{channel}")
        if em1 is None and em1data is None:
            phases.append(PhaseReading())
            continue
        phase = _channel(em1, em1data, channel)
        phases.append(phase)
        channels.append(phase)
    return MeterValues(
        profile=MONOPHASE,
        phases=(phases[0], phases[1], phases[2]),
        power_w=_total([channel.power_w for channel in channels], 3),
        energy_counter_wh=_total([channel.energy_counter_wh for channel in channels], 2),
        energy_returned_counter_wh=_total([channel.energy_returned_counter_wh for channel in channels], 2),
        errors=tuple(errors),
    )


def _channel(em1: object, em1data: object, channel: int) -> PhaseReading:
    errors: list[str] = []
    power = _present(f"em1:{channel}", em1, errors)
    energy = _present(f"em1data:{channel}", em1data, errors)
    errors += _texts(power.get("errors")) + _texts(power.get("flags")) + _texts(energy.get("errors"))
    return PhaseReading(
        power_w=_number(power, "act_power", errors),
        voltage_v=_number(power, "voltage", errors),
        current_a=_number(power, "current", errors),
        energy_counter_wh=_counter(energy, "total_act_energy", errors),
        energy_returned_counter_wh=_counter(energy, "total_act_ret_energy", errors),
        errors=tuple(errors),
    )


def _number(body: Body, key: str, errors: list[str], largest: float = LARGEST_VALUE) -> float | None:
    value = body.get(key)
    if value is None:
        return None
    # The comparison is false for NaN; type() keeps True and False out.
    if type(value) in (float, int) and -largest <= value <= largest:
        return float(value)
    errors.append(f"unreadable:{key}")
    return None


def _counter(body: Body, key: str, errors: list[str]) -> float | None:
    value = _number(body, key, errors, LARGEST_COUNTER_WH)
    if value is not None and value < 0:
        errors.append(f"negative:{key}")
        return None
    return value


def _total(values: list[float | None], digits: int) -> float | None:
    """Return the sum, None if any summand is missing or there is none."""
    known = [value for value in values if value is not None]
    return round(sum(known), digits) if known and len(known) == len(values) else None


def _texts(value: object) -> list[str]:
    """Return an error list of the device, cut to what fits a page and a log line."""
    if not isinstance(value, list):
        return []
    return [_clean(text) for text in value[:MOST_ERRORS] if isinstance(text, str)]


def _clean(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:LONGEST_ERROR]
