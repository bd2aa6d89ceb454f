"""◇ One option of heatmon and the functions that read its text, shared by environment and forms."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX = "HEATMON_"

_SUB_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")


class InvalidValue(ValueError):
    """A text that an option cannot take.

    ``str`` completes the sentence "HEATMON_X …" in English; ``code`` and ``details`` let a form word it
    in the reader's language.
    """

    def __init__(self, message: str, code: str = "invalid", **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.details = details


@dataclass(frozen=True, slots=True)
class Option:
    """One row of a table of options.

    ``parse``: text → value; None for what only a form of its own can set. ``low`` and ``high`` bound a
    number, both included. ``secret``: never shown, and also read from NAME_FILE. ``environment``: False
    for what is set on the Settings page only. ``variable``: HEATMON_ and the name in capitals unless
    given.
    """

    name: str
    parse: Callable[[str], Any] | None
    default: Any
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    secret: bool = False
    aliases: tuple[str, ...] = ()
    environment: bool = True
    variable_name: str = ""

    @property
    def variable(self) -> str:
        return PREFIX + (self.variable_name or self.name.upper())

    def read(self, value: str) -> Any:
        """Return the value of a text. Raises InvalidValue."""
        assert self.parse is not None, f"{self.name} has no text form"
        return bounded(self.parse(value), self.low, self.high)


def bounded(value: Any, low: float | None, high: float | None) -> Any:
    """Return ``value``. Raises InvalidValue unless it lies between ``low`` and ``high``, both included."""
    if low is not None and high is not None and not low <= value <= high:
        raise InvalidValue(f"must be between {low:g} and {high:g}", "range", low=low, high=high)
    return value


def text(value: str) -> str:
    if not value.strip():
        raise InvalidValue("is empty")
    return value.strip()


def switch(value: str) -> bool:
    known = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    try:
        return known[value.strip().lower()]
    except KeyError:
        raise InvalidValue("must be on or off") from None


def number(value: str) -> float:
    """Parse a number with a decimal point or comma."""
    typed = value.strip().replace("−", "-")
    if not _NUMBER.fullmatch(typed) or not math.isfinite(result := float(typed.replace(",", "."))):
        raise InvalidValue("must be a number", "number")
    return result


def whole_number(value: str) -> int:
    try:
        return int(value.strip())
    except ValueError:
        raise InvalidValue("must be a whole number") from None


def choice(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.strip() not in choices:
            raise InvalidValue(f"must be one of {', '.join(choices)}")
        return value.strip()

    return parse


def names(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def host_names(value: str) -> tuple[str, ...]:
    result = names(value)
    if "*" in result:
        raise InvalidValue("must name the hosts; * would accept any")
    return result


def origins(value: str) -> tuple[str, ...]:
    result = names(value)
    for origin in result:
        http_url(origin)
    return result


def http_url(value: str) -> str:
    address = value.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  (reading it is the check)
    except ValueError:
        raise InvalidValue("does not have a valid port") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidValue("must be an address like http://192.168.1.50")
    if "@" in parts.netloc:
        raise InvalidValue("must not have a name or password in it; there is a setting for each")
    return address


def redis_url(value: str) -> str:
    """Check the address of a broker; what is wrong is said without it, as it may hold a password."""
    address = value.strip()
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  (reading it is the check)
    except ValueError:
        raise InvalidValue("does not have a valid port") from None
    if parts.scheme not in {"redis", "rediss", "unix"} or not (parts.hostname or parts.path):
        raise InvalidValue("must be an address like redis://redis:6379/0")
    return address


def device_url(value: str) -> str:
    """Parse an address as people type it: the scheme may be left out."""
    return http_url(value if "://" in value else f"http://{value.strip()}")


def address_and_port(value: str) -> str:
    host, colon, port = value.strip().rpartition(":")
    if not colon or not host:
        raise InvalidValue("must be an address and a port like 0.0.0.0:8000")
    bounded(whole_number(port), 0, 65535)
    return value.strip()


def ip(value: str) -> str:
    try:
        return str(ip_address(value.strip()))
    except ValueError:
        raise InvalidValue("must be an IP address like 172.30.43.2") from None


def sub_path(value: str) -> str:
    path = value.strip().rstrip("/")
    if path and not _SUB_PATH.fullmatch(path):
        raise InvalidValue("must begin with a slash, like /heatmon")
    return path


def time_zone(value: str) -> str:
    try:
        ZoneInfo(value.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue("is not a valid time zone; use a name like Europe/Berlin", "time_zone") from None
    return value.strip()


def currency(value: str) -> str:
    code = value.strip().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise InvalidValue("must be a code of three letters like EUR", "currency")
    return code


def channels(value: str) -> tuple[str, ...]:
    """Parse ``a,b,c`` or EM1 ids ``0,1,2`` into letters."""
    letters = {"0": "a", "1": "b", "2": "c", "a": "a", "b": "b", "c": "c"}
    parts = [part.lower() for part in names(value)]
    if not parts or any(part not in letters for part in parts):
        raise InvalidValue("must list channels: a, b, c or 0, 1, 2")
    return tuple(sorted({letters[part] for part in parts}))
