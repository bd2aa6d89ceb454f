"""Addresses that users type: where a meter may be, and where heatmon must not be sent.

A typed address is host and port only. Private addresses are allowed, that is where meters live;
loopback only by option; link-local, multicast, unspecified and reserved addresses never. A name is
resolved once and the connection goes to the address that was checked. Addresses from the environment
are the operator's and not restricted.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import DeviceRefused, DeviceUnreachable

Resolve = Callable[[str, int], Iterable[str]]

_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_-]+)*\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAddress:
    """``url`` as to be saved (``http://host`` or ``http://host:port``); ``ip`` is what it resolved to."""

    url: str
    host: str
    port: int
    ip: str


def checked_address(
    url: str, allow_loopback: bool, *, own_services: Iterable[str] = (), resolve: Resolve | None = None
) -> CheckedAddress:
    """Check an address that a user typed (the scheme may be left out).

    ``own_services``: ``host:port`` of heatmon's databases and broker, which are no meters either.
    Raises DeviceRefused (``address_invalid``, ``address_refused``) or DeviceUnreachable
    (``name_unknown``).
    """
    host, port = _host_and_port(url)
    if f"{host}:{port}".lower() in {service.lower() for service in own_services}:
        raise DeviceRefused("address_refused", host=host)
    ip = permitted_ip(host, port, allow_loopback, resolve=resolve)
    shown_host = f"[{host}]" if ":" in host else host
    return CheckedAddress(
        url=f"http://{shown_host}" if port == 80 else f"http://{shown_host}:{port}",
        host=host,
        port=port,
        ip=ip,
    )


def permitted_ip(host: str, port: int, allow_loopback: bool, *, resolve: Resolve | None = None) -> str:
    """Return the IP address to connect to. Every address that the name has must be permitted."""
    addresses = list((resolve or _resolve)(host, port))
    if not addresses:
        raise DeviceUnreachable("name_unknown", host=host)
    for address in addresses:
        if not _permitted(address, allow_loopback):
            raise DeviceRefused("address_refused", host=host)
    return addresses[0]


def _host_and_port(url: str) -> tuple[str, int]:
    text = url.strip()
    shown = text.rpartition("@")[2][:100]  # never show a password that was typed into the address
    invalid = DeviceRefused("address_invalid", host=shown)
    if not text.isprintable():
        raise invalid
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise invalid from error
    extra = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme != "http" or not host or extra or port == 0 or not (_is_ip(host) or _is_name(host)):
        raise invalid
    return host, port or 80


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_name(host: str) -> bool:
    return len(host) <= 253 and _HOST_NAME.fullmatch(host) is not None


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeviceUnreachable("name_unknown", host=host) from error
    return [str(address[0]) for *_, address in found]


def _permitted(address: str, allow_loopback: bool) -> bool:
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour
        if embedded is not None:
            ip = embedded
    if ip.is_loopback:
        return allow_loopback
    broadcast = ip.is_reserved if isinstance(ip, ipaddress.IPv4Address) else False
    return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or broadcast)
