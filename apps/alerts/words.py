"""Alerts in words: the same on pages and in messages, in the language in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.backups.words import sentence as backup_sentence
from apps.changelog.sentences import label_of, shown
from apps.devices import storage
from apps.devices.times import parse_time
from apps.devices.wording import offset_words, words
from apps.metrics.status import Fault
from apps.metrics.status_words import fault_hint, fault_words
from apps.metrics.store_words import advice

from . import rules

NAMES: Mapping[str, Promise] = {
    rules.SILENT: gettext_lazy("Meter or heat pump silent"),
    rules.QUOTA: gettext_lazy("Cloud requests running out"),
    rules.STORE: gettext_lazy("Measured values cannot be stored"),
    rules.DISK: gettext_lazy("Disk nearly full"),
    rules.BACKUP: gettext_lazy("Backup failed or old"),
    rules.CYCLING: gettext_lazy("Short cycling"),
    rules.ROD: gettext_lazy("Heating rod running"),
    rules.DEVICE: gettext_lazy("Message of a device"),
    rules.OTHER_METER: gettext_lazy("Another meter at the address"),
    rules.LOGIN: gettext_lazy("Viessmann sign-in ends"),
    rules.DEVIATION: gettext_lazy("Lasting deviation"),
    rules.SWITCH: gettext_lazy("Alternating test: value to set"),
}
"""Kind → its name on the Settings page."""

MEANINGS: Mapping[str, Promise] = {
    rules.SILENT: gettext_lazy("no new value for"),
    rules.QUOTA: gettext_lazy("of the day's requests used"),
    rules.STORE: gettext_lazy("values wait in memory or on disk"),
    rules.DISK: gettext_lazy("free space below"),
    rules.BACKUP: gettext_lazy("newest older than"),
    rules.CYCLING: gettext_lazy("starts within an hour, at least"),
    rules.ROD: gettext_lazy("within 24 hours, at least"),
    rules.DEVICE: gettext_lazy("fault or service"),
    rules.OTHER_METER: gettext_lazy("nothing is stored from it"),
    rules.LOGIN: gettext_lazy("days before"),
    rules.DEVIATION: gettext_lazy("from the use expected at this weather"),
    rules.SWITCH: gettext_lazy("on the evening of a switch, from"),
}
"""Kind → what its threshold means, or what it is."""

Details = Mapping[str, Any]


def sentence(kind: str, key: str, details: Details, zone: tzinfo) -> str:
    """Return what is wrong, in one line without a period."""
    return _SENTENCES[kind](key, details, zone).removesuffix(".")


def hint(kind: str, key: str, details: Details, zone: tzinfo) -> str:
    """Return the cause or what to do about it; empty where there is nothing to say."""
    if kind == rules.SILENT and "code" in details:
        fault = _fault(key, details)
        return f"{fault_words(fault, zone) or ''} {fault_hint(fault, zone)}".strip()
    if kind == rules.STORE and (code := details.get("code", "")) not in storage.WORDS:
        return str(advice(code))
    if kind == rules.SWITCH:
        return _("Before midnight is on time. heatmon sees by itself when it is done.")
    if kind == rules.DISK:
        return _("Old backups or logs of other programs can go.")
    if kind in {rules.OTHER_METER, rules.LOGIN}:
        return words(_CODES[kind], details, zone).hint
    if kind == rules.DEVICE and details.get("source") == "heat_pump":
        return words("heat_pump_messages", {}, zone).hint
    return ""


_CODES = {rules.OTHER_METER: "other_meter", rules.LOGIN: "login_ends_soon"}


def _fault(key: str, details: Details) -> Fault:
    given = dict(details.get("fault", {}))
    if isinstance(since := given.get("since"), str):
        given["since"] = parse_time(since)
    return Fault(source=key, code=details["code"], details=given)


def _silent(key: str, details: Details, zone: tzinfo) -> str:
    source = _("Meter") if key == "meter" else _("Heat pump")
    return _("%(source)s: no new values since %(time)s") % {
        "source": source,
        "time": _moment(details.get("since"), zone),
    }


def _quota(_key: str, details: Details, _zone: tzinfo) -> str:
    return _("%(used)s of %(stops_at)s cloud requests are used") % {
        "used": details.get("used", "–"),
        "stops_at": details.get("stops_at", "–"),
    }


def _store(_key: str, details: Details, _zone: tzinfo) -> str:
    return storage.sentence(details.get("code", "")) or _("The store of measured values is not responding")


def _disk(_key: str, details: Details, _zone: tzinfo) -> str:
    return _("Disk nearly full: %(free)s of %(total)s free") % {
        "free": filesizeformat(details.get("free_bytes", 0)),
        "total": filesizeformat(details.get("total_bytes", 0)),
    }


def _backup(_key: str, details: Details, zone: tzinfo) -> str:
    if "failure" in details:
        return f"{_('The last backup failed.')} {backup_sentence(details['failure'])}"
    if not details.get("made_at"):
        return _("There is no backup yet")
    return _("The newest backup is of %(time)s") % {"time": _moment(details["made_at"], zone)}


def _cycling(_key: str, details: Details, _zone: tzinfo) -> str:
    starts = int(details.get("starts", 0))
    return ngettext(
        "Short cycling: %(n)d start of the compressor within an hour",
        "Short cycling: %(n)d starts of the compressor within an hour",
        starts,
    ) % {"n": starts}


def _rod(_key: str, details: Details, _zone: tzinfo) -> str:
    return _("The heating rod ran for %(n)s min within 24 hours") % {"n": details.get("minutes", "–")}


def _device(key: str, details: Details, zone: tzinfo) -> str:
    if "offset_s" in details:
        return _("The meter's clock is %(offset)s") % {"offset": offset_words(details["offset_s"])}
    if details.get("source") == "heat_pump":
        return words("heat_pump_messages", {"codes": [details["message"]]}, zone).sentence
    return words("meter_faults", {"reported": [details.get("message", key)]}, zone).sentence


def _deviation(_key: str, details: Details, zone: tzinfo) -> str:
    percent = float(details.get("percent", 0.0))
    text = (
        _("%(percent)s %% more electricity than expected at this weather since %(day)s")
        if percent >= 0
        else _("%(percent)s %% less electricity than expected at this weather since %(day)s")
    )
    return text % {"percent": round(abs(percent)), "day": _moment(details.get("since"), zone, "DATE_FORMAT")}


def _switch(_key: str, details: Details, _zone: tzinfo) -> str:
    key = str(details.get("key", ""))
    return _("Alternating test: set %(setting)s to %(value)s") % {
        "setting": label_of(key),
        "value": shown(key, details.get("value")),
    }


def _of_code(code: str) -> Callable[[str, Details, tzinfo], str]:
    return lambda _key, details, zone: words(code, details, zone).sentence


def _moment(stored: str | None, zone: tzinfo, style: str = "SHORT_DATETIME_FORMAT") -> str:
    at: datetime | None = parse_time(stored) if stored else None
    return "–" if at is None else date_format(at.astimezone(zone), style)


_SENTENCES: Mapping[str, Callable[[str, Details, tzinfo], str]] = {
    rules.SILENT: _silent,
    rules.QUOTA: _quota,
    rules.STORE: _store,
    rules.DISK: _disk,
    rules.BACKUP: _backup,
    rules.CYCLING: _cycling,
    rules.ROD: _rod,
    rules.DEVICE: _device,
    rules.OTHER_METER: _of_code("other_meter"),
    rules.LOGIN: _of_code("login_ends_soon"),
    rules.DEVIATION: _deviation,
    rules.SWITCH: _switch,
}
