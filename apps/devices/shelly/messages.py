"""What people read when the meter fails: by code, one sentence and what to do about it."""

from __future__ import annotations

from typing import TypeVar

from django.utils.translation import gettext_lazy as _

from ..errors import DeviceError

Failure = TypeVar("Failure", bound=DeviceError)

_CHECK_ADDRESS = _("Check the address of the meter in the settings.")
_CHECK_POWER = _("Check that the meter has power and network, and that the address is right.")
_TRY_AGAIN = _("Nothing to do: heatmon tries again by itself.")

# Sentences may use %(host)s and %(detail)s.
MESSAGES = {
    "unreachable": (_("The meter at %(host)s does not answer."), _CHECK_POWER),
    "timeout": (_("The meter at %(host)s did not answer in time."), _CHECK_POWER),
    "name_unknown": (
        _("The name %(host)s is not known in this network."),
        _("Enter the IP address of the meter instead of its name."),
    ),
    "connection_lost": (_("The meter at %(host)s broke off in the middle of an answer."), _TRY_AGAIN),
    "server_error": (
        _("The meter at %(host)s reports an error of its own (%(detail)s)."),
        _("If it stays so, restart the meter."),
    ),
    "busy": (
        _("The meter at %(host)s takes no more requests for now."),
        _("Other programs may be asking it often: close them, or restart the meter."),
    ),
    "wrong_password": (
        _("The meter at %(host)s refuses the password."),
        _("Enter the meter's password again in the settings; heatmon asks no more until then."),
    ),
    "password_needed": (
        _("The meter at %(host)s asks for a password."),
        _("Enter the meter's password in the settings."),
    ),
    "not_a_shelly": (_("What answers at %(host)s is not a Shelly."), _CHECK_ADDRESS),
    "redirected": (
        _("What answers at %(host)s sends on to another address."),
        _("Enter the address of the meter itself, without a proxy or a login page in between."),
    ),
    "old_shelly": (
        _("The Shelly at %(host)s is of the first generation."),
        _("heatmon reads the Shelly Pro 3EM, Pro EM-50 and 3EM of the third generation."),
    ),
    "shelly_without_meter": (_("The Shelly at %(host)s has no energy meter."), _CHECK_ADDRESS),
    "no_meter_values": (
        _("The Shelly at %(host)s sends no measured values."),
        _("Check the profile of the meter (triphase or monophase) in its own app, and restart it."),
    ),
    "profile_changed": (
        _("The meter at %(host)s has no history for the profile it had before."),
        _("Its profile was switched; heatmon goes on with the new one at the next reading."),
    ),
    "another_device": (
        _("Another Shelly (%(detail)s) answers at %(host)s."),
        _("If it is your new meter, confirm it in the settings; else correct the address."),
    ),
    "clock_not_set": (
        _("The meter at %(host)s has not set its clock yet."),
        _("Give it access to a time server; until then its history cannot be read."),
    ),
    "too_large": (_("The answer from %(host)s is too large for a meter's."), _CHECK_ADDRESS),
    "unreadable": (
        _("The answer of the meter at %(host)s cannot be read (%(detail)s)."),
        _("If it stays so, restart the meter and update its firmware."),
    ),
    "future": (
        _("The meter at %(host)s gives values from the future (%(detail)s)."),
        _("Check the clock of the meter and of this computer."),
    ),
    "address_invalid": (
        _("%(host)s is no address of a meter."),
        _("Enter host and port only, like http://192.168.1.50, and the password in its own field."),
    ),
    "address_refused": (
        _("%(host)s is not an address where a meter may be."),
        _("Enter the meter's address in your home network."),
    ),
}


def failure(kind: type[Failure], code: str, *, host: str, detail: str = "") -> Failure:
    """A DeviceError of that kind with the sentence and hint of ``code``."""
    error = kind("", code=code)
    tell(error, host=host, detail=detail)
    return error


def tell(error: DeviceError, *, host: str, detail: str = "") -> None:
    """Give an error of the pure modules the sentence and hint of its code, in the reader's language."""
    sentence, hint = MESSAGES[error.code]
    error.message = str(sentence) % {"host": host, "detail": detail}
    error.hint = str(hint)
    error.args = (error.message,)
