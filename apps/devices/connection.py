"""Try a device out and say in words what was found: for the settings page and the first start.

A refused password or client id is asked only as often as a person presses the button.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from requests.adapters import BaseAdapter

from .budget import CallBudget
from .clamps import turned_channels
from .errors import BudgetExhausted, CodedError, DeviceError
from .http import PermittedIp
from .meter_clock import is_wrong
from .readings import PHASES, HeatPumpReading, PhaseReading, PowerReading
from .reports import meter_report, reported
from .shelly.client import ShellyClient
from .shelly.parse import MeterIdentity
from .viessmann.client import ViessmannAccount, ViessmannClient
from .viessmann.features import heat_pump_reading
from .viessmann.oauth import TokenStore
from .wording import offset_words, reported_words, words_for_asker

MODEL_NAMES = {
    "SPEM-003": "Shelly Pro 3EM",
    "S3EM-003": "Shelly 3EM-63 Gen3",
    "SPEM-002": "Shelly Pro EM-50",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPumpChoice:
    """One of several heat pumps: ``value`` as the option has it, ``name`` for people."""

    value: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReport:
    """What answered. ``title``: one sentence; ``detail``: further lines; ``hint``: what to do, if anything.
    ``code`` is the error's, empty when all is well. ``reading`` is the meter's; ``choices``: the heat pumps
    to choose from, where the account has several."""

    ok: bool
    title: str
    detail: tuple[str, ...] = ()
    code: str = ""
    hint: str = ""
    reading: PowerReading | None = None
    choices: tuple[HeatPumpChoice, ...] = ()


def test_meter(
    url: str,
    password: str | None,
    clock: Callable[[], datetime],
    session: requests.Session | None = None,
    *,
    permitted_ip: PermittedIp | None = None,
    channels: Collection[str] = PHASES,
    running_w: float = 400.0,
) -> ConnectionReport:
    """Ask the meter at ``url`` who it is and for its values. ``permitted_ip`` checks a typed address.

    ``channels`` are the heat pump's, which feeds nothing back; it runs from ``running_w`` on.
    """
    client = ShellyClient(url, password, clock=clock, session=session, permitted_ip=permitted_ip)
    try:
        identity = client.identify()
        reading = client.get_status()
    except DeviceError as error:
        return _failed(error)
    finally:
        client.close()
    turned = turned_channels(reading.phases, channels, running_w) or ()
    return _meter_report(identity, reading, turned)


def test_heat_pump(
    account: ViessmannAccount,
    budget: CallBudget,
    clock: Callable[[], datetime],
    *,
    token_store: TokenStore | None = None,
    device_serial: str | None = None,
    adapter: BaseAdapter | None = None,
    afresh: bool = False,
) -> ConnectionReport:
    """Log in and read the heat pump once; 2 to 4 cloud calls.

    ``token_store``: of the running program. With ``afresh`` its login is left alone: a new one is made and
    forgotten afterwards. A success ends what the running program waits for.
    """
    if not afresh and token_store is not None:
        return _heat_pump_report(account, budget, clock, token_store, device_serial, adapter)
    with tempfile.TemporaryDirectory(prefix="heatmon-") as folder:
        scratch = TokenStore(Path(folder) / "login.json")
        report = _heat_pump_report(account, budget, clock, scratch, device_serial, adapter)
    if report.ok and token_store is not None:
        token_store.ask_again()
    return report


def _failed(error: CodedError) -> ConnectionReport:
    said = words_for_asker(error, on_the_form=True)
    names, choices = (error.details.get(detail) or () for detail in ("names", "choices"))
    assert isinstance(names, list | tuple) and isinstance(choices, list | tuple)
    return ConnectionReport(
        ok=False,
        title=said.sentence,
        code=error.code,
        hint=said.hint,
        choices=tuple(
            HeatPumpChoice(value=value, name=name) for value, name in zip(choices, names, strict=True)
        ),
    )


def _meter_report(
    identity: MeterIdentity, reading: PowerReading, turned: tuple[str, ...]
) -> ConnectionReport:
    facts = {
        "model": model_name(identity.model),
        "profile": reading.profile or identity.profile,
        "firmware": identity.firmware,
    }
    if reading.power_w is None:
        title = _("%(model)s, %(profile)s, firmware %(firmware)s; no power measured right now") % facts
    else:
        title = _("%(model)s, %(profile)s, firmware %(firmware)s; %(power)s W now") % {
            **facts,
            "power": _number(reading.power_w, 0),
        }
    detail = tuple(
        _phase_line(name, phase)
        for name, phase in zip(PHASES, reading.phases, strict=True)
        if phase.power_w is not None or phase.voltage_v is not None
    )
    return ConnectionReport(
        ok=True, title=title, detail=detail, hint=_meter_hint(reading, turned), reading=reading
    )


def model_name(model: str) -> str:
    """Return the name on the box for a model number like SPEM-003CEBEU, an unknown one as told."""
    return MODEL_NAMES.get(model[:8], model)


def _number(value: float, decimals: int | None = None) -> str:
    """Format a number with the reader's decimal sign; without ``decimals`` with as many as it has."""
    return number_format(f"{value:g}" if decimals is None else f"{value:.{decimals}f}", use_l10n=True)


def _phase_line(name: str, phase: PhaseReading) -> str:
    if not phase.is_connected:
        return _("%(channel)s: not connected") % {"channel": name.upper()}
    parts = [
        f"{_number(value, decimals)} {unit}"
        for value, decimals, unit in (
            (phase.power_w, 0, "W"),
            (phase.voltage_v, 1, "V"),
            (phase.current_a, 2, "A"),
        )
        if value is not None
    ]
    return f"{name.upper()}: {', '.join(parts)}"


def _meter_hint(reading: PowerReading, turned: tuple[str, ...]) -> str:
    if turned:
        return _(
            "%(channels)s counts backwards: turn the clamp around, or set the channel to reversed in the "
            "Shelly's own settings."
        ) % {"channels": ", ".join(turned).upper()}
    report = meter_report(reading)
    if is_wrong(report["clock_offset_s"]):
        offset = offset_words(report["clock_offset_s"])
        return _("Its clock is %(offset)s: give it access to a time server.") % {"offset": offset}
    faults = reported(report)
    if faults:
        said = "; ".join(reported_words(fault) for fault in faults)
        return _("The meter reports: %(faults)s. See its web page.") % {"faults": said}
    return ""


def _heat_pump_report(
    account: ViessmannAccount,
    budget: CallBudget,
    clock: Callable[[], datetime],
    token_store: TokenStore,
    device_serial: str | None,
    adapter: BaseAdapter | None,
) -> ConnectionReport:
    client = ViessmannClient(
        account,
        token_store=token_store,
        budget=budget,
        clock=clock,
        device_serial=device_serial,
        adapter=adapter,
    )
    try:
        reading = heat_pump_reading(client.fetch("test"))
    except (DeviceError, BudgetExhausted) as error:
        return _failed(error)
    return ConnectionReport(
        ok=True,
        title=_("%(model)s found, gateway %(gateway)s")
        % {"model": reading.model or _("Heat pump"), "gateway": reading.device},
        detail=_heat_pump_lines(reading),
        hint=_heat_pump_hint(reading),
    )


def _heat_pump_lines(reading: HeatPumpReading) -> tuple[str, ...]:
    values = (
        (_("outdoor temperature"), reading.outside_temperature_c, "°C"),
        (_("flow temperature"), reading.supply_temperature_c, "°C"),
        (_("return temperature"), reading.return_temperature_c, "°C"),
        (_("hot water"), reading.dhw_storage_temperature_c, "°C"),
        (_("rated power"), reading.rated_power_kw, "kW"),
        (_("modulation"), reading.modulation_percent, "%"),
    )
    known = tuple(f"{name}: {_number(value)} {unit}" for name, value, unit in values if value is not None)
    missing = [name for name, value, _unit in values if value is None]
    if missing:
        return (*known, _("not reported: %(names)s") % {"names": ", ".join(missing)})
    return known


def _heat_pump_hint(reading: HeatPumpReading) -> str:
    if reading.rated_power_kw is None or reading.modulation_percent is None:
        return _(
            "Without rated power and modulation, heat can only be estimated from the flow rate (delta T)."
        )
    return ""
