"""heatmon's own options, read from the environment, and how the environment is read.

What belongs to a home is in ``apps.devices.home_options``; together they serve the check at start, the
settings page, ``docs/options.md`` and the test that compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from apps.devices.home_options import HOME_OPTIONS
from apps.devices.option_parsers import (
    PREFIX,
    Option,
    address_and_port,
    choice,
    host_names,
    http_url,
    ip,
    names,
    origins,
    redis_url,
    sub_path,
    switch,
    text,
    whole_number,
)

from .postgres import postgres_url


def url_with_password(url: str | None, password: str | None) -> str | None:
    """Return ``url`` with the password in it, unless it names one."""
    if not url or not password:
        return url
    parts = urlsplit(url)
    if parts.password is not None:
        return url
    login = f"{parts.username or ''}:{quote(password, safe='')}@"
    return parts._replace(netloc=f"{login}{parts.netloc.rpartition('@')[2]}").geturl()


KEY_LENGTH, KEY_SIGNS = 32, 10


class OptionsError(Exception):
    """The environment cannot be used. ``faults``: one sentence each, naming the option."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def path(value: str) -> Path:
    return Path(text(value))


SERVER_OPTIONS: tuple[Option, ...] = (
    Option("data_dir", path, Path("data"), "SQLite files, tokens and keys; created with mode 0700"),
    Option(
        "backup_dir",
        path,
        None,
        "folder of the nightly backups, better on another disk; backups in the data directory if not set",
    ),
    Option("bind", address_and_port, "127.0.0.1:8000", "address and port of the embedded server"),
    Option(
        "secret_key",
        text,
        None,
        "Django's secret key; generated in the data directory if not set",
        secret=True,
    ),
    Option(
        "allowed_hosts", host_names, (), "host names under which the server may be reached, besides loopback"
    ),
    Option(
        "trusted_origins", origins, (), "public addresses behind a reverse proxy, like https://heat.example"
    ),
    Option("trusted_proxy", ip, None, "address of the reverse proxy whose X-Forwarded headers are trusted"),
    Option("script_name", sub_path, "", "sub-path behind a reverse proxy, like /heatmon"),
    Option("lan_http", switch, False, "allow sign-in without TLS on a home network"),
    Option(
        "database_url",
        postgres_url,
        None,
        "postgres://… for many homes; SQLite in the data directory if not set",
        secret=True,
    ),
    Option("store", choice("sqlite", "influxdb"), "sqlite", "engine of the time-series store"),
    Option("influxdb_url", http_url, None, "address of InfluxDB v2, like http://influxdb:8086"),
    Option("influxdb_org", text, None, "organisation in InfluxDB"),
    Option("influxdb_bucket", text, None, "bucket in InfluxDB; it must keep data forever"),
    Option(
        "influxdb_token", text, None, "token for InfluxDB that may read and write the bucket", secret=True
    ),
    Option("redis_url", redis_url, None, "broker for Celery; needed only in production", secret=True),
    Option("redis_password", text, None, "password of the broker, if its address has none", secret=True),
    Option("language", choice("de", "en"), None, "language of the pages; the browser's if not set"),
    Option(
        "metrics",
        choice("off", "token", "public"),
        "off",
        "who may read /metrics: off, token (an API token) or public",
    ),
    Option(
        "notify_urls",
        names,
        (),
        "where alerts go (apprise addresses, with commas between them)",
        secret=True,
    ),
    Option("allow_loopback_devices", switch, False, "allow loopback addresses for devices entered on pages"),
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
        "base address of the cloud's sign-in service",
    ),
    Option(
        "viessmann_daily_limit",
        whole_number,
        1450,
        "cloud requests allowed in 24 h",
        low=10,
        high=100_000,
    ),
)

OPTIONS = (*SERVER_OPTIONS, *(option for option in HOME_OPTIONS if option.environment))


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

    @property
    def of_the_server(self) -> tuple[Option, ...]:
        """The rows that only the environment sets."""
        return SERVER_OPTIONS


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
            except UnicodeDecodeError as error:
                raise ValueError(f"cannot be read from {file_variable}: it is not UTF-8 text") from error
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
            values[option.name] = option.read(value)
            given.add(option.name)
        except ValueError as error:
            faults.append(f"{option.variable} {error}")
    if values["store"] == "influxdb":
        needed = [f"HEATMON_INFLUXDB_{name}" for name in ("URL", "ORG", "BUCKET", "TOKEN")]
        missing = [name for name in needed if values[name.removeprefix(PREFIX).lower()] is None]
        if missing and not any(fault.startswith(tuple(missing)) for fault in faults):
            faults.append(f"HEATMON_STORE=influxdb needs {', '.join(missing)} too")
    key = values["secret_key"]
    if key is not None and (len(key) < KEY_LENGTH or len(set(key)) < KEY_SIGNS):
        faults.append(
            f"HEATMON_SECRET_KEY must have at least {KEY_LENGTH} characters, {KEY_SIGNS} of them different; "
            "leave it out to have one made"
        )
    if faults:
        raise OptionsError(faults)
    values["redis_url"] = url_with_password(values["redis_url"], values["redis_password"])
    known = {option.variable for option in OPTIONS}
    known |= {f"{option.variable}_FILE" for option in OPTIONS if option.secret}
    known |= {"HEATMON_CRASH", "HEATMON_DEMO", "HEATMON_SCRATCH", "HEATMON_TESTING"}
    warnings = tuple(
        f"{name} is not a setting of heatmon; see docs/options.md"
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in known
    )
    return Options(values=values, given=frozenset(given), warnings=warnings)
