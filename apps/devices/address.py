"""Addresses that users type: where a meter may be, and where heatmon must not be sent.

A typed address is host and port only. It must lie in a home network: a private address, or a public one of
IPv6 out of this machine's own network. This machine itself (loopback, any address of its interfaces) only by
option, and heatmon's own port and services never, by whatever name or address. A name is resolved once and
the connection goes to the address that was checked. Addresses from the environment are the operator's and not
restricted.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from urllib.parse import urlsplit

from .errors import DeviceRefused, DeviceUnreachable

Resolve = Callable[[str, int], Iterable[str]]
Address = IPv4Address | IPv6Address

# RFC 1918, the shared space of VPNs and providers (RFC 6598), unique local addresses of IPv6 (RFC 4193).
HOME_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
# Of no machine (RFC 5737, RFC 3849): who may bind these may bind anything.
NOBODYS = {4: "203.0.113.77", 6: "2001:db8::ffff"}
EVERYBODY = IPv4Address("255.255.255.255")
"""Whoever is on this network."""
OWN_IPV6 = Path("/proc/net/if_inet6")
HERE = "this machine"

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

    ``own_services``: ``host:port`` of heatmon itself, its databases and broker, which are no meters either.
    Raises DeviceRefused (``address_invalid``, ``address_refused``) or DeviceUnreachable
    (``name_unknown``).
    """
    host, port = _host_and_port(url)
    ip = permitted_ip(host, port, allow_loopback, own_services=own_services, resolve=resolve)
    shown_host = f"[{host}]" if ":" in host else host
    return CheckedAddress(
        url=f"http://{shown_host}" if port == 80 else f"http://{shown_host}:{port}",
        host=host,
        port=port,
        ip=ip,
    )


def permitted_ip(
    host: str,
    port: int,
    allow_loopback: bool,
    *,
    own_services: Iterable[str] = (),
    resolve: Resolve | None = None,
) -> str:
    """Return the IP address to connect to. Every address that the name has must be permitted."""
    find = resolve or _resolve
    addresses = list(find(host, port))
    if not addresses:
        raise DeviceUnreachable("name_unknown", host=host)
    ours = set(_places(own_services, find))
    for address in addresses:
        ip = _plain(address)
        if not _permitted(ip, allow_loopback) or (_place(ip), port) in ours:
            raise DeviceRefused("address_refused", host=host)
    return addresses[0]


def _places(services: Iterable[str], find: Resolve) -> Iterator[tuple[str, int]]:
    """Yield every address and port of the services; one whose name is unknown now has none."""
    for service in services:
        host, _colon, port = service.rpartition(":")
        try:
            found = list(find(host.strip("[]"), int(port)))
        except DeviceUnreachable:
            continue
        yield from ((_place(_plain(address)), int(port)) for address in found)


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


def _plain(address: str) -> Address:
    """Return the address that packets go to: an IPv4 one may be written as IPv6."""
    ip = ipaddress.ip_address(address)
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


def _permitted(ip: Address, allow_loopback: bool) -> bool:
    if ip.is_multicast or ip == EVERYBODY:  # the system lets one bind them
        return False
    if _place(ip) == HERE and not ip.is_unspecified:
        return allow_loopback
    return any(ip in network for network in HOME_NETWORKS) or _is_neighbour(ip)


def _place(ip: Address) -> str:
    """Return HERE for this machine, whichever of its addresses ``ip`` is, else the address."""
    here = ip.is_loopback or ip.is_unspecified
    if not here and _may_bind(str(ip)):
        here = not _may_bind(NOBODYS[ip.version])  # the system may let anybody bind anything
    return HERE if here else str(ip)


def _may_bind(ip: str) -> bool:
    """Return whether the address is one of this machine's interfaces; nothing is sent."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((ip, 0))
    except OSError:
        return False
    return True


def _is_neighbour(ip: Address) -> bool:
    """Return whether a public address of IPv6 is in the network of one of this machine (Linux says which)."""
    if not isinstance(ip, IPv6Address) or not ip.is_global or not OWN_IPV6.exists():
        return False
    for line in OWN_IPV6.read_text(encoding="ascii").splitlines():
        own, _index, length, *_rest = line.split()
        bits = int(length, 16)
        if bits >= 48 and ip in ipaddress.ip_network((int(own, 16), bits), strict=False):
            return True
    return False
