"""The words for what went wrong: code and details in, one sentence and what to do about it out.

Jobs and clients store codes, for they have no reader. Pages, API, commands and the log ask here, in the
language in force. Sentences use details by name; ``until`` is always told as the time of the next try.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from django.utils import translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .errors import CodedError, Detail, DeviceError, until_of
from .times import parse_time

Text = Promise | str

_CHECK_ADDRESS = _("Check the address of the meter in the settings.")
_CHECK_POWER = _("Check that the meter has power and a network connection and that the address is right.")
_TRY_AGAIN = _("Nothing to do: heatmon will try again automatically.")
_NEXT_POLL = _("heatmon will try again at the next poll.")
_PORTAL = _("A Wi-Fi login page may be in the way; otherwise check the address.")
_RIGHT_ACCOUNT = _("Use the account under which the heat pump is registered in ViCare.")

METER: Mapping[str, tuple[Text, Text]] = {
    "unreachable": (_("The meter at %(host)s is not responding."), _CHECK_POWER),
    "timeout": (_("The meter at %(host)s did not respond in time."), _CHECK_POWER),
    "name_unknown": (
        _("The name %(host)s is not known on this network."),
        _("Enter the meter's IP address instead of its name."),
    ),
    "connection_lost": (
        _("The meter at %(host)s closed the connection before the response was complete."),
        _TRY_AGAIN,
    ),
    "server_error": (
        _("The meter at %(host)s reports an error (%(detail)s)."),
        _("If this persists, restart the meter."),
    ),
    "busy": (
        _("The meter at %(host)s is not accepting requests at the moment."),
        _("Other programs may be polling it too often: close them, or restart the meter."),
    ),
    "wrong_password": (
        _("The meter at %(host)s rejected the password."),
        _("Enter the meter's password again in the settings; heatmon will not try again until you do."),
    ),
    "password_needed": (
        _("The meter at %(host)s requires a password."),
        _("Enter the meter's password in the settings."),
    ),
    "not_a_shelly": (_("The device at %(host)s is not a Shelly."), _CHECK_ADDRESS),
    "redirected": (
        _("The device at %(host)s redirects to another address."),
        _("Enter the address of the meter itself, without a proxy or a login page in between."),
    ),
    "old_shelly": (
        _("The Shelly at %(host)s is a first-generation device."),
        _("heatmon reads Shelly meters of the second and later generations, such as the Pro 3EM."),
    ),
    "shelly_without_meter": (_("The Shelly at %(host)s has no energy meter."), _CHECK_ADDRESS),
    "no_meter_values": (
        _("The Shelly at %(host)s is not sending any readings."),
        _("Check the profile of the meter (triphase or monophase) in its own app, and restart it."),
    ),
    "profile_changed": (
        _("The meter at %(host)s has no history for its previous profile."),
        _("Its profile was switched; heatmon continues with the new one at the next reading."),
    ),
    "another_device": (
        _("A different Shelly (%(detail)s) is responding at %(host)s."),
        _("If it is your new meter, confirm it in the settings; otherwise correct the address."),
    ),
    "other_meter": (
        _("A different meter is responding at this address: %(found)s instead of %(known)s."),
        _("Nothing is stored from it. If it is your new meter, confirm it on the settings page."),
    ),
    "clock_not_set": (
        _("The meter at %(host)s has not set its clock yet."),
        _("Give it access to a time server; until then its history cannot be read."),
    ),
    "clock_wrong": (
        _("The clock of the meter at %(host)s is %(offset)s."),
        _(
            "Give it access to a time server. Until then heatmon counts the minutes by its own clock and "
            "does not read the meter's history."
        ),
    ),
    "too_large": (_("The response from %(host)s is too large to come from a meter."), _CHECK_ADDRESS),
    "unreadable": (
        _("The response from the meter at %(host)s could not be read (%(detail)s)."),
        _("If this persists, restart the meter and update its firmware."),
    ),
    "address_invalid": (
        _("%(host)s is not a valid meter address."),
        _("Enter host and port only, like http://192.168.1.50, and the password in its own field."),
    ),
    "address_refused": (
        _("%(host)s is not an allowed meter address."),
        _("Enter the meter's address in your home network."),
    ),
    "search_refused": (
        _("This computer cannot search the network for meters."),
        _("Enter the meter's address; your router lists it among the connected devices."),
    ),
    "clock_was_wrong": (_("the meter's clock was wrong then"), ""),
    "not_remembered": (_("the meter has no data for these minutes"), ""),
    "not_given": (_("the meter says it has these minutes, but does not hand them out"), ""),
    "memory_begins_later": (_("the meter's memory begins later: it was erased, or too much time passed"), ""),
    "profile_switched": (_("the meter's profile was switched, and with it its memory"), ""),
}

EXPORT: Mapping[str, tuple[Text, Text]] = {
    "line_unknown": (_("Line %(line)s is not a row of the meter's export."), ""),
    "line_columns": (_("Line %(line)s has %(columns)s columns instead of %(expected)s."), ""),
    "line_time": (_("Line %(line)s does not start with a time."), ""),
    "line_value": (_("Line %(line)s has a value that is not a number."), ""),
    "future": (_("Line %(line)s is in the future."), ""),
    "impossible_energy": (_("The meter's history holds more energy than can be measured (%(detail)s)."), ""),
    "no_energy_column": (_("There is no energy column in the meter's answer or file."), ""),
    "channel_needed": (_("These rows are from a single channel; specify which one."), ""),
    "no_data_points": (_("the response contains no list of data points"), ""),
    "stored_answer": (_("A stored response cannot be read."), ""),
}

CLOUD: Mapping[str, tuple[Text, Text]] = {
    "no_answer": (
        _("The Viessmann cloud cannot be reached."),
        format_lazy("{} {}", _("Check the internet connection and the address."), _NEXT_POLL),
    ),
    "cloud_timeout": (_("The Viessmann cloud did not respond in time."), _NEXT_POLL),
    "tls": (
        _("The certificate of the Viessmann cloud cannot be trusted."),
        _("Check this computer's clock, and whether a Wi-Fi login page or proxy is in the way."),
    ),
    "cloud_redirected": (_("The address of the Viessmann cloud redirects elsewhere."), _PORTAL),
    "cloud_error": (_("The Viessmann cloud returned an error (%(status)s)."), _NEXT_POLL),
    "not_json": (_("The Viessmann cloud sent a response that heatmon cannot read."), _PORTAL),
    "no_data": (_("The Viessmann cloud sent a response that heatmon cannot read."), _PORTAL),
    "no_features": (
        _("The Viessmann cloud returned no data points."),
        _("This happens when the cloud has problems; heatmon will try again at the next poll."),
    ),
    "answer_too_big": (_("The cloud's response is too large."), _PORTAL),
    "too_many_calls": (_("The cloud asked for more requests than one poll is allowed to make."), _NEXT_POLL),
    "gateway_offline": (
        _("The heat pump's gateway is not connected to the Viessmann cloud."),
        _("Check the Vitoconnect: power, Wi-Fi, status light."),
    ),
    "device_offline": (
        _("The heat pump is not connected to its gateway."),
        _("Check that the heat pump is switched on and the gateway's cable is firmly plugged in."),
    ),
    "device_communication": (_("The Viessmann cloud could not reach the heat pump."), _NEXT_POLL),
    "rate_limit": (
        _("The Viessmann cloud's request limit has been reached."),
        _("heatmon resumes automatically; does another program use the same client ID?"),
    ),
    "budget": (
        _("The cloud request quota is used up (%(used)s of %(stops_at)s)."),
        _("heatmon resumes automatically once the quota resets."),
    ),
    "burst": (
        _("heatmon has made %(used)s cloud requests within 10 minutes and is pausing."),
        _("heatmon resumes automatically; the vendor allows 120 requests in 10 minutes."),
    ),
    "paused": (
        _("The Viessmann cloud has asked for a pause."),
        _("heatmon resumes automatically; does another program use the same client ID?"),
    ),
    "paid_plan": (
        _("The Viessmann account's plan does not include this data."),
        _("See the plan of your client ID in the Viessmann developer portal."),
    ),
    "forbidden": (_("The Viessmann account has no access to this heat pump."), _RIGHT_ACCOUNT),
    "not_found": (
        _("The Viessmann cloud no longer knows this heat pump."),
        _("If the gateway was replaced, choose the heat pump again on the settings page."),
    ),
    "gone": (
        _("Viessmann has shut down this API."),
        _("Update heatmon, or check the address of the API."),
    ),
    "gone_since": (
        _("Viessmann has shut down this API (%(sunset)s)."),
        _("Its successor is %(replacement)s: update heatmon, or check the address of the API."),
    ),
    "no_heat_pump": (_("The Viessmann account has no heat pump."), _RIGHT_ACCOUNT),
    "other_heat_pump": (
        _("The Viessmann account has no heat pump with the serial number %(serial)s."),
        _("It has: %(names)s. Choose one on the settings page."),
    ),
    "several_heat_pumps": (
        _("The Viessmann account has several heat pumps; choose one on the settings page."),
        "%(names)s",
    ),
}

LOGIN: Mapping[str, tuple[Text, Text]] = {
    "token_rejected": (
        _("The Viessmann cloud rejected heatmon's sign-in."),
        _("heatmon renews it automatically; if this persists, sign in again on the settings page."),
    ),
    "login_ended": (_("The Viessmann sign-in ended early; heatmon will sign in again at the next poll."), ""),
    "login_needed": (
        _("heatmon is not, or no longer, signed in to the Viessmann account."),
        _("Enter user name and password on the settings page."),
    ),
    "login_unavailable": (_("Viessmann's sign-in service returned an error (%(status)s)."), _NEXT_POLL),
    "account_locked": (
        _("The Viessmann account is locked."),
        _("Sign in with the ViCare app or reset the password there, then enter it here again."),
    ),
    "wrong_client_id": (
        _("The Viessmann cloud does not know this client ID."),
        _("Copy it from the developer portal; its redirect address must be %(address)s."),
    ),
    "wrong_credentials": (
        _("The Viessmann cloud rejected the user name or password."),
        _("Check both by signing in with the ViCare app."),
    ),
}

# What a source tells that still delivers.
WARNINGS: Mapping[str, tuple[Text, Text]] = {
    "meter_faults": (
        _("The meter reports: %(faults)s."),
        _("Its values may be wrong; look at its own web page."),
    ),
    "heat_pump_messages": (
        _("The heat pump reports: %(codes)s."),
        _("Its display and the ViCare app explain the message."),
    ),
    "login_ends_soon": (
        _("The sign-in to the Viessmann cloud ends on %(ends)s."),
        _("Enter the password again on the settings page. If heatmon still has it, it signs in by itself."),
    ),
}

WORDS: Mapping[str, tuple[Text, Text]] = {**METER, **EXPORT, **CLOUD, **LOGIN, **WARNINGS}

_CHECK_THIS_ADDRESS = _("Check the address.")
# Hints for somebody who has the form with the device's settings in front of them.
ON_THE_FORM: Mapping[str, Text] = {
    "wrong_password": _("Enter the meter's password again."),
    "password_needed": _("Enter the meter's password."),
    "not_a_shelly": _CHECK_THIS_ADDRESS,
    "shelly_without_meter": _CHECK_THIS_ADDRESS,
    "too_large": _CHECK_THIS_ADDRESS,
    "other_heat_pump": _("It has: %(names)s. Enter one of these."),
    "login_needed": _("Enter user name and password."),
}
# What a Shelly calls its own faults; ``missing:PART``, ``unreadable:KEY`` and ``negative:KEY`` are ours.
REPORTED: Mapping[str, Text] = {
    "power_meter_failure": _("failure of its measuring unit"),
    "phase_sequence": _("wrong sequence of the phases"),
    "ct_type_not_set": _("type of the current transformers not set"),
    "database_error": _("its memory cannot be written"),
    "no_load": _("no load"),
    "out_of_range:active_power": _("active power out of range"),
    "out_of_range:act_power": _("active power out of range"),
    "out_of_range:apparent_power": _("apparent power out of range"),
    "out_of_range:aprt_power": _("apparent power out of range"),
    "out_of_range:voltage": _("voltage out of range"),
    "out_of_range:current": _("current out of range"),
}
_PLACES: Mapping[str, Text] = {
    "a": _("phase A: %(fault)s"),
    "b": _("phase B: %(fault)s"),
    "c": _("phase C: %(fault)s"),
    "n": _("neutral conductor: %(fault)s"),
}
_OURS: Mapping[str, Text] = {
    "missing": _("no data from %(part)s"),
    "unreadable": _("%(part)s cannot be read"),
    "negative": _("%(part)s is negative"),
}
_UNKNOWN = (_("Something went wrong (%(code)s)."), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a reader is told. ``hint``: what to do about it, and when the next attempt is made, which
    ``next_attempt`` has alone; both empty where there is nothing to say."""

    sentence: str
    hint: str = ""
    next_attempt: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}".rstrip()


class _Places(dict[str, str]):
    """What sentences are filled with; a detail that an earlier version did not store shows as a dash."""

    def __missing__(self, name: str) -> str:
        return "–"


def words(
    code: str, details: Mapping[str, Detail], zone: tzinfo = UTC, *, on_the_form: bool = False
) -> Words:
    """Return the words for a code in the language in force, empty ones for no code.

    ``zone``: of the house, for times. ``on_the_form``: the reader is where the device is set up.
    """
    if not code:
        return Words(sentence="")
    sentence, hint = (str(text) for text in WORDS.get(code, _UNKNOWN))
    if on_the_form:
        hint = str(ON_THE_FORM.get(code, hint))
    places = _Places({name: _shown(value) for name, value in details.items()}, code=code)
    places |= _made_places(details, zone)
    until = until_of(details)
    following = "" if until is None else gettext("Next attempt: %(time)s.") % {"time": _time(until, zone)}
    whole_hint = f"{hint % places} {following}".strip()
    return Words(sentence=sentence % places, hint=whole_hint, next_attempt=following)


def _made_places(details: Mapping[str, Detail], zone: tzinfo) -> dict[str, str]:
    """Return the details that read otherwise than they are stored."""
    made = {}
    offset_s, faults, ends_at = details.get("offset_s"), details.get("reported"), details.get("ends_at")
    if isinstance(offset_s, int | float):
        made["offset"] = offset_words(offset_s)
    if isinstance(faults, list | tuple):
        made["faults"] = ", ".join(reported_words(fault) for fault in faults)
    if isinstance(ends_at, str) and (at := parse_time(ends_at)) is not None:
        made["ends"] = date_format(at.astimezone(zone), "DATE_FORMAT")
    return made


def words_of(error: CodedError, zone: tzinfo = UTC) -> Words:
    """Return the words for an error in the language in force."""
    return words(error.code, error.details, zone)


def words_for_asker(error: CodedError, zone: tzinfo = UTC, *, on_the_form: bool = False) -> Words:
    """Return the words for a person who asks by hand: whoever is refused need not wait for our next try."""
    details = dict(error.details)
    if isinstance(error, DeviceError) and error.permanent:
        details.pop("until", None)
    return words(error.code, details, zone, on_the_form=on_the_form)


def reported_words(fault: str) -> str:
    """Return the words for a fault that the meter reports, ``a:name`` for one of a phase; unknown ones as
    told."""
    kind, _colon, rest = fault.partition(":")
    if rest and kind in _PLACES:
        return str(_PLACES[kind]) % {"fault": reported_words(rest)}
    if rest and kind in _OURS:
        return str(_OURS[kind]) % {"part": rest}
    return str(REPORTED.get(fault, fault))


def offset_words(offset_s: float) -> str:
    """Return how far a clock is off ours, like "61 min ahead"."""
    minutes = round(abs(offset_s) / 60)
    if abs(offset_s) < 120:
        size = gettext("%(n)s s") % {"n": round(abs(offset_s))}
    elif minutes < 120:
        size = gettext("%(n)s min") % {"n": minutes}
    elif minutes < 48 * 60:
        size = gettext("%(n)s h") % {"n": round(minutes / 60)}
    else:
        size = gettext("%(n)s days") % {"n": round(minutes / 1440)}
    return (gettext("%(time)s ahead") if offset_s > 0 else gettext("%(time)s behind")) % {"time": size}


def log_line(error: CodedError, zone: tzinfo = UTC) -> str:
    """Return sentence and hint in English, as the log has them."""
    with translation.override("en"):
        return str(words_of(error, zone))


def _shown(value: Detail) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return str(value)


def _time(at: datetime, zone: tzinfo) -> str:
    return date_format(at.astimezone(zone), "SHORT_DATETIME_FORMAT")
