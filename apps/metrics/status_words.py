"""Faults of a source in the reader's words."""

from __future__ import annotations

from datetime import UTC, tzinfo

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from apps.devices import storage
from apps.devices.wording import WORDS, words

from . import status
from .status import Fault


def fault_words(fault: Fault | None, zone: tzinfo = UTC) -> str | None:
    """Return one sentence for people; None where nothing is wrong."""
    if fault is None:
        return None
    meter = fault.source == "meter"
    if fault.code == status.SOURCE_NOT_SET_UP:
        return _("No meter is set up yet.") if meter else _("No heat pump is set up yet.")
    if fault.code == status.NEVER_ANSWERED:
        return (
            _("The meter has not responded yet.")
            if meter
            else _("The heat pump's cloud has not responded yet.")
        )
    if fault.code == status.SOURCE_SILENT:
        since = date_format(localtime(fault.details["since"], zone), "DATETIME_FORMAT")
        return _("The cloud responds, but the heat pump has sent it nothing new since %(since)s.") % {
            "since": since
        }
    if fault.code == status.NOTHING_NEW:
        return _("No new values for a while; heatmon may have been stopped.")
    return storage.sentence(fault.code) or words(fault.code, fault.details, zone).sentence


def fault_hint(fault: Fault | None, zone: tzinfo = UTC) -> str:
    """Return what to do about it; empty where nothing is wrong or nothing can be done."""
    return words(fault.code, fault.details, zone).hint if fault is not None and fault.code in WORDS else ""


def fault_message(fault: Fault | None, zone: tzinfo = UTC) -> str | None:
    """Return what is wrong and when the next attempt is made; None where nothing is wrong."""
    said = fault_words(fault, zone)
    if fault is None or said is None or fault.code not in WORDS:
        return said
    return f"{said} {words(fault.code, fault.details, zone).next_attempt}".rstrip()
