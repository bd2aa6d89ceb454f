"""What the operator's settings allow of addresses typed on pages: when saved, tried out, and at each poll."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from .address import CheckedAddress, checked_address, permitted_ip


def checked_typed_address(url: str) -> CheckedAddress:
    """Check an address as ``address.checked_address`` does."""
    return checked_address(url, _allow_loopback(), own_services=own_services())


def permitted_typed_ip(host: str, port: int) -> str:
    """Return the IP address to connect to. Raises as ``address.permitted_ip`` does."""
    return permitted_ip(host, port, _allow_loopback(), own_services=own_services())


def own_services() -> list[str]:
    """Return host:port of what belongs to heatmon itself: no meter's address."""
    options = settings.HEATMON
    found = [settings.BIND]
    for url, port in ((options.redis_url, 6379), (options.influxdb_url, 8086)):
        if url:
            parts = urlsplit(url)
            found.append(f"{parts.hostname}:{parts.port or port}")
    database = settings.DATABASES["default"]
    hosts = [host for host in database.get("HOST", "").split(",") if host and not host.startswith("/")]
    ports = (database.get("PORT") or "5432").split(",")
    return found + [f"{host}:{port}" for host in hosts for port in ports]


def _allow_loopback() -> bool:
    return bool(settings.HEATMON.allow_loopback_devices or settings.DEMO)
