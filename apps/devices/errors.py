"""The errors a device can give, as callers meet them.

``DeviceError`` is the root of everything that the outside world can do to us; a client translates
library errors into this tree once, with ``raise … from``. Callers decide what to do by class, people
read ``str(error)``: one sentence that says what is wrong, and ``hint``: what to do about it.

    DeviceError
    ├── DeviceUnreachable      no answer: network, name, timeout, refused, 5xx
    ├── DeviceBusy             come back later (429, nonce table full); ``retry_at`` where known
    ├── DeviceRefused          the device or cloud says no: login, rights, plan; a person must act
    ├── WrongDevice            something answers, but it is not the device we look for
    └── PayloadInvalid         an answer that cannot be read; ``path`` names the place
    BudgetExhausted            our own refusal: the call would pass the budget; ``retry_at``
"""

from __future__ import annotations

from datetime import datetime


class DeviceError(Exception):
    """A device or its cloud did not give what was asked. ``permanent``: trying again will not help."""

    permanent = False

    def __init__(self, message: str, *, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint


class DeviceUnreachable(DeviceError):
    """No usable answer came: name, network, refused, timeout, a server error, an offline gateway."""


class DeviceBusy(DeviceError):
    """The device wants no request now. ``retry_at`` is aware UTC, or None where it does not say."""

    def __init__(
        self, message: str, *, retry_at: datetime | None = None, code: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.retry_at = retry_at


class DeviceRefused(DeviceError):
    """Login, rights or plan: the answer stays no until a person changes something."""

    permanent = True


class WrongDevice(DeviceError):
    """The address answers, but not as the device that heatmon needs or knows."""

    permanent = True


class PayloadInvalid(DeviceError):
    """The answer cannot be read. ``path`` names where, like ``em:0.a_act_power``."""

    def __init__(self, message: str, *, path: str = "", code: str = "", hint: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.path = path


class BudgetExhausted(Exception):
    """heatmon itself refuses a cloud call: it would pass the budget. ``retry_at`` is aware UTC."""

    def __init__(self, message: str, *, retry_at: datetime) -> None:
        super().__init__(message)
        self.message = message
        self.retry_at = retry_at
