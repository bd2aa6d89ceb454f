"""◇ The errors a device can give, as callers meet them.

``DeviceError`` is the root of everything that the outside world can do to us; a client translates
library errors into this tree once, with ``raise … from``. Callers decide by class. What happened is a
``code`` with ``details`` (plain JSON values such as host or status); ``wording`` has the sentence and the
hint for each code, in each reader's language.

    CodedError
    ├── DeviceError
    │   ├── DeviceUnreachable  no answer: network, name, timeout, refused, 5xx
    │   ├── DeviceBusy         come back later (429, nonce table full); ``retry_at`` where known
    │   ├── DeviceRefused      the device or cloud says no: login, rights, plan; a person must act
    │   ├── WrongDevice        something answers, but it is not the device we look for
    │   └── PayloadInvalid     an answer that cannot be read; ``path`` names the place
    └── BudgetExhausted        our own refusal: the call would pass the budget; ``retry_at``
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from .times import parse_time

IMPOSSIBLE = "impossible_energy"
"""Code of a row that holds what no meter can measure: asked again it stays the same."""

Detail = str | int | float | bool | None | Sequence[str]


class CodedError(Exception):
    """What happened, as a code and what the words for it need. ``str()`` is for logs and tracebacks."""

    def __init__(self, code: str, **details: Detail) -> None:
        super().__init__(code)
        self.code = code
        self.details: dict[str, Detail] = details

    def __str__(self) -> str:
        known = ", ".join(f"{name}={value}" for name, value in self.details.items())
        return f"{self.code} ({known})" if known else self.code


class DeviceError(CodedError):
    """A device or its cloud did not give what was asked. ``permanent``: trying again will not help."""

    permanent = False


class DeviceUnreachable(DeviceError):
    """No usable answer came: name, network, refused, timeout, a server error, an offline gateway."""


class DeviceBusy(DeviceError):
    """The device accepts no requests for now; ``retry_at`` is None if it does not say until when."""

    def __init__(self, code: str, *, retry_at: datetime | None = None, **details: Detail) -> None:
        super().__init__(code, **_with_time(details, retry_at))
        self.retry_at = retry_at


class DeviceRefused(DeviceError):
    """Login, rights or plan: the answer stays no until a person changes something."""

    permanent = True


class WrongDevice(DeviceError):
    """The address answers, but not as the device that heatmon needs or knows."""

    permanent = True


class PayloadInvalid(DeviceError):
    """The answer cannot be read. ``path`` names where, like ``em:0.a_act_power``."""

    def __init__(self, code: str = "unreadable", *, path: str = "", **details: Detail) -> None:
        super().__init__(code, **details, detail=path)
        self.path = path


class BudgetExhausted(CodedError):
    """heatmon itself refuses a cloud call: it would pass the budget."""

    def __init__(self, code: str = "budget", *, retry_at: datetime, **details: Detail) -> None:
        super().__init__(code, **_with_time(details, retry_at))
        self.retry_at = retry_at


def until_of(details: Mapping[str, Detail]) -> datetime | None:
    """Return the time of the next try that details name [aware UTC], None where they name none."""
    until = details.get("until")
    return parse_time(until) if isinstance(until, str) else None


def without_time(details: Mapping[str, Detail]) -> dict[str, Detail]:
    """Return details without the time of the next try: what tells whether a cause is a new one."""
    return {name: value for name, value in details.items() if name != "until"}


def _with_time(details: dict[str, Detail], retry_at: datetime | None) -> dict[str, Detail]:
    return details if retry_at is None else {**details, "until": retry_at.isoformat()}
