"""Every setting of heatmon: name, how it is read, default and help, in one table.

The table serves the check at start, the settings page, ``docs/options.md`` and the test that compares
them. ``load_options`` takes the environment as a mapping and reports all faults together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX = "HEATMON_"


class OptionsError(Exception):
    """The environment cannot be used. ``faults``: one sentence each, naming the option."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
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
        raise ValueError("must be on or off") from None


def number(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            result = float(value.strip())
        except ValueError:
            raise ValueError("must be a number") from None
        if not math.isfinite(result) or not low <= result <= high:
            raise ValueError(f"must be between {low:g} and {high:g}")
        return result

    return parse


def whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            result = int(value.strip())
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not low <= result <= high:
            raise ValueError(f"must be between {low} and {high}")
        return result

    return parse


def choice(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.strip() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value.strip()

    return parse


def names(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def host_names(value: str) -> tuple[str, ...]:
    result = names(value)
    if "*" in result:
        raise ValueError("must name the hosts; * would accept any")
    return result


def origins(value: str) -> tuple[str, ...]:
    result = names(value)
    for origin in result:
        http_url(origin)
    return result


def http_url(value: str) -> str:
    address = value.strip().rstrip("/")
    parts = urlsplit(address)
    try:
        parts.port  # noqa: B018  (reading it is the check)
    except ValueError:
        raise ValueError("has a port that is no number") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address like http://192.168.1.50")
    return address


def device_url(value: str) -> str:
    """An address as people type it: the scheme may be left out."""
    return http_url(value if "://" in value else f"http://{value.strip()}")


def address_and_port(value: str) -> str:
    host, colon, port = value.strip().rpartition(":")
    if not colon or not host:
        raise ValueError("must be an address and a port like 0.0.0.0:8000")
    whole_number(0, 65535)(port)
    return value.strip()


def time_zone(value: str) -> str:
    try:
        ZoneInfo(value.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone; use a name like Europe/Berlin") from None
    return value.strip()


def currency(value: str) -> str:
    code = value.strip().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise ValueError("must be a code of three letters like EUR")
    return code


def channels(value: str) -> tuple[str, ...]:
    """``a,b,c`` or EM1 ids ``0,1,2``; stored as letters."""
    letters = {"0": "a", "1": "b", "2": "c", "a": "a", "b": "b", "c": "c"}
    parts = [part.lower() for part in names(value)]
    if not parts or any(part not in letters for part in parts):
        raise ValueError("must list channels: a, b, c or 0, 1, 2")
    return tuple(sorted({letters[part] for part in parts}))


def path(value: str) -> Path:
    return Path(text(value))


@dataclass(frozen=True, slots=True)
class Option:
    """``house``: the Settings page may override it. ``secret``: also as NAME_FILE, never shown."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    help: str
    house: bool = False
    secret: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()


OPTIONS: tuple[Option, ...] = (
    Option("data_dir", path, Path("data"), "SQLite files, tokens and keys; made with mode 0700"),
    Option("bind", address_and_port, "127.0.0.1:8000", "address and port of the embedded server"),
    Option(
        "secret_key", text, None, "Django's key; made once in the data directory if not given", secret=True
    ),
    Option("allowed_hosts", host_names, (), "names under which the server may be reached, besides loopback"),
    Option(
        "trusted_origins", origins, (), "public addresses behind a reverse proxy, like https://heat.example"
    ),
    Option("trusted_proxy", text, None, "address of the reverse proxy whose X-Forwarded headers count"),
    Option("script_name", text, "", "sub-path under a reverse proxy, like /heatmon"),
    Option("lan_http", switch, False, "allow login without TLS on a home network"),
    Option(
        "database_url",
        text,
        None,
        "postgres://… for many homes; SQLite in the data directory if not given",
        secret=True,
    ),
    Option(
        "store",
        choice("sqlite", "influxdb"),
        "sqlite",
        "engine of the time-series store (influxdb comes with a later version)",
    ),
    Option("influxdb_url", http_url, None, "address of InfluxDB v2 (comes with a later version)"),
    Option("influxdb_org", text, None, "organisation in InfluxDB (comes with a later version)"),
    Option("influxdb_bucket", text, None, "bucket in InfluxDB (comes with a later version)"),
    Option("influxdb_token", text, None, "token for InfluxDB (comes with a later version)", secret=True),
    Option("redis_url", text, None, "broker for Celery; needed only in production", secret=True),
    Option("language", choice("de", "en"), None, "language of the pages; the browser's if not given"),
    Option(
        "metrics",
        choice("off", "token", "public"),
        "off",
        "who may read /metrics (comes with a later version)",
    ),
    Option(
        "notify_urls",
        names,
        (),
        "where alerts go (apprise addresses) (comes with a later version)",
        secret=True,
    ),
    Option("allow_loopback_devices", switch, False, "device addresses typed on pages may be loopback"),
    Option("time_zone", time_zone, "Europe/Berlin", "time zone of the house", house=True),
    Option("latitude", number(-90, 90), None, "latitude of the house [°]", house=True),
    Option("longitude", number(-180, 180), None, "longitude of the house [°]", house=True),
    Option("altitude", number(-430, 5000), None, "height of the house above the sea [m]", house=True),
    Option("currency", currency, "EUR", "currency of the prices", house=True),
    Option("shelly_url", device_url, None, "address of the meter, like http://192.168.1.50", house=True),
    Option("shelly_password", text, None, "password of the meter, if it has one", house=True, secret=True),
    Option(
        "meter_channels",
        channels,
        ("a", "b", "c"),
        "channels that feed the heat pump: a,b,c or EM1 ids",
        house=True,
    ),
    Option("viessmann_user", text, None, "Viessmann account (e-mail)", house=True),
    Option("viessmann_password", text, None, "its password, for the first login", house=True, secret=True),
    Option("viessmann_client_id", text, None, "client id from the Viessmann developer portal", house=True),
    Option(
        "viessmann_api_url",
        http_url,
        "https://api.viessmann-climatesolutions.com/iot/v2",
        "base address of the cloud's API",
    ),
    Option(
        "viessmann_iam_url",
        http_url,
        "https://iam.viessmann-climatesolutions.com/idp/v3",
        "base address of the cloud's login",
    ),
    Option("viessmann_daily_limit", whole_number(10, 100_000), 1450, "calls to the cloud allowed in 24 h"),
    Option(
        "estimated_flow_rate",
        number(0.05, 20),
        None,
        "flow rate of the heating water [m³/h], for heat from delta T",
        house=True,
        aliases=("ESTIMATED_FLOW_RATE",),
    ),
    Option("electricity_price", number(0, 10), None, "price of electricity per kWh", house=True),
)

_BY_NAME = {option.name: option for option in OPTIONS}


def option_named(name: str) -> Option:
    """The option with that name (lower case, without prefix); KeyError for an unknown one."""
    return _BY_NAME[name]


@dataclass(frozen=True)
class Options:
    """The parsed environment. ``values``: name → value; ``given``: names that the environment sets."""

    values: Mapping[str, Any]
    given: frozenset[str]
    warnings: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None


def _given_value(option: Option, environ: Mapping[str, str]) -> str | None:
    variables = (option.variable, *option.aliases)
    found = {variable: environ[variable] for variable in variables if environ.get(variable, "") != ""}
    if option.secret:
        file_variable = f"{option.variable}_FILE"
        file_name = environ.get(file_variable, "")
        if file_name and found:
            raise ValueError(f"and {file_variable} are both set; keep one")
        if file_name:
            try:
                return Path(file_name).read_text(encoding="utf-8").rstrip("\r\n")
            except OSError as error:
                raise ValueError(f"cannot be read from {file_variable}: {error.strerror}") from error
    if len(set(found.values())) > 1:
        raise ValueError(f"and {option.aliases[0]} differ; keep one")
    return next(iter(found.values()), None)


def load_options(environ: Mapping[str, str]) -> Options:
    """Read all options from ``environ``. Raises OptionsError with every fault at once."""
    values: dict[str, Any] = {}
    given: set[str] = set()
    faults: list[str] = []
    for option in OPTIONS:
        values[option.name] = option.default
        try:
            value = _given_value(option, environ)
            if value is None:
                continue
            values[option.name] = option.parse(value)
            given.add(option.name)
        except ValueError as error:
            faults.append(f"{option.variable} {error}")
    if values["store"] == "influxdb":
        faults.append("HEATMON_STORE=influxdb comes with a later version; use sqlite")
    if values["secret_key"] is not None and len(values["secret_key"]) < 32:
        faults.append("HEATMON_SECRET_KEY must have at least 32 characters; leave it out to have one made")
    if faults:
        raise OptionsError(faults)
    known = {option.variable for option in OPTIONS}
    known |= {f"{option.variable}_FILE" for option in OPTIONS if option.secret}
    known |= {"HEATMON_DEMO", "HEATMON_SCRATCH", "HEATMON_TESTING"}
    warnings = tuple(
        f"{name} is not a setting of heatmon; see docs/options.md"
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in known
    )
    return Options(values=values, given=frozenset(given), warnings=warnings)
