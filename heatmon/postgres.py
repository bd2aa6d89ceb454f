"""The address of a PostgreSQL server as Django's settings; libpq itself reads it."""

from __future__ import annotations

from typing import Any

from apps.devices.option_parsers import InvalidValue

CONNECT_WITHIN_S = "10"
KEPT_S = 60
_LIKE = "postgres://user:password@host:5432/name; write special characters in it as %40 for @"


def postgres_url(value: str) -> str:
    """Return an address that ``connection_settings`` can read."""
    connection_settings(value.strip())
    return value.strip()


def connection_settings(url: str) -> dict[str, Any]:
    """Return an entry of ``DATABASES`` for ``postgres://user:password@host:port/name?sslmode=require``.

    What libpq knows may stand in the query, ``host=/run/postgresql`` for a socket among it. Raises
    InvalidValue, whose text shows nothing of the address, as that holds the password.
    """
    import psycopg  # only for those who use it: its libraries take 10 MB
    from psycopg.conninfo import conninfo_to_dict

    if not url.startswith(("postgres://", "postgresql://")):
        raise InvalidValue("must begin with postgres://")
    try:
        parts = {name: str(part) for name, part in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError as error:
        if "query parameter" in str(error):
            raise InvalidValue("has a part after the ? that PostgreSQL does not know") from None
        raise InvalidValue(f"must be like {_LIKE}") from None
    if "@" in parts.get("host", "") or "@" in parts.get("dbname", ""):
        raise InvalidValue(f"has an @ too many; it must be like {_LIKE}")
    if not all(_is_port(port) for port in parts.get("port", "5432").split(",")):
        raise InvalidValue(f"has an invalid port; it must be like {_LIKE}")
    if "dbname" not in parts:
        raise InvalidValue("must name the database after the host, like postgres://host/heatmon")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": {"connect_timeout": CONNECT_WITHIN_S, **parts},
        "CONN_MAX_AGE": KEPT_S,
        "CONN_HEALTH_CHECKS": True,
    }


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536
